// Which feedback is shown, as search parameters. Pure.
import { flag, oneOf, type Raw, text } from "../frame/search";

export const VIEWS = ["stream", "keys"] as const;
export const GROUPS = ["prompt", "model", "variant", "environment", "day"] as const;
export type View = "summary" | (typeof VIEWS)[number];
export type GroupBy = (typeof GROUPS)[number];

export interface FeedbackSearch {
  pane?: (typeof VIEWS)[number];
  apart?: GroupBy;
  prompt?: string;
  of_version?: string;
  said?: "commented" | "corrected" | "down";
  create?: true;
}

export function parseFeedbackSearch(raw: Raw): FeedbackSearch {
  return {
    pane: oneOf(raw.pane, VIEWS),
    apart: oneOf(raw.apart, GROUPS),
    prompt: text(raw.prompt, 200),
    of_version: text(raw.of_version, 40),
    said: oneOf(raw.said, ["commented", "corrected", "down"] as const),
    create: flag(raw.create),
  };
}
