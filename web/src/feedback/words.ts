// Feedback in words and figures. Pure.
import type { Interval, Score } from "../api/types";
import { NONE } from "../ui/format";

const SIGNALS: Record<string, string> = {
  copied: "Copied the answer",
  regenerated: "Asked again",
  escalated: "Went to a person",
  citation_click: "Followed a source",
  accepted: "Took the answer",
  edited: "Edited the answer",
  abandoned: "Left",
  appealed: "Appealed",
};

export function signalName(name: string): string {
  return SIGNALS[name] ?? name;
}

/** What one score says, in a few words. */
export function saidIn(score: Score): string {
  if (score.name === "thumbs") return score.label === "up" ? "Thumb up" : "Thumb down";
  if (score.correction !== null) return "Corrected";
  if (score.name === "comment") return "Comment";
  if (SIGNALS[score.name]) return signalName(score.name);
  const told = score.label || (score.value === null ? "" : figure(score.value));
  return told ? `${score.name}: ${told}` : score.name;
}

export function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

export function share(value: number | null | undefined): string {
  return value === null || value === undefined ? NONE : `${Math.round(value * 100)}%`;
}

/** A share with its interval, for a reader and for a title. */
export function told(interval: Interval | null, kind: "share" | "mean" = "share"): string {
  if (!interval) return NONE;
  const show =
    kind === "share" ? share : (value: number | null) => (value === null ? NONE : figure(value));
  const bounds =
    interval.low === null || interval.high === null
      ? ""
      : `, 95 % interval ${show(interval.low)} to ${show(interval.high)}`;
  return `${show(interval.value)} of ${interval.n}${bounds}`;
}

/** Where a value stands between two ends, as a share of the width, kept inside. */
export function place(value: number, least = 0, most = 1): number {
  return Math.min(1, Math.max(0, (value - least) / (most - least || 1)));
}
