// Which two windows are compared, and which filter finds the traces of a value. Pure.
import type { Conditions } from "./search";

const EARLIER = { before: 0, day: 86_400_000, week: 7 * 86_400_000 };
export type Against = keyof typeof EARLIER;

export function againstOf(changed: string | undefined): Against {
  return changed === "day" || changed === "week" ? changed : "before";
}

/** The window and an earlier one as long: just before it, or the same hours of an earlier day. */
export function compared(from_ms: number, to_ms: number, against: Against) {
  const back = Math.max(EARLIER[against], to_ms - from_ms);
  return { from_ms, to_ms, base_from_ms: from_ms - back, base_to_ms: to_ms - back };
}

/** Conditions that find a value's traces; undefined where no filter knows such a value. */
export function searchOf(dimension: string, value: string): Conditions | undefined {
  if (!dimension) return {};
  if (!value) return undefined;
  if (dimension === "prompt") {
    const at = value.lastIndexOf("@");
    if (at < 0) return { prompt_name: value };
    return { prompt_name: value.slice(0, at), prompt_version: value.slice(at + 1) };
  }
  if (dimension === "model") return { model: value };
  if (dimension === "provider") return { provider: value };
  if (dimension === "release") return { release: value };
  if (dimension === "service") return { service: value };
  return undefined;
}
