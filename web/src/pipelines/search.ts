// What the page of scheduled work shows, as search parameters. Pure.
import { oneOf, type Raw, text } from "../frame/search";

export const KINDS = ["pipeline", "online", "drift", "canary"] as const;
export type Kind = (typeof KINDS)[number];

export interface CheckSearch {
  which?: Kind;
  /** The id of the check that is looked at, and of one of its runs; the newest without it. */
  check?: string;
  run?: string;
}

export function parseCheckSearch(raw: Raw): CheckSearch {
  return { which: oneOf(raw.which, KINDS), check: text(raw.check, 40), run: text(raw.run, 40) };
}
