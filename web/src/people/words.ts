// Roles, tokens and links in few words. Pure.
import type { Role } from "../api/may";
import type { ApiToken, ApiTokenRequest } from "../api/types";
import { day } from "../ui/format";

export const ROLE_NOTE: Record<Role, string> = {
  own: "what was opened to them, and their own keys",
  viewer: "sees everything",
  editor: "changes keys, models, routes",
  admin: "decides, invites, releases",
};

export const ROLE_CHOICES = (["own", "viewer", "editor", "admin"] as const).map((value) => ({
  value,
  label: value,
  note: ROLE_NOTE[value],
}));

export const SCOPES = ["read", "write", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

export interface TokenDraft {
  name: string;
  scopes: readonly Scope[];
  project: string;
  /** Days from now; empty is never. */
  days: string;
}

export function tokenProblems(draft: TokenDraft): Partial<Record<keyof TokenDraft, string>> {
  return {
    ...(draft.name.trim() ? {} : { name: "A token needs a name." }),
    ...(draft.scopes.length > 0 ? {} : { scopes: "A token needs a scope." }),
  };
}

export function tokenRequest(draft: TokenDraft, now = Date.now()): ApiTokenRequest {
  return {
    name: draft.name.trim(),
    scopes: SCOPES.filter((scope) => draft.scopes.includes(scope)),
    project: draft.project || null,
    expires_ms: draft.days ? now + Number(draft.days) * 86_400_000 : null,
  };
}

export type Ends = { text: string; tone: "ok" | "warn" | "bad" | "mute" };

/** When a token ends; one that ends within a week is a warning. */
export function ends({ expires_ms }: Pick<ApiToken, "expires_ms">, now = Date.now()): Ends {
  if (expires_ms === null) return { text: "never", tone: "mute" };
  if (expires_ms <= now) return { text: `ended ${day(expires_ms)}`, tone: "bad" };
  const soon = expires_ms - now < 7 * 86_400_000;
  return { text: day(expires_ms), tone: soon ? "warn" : "ok" };
}
