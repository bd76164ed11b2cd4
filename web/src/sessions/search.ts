// The page's state as search parameters. Pure.
import { oneOf, type Raw, text } from "../frame/search";

export const VIEWS = ["sessions", "users", "tags"] as const;
export type View = (typeof VIEWS)[number];
export const ORDERS = ["newest", "cost", "traces", "errors"] as const;
export type Order = (typeof ORDERS)[number];

export interface SessionSearch {
  show?: View;
  order?: Order;
  find?: string;
  session?: string;
  of?: string;
}

export function parseSessionSearch(raw: Raw): SessionSearch {
  return {
    show: oneOf(raw.show, VIEWS),
    order: oneOf(raw.order, ORDERS),
    find: text(raw.find, 100),
    session: text(raw.session, 400),
    of: text(raw.of, 63),
  };
}
