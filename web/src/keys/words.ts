// Limits and budgets in few words. Pure.
import type { BudgetState, LimitSpec, VirtualKey } from "../api/types";
import { compact } from "../ui/format";

/** One short line; a key without limits says so. */
export function limitWords({ rpm, tpm, concurrency }: LimitSpec): string {
  const words = [
    rpm > 0 && `${compact(rpm)} rpm`,
    tpm > 0 && `${compact(tpm)} tpm`,
    concurrency > 0 && `${compact(concurrency)} at once`,
  ].filter((word) => word !== false);
  return words.join(", ") || "none";
}

/** Limits apart and repeated answers, where the key has any of its own. */
export function moreWords({ apart, cache }: Pick<VirtualKey, "apart" | "cache">): string {
  const user = apart ? limitWords(apart.users) : "none";
  const models = Object.keys(apart?.models ?? {}).length;
  const words = [
    user !== "none" && `a user ${user}`,
    models > 0 && `${models} ${models === 1 ? "model" : "models"} apart`,
    cache && cache.ttl_s > 0 && `repeats ${cache.ttl_s} s`,
  ].filter((word): word is string => Boolean(word));
  return words.join(", ");
}

/** 1 is the whole budget; more is possible by the overshoot that the leases allow. */
export function budgetShare({
  spent_nano,
  spec,
}: Pick<BudgetState, "spent_nano" | "spec">): number {
  return spec.limit_nano > 0 ? spent_nano / spec.limit_nano : 1;
}
