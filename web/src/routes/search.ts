// What the address of the routes page says. Pure.
import { flag, number, type Raw, text } from "../frame/search";

export interface RouteSearch {
  /** The name that applications ask for. */
  route?: string;
  edit?: true;
  /** An alias that is being made. */
  fresh?: true;
  /** A revision whose release is shown above the drawing. */
  release?: number;
  find?: string;
}

export function parseRouteSearch(raw: Raw): RouteSearch {
  return {
    route: text(raw.route, 200),
    edit: flag(raw.edit),
    fresh: flag(raw.fresh),
    release: number(raw.release) || undefined,
    find: text(raw.find, 100),
  };
}
