// Judges in words. Pure.
import { percent } from "../ui/format";
import type { Estimated, Judge, Tally } from "./queries";

export function scaleText(judge: Judge): string {
  const { labels, least, most, ordered } = judge.scale;
  if (least !== null && most !== null) return `${least} to ${most}`;
  return labels.join(ordered ? " < " : ", ");
}

export function askedOf(judge: Judge): string {
  return judge.members.length > 0
    ? judge.members.map((one) => `${one.name}@${one.version}`).join(", ")
    : judge.model;
}

export function estimated(one: Estimated | null): string {
  if (!one || one.value === null) return "not known";
  const ends =
    one.low === null || one.high === null ? "" : ` [${one.low.toFixed(3)}, ${one.high.toFixed(3)}]`;
  return `${one.value.toFixed(3)}${ends}`;
}

/** How rows and calls fared; what has no verdict is missing, and said. */
export function tallyText(tally: Tally): string {
  const gaps = [
    tally.parse > 0 && `${tally.parse} unreadable`,
    tally.abstained > 0 && `${tally.abstained} abstained`,
    tally.errors > 0 && `${tally.errors} failed${tally.error ? ` (${tally.error})` : ""}`,
    tally.apart > 0 && `${tally.apart} split`,
  ].filter(Boolean);
  const missing = gaps.length > 0 ? `; ${gaps.join(", ")}: missing, not 0` : "";
  return `${tally.judged} of ${tally.rows} rows have a verdict${missing}`;
}

export function unreadText(tally: Tally): string {
  return `${tally.unread} of ${tally.calls} calls (${percent(tally.unread, tally.calls)})`;
}
