import { describe, expect, it } from "vitest";
import type { ShadowFigure } from "../api/types";
import { fullTime } from "../ui/format";
import { basisOf, intervalOf, namesOf, signedOf, spanOf, verdictOf } from "./shadow";

const figure = (more: Partial<ShadowFigure>): ShadowFigure => ({
  what: "cost",
  unit: "nano",
  n: 30,
  base: 1000,
  candidate: 520,
  difference: -480,
  low: -500,
  high: -460,
  method: "student",
  ...more,
});

describe("a comparison of shadow traffic", () => {
  it("calls a candidate better or worse only where the whole interval does", () => {
    expect(verdictOf(figure({}))).toBe("better");
    expect(verdictOf(figure({ low: 1, high: 2 }))).toBe("worse");
    expect(verdictOf(figure({ high: 20 }))).toBeNull();
    expect(verdictOf(figure({ low: null }))).toBeNull();
    expect(verdictOf(figure({ what: "output_tokens" }))).toBeNull();
  });

  it("tells differences with their sign and units", () => {
    expect(signedOf("share", -0.125)).toBe("−12.5%");
    expect(signedOf("ms", 1500)).toBe("+1.50 s");
    expect(intervalOf(figure({ unit: "tokens", low: -2, high: 0.5 }))).toBe("−2 to +0.5");
    expect(intervalOf(figure({ high: null }))).toBe("too few pairs");
  });

  it("draws an interval around zero", () => {
    expect(spanOf(figure({}))).toEqual({ low: -1, high: -0.92, at: -0.96 });
    expect(spanOf(figure({ low: 0, high: 0, difference: 0 }))).toEqual({ low: 0, high: 0, at: 0 });
  });

  it("says what the figures are of", () => {
    const candidate = { provider: "lab", model: "new", copies: 1200, paired: 1190 };
    const since_ms = Date.UTC(2026, 10, 23, 9, 5);
    const found = { candidate, pairs: 1000, answers: 0, since_ms } as Parameters<typeof basisOf>[0];
    expect(basisOf(found)).toBe(
      `1,200 copies · only the newest 1,000 compared, since ${fullTime(since_ms, "s")} · 10 without their call in the log · no answers kept: see the keys’ policy`,
    );
    expect(namesOf("lab/new/er")).toEqual({ provider: "lab", model: "new/er" });
    expect(namesOf("lab")).toEqual({});
  });
});
