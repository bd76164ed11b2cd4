// A key while it is being written: text as typed, and what the API gets of it. Pure.
import type { BudgetSpec, KeySettings, LimitSpec, NewKey, VirtualKey } from "../api/types";
import { parseDollars } from "../ui/format";

export interface Rates {
  rpm: string;
  tpm: string;
  concurrency: string;
}

export const noRates: Rates = { rpm: "", tpm: "", concurrency: "" };

export interface Draft {
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
  /** Seconds that an answer may be repeated; empty is as the project says, 0 is never. */
  cache: string;
  cacheScope: "key" | "project";
  /** Limits of each end user by himself. */
  user: Rates;
  /** Limits of single models within the key. */
  apart: readonly (Rates & { model: string })[];
  whenAway: Required<BudgetSpec>["when_away"];
  awayMultiple: number;
  onDisconnect: VirtualKey["on_disconnect"];
  onLedgerFull: VirtualKey["on_ledger_full"];
}

export const emptyDraft: Draft = {
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
  cache: "",
  cacheScope: "key",
  user: noRates,
  apart: [],
  whenAway: "closed",
  awayMultiple: 1,
  onDisconnect: "cancel",
  onLedgerFull: "refuse",
};

const blankZero = (value: number) => (value > 0 ? String(value) : "");

function localDate(ms: number): string {
  const at = new Date(ms);
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;
}

function ratesOf({ rpm, tpm, concurrency }: LimitSpec): Rates {
  return { rpm: blankZero(rpm), tpm: blankZero(tpm), concurrency: blankZero(concurrency) };
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
    cache: key.cache ? String(key.cache.ttl_s) : "",
    cacheScope: key.cache?.scope ?? "key",
    user: key.apart ? ratesOf(key.apart.users) : noRates,
    apart: Object.entries(key.apart?.models ?? {}).map(([model, limits]) => ({
      model,
      ...ratesOf(limits),
    })),
    whenAway: key.budget?.spec.when_away ?? "closed",
    awayMultiple: key.budget?.spec.away_multiple ?? 1,
    onDisconnect: key.on_disconnect,
    onLedgerFull: key.on_ledger_full,
  };
}

const MOST_CACHED_S = 30 * 86_400;
const whole = (text: string) => /^\d{1,9}$/.test(text.trim());

export type Problems = Partial<Record<keyof Draft, string>>;

export function problems(draft: Draft, now = Date.now()): Problems {
  const found: Problems = {};
  if (!draft.name.trim()) found.name = "A key needs a name.";
  for (const field of ["rpm", "tpm", "concurrency"] as const) {
    if (draft[field].trim() && !/^\d{1,9}$/.test(draft[field].trim()))
      found[field] = "A whole number, or empty for no limit.";
  }
  if (draft.budget.trim() && !parseDollars(draft.budget))
    found.budget = "An amount in dollars such as 25 or 0.50.";
  if (draft.cache.trim() && !(whole(draft.cache) && Number(draft.cache) <= MOST_CACHED_S))
    found.cache = "Whole seconds, 30 days at most.";
  const rates = [draft.user, ...draft.apart].flatMap((one) => [one.rpm, one.tpm, one.concurrency]);
  if (rates.some((text) => text.trim() && !whole(text)))
    found.apart = "Whole numbers, or empty for no limit.";
  if (draft.apart.some((one) => !one.model.trim())) found.apart = "Say which model.";
  if (draft.expires && endOfDay(draft.expires) < now) found.expires = "This day is over.";
  return found;
}

/** A key that expires on a day works until that day's end, by this browser's clock. */
function endOfDay(date: string): number {
  return new Date(`${date}T23:59:59`).getTime();
}

function limits({ rpm, tpm, concurrency }: Rates): LimitSpec {
  const number = (text: string) => Number(text.trim() || 0);
  return { rpm: number(rpm), tpm: number(tpm), concurrency: number(concurrency) };
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
    cache: draft.cache.trim() ? { ttl_s: Number(draft.cache), scope: draft.cacheScope } : null,
    apart:
      draft.apart.length > 0 || Object.values(draft.user).some((text) => text.trim())
        ? {
            users: limits(draft.user),
            models: Object.fromEntries(draft.apart.map((one) => [one.model.trim(), limits(one)])),
          }
        : null,
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
  // Null keeps what there is, so taking something away has to be said in full.
  if (after.cache === null) after.cache = { ttl_s: 0 };
  else if (after.cache && known.cache) after.cache.max_entry = known.cache.max_entry;
  if (after.apart === null) after.apart = { users: limits(noRates), models: {} };
  return Object.fromEntries(changed.map((field) => [field, after[field]]));
}
