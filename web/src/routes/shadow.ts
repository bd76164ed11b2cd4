// What a comparison of shadow traffic says, in words and tones. Pure.
import type { ShadowComparison, ShadowFigure } from "../api/types";
import { count, duration, fullTime, money, NONE } from "../ui/format";

const TITLES: Record<string, string> = {
  errors: "Errors",
  latency_p50: "Latency, median",
  latency_p95: "Latency, p95",
  ttft_p50: "First token, median",
  ttft_p95: "First token, p95",
  input_tokens: "Input tokens",
  output_tokens: "Output tokens",
  cost: "Cost a call",
  answer_length: "Characters",
  refusals: "Refusals (English)",
};

/** Of these less is better; of the others nobody can say. */
const LESS = new Set(["errors", "latency_p50", "latency_p95", "ttft_p50", "ttft_p95", "cost"]);

export function titleOf(figure: ShadowFigure): string {
  return TITLES[figure.what] ?? figure.what;
}

export function told(unit: ShadowFigure["unit"], value: number | null): string {
  if (value === null) return NONE;
  if (unit === "share") return share(value);
  if (unit === "ms") return duration(value);
  if (unit === "nano") return money(Math.round(value));
  return Number.isInteger(value) ? count(value) : value.toFixed(1);
}

export function share(value: number): string {
  const part = 100 * value;
  return `${part.toFixed(part === Math.round(part) ? 0 : 1)}%`;
}

export function signedOf(unit: ShadowFigure["unit"], value: number | null): string {
  if (value === null) return NONE;
  const size = told(unit, Math.abs(value));
  return value === 0 ? size : `${value < 0 ? "−" : "+"}${size}`;
}

export function intervalOf({ unit, low, high }: ShadowFigure): string {
  return low === null || high === null
    ? "too few pairs"
    : `${signedOf(unit, low)} to ${signedOf(unit, high)}`;
}

/** Better or worse where the whole interval says so. */
export function verdictOf({ what, low, high }: ShadowFigure): "better" | "worse" | null {
  if (!LESS.has(what) || low === null || high === null) return null;
  return high < 0 ? "better" : low > 0 ? "worse" : null;
}

/** Where an interval and its middle lie on a line from -1 to 1 with 0 in the middle. */
export function spanOf({ low, high, difference }: ShadowFigure) {
  if (low === null || high === null) return null;
  const most = Math.max(Math.abs(low), Math.abs(high), Math.abs(difference));
  if (most === 0) return { low: 0, high: 0, at: 0 };
  return { low: low / most, high: high / most, at: difference / most };
}

/** How many copies there were and what of them the figures are of. */
export function basisOf({ candidate, pairs, answers, since_ms }: ShadowComparison): string {
  if (!candidate) return "";
  const { copies, paired } = candidate;
  const lost = copies - paired;
  const words = [`${count(copies)} ${copies === 1 ? "copy" : "copies"}`];
  if (pairs < paired) {
    const since = since_ms == null ? "" : `, since ${fullTime(since_ms, "s")}`;
    words.push(`only the newest ${count(pairs)} compared${since}`);
  }
  if (lost > 0) words.push(`${count(lost)} without their call in the log`);
  words.push(
    answers ? `both answers kept of ${count(answers)}` : "no answers kept: see the keys’ policy",
  );
  return words.join(" · ");
}

export function namesOf(candidate: string | undefined): { provider?: string; model?: string } {
  const slash = candidate?.indexOf("/") ?? -1;
  if (!candidate || slash < 1) return {};
  return { provider: candidate.slice(0, slash), model: candidate.slice(slash + 1) };
}
