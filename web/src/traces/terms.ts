// Conditions as words: read from the search box, shown as chips. Pure.
import { oneOf, type Raw } from "../frame/search";
import { duration, money, parseDollars, parseDuration } from "../ui/format";
import { type Conditions, KINDS, STATUSES } from "./search";

type TextField =
  | "status"
  | "error"
  | "requested_model"
  | "kind"
  | "model"
  | "provider"
  | "key_id"
  | "user"
  | "session"
  | "tag"
  | "prompt_name"
  | "prompt_version"
  | "service"
  | "release"
  | "agent"
  | "tool"
  | "dataset_run"
  | "experiment"
  | "variant"
  | "unit"
  | "trace_prefix";

/** Words that may stand before a colon in the search box, and the condition they set. */
const WORDS: Record<string, TextField> = {
  status: "status",
  error: "error",
  kind: "kind",
  model: "model",
  asked: "requested_model",
  provider: "provider",
  key: "key_id",
  user: "user",
  session: "session",
  tag: "tag",
  prompt: "prompt_name",
  version: "prompt_version",
  service: "service",
  release: "release",
  agent: "agent",
  tool: "tool",
  run: "dataset_run",
  experiment: "experiment",
  arm: "variant",
  unit: "unit",
  trace: "trace_prefix",
};

const TERM = /([a-z]+):("[^"]*"|\S+)/gi;

/**
 * Reads `model:gpt-4o status:error cost:>0.01 slow words` into conditions; what is no condition is
 * full text. An unknown word before a colon stays part of the text.
 */
export function parseTyped(typed: string): Conditions {
  const found: Raw = {};
  const rest = typed.replace(TERM, (whole, word: string, quoted: string) => {
    const value = quoted.replace(/^"|"$/g, "");
    const field = WORDS[word.toLowerCase()];
    if (field) {
      if (field === "status" && !oneOf(value, STATUSES)) return whole;
      if (field === "kind" && !oneOf(value, KINDS)) return whole;
      found[field] = value;
      return "";
    }
    const bound = value.replace(/^>=?/, "");
    const amount =
      word === "cost"
        ? parseDollars(bound)
        : word === "duration"
          ? parseDuration(bound)
          : undefined;
    if (amount === undefined) return whole;
    found[word === "cost" ? "min_cost_nano" : "min_duration_ms"] = amount;
    return "";
  });
  const conditions: Conditions = { ...(found as Conditions) };
  const q = rest.replace(/\s+/g, " ").trim();
  if (q) conditions.q = q;
  return conditions;
}

export interface Chip {
  field: keyof Conditions;
  label: string;
  value: string;
}

const LABELS: Record<keyof Conditions, string> = {
  q: "text",
  status: "status",
  failed: "result",
  error: "error",
  unpriced: "price",
  kind: "kind",
  model: "model",
  requested_model: "asked for",
  provider: "provider",
  key_id: "key",
  user: "user",
  session: "session",
  tag: "tag",
  prompt_name: "prompt",
  prompt_version: "prompt version",
  service: "service",
  release: "release",
  agent: "agent",
  tool: "tool",
  dataset_run: "data set run",
  experiment: "experiment",
  variant: "arm",
  unit: "unit",
  min_cost_nano: "cost",
  min_duration_ms: "duration",
  trace_prefix: "trace",
};

/** Active conditions in a fixed order, as shown above the list. */
export function chipsOf(conditions: Conditions, keyName: (id: string) => string): Chip[] {
  const shown: Partial<Record<keyof Conditions, (value: never) => string>> = {
    key_id: keyName,
    unpriced: () => "unknown",
    failed: () => "failed",
    min_cost_nano: (nano: number) => `≥ ${money(nano)}`,
    min_duration_ms: (ms: number) => `≥ ${duration(ms)}`,
  };
  const chips: Chip[] = [];
  for (const field of Object.keys(LABELS) as (keyof Conditions)[]) {
    const value = conditions[field];
    if (value === undefined) continue;
    const render = shown[field] ?? String;
    chips.push({ field, label: LABELS[field], value: render(value as never) });
  }
  return chips;
}
