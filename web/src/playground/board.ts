// A board of columns as data: what is asked in each, what is sent for it, and how a recorded call or a
// shared link becomes one. Pure.
import { type Message, parseJson, readMessage, type ToolCall } from "../api/chat";

export const MOST_COLUMNS = 6;

export interface Media {
  kind: "image" | "audio";
  /** A data URL. */
  url: string;
  name: string;
}

export interface Turn {
  id: number;
  /** The same in every column that was told the same; what is edited in one changes in all. */
  key: number;
  role: string;
  text: string;
  media?: readonly Media[];
  toolCalls?: readonly ToolCall[];
  toolCallId?: string;
  toolName?: string;
  /** The message as it was recorded, sent again unchanged until its text is edited. */
  logged?: object;
  /** What the recorded message holds besides text, to show it. */
  parts?: Message;
  result?: Result;
}

export interface Problem {
  path: string;
  message: string;
}

export interface Result {
  state: "waiting" | "streaming" | "done" | "stopped" | "failed";
  traceId?: string;
  /** As this browser saw it; the log's own figures replace these as soon as they are there. */
  ttftMs?: number;
  totalMs?: number;
  usage?: { input: number; output: number };
  /** Pieces of the stream so far: what the meter shows until usage is told. */
  pieces?: number;
  finish?: string;
  reasoning?: string;
  error?: { message: string; hint: string; code: string };
  check?: { valid: boolean; problems: readonly Problem[] };
}

/** How a tool call is answered: with a text, by a real call, or by the person at the screen. */
export type ToolAnswer =
  | { by: "stub"; text: string }
  | { by: "http"; url: string; method: "GET" | "POST"; headers: string }
  | { by: "hand" };

export interface Tool {
  name: string;
  description: string;
  /** JSON Schema as text, as it is typed. */
  parameters: string;
  answer: ToolAnswer;
}

export interface Settings {
  model?: string;
  /** `NAME@REF`: the prompt whose messages come first. */
  prompt?: string;
  system?: string;
  temperature?: number;
  top_p?: number;
  max_tokens?: number;
  seed?: number;
  stop?: string;
  json?: true;
  /** JSON Schema as text: the answer is asked for in it and checked against it. */
  schema?: string;
}

export interface Column {
  id: number;
  settings: Settings;
  tools: readonly Tool[];
  turns: readonly Turn[];
  /** Parameters of a recorded request that the playground has no control for. */
  extra: Record<string, unknown>;
  /** Keeps its messages to itself. */
  apart?: boolean;
  /** The trace and span that it was loaded from, and what its form lost on the way. */
  loadedFrom?: string;
  /** The prompt that the gateway filled in when it ran, and how many messages that made. */
  filledBy?: { prompt: string; messages: number };
  lost?: readonly { field: string; why: string }[];
}

export interface Board {
  columns: readonly Column[];
  variables: Record<string, string>;
}

// --- variables ----------------------------------------------------------------------------------

const SLOT = /\{\{-?\s*([A-Za-z_][\w.]*)\s*-?\}\}/g;

/** The names between double braces, in their order. */
export function slots(text: string): string[] {
  return [...new Set([...text.matchAll(SLOT)].map((match) => match[1] ?? ""))];
}

/** Fills what is known; an unknown name stays as it is. */
export function fill(text: string, variables: Record<string, string>): string {
  return text.replace(SLOT, (whole, name: string) => variables[name] ?? whole);
}

export function variablesOf(columns: readonly Column[]): string[] {
  const texts = columns.flatMap(({ settings, turns }) => [
    settings.system ?? "",
    ...turns.filter((turn) => turn.role !== "assistant").map((turn) => turn.text),
  ]);
  return [...new Set(texts.flatMap(slots))];
}

