// Experiments in words: states, shares, values of metrics, verdicts. Pure.
import type {
  ArmDifference,
  Experiment,
  ExperimentDecision,
  ExperimentLook,
  ExperimentMetric,
} from "../api/types";
import type { Tone } from "../ui/badge";
import { duration, money, NONE } from "../ui/format";

export const STATE: Record<Experiment["state"], { word: string; tone: Tone }> = {
  draft: { word: "draft", tone: "mute" },
  running: { word: "running", tone: "ok" },
  stopped: { word: "stopped", tone: "warn" },
  rolled_back: { word: "rolled back", tone: "bad" },
  concluded: { word: "concluded", tone: "accent" },
};

const ORDER: readonly Experiment["state"][] = [
  "running",
  "rolled_back",
  "draft",
  "stopped",
  "concluded",
];

/** What runs first, then what needs a look. */
export function byUrgency(one: Experiment, other: Experiment): number {
  return (
    ORDER.indexOf(one.state) - ORDER.indexOf(other.state) ||
    (other.started_ms ?? other.created_ms) - (one.started_ms ?? one.created_ms)
  );
}

export const VERDICT: Record<ArmDifference["verdict"], { word: string; tone: Tone }> = {
  better: { word: "better", tone: "ok" },
  not_worse: { word: "not worse", tone: "ok" },
  worse: { word: "worse", tone: "bad" },
  harmed: { word: "beyond its margin", tone: "bad" },
  open: { word: "open", tone: "mute" },
};

export const DECISION: Record<ExperimentDecision["kind"], { word: string; tone: Tone }> = {
  started: { word: "started", tone: "ok" },
  ramped: { word: "ramped", tone: "ok" },
  rolled_back: { word: "rolled back", tone: "bad" },
  concluded: { word: "concluded", tone: "accent" },
  srm_alarm: { word: "split alarm", tone: "bad" },
  stopped: { word: "stopped", tone: "warn" },
  lifted: { word: "lifted", tone: "warn" },
  released: { word: "made permanent", tone: "ok" },
};

/** Parts of 10,000 as a percentage. */
export function share(parts: number): string {
  return `${Number((parts / 100).toFixed(2))}%`;
}

const NAMES: Record<string, string> = {
  cost: "Cost a call",
  latency_ms: "Latency",
  ttft_ms: "TTFT",
  tokens: "Tokens",
  error: "Error rate",
};

export function metricName(name: string): string {
  const [kind, rest] = name.split(/:(.*)/s);
  return NAMES[name] ?? (kind === "feedback" ? `${rest} (feedback)` : (rest ?? name));
}

const plain = (value: number) => String(Number(value.toPrecision(3)));

/** A mean of a metric with its unit. */
export function valueText(
  metric: Pick<ExperimentMetric, "name" | "kind">,
  value: number | null,
): string {
  if (value === null) return NONE;
  if (metric.name === "cost") return money(Math.round(value * 1e9));
  if (metric.name.endsWith("_ms")) {
    return value < 0 ? `-${duration(-value)}` : duration(value);
  }
  if (metric.kind === "proportion") return `${plain(value * 100)}%`;
  return plain(value);
}

/** A difference with its sign; of shares in percentage points. */
export function changeText(
  metric: Pick<ExperimentMetric, "name" | "kind">,
  value: number | null,
): string {
  if (value === null) return NONE;
  const text = valueText(metric, value);
  const told = metric.kind === "proportion" ? text.replace("%", " pp") : text;
  return value > 0 ? `+${told}` : told;
}

export function intervalText(
  metric: Pick<ExperimentMetric, "name" | "kind">,
  low: number | null,
  high: number | null,
): string {
  if (low === null && high === null) return "no interval yet";
  return `${low === null ? "−∞" : changeText(metric, low)} to ${high === null ? "∞" : changeText(metric, high)}`;
}

export function relativeText(value: number | null): string {
  if (value === null) return "";
  const told = Math.abs(value * 100);
  return `${value < 0 ? "−" : "+"}${told >= 100 ? Math.round(told) : plain(told)}%`;
}

/** How much of the interval's width is gone since the first look; undefined with one look. */
export function narrowed(looks: readonly ExperimentLook[]): number | undefined {
  const first = looks[0];
  const last = looks.at(-1);
  if (!first || !last || first === last || first.high === first.low) return undefined;
  return 1 - (last.high - last.low) / (first.high - first.low);
}

/** What a line of the band is called. A metric that has two roles has two lines. */
export const bandKey = (one: { metric: string; arm: string; role: string }, roles = 1) =>
  roles > 1 ? `${one.metric}|${one.arm}|${one.role}` : `${one.metric}|${one.arm}`;

export function days(value: number): string {
  if (value < 1 / 24) return "less than an hour";
  if (value < 2) return `about ${Math.round(value * 24)} h`;
  return `about ${Math.round(value)} days`;
}

/** What an experiment splits, in one line. */
export function subjectOf(one: Pick<Experiment, "kind" | "subject">): string {
  return one.kind === "label" ? one.subject : `${one.kind} ${one.subject}`;
}
