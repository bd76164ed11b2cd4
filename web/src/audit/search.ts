// The audit log's filters as search parameters. Pure.
import type { Query } from "../api/client";
import { type Raw, text } from "../frame/search";

export interface AuditSearch {
  actor?: string;
  action?: string;
  subject?: string;
  /** The id of the entry that is open. */
  entry?: string;
}

export function parseAuditSearch(raw: Raw): AuditSearch {
  return {
    actor: text(raw.actor, 400),
    action: text(raw.action, 100),
    subject: text(raw.subject, 400),
    entry: text(raw.entry, 40),
  };
}

/** What the server filters by. `key` means all that was done to keys: `key.*`. */
export function filterOf(search: AuditSearch & { project?: string }): Query {
  const { actor, action, subject, project } = search;
  const whole = action && !action.includes(".") && !action.endsWith("*") ? `${action}.*` : action;
  return { actor, action: whole, subject, project };
}
