import { describe, expect, it } from "vitest";
import type { Spending } from "../api/types";
import { behind, cell, csv, exactDollars, stacked } from "./spending";

const totals = (cost_nano: number, unpriced = 0, calls = 1) => ({
  calls,
  unpriced,
  input_tokens: 1,
  output_tokens: 2,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  cost_nano,
  saved_by_vendor_nano: -5,
  saved_here_nano: 0,
  cache_hits: 0,
});
const group = (key: string, ...costs: number[]) => ({
  key,
  totals: totals(costs.reduce((sum, cost) => sum + cost, 0)),
  costs,
});
const spending: Spending = {
  from_ms: 0,
  to_ms: 120_000,
  bucket_ms: 60_000,
  by: "model",
  totals: totals(100),
  costs: [60, 40],
  groups: [group("a", 30, 20), group("b", 20, 5), group("c", 5, 10), group("d", 5, 5)],
  more: 2,
  rest: totals(0, 1),
};
const same = (key: string) => key;

describe("spend over time", () => {
  it("is the three dearest and all others, standing on one another", () => {
    const series = stacked(spending, same);
    expect(series.map((one) => [one.label, one.values])).toEqual([
      ["a", [30, 20]],
      ["b", [20, 5]],
      ["c", [5, 10]],
      ["others", [5, 5]],
    ]);
    expect(series[0]?.drawn).toEqual([60, 40]);
    expect(series[3]?.drawn).toEqual([5, 5]);
  });

  it("is one bar where it is told apart by day", () => {
    expect(stacked({ ...spending, by: "day" }, same)).toHaveLength(1);
  });
});

describe("the traces behind a figure", () => {
  it("are those of the group, and of a day from midnight to midnight in UTC", () => {
    expect(behind("key", "key_1")).toEqual({ key_id: "key_1" });
    expect(behind("day", "1970-01-02")).toEqual({
      range: undefined,
      from_ms: 86_400_000,
      to_ms: 172_800_000,
    });
  });
});

describe("a file of what was spent", () => {
  it("keeps every digit, and leaves an unknown cost empty", () => {
    const lines = csv(spending, same).trim().split("\r\n");
    expect(lines).toHaveLength(6);
    expect(lines[1]).toBe("a,a,1,0,1,2,0,0,0.000000050,-0.000000005,0.000000000,0");
    expect(lines[5]?.split(",")[8]).toBe("");
    expect(exactDollars(12_345_678_901)).toBe("12.345678901");
  });

  it("quotes, and lets no name become a formula", () => {
    expect(cell('a "b", c')).toBe('"a ""b"", c"');
    expect(cell("=SUM(A1)")).toBe("'=SUM(A1)");
    expect(cell("-3.5")).toBe("-3.5");
  });
});
