// What the guardrails page shows, as search parameters. Pure.
import { type Raw, text } from "../frame/search";

export interface GuardrailSearch {
  /** The policy that is looked at, by its id. */
  policy?: string;
}

export function parseGuardrailSearch(raw: Raw): GuardrailSearch {
  return { policy: text(raw.policy, 40) };
}
