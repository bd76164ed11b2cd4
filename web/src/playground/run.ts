// Running columns: each streams on its own, tools are answered in between, all can be stopped.
import { useSyncExternalStore } from "react";
import { AnswerBuilder, parseJson, type ToolCall } from "../api/chat";
import { asApiError, call, request } from "../api/client";
import { SseReader } from "../api/sse";
import { type Column, fill, type Result, requestBody, type Tool } from "./board";
import { addTurn, columnOf, current, cutAnswer, updateTurn } from "./board-store";

const MOST_ROUNDS = 8;
const running = new Map<number, AbortController>();
const listeners = new Set<() => void>();
let busy: readonly number[] = [];

function told(): void {
  busy = [...running.keys()];
  for (const tell of listeners) tell();
}

/** The columns that are being answered now. */
export function useRunning(): readonly number[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => busy,
  );
}

export function stop(id?: number): void {
  for (const [one, control] of running) if (id === undefined || one === id) control.abort();
}

/** Asks these columns at once. */
export function run(ids: readonly number[], project: string | undefined): void {
  for (const id of ids) void converse(id, project);
}

/** Answers every column anew, from its last user's turn. */
export function runAll(project: string | undefined): void {
  const asked = current().columns.filter(
    ({ turns, settings }) => turns.length > 0 || settings.prompt || settings.system,
  );
  for (const { id } of asked) {
    stop(id);
    cutAnswer(id);
  }
  run(
    asked.map((column) => column.id),
    project,
  );
}

async function converse(id: number, project: string | undefined): Promise<void> {
  stop(id);
  const control = new AbortController();
  running.set(id, control);
  told();
  try {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const calls = await answer(id, project, control.signal);
      const column = columnOf(id);
      if (!calls?.length || !column || control.signal.aborted) return;
      if (!(await answerTools(column, calls, project, control.signal))) return;
    }
  } finally {
    if (running.get(id) === control) running.delete(id);
    told();
  }
}

/** One answer of the model; its tool calls when it wants some. */
async function answer(
  id: number,
  project: string | undefined,
  signal: AbortSignal,
): Promise<readonly ToolCall[] | null> {
  const column = columnOf(id);
  if (!column) return null;
  const body = requestBody(column, current().variables);
  const turn = addTurn(id, { role: "assistant", text: "", result: { state: "waiting" } });
  const result = (change: Partial<Result>) =>
    updateTurn(id, turn, (old) => ({
      ...old,
      result: { ...old.result, state: "done", ...change },
    }));
  const begun = performance.now();
  try {
    const said = await stream(body, project, column.settings, signal, (now) => {
      updateTurn(id, turn, (old) => ({
        ...old,
        text: now.text,
        ...(now.toolCalls.length > 0 && { toolCalls: now.toolCalls }),
        result: { ...old.result, ...now.result },
      }));
    });
    result({ state: "done", totalMs: performance.now() - begun });
    if (column.settings.schema && said.text && said.toolCalls.length === 0)
      result({ check: await checked(column.settings.schema, said.text) });
    return said.toolCalls;
  } catch (failure) {
    const totalMs = performance.now() - begun;
    if (signal.aborted) result({ state: "stopped", totalMs });
    else {
      const { message, hint, code, traceId } = asApiError(failure);
      result({
        state: "failed",
        totalMs,
        error: { message, hint, code },
        ...(traceId && { traceId }),
      });
    }
    return null;
  }
}

export interface Now {
  text: string;
  toolCalls: readonly ToolCall[];
  result: Result;
}

