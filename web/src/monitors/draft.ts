// A monitor while it is being written, and what is sent of it. Pure.
import type { Monitor, MonitorSettings, MonitorSlice, NewMonitor } from "../api/types";
import { type Indicator, type Metric, type Rule, type Unit, unitOf } from "./words";

export const CUTS = [
  "environment",
  "model",
  "route",
  "provider",
  "key_id",
  "prompt_name",
  "prompt_version",
  "kind",
  "experiment",
  "variant",
  "error",
] as const satisfies readonly (keyof MonitorSlice)[];
export type Cut = (typeof CUTS)[number];

export interface Draft {
  name: string;
  project: string;
  description: string;
  kind: Rule["kind"];
  metric: Metric;
  op: "above" | "below";
  /** In the unit that is shown: milliseconds, percent, dollars. */
  threshold: string;
  backAt: string;
  window: number;
  lasting: number;
  score: string;
  indicator: Indicator;
  bound: string;
  objective: string;
  minSamples: string;
  severity: "page" | "ticket";
  cuts: Partial<Record<Cut, string>>;
  channels: readonly string[];
  remind: number;
  noData: "keep" | "resolve" | "alert";
  enabled: boolean;
}

export const emptyDraft = (project: string): Draft => ({
  name: "",
  project,
  description: "",
  kind: "threshold",
  metric: "latency_p95",
  op: "above",
  threshold: "2000",
  backAt: "",
  window: 300,
  lasting: 0,
  score: "",
  indicator: "errors",
  bound: "",
  objective: "99.9",
  minSamples: "20",
  severity: "page",
  cuts: {},
  channels: [],
  remind: 4 * 3_600,
  noData: "keep",
  enabled: true,
});

const SCALE: Record<Unit, number> = { ms: 1, "%": 0.01, $: 1e9, "": 1 };

const shown = (value: number | null | undefined, unit: Unit) =>
  value === null || value === undefined ? "" : String(Number((value / SCALE[unit]).toFixed(9)));

export function draftOf(monitor: Monitor): Draft {
  const { rule, slice } = monitor;
  if (rule.kind === "check") return emptyDraft(monitor.project); // its file says what it is
  const cuts: Draft["cuts"] = {};
  for (const cut of CUTS) if (slice[cut]) cuts[cut] = slice[cut];
  const common = {
    ...emptyDraft(monitor.project),
    name: monitor.name,
    description: monitor.description,
    cuts,
    channels: monitor.channels,
    remind: monitor.remind_s,
    noData: monitor.no_data,
    enabled: monitor.enabled,
    score: rule.score,
    minSamples: String(rule.min_samples),
    kind: rule.kind,
  };
  if (rule.kind === "burn_rate") {
    return {
      ...common,
      indicator: rule.indicator,
      bound: rule.bound === null ? "" : String(rule.bound),
      objective: String(Number((rule.objective * 100).toFixed(6))),
    };
  }
  const unit = unitOf(rule.metric);
  return {
    ...common,
    metric: rule.metric,
    op: rule.op,
    threshold: shown(rule.threshold, unit),
    backAt: shown(rule.back_at, unit),
    window: rule.window_s,
    lasting: rule.for_s,
    severity: rule.severity,
  };
}

const numeric = (text: string): number | undefined => {
  const value = Number(text.replace(/[\s,]/g, ""));
  return text.trim() && Number.isFinite(value) ? value : undefined;
};

export interface Problems {
  name?: string;
  threshold?: string;
  backAt?: string;
  score?: string;
  bound?: string;
  objective?: string;
  minSamples?: string;
}

/** What stands against a draft, by field. */
export function problems(draft: Draft): Problems {
  const wrong: Problems = {};
  if (!draft.name.trim()) wrong.name = "Give it a name.";
  const samples = numeric(draft.minSamples);
  if (samples === undefined || samples < 1 || samples % 1) wrong.minSamples = "A whole number.";
  if (draft.kind === "threshold") {
    const threshold = numeric(draft.threshold);
    const backAt = draft.backAt.trim() ? numeric(draft.backAt) : threshold;
    if (threshold === undefined) wrong.threshold = "A number.";
    else if (backAt === undefined) wrong.backAt = "A number, or nothing.";
    else if (draft.op === "above" ? backAt > threshold : backAt < threshold)
      wrong.backAt = "Must lie on the good side.";
    if (draft.metric === "score_mean" && !draft.score.trim()) wrong.score = "Name a score.";
    return wrong;
  }
  const objective = numeric(draft.objective);
  if (objective === undefined || objective < 50 || objective > 99.999)
    wrong.objective = "From 50 to 99.999.";
  if (draft.indicator !== "errors" && numeric(draft.bound) === undefined) wrong.bound = "A number.";
  if (draft.indicator === "score" && !draft.score.trim()) wrong.score = "Name a score.";
  return wrong;
}

/** The rule of a draft without problems. */
export function ruleOf(draft: Draft): NewMonitor["rule"] {
  const min_samples = numeric(draft.minSamples) ?? 1;
  if (draft.kind === "burn_rate") {
    const bad = draft.indicator;
    return {
      kind: "burn_rate",
      indicator: bad,
      bound: bad === "errors" ? null : numeric(draft.bound),
      score: bad === "score" ? draft.score.trim() : "",
      objective: Number(((numeric(draft.objective) ?? 0) / 100).toFixed(9)),
      min_samples,
    };
  }
  const scale = SCALE[unitOf(draft.metric)];
  const scaled = (text: string) => Number(((numeric(text) ?? 0) * scale).toPrecision(12));
  return {
    kind: "threshold",
    metric: draft.metric,
    score: draft.metric === "score_mean" ? draft.score.trim() : "",
    op: draft.op,
    threshold: scaled(draft.threshold),
    back_at: draft.backAt.trim() ? scaled(draft.backAt) : null,
    window_s: draft.window,
    for_s: draft.lasting,
    min_samples,
    severity: draft.severity,
  };
}

export function sliceOfDraft(draft: Draft): MonitorSlice {
  return Object.fromEntries(
    Object.entries(draft.cuts).flatMap(([cut, value]) =>
      value.trim() ? [[cut, value.trim()]] : [],
    ),
  );
}

export function settingsOf(draft: Draft, before?: Monitor): MonitorSettings {
  const rule = ruleOf(draft);
  // What the form does not show is kept as it was.
  const kept = before && before.rule.kind === rule.kind ? before.rule : {};
  return {
    name: draft.name.trim(),
    description: draft.description.trim(),
    slice: sliceOfDraft(draft),
    rule: { ...kept, ...rule } as MonitorSettings["rule"],
    channels: [...draft.channels],
    remind_s: draft.remind,
    no_data: draft.noData,
    enabled: draft.enabled,
  };
}
