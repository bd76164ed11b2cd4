import { describe, expect, it } from "vitest";
import type { Span } from "../api/types";
import { arrange, niceTicks } from "./waterfall";

const span = (
  span_id: string,
  parent_id: string | null,
  start_ms: number,
  more: object = {},
): Span =>
  ({ span_id, parent_id, start_ms, duration_ms: 10, attempt: 1, source: "otlp", ...more }) as Span;

const order = (spans: Span[]) =>
  arrange(spans).rows.map((row) => `${row.depth}${row.span.span_id}`);

describe("a waterfall", () => {
  it("puts children under their parents, each by start", () => {
    expect(
      order([span("c", "a", 3), span("b", "a", 2), span("a", null, 1), span("d", "b", 4)]),
    ).toEqual(["0a", "1b", "2d", "1c"]);
  });

  it("shows a gateway's attempts in the order in which they happened", () => {
    expect(
      order([
        span("last", null, 1, { source: "gateway", attempt: 2 }),
        span("first", "last", 5, { source: "gateway" }),
      ]),
    ).toEqual(["0first", "0last"]);
  });

  it("loses no span to orphans, cycles or spans that are their own parents", () => {
    const spans = [span("a", "b", 1), span("b", "a", 2), span("c", "c", 3), span("d", "gone", 4)];
    expect(new Set(order(spans).map((one) => one.slice(1)))).toEqual(new Set(["a", "b", "c", "d"]));
  });

  it("spans from the first start to the last end", () => {
    expect(arrange([span("a", null, 5), span("b", "a", 40)])).toMatchObject({ start: 5, end: 50 });
  });

  it("marks a few round instants", () => {
    expect(niceTicks(1_000)).toEqual([0, 200, 400, 600, 800]);
    for (const total of [0.3, 7, 99, 12_345]) {
      expect(niceTicks(total).length).toBeGreaterThanOrEqual(3);
      expect(niceTicks(total).length).toBeLessThanOrEqual(6);
    }
  });
});
