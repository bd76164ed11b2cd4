import { describe, expect, it } from "vitest";
import type { Monitor } from "../api/types";
import { draftOf, emptyDraft, problems, ruleOf, settingsOf } from "./draft";
import { alertsAt, byUrgency, metricOf, sliceOf, valueText } from "./words";

const RULE = {
  kind: "threshold",
  metric: "error_rate",
  score: "",
  op: "above",
  threshold: 0.05,
  back_at: 0.02,
  window_s: 600,
  for_s: 120,
  back_for_s: 90,
  min_samples: 20,
  severity: "ticket",
} as const;

const MONITOR: Monitor = {
  id: "mon_1",
  project: "menu",
  name: "failing",
  description: "",
  slice: { environment: "production", model: "m" } as Monitor["slice"],
  rule: RULE,
  channels: ["chn_1"],
  remind_s: 600,
  no_data: "keep",
  enabled: true,
  standing: {
    state: "ok",
    since_ms: 0,
    value: null,
    samples: 0,
    severity: "page",
    reason: "",
    evaluated_ms: null,
    alert_id: null,
    silenced_until_ms: null,
    badges: [],
  },
  spark: null,
  created_ms: 0,
  created_by: "ana",
  updated_ms: 0,
};

describe("a monitor in a form", () => {
  it("comes out as it went in, also what the form does not show", () => {
    const sent = settingsOf(draftOf(MONITOR), MONITOR);
    expect(sent.rule).toEqual(RULE);
    expect(sent.slice).toEqual({ environment: "production", model: "m" });
    expect(sent.remind_s).toBe(600);
  });

  it("shows percent and dollars, and sends shares and nano-dollars", () => {
    expect(draftOf(MONITOR).threshold).toBe("5");
    const dear = { ...emptyDraft("menu"), metric: "cost" as const, threshold: "12.5" };
    expect(ruleOf(dear)).toMatchObject({ threshold: 12_500_000_000, back_at: null });
  });

  it("says what stands against it", () => {
    const draft = { ...emptyDraft("menu"), name: "slow", threshold: "100", backAt: "150" };
    expect(problems(draft)).toEqual({ backAt: "Must lie on the good side." });
    expect(problems({ ...draft, op: "below" })).toEqual({});
    const slo = { ...draft, kind: "burn_rate" as const, indicator: "latency" as const };
    expect(problems(slo)).toEqual({ bound: "A number." });
    expect(problems({ ...slo, bound: "800", objective: "100" })).toHaveProperty("objective");
  });
});

describe("a monitor in words", () => {
  it("names its metric, its rule and its slice", () => {
    expect(metricOf(RULE)).toBe("Error rate");
    expect(alertsAt(RULE)).toBe("> 5% over 10 min for 2 min");
    expect(sliceOf(MONITOR)).toBe("menu · production · m");
    expect(valueText(RULE, null)).toBe("–");
    expect(valueText(RULE, 0.0123)).toBe("1.23%");
  });

  it("puts what fires first and what is disabled last", () => {
    const as = (name: string, state: Monitor["standing"]["state"], enabled = true) => ({
      ...MONITOR,
      name,
      enabled,
      standing: { ...MONITOR.standing, state },
    });
    const shown = [as("a", "ok"), as("b", "firing"), as("c", "firing", false), as("d", "no_data")];
    expect(shown.sort(byUrgency).map((one) => one.name)).toEqual(["b", "d", "a", "c"]);
  });
});
