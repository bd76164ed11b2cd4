import { expect, test } from "vitest";
import { ApiError } from "../api/client";
import { FIRST, meaningOf, newOf, placeOf, planOf, SECONDARY, usualOf } from "./draft";
import { requestOf } from "./plan-dialog";
import { ticks } from "./scale";
import { bandKey, changeText, intervalText, metricName, narrowed, share, valueText } from "./words";

const error = { name: "error", kind: "proportion" } as const;
const cost = { name: "cost", kind: "mean" } as const;

test("a share of errors is told in percent, its difference in percentage points", () => {
  expect(valueText(error, 0.0234)).toBe("2.34%");
  expect(changeText(error, 0.01)).toBe("+1 pp");
  expect(intervalText(error, -0.005, 0.02)).toBe("-0.5 pp to +2 pp");
});

test("dollars a call have digits enough, and times their unit also below zero", () => {
  expect(valueText(cost, 0.000012)).toBe("$0.000012");
  expect(changeText({ name: "latency_ms", kind: "mean" }, -250)).toBe("-250 ms");
});

test("an open end of an interval is infinite, and none at all is said", () => {
  expect(intervalText(cost, null, 0.5)).toBe("−∞ to +$0.50");
  expect(intervalText(cost, null, null)).toBe("no interval yet");
});

test("a metric is called what people call it", () => {
  expect(metricName("score:answer:tone")).toBe("answer:tone");
  expect(metricName("feedback:thumb")).toBe("thumb (feedback)");
  expect(share(1250)).toBe("12.5%");
});

test("how much a band narrowed is told from its first look to its last", () => {
  const look = { at_ms: 0, metric: "cost", role: "", arm: "b", units: 1, difference: 0 };
  const looks = [
    { ...look, low: -1, high: 1 },
    { ...look, low: -0.25, high: 0.25 },
  ];
  expect(narrowed(looks)).toBe(0.75);
  expect(narrowed(looks.slice(0, 1))).toBeUndefined();
});

test("an axis has round numbers that hold the whole range", () => {
  for (const [low, high] of [
    [-0.031, 0.004],
    [0, 0.12],
    [-900, 20],
  ] as const) {
    const found = ticks(low, high);
    expect(found[0]).toBeLessThanOrEqual(low);
    expect(found.at(-1)).toBeGreaterThanOrEqual(high);
    expect(found).toContain(0);
  }
});

test("a plan is asked for as soon as everything is there, with percentages as shares", () => {
  const draft = {
    kind: "proportion" as const,
    baseline: "5",
    spread: "",
    effect: "1",
    units: "100",
    length: "7",
    share: "50",
  };
  expect(requestOf(draft)).toMatchObject({ baseline: 0.05, effect: 0.01, share: 5000 });
  expect(requestOf({ ...draft, baseline: "" })).toBeUndefined();
  expect(requestOf({ ...draft, kind: "mean" })).toBeUndefined();
});

test("a metric with two roles has two lines, each called by its role", () => {
  const one = { metric: "feedback:thumbs", arm: "b" };
  const keys = ["primary", "guardrail"].map((role) => bandKey({ ...one, role }, 2));
  expect(new Set(keys).size).toBe(2);
  expect(bandKey({ ...one, role: "primary" })).toBe("feedback:thumbs|b");
});

test("what was filled in is sent as parts of 10,000 and stages of seconds", () => {
  const sent = newOf({ ...FIRST, subject: " menu@production ", ramp: "25, 100", hours: "2" });
  expect(sent.subject).toBe("menu@production");
  expect(sent.arms.map((arm) => arm.weight)).toEqual([5000, 5000]);
  expect(sent.ramp).toEqual([
    { share: 2500, after_s: 7200 },
    { share: 10_000, after_s: 7200 },
  ]);
});

test("the plan is asked for the first primary metric, with the weight of the arm that is new", () => {
  expect(planOf(FIRST)).toBeUndefined();
  const draft = { ...FIRST, baseline: "0.8", spread: "0.4", units: "500", effect: "0.05" };
  expect(planOf(draft)).toMatchObject({ kind: "mean", weight: 5000, share: 10_000, effect: 0.05 });
});

test("what a metric does is told in words, and a share or a part of the control is sent as such", () => {
  const guard = { ...SECONDARY, role: "guardrail", margin: "0.1" } as const;
  expect(meaningOf(guard)).toContain("surely worse by more than 0.1 dollars a call.");
  expect(meaningOf({ ...guard, relative: true })).toContain("more than 10% of the control's mean.");
  const thumbs = { ...guard, name: "feedback:thumbs", kind: "proportion", margin: "0.07" } as const;
  expect(meaningOf(thumbs)).toContain("more than 7 percentage points. Each value lies between 0");
  expect(meaningOf({ ...thumbs, margin: "0" })).toContain("surely worse than the control.");
  expect(meaningOf({ ...thumbs, margin: "much" })).toBe("The margin is a number from 0 on.");
  expect({ ...thumbs, ...usualOf("cost") }.kind).toBe("mean");
  expect(usualOf("score:tone")).toEqual({});
  const metrics = [{ ...thumbs, role: "primary" as const, relative: true }];
  expect(newOf({ ...FIRST, metrics }).metrics).toEqual([
    {
      name: "feedback:thumbs",
      role: "primary",
      direction: "down",
      margin: 0.07,
      relative: true,
      kind: "proportion",
    },
  ]);
  const draft = { ...FIRST, metrics, baseline: "0.8", units: "500" };
  expect(planOf(draft)).toMatchObject({ kind: "proportion", spread: undefined });
});

test("a refusal stands at the part of the form that it is about", () => {
  const place = (message: string, status = 422) =>
    placeOf(new ApiError(status, "invalid_input", message, ""));
  expect(place("arms.0.name: String should match pattern")).toBe("arms");
  expect(place("unit: String should match pattern")).toBe("unit");
  expect(place("body: Value error, the weights of the arms must add up to 10000")).toBe("arms");
  expect(place("there is an experiment 'a' in 'menu' already", 409)).toBe("name");
  expect(place("no prompt 'men'. Did you mean 'menu'?", 404)).toBe("subject");
  expect(place("TypeError inside stockpot", 500)).toBe("");
});
