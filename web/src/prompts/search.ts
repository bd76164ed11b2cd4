// Which prompts are listed, and what of the open one is looked at.
import { flag, oneOf, type Raw, text } from "../frame/search";

export const PROMPT_TABS = ["edit", "versions", "labels", "usage", "comments"] as const;
export type PromptTab = (typeof PROMPT_TABS)[number];

export interface PromptsSearch {
  find?: string;
  folder?: string;
  label_tag?: string;
  compose?: true;
}

export interface PromptSearch {
  prompt_part?: PromptTab;
  /** The version that is edited or compared. */
  at?: string;
  /** The version that it is compared with. */
  with?: string;
}

export function parsePromptsSearch(raw: Raw): PromptsSearch {
  return {
    find: text(raw.find, 200),
    folder: text(raw.folder, 200),
    label_tag: text(raw.label_tag, 60),
    compose: flag(raw.compose),
  };
}

export function parsePromptSearch(raw: Raw): PromptSearch {
  return {
    prompt_part: oneOf(raw.prompt_part, PROMPT_TABS),
    at: text(raw.at, 12),
    with: text(raw.with, 12),
  };
}
