// What the address of the routes page says. Pure.
import { flag, number, oneOf, type Raw, text } from "../frame/search";

export const PAIRS = ["all", "different", "failed"] as const;
export type Pairs = (typeof PAIRS)[number];

export interface RouteSearch {
  /** The name that applications ask for. */
  route?: string;
  edit?: true;
  /** An alias that is being made. */
  fresh?: true;
  /** A revision whose release is shown above the drawing. */
  release?: number;
  find?: string;
  /** Of several candidates for shadow traffic, the one that is compared: PROVIDER/MODEL. */
  candidate?: string;
  /** Which of its pairs are listed. */
  pairs?: Pairs;
}

export function parseRouteSearch(raw: Raw): RouteSearch {
  return {
    route: text(raw.route, 200),
    edit: flag(raw.edit),
    fresh: flag(raw.fresh),
    release: number(raw.release) || undefined,
    find: text(raw.find, 100),
    candidate: text(raw.candidate, 200),
    pairs: oneOf(raw.pairs, PAIRS),
  };
}
