// Reading and writing the part of a URL that comes after `?`. Pure: values are plain text in the
// address (no JSON quoting), so that a filter can be typed by hand.
import { rangeMs, type Window } from "../api/window";

export type Raw = Record<string, unknown>;

/** What every page shares: whose traffic, and when. */
export interface Scope extends Window {
  project?: string;
  environment?: string;
}

export const SCOPE_KEYS = ["project", "environment", "range", "from_ms", "to_ms"] as const;

export function parseSearch(text: string): Raw {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Raw): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value !== undefined && value !== null && value !== false) {
      params.set(name, value === true ? "1" : String(value));
    }
  }
  const text = params.toString();
  return text ? `?${text}` : "";
}

export function text(value: unknown, longest = 500): string | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  const trimmed = String(value).trim().slice(0, longest);
  return trimmed || undefined;
}

export function number(value: unknown): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const parsed = Number(value);
  return Number.isFinite(parsed) && parsed >= 0 ? parsed : undefined;
}

export function flag(value: unknown): true | undefined {
  return value === true || value === "1" || value === 1 || value === "true" ? true : undefined;
}

export function oneOf<T extends string>(value: unknown, known: readonly T[]): T | undefined {
  return known.find((item) => item === value);
}

export function parseScope(raw: Raw): Scope {
  const from_ms = number(raw.from_ms);
  const to_ms = number(raw.to_ms);
  const fixed = from_ms !== undefined && to_ms !== undefined && from_ms < to_ms;
  const range = text(raw.range, 6);
  return {
    project: text(raw.project),
    environment: text(raw.environment),
    range: !fixed && range && rangeMs(range) ? range : undefined,
    from_ms: fixed ? from_ms : undefined,
    to_ms: fixed ? to_ms : undefined,
  };
}

export function windowOf({ range, from_ms, to_ms }: Scope): Window {
  return from_ms !== undefined ? { from_ms, to_ms } : { range };
}
