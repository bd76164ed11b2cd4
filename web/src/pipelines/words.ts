// Checks and their runs in words. Pure.
import type { Tone } from "../ui/badge";
import { money } from "../ui/format";
import type { Check, CheckRun, Step } from "./queries";
import type { Kind } from "./search";

export const KIND: Record<Kind, { one: string; many: string; about: string }> = {
  pipeline: {
    one: "pipeline",
    many: "Pipelines",
    about: "Steps on a schedule or a trigger; those whose inputs did not change are skipped.",
  },
  online: {
    one: "online rule",
    many: "Online rules",
    about: "Production answers, scored by a sample whose weights are recorded.",
  },
  drift: {
    one: "drift check",
    many: "Drift",
    about: "Scores and texts, held against what they were.",
  },
  canary: {
    one: "canary",
    many: "Canaries",
    about: "The same questions again and again, to see whether a model is still the same.",
  },
};

export function standing(run: CheckRun | null): { tone: Tone; word: string } {
  if (run === null) return { tone: "mute", word: "never ran" };
  if (run.state === "failed") return { tone: "bad", word: "failed" };
  if (run.state !== "done") return { tone: "accent", word: run.state };
  if (run.alarm) return { tone: "bad", word: run.kind === "pipeline" ? "failed" : "alarm" };
  if (run.result.skipped) return { tone: "warn", word: "skipped" };
  if (run.kind === "drift" && run.alarm === null) return { tone: "mute", word: "too few to tell" };
  return { tone: "ok", word: run.alarm === null ? "done" : "as it should be" };
}

/** What a run cost, beside the day's budget where it has one. */
export function costOf({ cost_nano, result }: Pick<CheckRun, "cost_nano" | "result">): string {
  const { cost } = result;
  if (!cost) return cost_nano ? money(cost_nano) : "";
  const limit =
    cost.limit_nano === null
      ? ""
      : `, ${money(cost.day_nano)} of ${money(cost.limit_nano)} that day`;
  const apart = cost.apart && cost.nano !== null ? ` beside ${cost.apart}, which has no price` : "";
  return `${money(cost.nano)}${apart}${limit}`;
}

export const STEP: Record<Step["state"], Tone> = {
  waiting: "mute",
  running: "accent",
  done: "ok",
  skipped: "mute",
  failed: "bad",
  "not run": "mute",
};

const UNITS: readonly [number, string][] = [
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
  [1, "second"],
];

/** `every 6 hours`, `cron 0 3 * * *`, or that somebody has to ask. */
export function scheduleOf({ schedule, enabled }: Pick<Check, "schedule" | "enabled">): string {
  if (!enabled) return "disabled";
  if (schedule.cron) return `cron ${schedule.cron}`;
  const every = schedule.every_s;
  if (!every) return "when asked or triggered";
  const [unit, name] = UNITS.find(([size]) => every % size === 0) ?? [1, "second"];
  const number = every / unit;
  return number === 1 ? `every ${name}` : `every ${number} ${name}s`;
}

export function pText(p: number): string {
  return p < 0.001 ? p.toExponential(0) : p.toFixed(3);
}
