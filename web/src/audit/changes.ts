// What an entry says, in few words. Pure.
import type { AuditEntry } from "../api/types";
import type { Tone } from "../ui/badge";

const HARSH = /\.(revoke|remove|deny|deactivate|rollback|withdraw|fail\w*)$|failed/;
const NEW = /\.(create|ask|invite|connect|approve|set|put|add)$/;

export function tone(action: string): Tone {
  return HARSH.test(action) ? "bad" : NEW.test(action) ? "ok" : "mute";
}

/** The detail in one line: `project=menu, role=editor`. */
export function summary(detail: AuditEntry["detail"]): string {
  return Object.entries(detail)
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => `${name}=${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(", ");
}

/** What the digests say happened to the record. */
export function effect({ before, after }: Pick<AuditEntry, "before" | "after">): string {
  if (!before && !after) return "No record was changed.";
  if (!before) return "The record was made.";
  if (!after) return "The record was taken away.";
  return before === after ? "The record stayed the same." : "The record was changed.";
}
