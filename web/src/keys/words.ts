// Limits and budgets in few words. Pure.
import type { BudgetState, LimitSpec } from "../api/types";
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

/** 1 is the whole budget; more is possible by the overshoot that the leases allow. */
export function budgetShare({
  spent_nano,
  spec,
}: Pick<BudgetState, "spent_nano" | "spec">): number {
  return spec.limit_nano > 0 ? spent_nano / spec.limit_nano : 1;
}
