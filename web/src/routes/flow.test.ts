import { describe, expect, it } from "vitest";
import { flowOf, POLICY_ROW, stepsOf, TARGET_ROW } from "./flow";
import { alias, asked, target } from "./made";

describe("drawing a route", () => {
  it("puts targets into tiers, the first to be tried on top, and never one over another", () => {
    const targets = Array.from({ length: 20 }, (_, row) =>
      target(`p${row}`, "m", { tier: row % 3 }),
    );
    const { tiers, height } = flowOf(alias(targets), []);
    expect(tiers.map((one) => one.tier)).toEqual([0, 1, 2]);
    const ys = tiers.flatMap((one) => one.stops.map((stop) => stop.y));
    expect(ys).toHaveLength(20);
    for (let row = 1; row < ys.length; row++)
      expect((ys[row] ?? 0) - (ys[row - 1] ?? 0)).toBeGreaterThanOrEqual(TARGET_ROW);
    expect(height).toBeGreaterThanOrEqual((ys.at(-1) ?? 0) + TARGET_ROW / 2);
  });

  it("is high enough for the policy when there is one target", () => {
    const { steps, height } = flowOf(alias([target("lab", "small")]), []);
    expect(height).toBe(steps.length * POLICY_ROW);
  });

  it("counts as served what was answered: a dead first target has no share", () => {
    const route = alias([target("dead", "m"), target("lab", "m", { tier: 1 })]);
    const { tiers, lines } = flowOf(route, [asked("dead", "m", 40, 40), asked("lab", "m", 40)]);
    expect(tiers.map((one) => one.stops[0]?.served)).toEqual([0, 1]);
    expect(lines.map((one) => one.idle)).toEqual([true, false]);
  });

  it("shows the share that is meant while there was no call", () => {
    const route = alias([target("a", "m", { weight: 3 }), target("b", "m")]);
    const [first] = flowOf(route, []).tiers;
    expect(first?.stops.map((one) => one.meant)).toEqual([0.75, 0.25]);
    expect(first?.stops[0]?.served).toBeNull();
  });

  it("draws a target without a connected provider as broken, and a rule to where it leads", () => {
    const rule = {
      name: "gold",
      source: "header" as const,
      field: "x-tier",
      values: ["gold"],
      targets: ["gone/m"],
      tier: null,
      only: false,
    };
    const absent = [{ provider: "gone", model: "m", weight: 0, tier: 0 }];
    const { lines } = flowOf(alias([target("lab", "m")], { absent, rules: [rule] }), []);
    expect(lines.filter((one) => one.kind === "rule").map((one) => one.id)).toEqual([
      "gold gone/m",
    ]);
    expect(lines.find((one) => one.id === "share gone/m")?.tone).toBe("bad");
  });

  it("tells each part of the policy that is in use, and no other", () => {
    const plain = stepsOf(alias([])).map((one) => one.id);
    expect(plain).toEqual(["strategy", "retries", "timeouts", "degrade"]);
    const hedge = { share: 0.05, min_ms: 20, max_ms: 900, burst: 5 };
    expect(stepsOf(alias([], { hedge, sticky: "user" })).map((one) => one.id)).toEqual([
      "sticky",
      "strategy",
      "retries",
      "hedge",
      "timeouts",
      "degrade",
    ]);
  });
});
