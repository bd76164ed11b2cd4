// The running conversation. It lives outside the page, so that looking at a trace and coming back
// neither loses nor interrupts it.
import { useSyncExternalStore } from "react";
import { AnswerBuilder } from "../api/chat";
import { asApiError, request } from "../api/client";
import { SseReader } from "../api/sse";
import { type Loaded, type Result, requestBody, type Settings, type Turn } from "./turns";

export interface Chat {
  turns: readonly Turn[];
  extra: Record<string, unknown>;
  /** The trace and span that this conversation was loaded from. */
  loadedFrom: string;
  running: boolean;
}

/** What a run needs: the settings, and the project whose key pays for it. */
export type Run = Settings & { project?: string };

let chat: Chat = { turns: [], extra: {}, loadedFrom: "", running: false };
let lastId = 0;
let abort: AbortController | null = null;
const listeners = new Set<() => void>();

function publish(next: Partial<Chat>): void {
  chat = { ...chat, ...next };
  for (const tell of listeners) tell();
}

export function useChat(): Chat {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => chat,
  );
}

export function clear(): void {
  stop();
  publish({ turns: [], extra: {}, loadedFrom: "" });
}

export function load(loaded: Loaded, from: string): void {
  stop();
  publish({
    turns: loaded.turns.map((turn) => ({ ...turn, id: ++lastId })),
    extra: loaded.extra,
    loadedFrom: from,
  });
}

export function dropExtra(name: string): void {
  const { [name]: _, ...extra } = chat.extra;
  publish({ extra });
}

export function stop(): void {
  abort?.abort();
}

/** Adds what the user typed and lets the model answer. */
export function send(settings: Run, text: string): void {
  publish({ turns: [...chat.turns, { id: ++lastId, role: "user", text }] });
  void run(settings);
}

/** Changes a turn's text. A user's turn is then answered anew; what followed it is gone. */
export function edit(settings: Run, id: number, text: string): void {
  const at = chat.turns.findIndex((turn) => turn.id === id);
  const old = chat.turns[at];
  if (!old) return;
  const { logged: _, parts: __, ...rest } = old;
  if (old.role === "assistant") {
    publish({ turns: chat.turns.map((turn) => (turn.id === id ? { ...rest, text } : turn)) });
    return;
  }
  publish({ turns: [...chat.turns.slice(0, at), { ...rest, text }] });
  void run(settings);
}

/** Answers again in place of the turn `id`, which an assistant gave. */
export function again(settings: Run, id: number): void {
  const at = chat.turns.findIndex((turn) => turn.id === id);
  if (at < 1) return;
  publish({ turns: chat.turns.slice(0, at) });
  void run(settings);
}

function update(id: number, change: (turn: Turn) => Turn): void {
  publish({ turns: chat.turns.map((turn) => (turn.id === id ? change(turn) : turn)) });
}

async function run(settings: Run): Promise<void> {
  stop();
  const control = new AbortController();
  abort = control;
  const body = requestBody(settings, chat.turns, chat.extra);
  const id = ++lastId;
  publish({
    running: true,
    turns: [...chat.turns, { id, role: "assistant", text: "", result: { state: "waiting" } }],
  });
  const result = (change: Partial<Result>) =>
    update(id, (turn) => ({ ...turn, result: { ...turn.result, state: "done", ...change } }));
  const begun = performance.now();
  try {
    const response = await request("/api/v1/playground/chat", {
      method: "POST",
      body,
      headers: settings.project ? { "x-stockpot-project": settings.project } : undefined,
      signal: control.signal,
    });
    result({
      state: "streaming",
      traceId: response.headers.get("x-stockpot-trace-id") ?? undefined,
    });
    await read(response, id, begun);
    result({ state: "done", totalMs: performance.now() - begun });
  } catch (failure) {
    const totalMs = performance.now() - begun;
    if (control.signal.aborted) result({ state: "stopped", totalMs });
    else {
      const { message, hint, code, traceId } = asApiError(failure);
      result({
        state: "failed",
        totalMs,
        error: { message, hint, code },
        ...(traceId && { traceId }),
      });
    }
  } finally {
    if (abort === control) publish({ running: false });
  }
}

/** Reads the stream into the turn, one publication per network read, not per token. */
async function read(response: Response, id: number, begun: number): Promise<void> {
  const reader = new SseReader();
  const builder = new AnswerBuilder();
  const decoder = new TextDecoder();
  const body = response.body?.getReader();
  if (!body) return;
  let first: number | undefined;
  for (;;) {
    const { done, value } = await body.read();
    const events = done ? reader.end() : reader.push(decoder.decode(value, { stream: true }));
    for (const event of events) builder.add(event);
    const { answer } = builder;
    const message = answer.choices[0];
    if (first === undefined && (message?.text || message?.reasoning))
      first = performance.now() - begun;
    update(id, (turn) => ({
      ...turn,
      text: message?.text ?? "",
      result: {
        ...turn.result,
        state: "streaming",
        ttftMs: first,
        finish: answer.finish,
        reasoning: message?.reasoning,
        usage: answer.usage ?? turn.result?.usage,
      },
    }));
    if (answer.error)
      throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
    if (done) {
      if (!answer.complete)
        throw new Error("The stream ended before the model said that it was done.");
      return;
    }
  }
}