/** One call, streamed; tells of each network read, not of each token. */
export async function stream(
  body: object,
  project: string | undefined,
  settings: Column["settings"],
  signal: AbortSignal,
  tell: (now: Now) => void,
): Promise<Now> {
  const headers: Record<string, string> = {};
  if (project) headers["x-stockpot-project"] = project;
  if (settings.prompt && settings.model) headers["x-stockpot-prompt"] = settings.prompt;
  const begun = performance.now();
  const response = await request("/api/v1/playground/chat", {
    method: "POST",
    body,
    headers,
    signal,
  });
  const traceId = response.headers.get("x-stockpot-trace-id") ?? undefined;
  let now: Now = { text: "", toolCalls: [], result: { state: "streaming", traceId } };
  tell(now);
  const reader = new SseReader();
  const builder = new AnswerBuilder();
  const decoder = new TextDecoder();
  const source = response.body?.getReader();
  let first: number | undefined;
  let pieces = 0;
  while (source) {
    const { done, value } = await source.read();
    const events = done ? reader.end() : reader.push(decoder.decode(value, { stream: true }));
    for (const event of events) builder.add(event);
    pieces += events.length;
    const { answer } = builder;
    const message = answer.choices[0];
    if (first === undefined && (message?.text || message?.reasoning || message?.toolCalls.length))
      first = performance.now() - begun;
    now = {
      text: message?.text ?? "",
      toolCalls: message?.toolCalls ?? [],
      result: {
        state: "streaming",
        traceId,
        ttftMs: first,
        pieces,
        finish: answer.finish,
        reasoning: message?.reasoning,
        usage: answer.usage ?? undefined,
      },
    };
    tell(now);
    if (answer.error)
      throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
    if (done) {
      if (!answer.complete)
        throw new Error("The stream ended before the model said that it was done.");
      break;
    }
  }
  return now;
}

export async function checked(schema: string, text: string): Promise<Result["check"]> {
  const json_schema = parseJson(schema);
  if (typeof json_schema !== "object" || json_schema === null)
    return { valid: false, problems: [{ path: "$", message: "The schema itself is no JSON." }] };
  try {
    const body = { json_schema, text };
    return await call("/api/v1/playground/checks", { method: "POST", body });
  } catch (failure) {
    return { valid: false, problems: [{ path: "$", message: asApiError(failure).message }] };
  }
}

/** Answers tool calls; false where a person has to. */
async function answerTools(
  column: Column,
  calls: readonly ToolCall[],
  project: string | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  let all = true;
  for (const one of calls) {
    const tool = column.tools.find((known) => known.name === one.name);
    const text = await toolResult(tool, one, project, signal);
    if (signal.aborted) return false;
    if (text === null) all = false;
    const turn = { role: "tool", text: text ?? "", toolCallId: one.id, toolName: one.name };
    addTurn(column.id, turn);
  }
  return all;
}

async function toolResult(
  tool: Tool | undefined,
  asked: ToolCall,
  project: string | undefined,
  signal: AbortSignal,
): Promise<string | null> {
  if (!tool || tool.answer.by === "hand") return null;
  const given = parseJson(asked.arguments || "{}");
  const values = typeof given === "object" && given !== null ? given : {};
  if (tool.answer.by === "stub") {
    const words = Object.entries(values).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    return fill(tool.answer.text, Object.fromEntries(words));
  }
  const { url, method, headers } = tool.answer;
  try {
    const body = {
      project: project ?? "default",
      name: tool.name,
      url,
      method,
      headers: headersOf(headers),
      arguments: values,
    };
    const path = "/api/v1/playground/tools";
    const told = await call<{ status: number; body: string }>(path, {
      method: "POST",
      body,
      signal,
    });
    return told.status < 400 ? told.body : `The tool answered ${told.status}: ${told.body}`;
  } catch (failure) {
    const { message, hint } = asApiError(failure);
    return `The tool could not be called: ${message}${hint ? ` (${hint})` : ""}`;
  }
}

/** Lines such as `authorization: Bearer x`. */
export function headersOf(text: string): Record<string, string> {
  const lines = text.split("\n").map((line) => line.split(/:(.*)/s));
  return Object.fromEntries(
    lines.map(([name = "", value = ""]) => [name.trim(), value.trim()]).filter(([name]) => name),
  );
}
