// Which data set, version and part of it is shown, as search parameters. Pure.
import { flag, number, oneOf, type Raw, text } from "../frame/search";

export const TABS = ["versions", "diff", "check", "lineage"] as const;
export type Tab = "rows" | (typeof TABS)[number];

export interface DatasetSearch {
  /** The data set's name; its project is the scope's. */
  set?: string;
  side?: (typeof TABS)[number];
  v?: number;
  since?: number;
  row?: string;
  split?: string;
  slice?: string;
  q?: string;
  create?: true;
  add?: "file" | "traces" | "feedback";
}

export function parseDatasetSearch(raw: Raw): DatasetSearch {
  return {
    set: text(raw.set, 100),
    side: oneOf(raw.side, TABS),
    v: number(raw.v) || undefined,
    since: number(raw.since) || undefined,
    row: text(raw.row, 80),
    split: text(raw.split, 40),
    slice: text(raw.slice, 100),
    q: text(raw.q, 200),
    create: flag(raw.create),
    add: oneOf(raw.add, ["file", "traces", "feedback"] as const),
  };
}
