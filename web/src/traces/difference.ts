// A difference of two traces as words. Pure.
import type { TraceDifference } from "../api/types";
import { count, duration, money, NONE } from "../ui/format";

const WORDS: Record<string, string> = {
  cost_nano: "cost",
  duration_ms: "duration",
  ttft_ms: "first token",
  input_tokens: "input tokens",
  output_tokens: "output tokens",
};

export function titleOf(what: string): string {
  return WORDS[what] ?? what.replace(/^params\./, "");
}

/** Texts stand beside each other in full; all else fits one line. */
export const isText = (what: string) => what === "input" || what === "output";

export function told(what: string, value: unknown): string {
  if (value === null || value === undefined || value === "") return NONE;
  if (typeof value === "number") {
    if (what === "cost_nano") return money(value);
    if (what.endsWith("_ms")) return duration(value);
    return what.startsWith("params.") ? String(value) : count(value);
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** By how much a number changed, with its sign and its share of what was before. */
export function changeOf({ what, before, change }: TraceDifference): string {
  if (change === null || change === undefined || change === 0) return "";
  const sign = change > 0 ? "+" : "−";
  const share = typeof before === "number" && before > 0 ? Math.abs(change) / before : null;
  const part = share === null ? "" : ` (${sign}${Math.round(share * 100)}%)`;
  return `${sign}${told(what, Math.abs(change))}${part}`;
}

/** Whether two spans differ in more than how long they took, which they always do. */
export function differs(differences: readonly TraceDifference[]): boolean {
  return differences.some(({ what }) => what !== "duration_ms" && what !== "ttft_ms");
}
