// Monitors in words: states, metrics with their units, rules as one line. Pure.
import type {
  BurnRateRule,
  CheckRule,
  Monitor,
  MonitorSlice,
  Standing,
  ThresholdRule,
} from "../api/types";
import type { Tone } from "../ui/badge";
import { compact, duration, money, NONE } from "../ui/format";

export type Rule = ThresholdRule | BurnRateRule | CheckRule;
export type FigureRule = ThresholdRule | BurnRateRule;
export type Metric = ThresholdRule["metric"];
export type Indicator = BurnRateRule["indicator"];

export const STATE: Record<Standing["state"], { word: string; tone: Tone }> = {
  ok: { word: "ok", tone: "ok" },
  pending: { word: "pending", tone: "warn" },
  firing: { word: "firing", tone: "bad" },
  resolved: { word: "resolved", tone: "ok" },
  no_data: { word: "no data", tone: "mute" },
};

/** What is firing first, then what needs a look. */
const ORDER: readonly Standing["state"][] = ["firing", "pending", "no_data", "resolved", "ok"];

export function byUrgency(one: Monitor, other: Monitor): number {
  const rank = (monitor: Monitor) =>
    monitor.enabled ? ORDER.indexOf(monitor.standing.state) : ORDER.length;
  return rank(one) - rank(other) || one.name.localeCompare(other.name);
}

export const METRICS: readonly { value: Metric; label: string }[] = [
  { value: "error_rate", label: "Error rate" },
  { value: "latency_p50", label: "Latency p50" },
  { value: "latency_p95", label: "Latency p95" },
  { value: "latency_p99", label: "Latency p99" },
  { value: "ttft_p50", label: "TTFT p50" },
  { value: "ttft_p95", label: "TTFT p95" },
  { value: "ttft_p99", label: "TTFT p99" },
  { value: "tpot_p50", label: "TPOT p50" },
  { value: "tpot_p95", label: "TPOT p95" },
  { value: "tpot_p99", label: "TPOT p99" },
  { value: "calls", label: "Calls" },
  { value: "cost", label: "Cost" },
  { value: "tokens", label: "Tokens" },
  { value: "score_mean", label: "Score, mean" },
];

export const INDICATORS: readonly { value: Indicator; label: string }[] = [
  { value: "errors", label: "Calls that fail" },
  { value: "latency", label: "Calls slower than" },
  { value: "ttft", label: "TTFT slower than" },
  { value: "tpot", label: "TPOT slower than" },
  { value: "score", label: "Scores below" },
];

export type Unit = "ms" | "%" | "$" | "";

export function unitOf(metric: Metric): Unit {
  if (metric === "error_rate") return "%";
  if (metric === "cost") return "$";
  return /^(latency|ttft|tpot)_/.test(metric) ? "ms" : "";
}

const trimmed = (value: number, digits: number) => String(Number(value.toFixed(digits)));

/** A value of a rule's metric with its unit; a burn rate as so many times. */
export function valueText(rule: Rule, value: number | null): string {
  if (value === null) return NONE;
  if (rule.kind === "burn_rate") return `${trimmed(value, value < 10 ? 2 : 1)}×`;
  if (rule.kind === "check") return value < 0.001 ? value.toExponential(0) : trimmed(value, 3);
  switch (unitOf(rule.metric)) {
    case "%":
      return `${trimmed(value * 100, value < 0.1 ? 2 : 1)}%`;
    case "$":
      return money(value);
    case "ms":
      return duration(value);
    default:
      return rule.metric === "score_mean" ? trimmed(value, 3) : compact(value);
  }
}

export function seconds(value: number): string {
  if (value === 0) return "0 s";
  if (value % 86_400 === 0) return `${value / 86_400} d`;
  if (value % 3_600 === 0) return `${value / 3_600} h`;
  if (value % 60 === 0) return `${value / 60} min`;
  return `${value} s`;
}

export function metricOf(rule: Rule): string {
  if (rule.kind === "check") return rule.check.replace(":", " ");
  if (rule.kind === "burn_rate") {
    const about = rule.score || rule.indicator;
    return `SLO ${trimmed(rule.objective * 100, 3)}% ${about}`;
  }
  if (rule.score) return `Mean of ${rule.score}`;
  return METRICS.find((metric) => metric.value === rule.metric)?.label ?? rule.metric;
}

/** When a rule alerts, in one line. */
export function alertsAt(rule: Rule): string {
  if (rule.kind === "check")
    return rule.runs === 1 ? "when a run alarms" : `when ${rule.runs} runs in a row alarm`;
  if (rule.kind === "burn_rate") {
    const windows = rule.windows.map((one) => seconds(one.long_s)).join(", ");
    return windows ? `burn rate over ${windows}` : "burn rate over 1 h, 6 h and 3 d";
  }
  const sign = rule.op === "above" ? ">" : "<";
  const lasting = rule.for_s ? ` for ${seconds(rule.for_s)}` : "";
  return `${sign} ${valueText(rule, rule.threshold)} over ${seconds(rule.window_s)}${lasting}`;
}

export function sliceOf(monitor: { project: string; slice: MonitorSlice }): string {
  const cut = Object.entries(monitor.slice).filter(([, value]) => value);
  return [monitor.project || "all projects", ...cut.map(([, value]) => value)].join(" · ");
}
