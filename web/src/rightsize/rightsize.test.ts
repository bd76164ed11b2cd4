import { describe, expect, test } from "vitest";
import type { Candidate } from "./types";
import { intervalText, reach, share, signed, verdictText } from "./words";

const one = {
  difference: -0.012,
  low: -0.043,
  high: 0.019,
  verdict: "not enough data",
  reason: "neither shown to keep within 0.05 nor to be worse",
  needed: 1780,
} as Candidate;

describe("a candidate in words", () => {
  test("the sign of a difference is always told", () => {
    expect([signed(0.07), signed(-0.27), signed(null)]).toEqual(["+0.070", "−0.270", "–"]);
    expect(intervalText(one)).toBe("−0.012 [−0.043, +0.019]");
  });
  test("an open verdict says how many rows it would take", () => {
    expect(verdictText(one)).toContain("about 1,780 rows would tell");
    expect(verdictText({ ...one, needed: null })).not.toContain("rows would tell");
  });
  test("the picture always holds 0 and the margin", () => {
    const [from, to] = reach([one], 0.2);
    expect(from).toBeLessThan(-0.2);
    expect(to).toBeGreaterThan(0.2);
    expect(share(null)).toBe("unknown");
  });
});
