import { describe, expect, it } from "vitest";
import type { Model } from "../api/types";
import { draftOf, emptyDraft, problem, settingsOf } from "./draft";
import { alias, target } from "./made";

describe("changing a route", () => {
  it("keeps everything that the form does not touch", () => {
    const route = alias([target("openai", "mini"), target("lab", "small", { tier: 1 })], {
      strategy: "least_cost",
      sticky: "session",
      hedge: { share: 0.1, min_ms: 5, max_ms: 500, burst: 5 },
      breaker: {
        failures: 5,
        window_share: 0.4,
        window_calls: 9,
        window_s: 8,
        pause_s: 2,
        pause_most_s: 20,
      },
      shadow: { provider: "lab", model: "small", share: 0.2, concurrency: 2 },
      rules: [
        {
          name: "gold",
          source: "header",
          field: "x-tier",
          values: ["gold", "vip"],
          targets: ["openai/mini"],
          tier: null,
          only: true,
        },
        {
          name: "team",
          source: "project",
          field: "",
          values: ["menu"],
          targets: [],
          tier: 1,
          only: false,
        },
      ],
    });
    const sent = settingsOf(draftOf(route));
    for (const field of [
      "strategy",
      "sticky",
      "breaker",
      "hedge",
      "shadow",
      "rules",
      "timeouts",
    ] as const)
      expect(sent[field]).toEqual(route[field]);
  });

  it("keeps targets whose provider is not connected", () => {
    const absent = [{ provider: "gone", model: "old", weight: 2, tier: 0 }];
    const there = { provider: "lab", model: "small", weight: 1, tier: 1 };
    const defined = [...absent, there];
    const route: Model = alias([target("lab", "small", { tier: 1 })], { absent, defined });
    expect(settingsOf(draftOf(route)).targets).toEqual([
      { provider: "gone", model: "old", weight: 2, tier: 0 },
      { provider: "lab", model: "small", weight: 1, tier: 1 },
    ]);
  });

  it("says what is missing before anybody is asked", () => {
    const draft = emptyDraft([]);
    expect(problem(draft)).toContain("name");
    expect(problem({ ...draft, name: "fast" })).toContain("provider");
    const line = { id: 1, provider: "lab", model: "small", weight: 0, tier: 0 };
    expect(problem({ ...draft, name: "fast", targets: [line] })).toContain("weight");
    expect(problem({ ...draft, name: "fast", targets: [{ ...line, weight: 1 }] })).toBe("");
  });
});
