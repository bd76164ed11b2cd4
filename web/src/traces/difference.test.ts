import { describe, expect, it } from "vitest";
import { changeOf, differs, told } from "./difference";

describe("telling a difference", () => {
  it("gives a number's change with its sign, its unit and its share", () => {
    const cost = { what: "cost_nano", before: 2_000_000, after: 3_000_000, change: 1_000_000 };
    expect(changeOf(cost)).toMatch(/^\+\$0\.001.* \(\+50%\)$/);
    const took = { what: "duration_ms", before: 200, after: 100, change: -100 };
    expect(changeOf(took)).toBe("−100 ms (−50%)");
  });

  it("gives no share of nothing, and no change of words", () => {
    expect(changeOf({ what: "errors", before: 0, after: 1, change: 1 })).toBe("+1");
    expect(changeOf({ what: "model", before: "a", after: "b", change: null })).toBe("");
  });

  it("leaves parameters as they were sent, and says what is missing", () => {
    expect(told("params.temperature", 0.25)).toBe("0.25");
    expect(told("params.stop", ["a"])).toBe('["a"]');
    expect(told("params.seed", null)).toBe("–");
  });

  it("does not take time alone for a difference", () => {
    const took = { what: "duration_ms", before: 1, after: 2, change: 1 };
    expect(differs([took])).toBe(false);
    expect(differs([took, { what: "model", before: "a", after: "b", change: null }])).toBe(true);
  });
});