/** A value as a prompt's schema may want it: JSON where it reads as JSON and is no plain text. */
export function typed(text: string): unknown {
  if (!/^(\{|\[|-?\d+(\.\d+)?$|true$|false$|null$)/.test(text.trim())) return text;
  const value = parseJson(text);
  return value === undefined ? text : value;
}

// --- requests -----------------------------------------------------------------------------------

export function stopWords(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((word) => word.trim().replaceAll("\\n", "\n"))
    .filter(Boolean);
}

function audioFormat(url: string): string {
  const kind = /^data:audio\/([\w.+-]+)/.exec(url)?.[1] ?? "wav";
  return kind === "mpeg" ? "mp3" : kind.replace(/^x-/, "");
}

function part(media: Media): object {
  if (media.kind === "image") return { type: "image_url", image_url: { url: media.url } };
  const data = media.url.slice(media.url.indexOf(",") + 1);
  return { type: "input_audio", input_audio: { data, format: audioFormat(media.url) } };
}

export function messageOf(turn: Turn, variables: Record<string, string>): object {
  if (turn.logged) return turn.logged;
  const text = turn.role === "assistant" ? turn.text : fill(turn.text, variables);
  if (turn.role === "tool")
    return { role: "tool", tool_call_id: turn.toolCallId ?? "", content: text };
  if (turn.toolCalls?.length)
    return {
      role: "assistant",
      content: text || null,
      tool_calls: turn.toolCalls.map(({ id, name, arguments: given }) => ({
        id,
        type: "function",
        function: { name, arguments: given },
      })),
    };
  if (!turn.media?.length) return { role: turn.role, content: text };
  return {
    role: turn.role,
    content: [...(text ? [{ type: "text", text }] : []), ...turn.media.map(part)],
  };
}

export function requestBody(
  column: Pick<Column, "settings" | "turns" | "extra" | "tools">,
  variables: Record<string, string> = {},
): Record<string, unknown> {
  const { model, prompt, system, temperature, top_p, max_tokens, seed, json } = column.settings;
  const stop = stopWords(column.settings.stop);
  const schema = column.settings.schema ? parseJson(column.settings.schema) : undefined;
  const messages = [
    ...(system ? [{ role: "system", content: fill(system, variables) }] : []),
    ...column.turns.map((turn) => messageOf(turn, variables)),
  ];
  return {
    ...column.extra,
    // With a model of its own the prompt is named by a header.
    model: prompt && !model ? `prompt:${prompt}` : model,
    ...(prompt && {
      prompt_variables: Object.fromEntries(
        // What was left empty is not given: a prompt's own default may stand there.
        Object.entries(variables)
          .filter(([, value]) => value !== "")
          .map(([name, value]) => [name, typed(value)]),
      ),
    }),
    ...((messages.length > 0 || !prompt) && { messages }),
    ...(temperature !== undefined && { temperature }),
    ...(top_p !== undefined && { top_p }),
    ...(max_tokens !== undefined && { max_tokens }),
    ...(seed !== undefined && { seed }),
    ...(stop.length > 0 && { stop: stop.length === 1 ? stop[0] : stop }),
    ...(column.tools.length > 0 && { tools: column.tools.map(functionOf) }),
    ...(schema
      ? { response_format: { type: "json_schema", json_schema: { name: "answer", schema } } }
      : json && { response_format: { type: "json_object" } }),
    stream: true,
    stream_options: { include_usage: true },
  };
}

function functionOf({ name, description, parameters }: Tool): object {
  const schema = parseJson(parameters);
  return {
    type: "function",
    function: {
      name,
      ...(description && { description }),
      ...(schema && { parameters: schema }),
    },
  };
}

// --- recorded calls -----------------------------------------------------------------------------

const CONTROLLED = new Set([
  "model",
  "messages",
  "temperature",
  "top_p",
  "seed",
  "stop",
  "stream",
  "stream_options",
  "prompt_variables",
]);
const LENGTHS = new Set(["max_tokens", "max_completion_tokens"]);

export type NewTurn = Omit<Turn, "id" | "key">;
export type Loaded = Pick<Column, "settings" | "tools" | "extra"> & { turns: NewTurn[] };

// biome-ignore lint/suspicious/noExplicitAny: recorded requests come from anywhere
type Loose = any;

/** A chat request as a column. Null when it is no chat request. */
export function fromRequest(body: Loose): Loaded | null {
  const filled = typeof body?.model === "string" && body.model.startsWith("prompt:");
  if (!Array.isArray(body?.messages) && !filled) return null;
  const raw: unknown[] = [...(body.messages ?? [])];
  const settings: Settings = {};
  if (filled) settings.prompt = body.model.slice("prompt:".length);
  else if (typeof body.model === "string") settings.model = body.model;
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
  const { format, taken } = formatOf(body.response_format);
  Object.assign(settings, format);
  const tools = toolsOf(body.tools);
  const extra = Object.fromEntries(
    Object.entries(body).filter(
      ([name]) =>
        !CONTROLLED.has(name) &&
        !LENGTHS.has(name) &&
        !(name === "response_format" && taken) &&
        !(name === "tools" && tools),
    ),
  );
  return { settings, tools: tools ?? [], turns: raw.map(turnOf), extra };
}

function formatOf(format: Loose): { format: Settings; taken: boolean } {
  if (format?.type === "json_object") return { format: { json: true }, taken: true };
  const schema = format?.type === "json_schema" ? format.json_schema?.schema : undefined;
  if (schema) return { format: { schema: JSON.stringify(schema, null, 2) }, taken: true };
  return { format: {}, taken: false };
}

/** Null where a tool is more than a function with a schema: it is sent as it was. */
function toolsOf(tools: Loose): Tool[] | null {
  if (!Array.isArray(tools)) return null;
  const known = tools.map((tool: Loose): Tool | null => {
    const { name, description, parameters, ...rest } = tool?.function ?? {};
    if (tool?.type !== "function" || typeof name !== "string" || Object.keys(rest).length > 0)
      return null;
    return {
      name,
      description: typeof description === "string" ? description : "",
      parameters: parameters ? JSON.stringify(parameters, null, 2) : "",
      answer: { by: "hand" },
    };
  });
  return known.includes(null) ? null : (known as Tool[]);
}

function turnOf(raw: unknown): NewTurn {
  const parts = readMessage(raw);
  const plain =
    typeof (raw as { content?: unknown } | null)?.content === "string" &&
    parts.toolCalls.length === 0;
  const simple = plain && !parts.toolCallId;
  return { role: parts.role, text: parts.text, ...(!simple && { logged: raw as object, parts }) };
}

// --- links --------------------------------------------------------------------------------------

/** What a link carries: everything but ids, answers' figures and headers of tools, which may be
 * secret. */
export function shareable(board: Board): object {
  return {
    variables: board.variables,
    columns: board.columns.map(({ settings, tools, turns, extra, apart }) => ({
      settings,
      extra,
      apart,
      tools: tools.map((tool) =>
        tool.answer.by === "http" ? { ...tool, answer: { ...tool.answer, headers: "" } } : tool,
      ),
      turns: turns.map(({ id: _, result, ...turn }) => ({
        ...turn,
        ...(result?.traceId && { result: { state: "done", traceId: result.traceId } }),
      })),
    })),
  };
}

export function readShared(state: Loose): Board | null {
  if (!Array.isArray(state?.columns)) return null;
  let last = 0;
  const columns = state.columns.slice(0, MOST_COLUMNS).map(
    (column: Loose): Column => ({
      id: ++last,
      settings: column.settings ?? {},
      tools: column.tools ?? [],
      extra: column.extra ?? {},
      apart: column.apart,
      turns: (column.turns ?? []).map((turn: Loose) => ({ ...turn, id: ++last })),
    }),
  );
  return columns.length > 0 ? { columns, variables: state.variables ?? {} } : null;
}
