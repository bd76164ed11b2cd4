// A project while it is being written: text as typed, and what the API gets of it. Pure.
import type { BudgetSpec, NewProject, Project, ProjectSettings } from "../api/types";
import {
  blankZero,
  limits,
  nothingWithin,
  type Within,
  whole,
  withinOf,
  withinProblems,
  withinSaid,
  withinSettings,
} from "../keys/within";
import { parseDollars } from "../ui/format";

export interface ProjectDraft extends Within {
  name: string;
  description: string;
  owner: string;
  target_metric: string;
  archetype: Project["archetype"];
  stage: Project["stage"];
  risk_tier: Project["risk_tier"];
  /** Empty, for a new one only: as the instance says. */
  payloads: Project["payloads"] | "";
  rpm: string;
  tpm: string;
  concurrency: string;
  /** Dollars; empty is no cap. */
  budget: string;
  period: Required<BudgetSpec>["period"];
  whenAway: Required<BudgetSpec>["when_away"];
}

export const emptyProject: ProjectDraft = {
  ...nothingWithin,
  name: "",
  description: "",
  owner: "",
  target_metric: "",
  archetype: "prompt",
  stage: "crawl",
  risk_tier: "low",
  payloads: "",
  rpm: "",
  tpm: "",
  concurrency: "",
  budget: "",
  period: "month",
  whenAway: "closed",
};

export function projectDraft(project: Project): ProjectDraft {
  const { name, description, owner, target_metric, archetype, stage, risk_tier, payloads } =
    project;
  return {
    ...{ name, description, owner, target_metric, archetype, stage, risk_tier, payloads },
    rpm: blankZero(project.limits.rpm),
    tpm: blankZero(project.limits.tpm),
    concurrency: blankZero(project.limits.concurrency),
    budget: project.budget ? String(project.budget.spec.limit_nano / 1e9) : "",
    period: project.budget?.spec.period ?? "month",
    whenAway: project.budget?.spec.when_away ?? "closed",
    ...withinOf(project),
  };
}

export type ProjectProblems = Partial<Record<keyof ProjectDraft, string>>;

export function projectProblems(draft: ProjectDraft): ProjectProblems {
  const found: ProjectProblems = withinProblems(draft);
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(draft.name.trim()))
    found.name = "Small letters, digits and dashes, such as menu-desk.";
  for (const field of ["rpm", "tpm", "concurrency"] as const) {
    if (draft[field].trim() && !whole(draft[field]))
      found[field] = "A whole number, or empty for no limit.";
  }
  if (draft.budget.trim() && !parseDollars(draft.budget))
    found.budget = "An amount in dollars such as 25 or 0.50.";
  return found;
}

type Settings = Required<
  Pick<
    ProjectSettings,
    | "description"
    | "owner"
    | "target_metric"
    | "archetype"
    | "stage"
    | "risk_tier"
    | "payloads"
    | "limits"
    | "budget"
    | "cache"
    | "apart"
  >
>;

function settings(draft: ProjectDraft, multiple = 1): Settings {
  const limit_nano = parseDollars(draft.budget);
  return {
    description: draft.description.trim(),
    owner: draft.owner.trim(),
    target_metric: draft.target_metric.trim(),
    archetype: draft.archetype,
    stage: draft.stage,
    risk_tier: draft.risk_tier,
    payloads: draft.payloads || null,
    limits: limits(draft),
    budget: limit_nano
      ? { limit_nano, period: draft.period, when_away: draft.whenAway, away_multiple: multiple }
      : null,
    ...withinSettings(draft),
  };
}

export function newProject(draft: ProjectDraft): NewProject {
  return { name: draft.name.trim(), ...settings(draft) } as NewProject;
}

/** Only what was changed, and whether the cap goes away, which the API is told apart. */
export function projectChanges(
  draft: ProjectDraft,
  known: Project,
): { settings: ProjectSettings; uncapped: boolean } {
  const multiple = known.budget?.spec.away_multiple ?? 1;
  const before = settings(projectDraft(known), multiple);
  const after = settings(draft, multiple);
  const changed = (Object.keys(after) as (keyof Settings)[]).filter(
    (field) => JSON.stringify(after[field]) !== JSON.stringify(before[field]),
  );
  const said = withinSaid(after, known);
  return {
    settings: Object.fromEntries(
      changed.filter((field) => said[field] !== null).map((field) => [field, said[field]]),
    ),
    uncapped: known.budget !== null && after.budget === null,
  };
}
