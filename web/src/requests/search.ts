// Which requests are shown, as search parameters. Pure.
import { flag, oneOf, type Raw, text } from "../frame/search";

export const SHOWN = ["open", "decided", "all"] as const;
export type Shown = (typeof SHOWN)[number];

export interface RequestSearch {
  shown?: Shown;
  ask?: true;
  /** The key that an access is asked for, chosen beforehand. */
  key?: string;
  /** The request that is being decided about. */
  request?: string;
}

export function parseRequestSearch(raw: Raw): RequestSearch {
  return {
    shown: oneOf(raw.shown, SHOWN),
    ask: flag(raw.ask),
    key: text(raw.key),
    request: text(raw.request),
  };
}
