import { describe, expect, it } from "vitest";
import type { GuardrailTested } from "../api/types";
import { rates, stretches } from "./words";

const tested = (...findings: { start: number; end: number; type: string }[]): GuardrailTested => ({
  action: "mask",
  text: "",
  us: 1,
  rules: [
    {
      rule: "r",
      rail: "pii",
      action: "mask",
      shadow: false,
      failed: "",
      skipped: "",
      holds: "",
      us: 1,
      findings: findings.map((one) => ({ ...one, score: 1 })),
    },
  ],
});

describe("what was found in a text", () => {
  it("is cut where findings begin and end, also behind letters of two halves", () => {
    const shown = stretches("😀 a@b.c!", tested({ start: 2, end: 7, type: "EMAIL" }));
    expect(shown).toEqual([
      { text: "😀 ", types: [] },
      { text: "a@b.c", types: ["EMAIL"] },
      { text: "!", types: [] },
    ]);
  });

  it("may overlap", () => {
    const two = tested({ start: 0, end: 3, type: "A" }, { start: 2, end: 4, type: "B" });
    expect(stretches("abcd", two).map((one) => one.types)).toEqual([["A"], ["A", "B"], ["B"]]);
  });
});

describe("rates of a rail", () => {
  it("are said with what they come from, and their absence is said", () => {
    const rail = { rail: "pii", title: "", measured: true, rates: { recall: 0.98123, set: "x" } };
    expect(rates(rail)).toEqual({ said: "recall 0.981", of: "x" });
    expect(rates({ ...rail, measured: false }).said).toContain("only flag");
  });
});
