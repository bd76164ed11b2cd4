import { describe, expect, it } from "vitest";
import type { Project } from "../api/types";
import {
  emptyProject,
  newProject,
  projectChanges,
  projectDraft,
  projectProblems,
} from "./project-draft";

const known = {
  name: "menu",
  ...{ description: "", owner: "Ada", target_metric: "", archetype: "rag", stage: "walk" },
  ...{ risk_tier: "low", payloads: "masked", limits: { rpm: 60, tpm: 0, concurrency: 0 } },
  budget: {
    spec: { limit_nano: 25e9, period: "week", when_away: "continue", away_multiple: 3 },
    spent_nano: 1e9,
  },
} as Project;

describe("a project that is changed", () => {
  it("sends nothing when nothing was changed", () => {
    expect(projectChanges(projectDraft(known), known)).toEqual({ settings: {}, uncapped: false });
  });

  it("sends a new cap whole, with what the form does not show", () => {
    const { settings } = projectChanges({ ...projectDraft(known), budget: "$30" }, known);
    expect(settings).toEqual({
      budget: { limit_nano: 30e9, period: "week", when_away: "continue", away_multiple: 3 },
    });
  });

  it("says in full that nothing holds within it any more", () => {
    const limits = { rpm: 0, tpm: 0, concurrency: 0 };
    const cached = { ttl_s: 60, scope: "project", max_entry: 9 } as const;
    const before = { ...known, cache: cached, apart: { users: { ...limits, rpm: 5 }, models: {} } };
    const draft = projectDraft(before);
    expect(projectChanges({ ...draft, cache: "90" }, before).settings).toEqual({
      cache: { ttl_s: 90, scope: "project", max_entry: 9 },
    });
    const bare = { ...draft, cache: "", user: { rpm: "", tpm: "", concurrency: "" } };
    expect(projectChanges(bare, before).settings).toEqual({
      cache: { ttl_s: 0 },
      apart: { users: limits, models: {} },
    });
  });

  it("loses its cap when the field is emptied", () => {
    const told = projectChanges({ ...projectDraft(known), budget: " ", rpm: "" }, known);
    expect(told).toEqual({
      settings: { limits: { rpm: 0, tpm: 0, concurrency: 0 } },
      uncapped: true,
    });
  });
});

describe("a project that is made", () => {
  it("needs a name that can stand in an address, and amounts that are amounts", () => {
    expect(projectProblems({ ...emptyProject, name: "Menu desk", budget: "ten" })).toMatchObject({
      name: expect.any(String),
      budget: expect.any(String),
    });
    expect(projectProblems({ ...emptyProject, name: "menu-desk", budget: "10" })).toEqual({});
  });

  it("has no cap and no limits unless some are given", () => {
    expect(newProject({ ...emptyProject, name: "menu " })).toMatchObject({
      name: "menu",
      budget: null,
      limits: { rpm: 0, tpm: 0, concurrency: 0 },
    });
  });
});
