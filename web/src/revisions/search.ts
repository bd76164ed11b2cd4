// What the address of the revisions page says. Pure.
import { flag, number, oneOf, type Raw } from "../frame/search";

export const VIEWS = ["history", "pointers"] as const;

export interface RevisionSearch {
  view?: (typeof VIEWS)[number];
  /** The revision that is shown. */
  revision?: number;
  /** What it is compared with; its parent when not given. */
  against?: number;
  /** The plan of going back to it is shown. */
  back?: true;
}

export function parseRevisionSearch(raw: Raw): RevisionSearch {
  return {
    view: oneOf(raw.view, VIEWS),
    revision: number(raw.revision) || undefined,
    against: number(raw.against) || undefined,
    back: flag(raw.back),
  };
}
