import { describe, expect, it } from "vitest";
import type { TargetHealth } from "../api/types";
import { health, price, share } from "./health";

const target = (state: TargetHealth["state"], more: Partial<TargetHealth> = {}) =>
  ({ state, weight: 1, tier: 0, free: false, price: null, ...more }) as TargetHealth;

describe("a model's health", () => {
  it("is that of its targets", () => {
    expect(health({ targets: [] })).toBe("no target");
    expect(health({ targets: [target("healthy"), target("unknown")] })).toBe("healthy");
    expect(health({ targets: [target("unknown")] })).toBe("unknown");
    expect(health({ targets: [target("healthy"), target("cooling")] })).toBe("degraded");
    expect(health({ targets: [target("failing"), target("cooling")] })).toBe("failing");
    expect(health({ targets: [target("cooling")] })).toBe("cooling");
  });
});

describe("a price", () => {
  it("is free, known or unknown, and never zero for want of knowledge", () => {
    expect(price(target("healthy", { free: true }), "input")).toBe("free");
    expect(price(target("healthy"), "input")).toBe("unknown");
    expect(price(target("healthy", { price: { input: 2.5, output: 0.6 } }), "input")).toBe("$2.50");
    expect(price(target("healthy", { price: { output: 0.075 } }), "output")).toBe("$0.075");
  });
});

describe("a share", () => {
  it("is by weight inside a tier; later tiers are fallbacks", () => {
    const targets = [
      target("healthy", { weight: 3 }),
      target("healthy"),
      target("healthy", { tier: 5 }),
    ];
    expect(targets.map((one) => share(one, { targets }))).toEqual(["75%", "25%", "fallback 1"]);
  });
});
