// Conversations as data: what is sent for one, and how a logged request becomes one. Pure.
import { type Message, parseJson, readMessage } from "../api/chat";
import type { PlaygroundSearch } from "./search";

export interface Turn {
  id: number;
  role: string;
  text: string;
  /** The message as it was logged, sent again unchanged until its text is edited. */
  logged?: object;
  /** What the logged message holds besides text, to show it. */
  parts?: Message;
  result?: Result;
}

export interface Result {
  state: "waiting" | "streaming" | "done" | "stopped" | "failed";
  traceId?: string;
  /** As this browser saw it; the log's own figures replace these as soon as they are there. */
  ttftMs?: number;
  totalMs?: number;
  usage?: { input: number; output: number };
  finish?: string;
  reasoning?: string;
  error?: { message: string; hint: string; code: string };
}

export type Settings = Pick<
  PlaygroundSearch,
  "model" | "system" | "temperature" | "top_p" | "max_tokens" | "seed" | "stop" | "json"
>;

export interface Loaded {
  settings: Settings;
  turns: Omit<Turn, "id">[];
  /** Parameters of the logged request that the playground has no control for. */
  extra: Record<string, unknown>;
}

export function stopWords(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((word) => word.trim().replaceAll("\\n", "\n"))
    .filter(Boolean);
}

export function requestBody(
  settings: Settings,
  turns: readonly Turn[],
  extra: Record<string, unknown> = {},
): Record<string, unknown> {
  const { model, system, temperature, top_p, max_tokens, seed, json } = settings;
  const stop = stopWords(settings.stop);
  return {
    ...extra,
    model,
    messages: [
      ...(system ? [{ role: "system", content: system }] : []),
      ...turns.map((turn) => turn.logged ?? { role: turn.role, content: turn.text }),
    ],
    ...(temperature !== undefined && { temperature }),
    ...(top_p !== undefined && { top_p }),
    ...(max_tokens !== undefined && { max_tokens }),
    ...(seed !== undefined && { seed }),
    ...(stop.length > 0 && { stop: stop.length === 1 ? stop[0] : stop }),
    ...(json && { response_format: { type: "json_object" } }),
    stream: true,
    stream_options: { include_usage: true },
  };
}

const CONTROLLED = new Set([
  "model",
  "messages",
  "temperature",
  "top_p",
  "seed",
  "stop",
  "stream",
  "stream_options",
]);
const LENGTHS = new Set(["max_tokens", "max_completion_tokens"]);

/** Null when the text is no chat request. */
export function fromRequest(text: string): Loaded | null {
  const body = parseJson(text);
  if (!Array.isArray(body?.messages)) return null;
  const raw: unknown[] = [...body.messages];
  const settings: Settings = { model: typeof body.model === "string" ? body.model : undefined };
  const first = readMessage(raw[0]);
  if (first.role === "system" && first.media.length === 0) {
    settings.system = first.text || undefined;
    raw.shift();
  }
  for (const name of ["temperature", "top_p", "seed"] as const) {
    if (typeof body[name] === "number") settings[name] = body[name];
  }
  const longest = body.max_completion_tokens ?? body.max_tokens;
  if (typeof longest === "number") settings.max_tokens = longest;
  const stop =
    typeof body.stop === "string" ? [body.stop] : Array.isArray(body.stop) ? body.stop : [];
  if (stop.length > 0)
    settings.stop = stop.map((word: unknown) => String(word).replaceAll("\n", "\\n")).join(", ");
  const json = body.response_format?.type === "json_object";
  if (json) settings.json = true;
  const extra = Object.fromEntries(
    Object.entries(body).filter(
      ([name]) =>
        !CONTROLLED.has(name) && !LENGTHS.has(name) && !(name === "response_format" && json),
    ),
  );
  return { settings, turns: raw.map(turnOf), extra };
}

function turnOf(raw: unknown): Omit<Turn, "id"> {
  const parts = readMessage(raw);
  const plain =
    typeof (raw as { content?: unknown } | null)?.content === "string" &&
    parts.toolCalls.length === 0;
  const simple = plain && !parts.toolCallId;
  return { role: parts.role, text: parts.text, ...(!simple && { logged: raw as object, parts }) };
}
