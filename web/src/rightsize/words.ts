// Verdicts, differences and shares as people read them. Pure.
import type { Tone } from "../ui/badge";
import { NONE } from "../ui/format";
import type { Candidate } from "./types";

export const TONES: Record<Candidate["verdict"], Tone> = {
  passes: "ok",
  refused: "bad",
  "not enough data": "warn",
};

export function signed(value: number | null): string {
  if (value === null) return NONE;
  const text = Math.abs(value).toFixed(3);
  return value < 0 ? `−${text}` : `+${text}`;
}

export function intervalText(one: Candidate): string {
  return one.difference === null
    ? "no rows have a score in both"
    : `${signed(one.difference)} [${signed(one.low)}, ${signed(one.high)}]`;
}

export function share(value: number | null): string {
  return value === null ? "unknown" : `${Math.round(value * 100)}%`;
}

/** The verdict in a sentence, with the rows that it would take where it is open. */
export function verdictText(one: Candidate): string {
  const more = one.needed ? `; about ${one.needed.toLocaleString("en-US")} rows would tell` : "";
  return `${one.reason}${more}`;
}

/** The values that a forest plot has to hold: the margin and 0 are always in sight. */
export function reach(candidates: readonly Candidate[], margin: number): [number, number] {
  const ends = candidates.flatMap((one) => [one.low, one.high, one.difference]);
  const known = ends.filter((value): value is number => value !== null);
  const from = Math.min(-margin, 0, ...known);
  const to = Math.max(margin, 0, ...known);
  const air = (to - from || 1) * 0.06;
  return [from - air, to + air];
}
