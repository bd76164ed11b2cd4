// Runs, metrics and differences in words and on scales. Pure.
import type { Tone } from "../ui/badge";
import { count, duration, money, NONE } from "../ui/format";
import type { Compared, Measured, Result, Run, RunStep, Verdict } from "./types";

export const isOver = (run: Pick<Run, "state">) =>
  ["done", "failed", "cancelled"].includes(run.state);

/** A run after a step of it, or as it was after another's; a step that is behind changes nothing. */
export function stepped(run: Run, step: RunStep): Run {
  if (run.id !== step.id) return run;
  const behind = !isOver(step) && !isOver(run) && step.progress.done < run.progress.done;
  return behind ? run : { ...run, ...step };
}

export const STATE_TONE: Record<Run["state"], Tone> = {
  queued: "mute",
  running: "accent",
  done: "ok",
  failed: "bad",
  cancelled: "warn",
};

/** What ran, in a few words: a prompt's version on a model, an endpoint, a function. */
export function armOf(run: Run): string {
  const said = (name: string) => {
    const value = run.arm[name];
    return typeof value === "string" || typeof value === "number" ? String(value) : "";
  };
  const prompt = said("prompt");
  const version = said("prompt_version");
  const named = prompt && version && !prompt.includes("@") ? `${prompt}@${version}` : prompt;
  const parts = [named, said("model"), said("url"), said("callable")].filter(Boolean);
  return parts.join(" · ") || said("kind") || NONE;
}

/** A time in hours, in the unit that tells most. */
export function hours(value: number | null): string {
  if (value === null) return NONE;
  if (value * 60 < 1) return `${(value * 3600).toFixed(0)} s`;
  if (value < 1) return `${(value * 60).toFixed(0)} min`;
  return value < 48 ? `${value.toFixed(1)} h` : `${(value / 24).toFixed(1)} d`;
}

const digits = (value: number) => {
  const size = Math.abs(value);
  if (size >= 100) return 0;
  return size >= 10 ? 1 : 3;
};

/** A value of a metric in its unit. */
export function amount(value: number | null, unit: string): string {
  if (value === null) return NONE;
  if (unit === "share") return `${(value * 100).toFixed(1)}%`;
  if (unit === "ms") return duration(value);
  if (unit === "nano") return money(Math.round(value));
  return value.toFixed(digits(value));
}

/** A difference with its sign; shares in points of a percent. */
export function difference(value: number | null, unit: string): string {
  if (value === null) return NONE;
  const sign = value > 0 ? "+" : value < 0 ? "−" : "±";
  const size = Math.abs(value);
  if (unit === "share") return `${sign}${(size * 100).toFixed(1)} pt`;
  return `${sign}${amount(size, unit)}`;
}

export function intervalOf(one: Measured): string {
  if (one.low === null || one.high === null) return "";
  return `${amount(one.low, one.unit)} to ${amount(one.high, one.unit)}`;
}

export function pValue(p: number): string {
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}

export const VERDICT_TONE: Record<Compared["verdict"], Tone> = {
  better: "ok",
  worse: "bad",
  "not worse": "accent",
  "no difference shown": "mute",
};

/** What one scorer said of one row. */
/** Why a judge gave no verdict. */
const MISSING = {
  parse: "not readable",
  abstained: "abstained",
  error: "not answered",
  apart: "split",
};

export function verdictText(verdict: Verdict | undefined, unit: string): string {
  if (!verdict) return NONE;
  if (verdict.missing) return `no verdict (${MISSING[verdict.missing]})`;
  if (verdict.label) return verdict.label;
  if (verdict.value === null) return NONE;
  if (unit === "share")
    return verdict.value === 1 ? "yes" : verdict.value === 0 ? "no" : amount(verdict.value, unit);
  return amount(verdict.value, unit);
}

/** How bad a row is, from 0: errors first, then the share of its shares that it failed. */
export function badness(result: Result, shares: readonly string[]): number {
  if (result.error) return 2;
  const values = shares.flatMap((metric) => {
    const value = result.scores[metric]?.value;
    return typeof value === "number" ? [Math.min(1, Math.max(0, value))] : [];
  });
  if (values.length === 0) return 0;
  return 1 - values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Failing rows first; rows that are as bad as each other stay in the data set's order. */
export function failingFirst(results: readonly Result[], shares: readonly string[]): Result[] {
  return results
    .map((result, at) => ({ result, at, bad: badness(result, shares) }))
    .sort((one, other) => other.bad - one.bad || one.at - other.at)
    .map(({ result }) => result);
}

export const plain = (value: unknown): string => {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  return JSON.stringify(value, null, 2);
};

/** What a row asks, in one line. */
export function asked(input: unknown): string {
  if (typeof input === "object" && input !== null) {
    const fields = input as Record<string, unknown>;
    for (const name of ["prompt", "question", "text", "input", "name"])
      if (typeof fields[name] === "string") return fields[name];
    const { messages } = fields;
    if (Array.isArray(messages)) return plain(messages.at(-1)?.content);
    return JSON.stringify(input);
  }
  return plain(input);
}

/** Seconds that a run needs still, by how far it came. */
export function remaining(run: Run): number | undefined {
  const { rows, done, seconds } = run.progress;
  if (isOver(run) || done < 3 || seconds <= 0) return undefined;
  return ((rows - done) * seconds) / done;
}

export const rowsText = (run: Run) => {
  const { rows, done, failed } = run.progress;
  const told = isOver(run) && done === rows ? count(rows) : `${count(done)} of ${count(rows)}`;
  return failed > 0 ? `${told}, ${count(failed)} failed` : told;
};
