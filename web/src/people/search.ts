// Which part of the people page is open, as search parameters. Pure.
import { oneOf, type Raw, text } from "../frame/search";

export const TABS = ["users", "teams", "projects", "tokens"] as const;
export type PeopleTab = (typeof TABS)[number];

export interface PeopleSearch {
  part?: PeopleTab;
  /** The dialog that is open: `invite`, `team`, `project`, `token`. */
  open?: "invite" | "team" | "project" | "token";
  /** The project that is being changed. */
  change?: string;
  q?: string;
}

export function parsePeopleSearch(raw: Raw): PeopleSearch {
  return {
    part: oneOf(raw.part, TABS),
    open: oneOf(raw.open, ["invite", "team", "project", "token"] as const),
    change: text(raw.change, 63),
    q: text(raw.q, 100),
  };
}
