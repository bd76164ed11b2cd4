// A key while it is being written: text as typed, and what the API gets of it. Pure.
import type { BudgetSpec, KeySettings, NewKey, VirtualKey } from "../api/types";
import { parseDollars } from "../ui/format";
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
} from "./within";

export interface Draft extends Within {
  name: string;
  project: string;
  environment: string;
  models: readonly string[];
  rpm: string;
  tpm: string;
  concurrency: string;
  budget: string;
  period: Required<BudgetSpec>["period"];
  /** A local date, `2027-01-31`; empty is never. */
  expires: string;
  /** Empty takes the project's policy. */
  payloads: VirtualKey["payloads"] | "";
  networks: string;
  whenAway: Required<BudgetSpec>["when_away"];
  awayMultiple: number;
  onDisconnect: VirtualKey["on_disconnect"];
  onLedgerFull: VirtualKey["on_ledger_full"];
}

export const emptyDraft: Draft = {
  ...nothingWithin,
  name: "",
  project: "default",
  environment: "",
  models: [],
  rpm: "",
  tpm: "",
  concurrency: "",
  budget: "",
  period: "month",
  expires: "",
  payloads: "",
  networks: "",
  whenAway: "closed",
  awayMultiple: 1,
  onDisconnect: "cancel",
  onLedgerFull: "refuse",
};

function localDate(ms: number): string {
  const at = new Date(ms);
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;
}

export function draftOf(key: VirtualKey): Draft {
  return {
    name: key.name,
    project: key.project,
    environment: key.environment,
    models: key.models,
    rpm: blankZero(key.limits.rpm),
    tpm: blankZero(key.limits.tpm),
    concurrency: blankZero(key.limits.concurrency),
    budget: key.budget ? String(key.budget.spec.limit_nano / 1e9) : "",
    period: key.budget?.spec.period ?? "month",
    expires: key.expires_ms === null ? "" : localDate(key.expires_ms),
    payloads: key.payloads,
    networks: key.networks.join(", "),
    ...withinOf(key),
    whenAway: key.budget?.spec.when_away ?? "closed",
    awayMultiple: key.budget?.spec.away_multiple ?? 1,
    onDisconnect: key.on_disconnect,
    onLedgerFull: key.on_ledger_full,
  };
}

export type Problems = Partial<Record<keyof Draft, string>>;

export function problems(draft: Draft, now = Date.now()): Problems {
  const found: Problems = withinProblems(draft);
  if (!draft.name.trim()) found.name = "A key needs a name.";
  for (const field of ["rpm", "tpm", "concurrency"] as const) {
    if (draft[field].trim() && !whole(draft[field]))
      found[field] = "A whole number, or empty for no limit.";
  }
  if (draft.budget.trim() && !parseDollars(draft.budget))
    found.budget = "An amount in dollars such as 25 or 0.50.";
  if (draft.expires && endOfDay(draft.expires) < now) found.expires = "This day is over.";
  return found;
}

/** A key that expires on a day works until that day's end, by this browser's clock. */
function endOfDay(date: string): number {
  return new Date(`${date}T23:59:59`).getTime();
}

function settings(draft: Draft): KeySettings {
  const limit_nano = parseDollars(draft.budget);
  return {
    models: [...draft.models],
    networks: draft.networks.split(/[\s,]+/).filter(Boolean),
    limits: limits(draft),
    budget: limit_nano
      ? {
          limit_nano,
          period: draft.period,
          when_away: draft.whenAway,
          away_multiple: draft.awayMultiple,
        }
      : null,
    expires_ms: draft.expires ? endOfDay(draft.expires) : 0,
    payloads: draft.payloads || null,
    environment: draft.environment || null,
    ...withinSettings(draft),
    on_disconnect: draft.onDisconnect,
    on_ledger_full: draft.onLedgerFull,
  };
}

export function newKey(draft: Draft): NewKey {
  return { name: draft.name.trim(), project: draft.project, ...settings(draft) };
}

/** Only what was changed: the rest keeps its exact value, such as the hour at which a key expires. */
export function changes(draft: Draft, known: VirtualKey): KeySettings {
  const before = settings(draftOf(known));
  const after = settings(draft);
  const fields = Object.keys(after) as (keyof KeySettings)[];
  const changed = fields.filter(
    (field) => JSON.stringify(after[field]) !== JSON.stringify(before[field]),
  );
  const said = withinSaid(after, known);
  return Object.fromEntries(changed.map((field) => [field, said[field]]));
}
