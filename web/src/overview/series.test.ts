import { describe, expect, it } from "vitest";
import type { Overview, Totals } from "../api/types";
import { columns, counted, measured } from "./series";

const totals = (calls: number) => ({ calls, latency_ms: { p50: calls * 10 } }) as Totals;

describe("columns of a chart", () => {
  const overview = {
    from_ms: 0,
    to_ms: 240_000,
    bucket_ms: 60_000,
    series: [
      { start_ms: 60_000, totals: totals(3) },
      { start_ms: 180_000, totals: totals(1) },
    ],
  } as unknown as Overview;

  it("hold every bucket of the window, also those without calls", () => {
    expect(columns(overview).times).toEqual([0, 60, 120, 180]);
  });

  it("count nothing as zero and measure nothing as unknown", () => {
    const { totals: rows } = columns(overview);
    expect(counted(rows, (one) => one.calls)).toEqual([0, 3, 0, 1]);
    expect(measured(rows, (one) => one.latency_ms.p50)).toEqual([null, 30, null, 10]);
  });
});
