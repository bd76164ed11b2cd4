// What holds within a key or a project: limits of its end users and of single models, and how long
// an answer may be repeated. Text as typed, and what the API gets of it. Pure.
import type { KeySettings, LimitSpec, VirtualKey } from "../api/types";

export interface Rates {
  rpm: string;
  tpm: string;
  concurrency: string;
}

export interface Within {
  /** Seconds that an answer may be repeated; empty is as what stands above says, 0 is never. */
  cache: string;
  cacheScope: "key" | "project";
  /** Limits of each end user by himself. */
  user: Rates;
  /** Limits of single models. */
  apart: readonly (Rates & { model: string })[];
}

export const noRates: Rates = { rpm: "", tpm: "", concurrency: "" };
export const nothingWithin: Within = { cache: "", cacheScope: "key", user: noRates, apart: [] };

const MOST_CACHED_S = 30 * 86_400;

export const whole = (text: string) => /^\d{1,9}$/.test(text.trim());
export const blankZero = (value: number) => (value > 0 ? String(value) : "");

export function ratesOf({ rpm, tpm, concurrency }: LimitSpec): Rates {
  return { rpm: blankZero(rpm), tpm: blankZero(tpm), concurrency: blankZero(concurrency) };
}

export function limits({ rpm, tpm, concurrency }: Rates): LimitSpec {
  const number = (text: string) => Number(text.trim() || 0);
  return { rpm: number(rpm), tpm: number(tpm), concurrency: number(concurrency) };
}

type Known = Partial<Pick<VirtualKey, "cache" | "apart">>;
type Said = Pick<KeySettings, "cache" | "apart">;

export function withinOf({ cache, apart }: Known): Within {
  return {
    cache: cache ? String(cache.ttl_s) : "",
    cacheScope: cache?.scope ?? "key",
    user: apart ? ratesOf(apart.users) : noRates,
    apart: Object.entries(apart?.models ?? {}).map(([model, rates]) => ({
      model,
      ...ratesOf(rates),
    })),
  };
}

export function withinProblems(draft: Within): { cache?: string; apart?: string } {
  const found: { cache?: string; apart?: string } = {};
  if (draft.cache.trim() && !(whole(draft.cache) && Number(draft.cache) <= MOST_CACHED_S))
    found.cache = "Whole seconds, 30 days at most.";
  const rates = [draft.user, ...draft.apart].flatMap((one) => [one.rpm, one.tpm, one.concurrency]);
  if (rates.some((text) => text.trim() && !whole(text)))
    found.apart = "Whole numbers, or empty for no limit.";
  if (draft.apart.some((one) => !one.model.trim())) found.apart = "Say which model.";
  return found;
}

export function withinSettings(draft: Within): Required<Said> {
  const limited =
    draft.apart.length > 0 || Object.values(draft.user).some((text: string) => text.trim());
  return {
    cache: draft.cache.trim() ? { ttl_s: Number(draft.cache), scope: draft.cacheScope } : null,
    apart: limited
      ? {
          users: limits(draft.user),
          models: Object.fromEntries(draft.apart.map((one) => [one.model.trim(), limits(one)])),
        }
      : null,
  };
}

/** As a change: null keeps what there is, so taking something away has to be said in full. */
export function withinSaid<S extends Said>(after: S, known: Known): S {
  const cache = after.cache
    ? { ...after.cache, ...(known.cache ? { max_entry: known.cache.max_entry } : {}) }
    : { ttl_s: 0 };
  return { ...after, cache, apart: after.apart ?? { users: limits(noRates), models: {} } };
}
