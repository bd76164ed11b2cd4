import { describe, expect, it } from "vitest";
import { changeWords, targetWords, valueWords } from "./words";

describe("a change in words", () => {
  it("names what changed, and says the default by its name", () => {
    const path = ["aliases", "fast", "strategy"];
    const said = changeWords({
      path,
      name: "aliases.fast.strategy",
      kind: "change",
      before: null,
      after: "least_cost",
    });
    expect(said).toEqual({
      sign: "~",
      subject: "alias fast",
      field: "strategy",
      before: "default",
      after: "least_cost",
    });
  });

  it("tells targets in the order in which they are tried, with their weights", () => {
    const targets = [
      { provider: "lab", model: "small", tier: 1 },
      { provider: "openai", model: "mini", weight: 3 },
      { provider: "azure", model: "mini" },
    ];
    expect(targetWords(targets)).toBe("openai/mini ×3 + azure/mini, then lab/small");
    expect(valueWords(targets, "targets")).toBe(targetWords(targets));
  });

  it("shows the end of a key as a day and hour with its zone, not as a number", () => {
    expect(valueWords({ expires_ms: 1_795_505_644_428, models: ["echo"] })).toMatch(
      /^expires \d{2} Nov 2026, \d{2}:\d{2} \S+, models echo$/,
    );
    expect(valueWords(0, "expires_ms")).toBe("never");
  });

  it("shows a budget in dollars and a removed entry without an after", () => {
    const said = changeWords({
      path: ["keys", "app"],
      name: "keys.app",
      kind: "remove",
      before: { budget: { limit_nano: 12_500_000_000, period: "day" }, models: ["fast", "slow"] },
      after: null,
    });
    expect(said.before).toBe("budget limit $12.50, period day, models fast, slow");
    expect(said.after).toBe("");
  });
});
