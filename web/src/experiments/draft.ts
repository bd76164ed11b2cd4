// An experiment as somebody fills it in, and as the server takes it. Pure.
import { ApiError } from "../api/client";
import type { Experiment, ExperimentPlanRequest } from "../api/types";

type Kind = Experiment["kind"];
type Role = Experiment["metrics"][number]["role"];

export interface ArmDraft {
  id: number;
  name: string;
  weight: string;
  target: string;
}
export interface MetricDraft {
  id: number;
  name: string;
  role: Role;
  direction: "up" | "down";
  margin: string;
  relative: boolean;
  kind: "mean" | "proportion";
}
export interface Draft {
  name: string;
  hypothesis: string;
  kind: Kind;
  subject: string;
  unit: string;
  arms: readonly ArmDraft[];
  metrics: readonly MetricDraft[];
  share: string;
  ramp: string;
  hours: string;
  baseline: string;
  spread: string;
  effect: string;
  units: string;
  days: string;
}

export const SECONDARY: MetricDraft = {
  id: 0,
  name: "cost",
  role: "secondary",
  direction: "down",
  margin: "0",
  relative: false,
  kind: "mean",
};

export const FIRST: Draft = {
  name: "",
  hypothesis: "",
  kind: "label",
  subject: "",
  unit: "user",
  arms: [
    { id: 1, name: "now", weight: "50", target: "" },
    { id: 2, name: "new", weight: "50", target: "" },
  ],
  metrics: [
    { ...SECONDARY, id: 1, name: "feedback:thumbs", role: "primary", direction: "up" },
    { ...SECONDARY, id: 2, name: "error", role: "guardrail", margin: "0.02", kind: "proportion" },
  ],
  share: "100",
  ramp: "",
  hours: "24",
  baseline: "",
  spread: "",
  effect: "",
  units: "",
  days: "14",
};

export const METRICS = ["cost", "latency_ms", "ttft_ms", "tokens", "error"];
export const UNITS = ["user", "session", "key", "header:x-shop", "metadata:shop"];

const parts = (percent: string) => Math.round(Number(percent) * 100);

/** What is sent: percentages as parts of 10,000, the ramp as stages. */
export function newOf(draft: Draft) {
  return {
    name: draft.name.trim(),
    hypothesis: draft.hypothesis.trim(),
    kind: draft.kind,
    subject: draft.subject.trim(),
    unit: draft.unit.trim(),
    arms: draft.arms.map(({ name, weight, target }) => ({
      name: name.trim(),
      weight: parts(weight),
      target: target.trim(),
    })),
    metrics: draft.metrics.map(({ name, margin, role, direction, relative, kind }) => ({
      name: name.trim(),
      role,
      direction,
      margin: Number(margin || 0),
      relative,
      kind,
    })),
    share: parts(draft.share),
    ramp: draft.ramp
      .split(",")
      .filter((one) => one.trim() !== "")
      .map((one) => ({ share: parts(one), after_s: Number(draft.hours || 0) * 3600 })),
  };
}

/** What a metric that spans tell is anyhow: less is better, and errors are a share of the calls. */
export function usualOf(name: string): Partial<MetricDraft> {
  if (!METRICS.includes(name)) return {};
  return { direction: "down", kind: name === "error" ? "proportion" : "mean" };
}

const COUNTS = {
  mean: "Each unit counts with the mean of its values.",
  proportion:
    "Each value lies between 0 and 1, such as a thumb or a pass: exact from the first units on.",
};

/** What a metric does to the experiment, in words: what decides, how far, and how values count. */
export function meaningOf({ name, role, margin, relative, kind }: MetricDraft): string {
  const size = Number(margin || 0);
  if (!(size >= 0)) return "The margin is a number from 0 on.";
  const percent = `${Number((size * 100).toPrecision(6))}`;
  const share = kind === "proportion" ? `${percent} percentage points` : `${size} ${unitOf(name)}`;
  const by = `by more than ${relative ? `${percent}% of the control's mean` : share}`;
  const said = {
    primary: size
      ? `An arm wins once it is surely not worse ${by}.`
      : "An arm wins once it is surely better than the control.",
    guardrail: `Rolled back once an arm is surely worse ${size ? by : "than the control"}.`,
    secondary: size
      ? `Told, and decides nothing; said to be harmed when surely worse ${by}.`
      : "Told, and decides nothing.",
  };
  return `${said[role]} ${COUNTS[kind]}`;
}

const unitOf = (name: string) =>
  ({ cost: "dollars a call", latency_ms: "ms", ttft_ms: "ms", tokens: "tokens a call" })[name] ??
  "in its own unit";

/** What to ask of the first primary metric, or undefined while something is missing. */
export function planOf(draft: Draft): ExperimentPlanRequest | undefined {
  const primary = draft.metrics.find((one) => one.role === "primary");
  const number = (text: string) => (text.trim() === "" ? Number.NaN : Number(text));
  const [baseline, spread] = [number(draft.baseline), number(draft.spread)];
  const [effect, units, days] = [number(draft.effect), number(draft.units), number(draft.days)];
  const weight = parts(draft.arms[1]?.weight ?? "");
  const share = parts(draft.share);
  if (!primary || Number.isNaN(baseline) || !(units > 0 && days > 0)) return undefined;
  if (!(weight > 0 && weight < 10_000 && share > 0 && share <= 10_000)) return undefined;
  const proportion = primary.kind === "proportion";
  if (proportion ? !(baseline > 0 && baseline < 1) : !(spread > 0)) return undefined;
  return {
    kind: proportion ? "proportion" : "mean",
    baseline,
    spread: proportion ? undefined : spread,
    effect: effect > 0 ? effect : undefined,
    units_per_day: units,
    days,
    share,
    weight,
    alpha: 0.05 / Math.max(1, draft.arms.length - 1),
    power: 0.8,
  };
}

const SAID: readonly [RegExp, string][] = [
  [/there is an experiment/, "name"],
  [/weight|arm\b|arms\b|control/, "arms"],
  [/ramp/, "ramp"],
  [/metric/, "metrics"],
  [/./s, "subject"],
];

/** The part of the form that a refusal is about: the path that it begins with, else its words. */
export function placeOf(error: unknown): string {
  if (!(error instanceof ApiError) || error.status < 400 || error.status >= 500) return "";
  if (error.status === 401 || error.status === 403) return "";
  const path = /^(name|hypothesis|subject|unit|arms|metrics|share|ramp)[.:]/.exec(error.message);
  return path?.[1] ?? SAID.find(([words]) => words.test(error.message))?.[1] ?? "";
}
