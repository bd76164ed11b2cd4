// One way to talk to the control plane. Knows HTTP, the error shape and the CSRF header; knows
// nothing of pages.
import { reachable } from "./connection";

export class ApiError extends Error {
  /** Whether the same place failed the time before, too. */
  again = false;

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string,
    /** The trace that a refused or failed model call left behind. */
    readonly traceId = "",
  ) {
    super(message);
    this.name = "ApiError";
  }
}

let csrf = "";
let onSignedOut: () => void = () => {};

/** The token of the present session; it goes back on every write. */
export function setCsrf(token: string): void {
  csrf = token;
}

/** What to do when the server says that nobody is signed in. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

export type Query = Record<string, string | number | boolean | null | undefined>;

export function withQuery(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") params.set(name, String(value));
  }
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

interface Options {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Signing in answers 401 to a wrong password; that is not the end of a session. */
  keepSession?: boolean;
  /** A write that leaves nothing behind when nobody waits for it any more: it ends like a read. */
  brief?: boolean;
}

/** How long a read may take, its body included; a write goes on where it is, however long it takes. */
export const PATIENCE_MS = 60_000;

function noAnswer(): ApiError {
  return new ApiError(
    0,
    "no_answer",
    "The control plane did not answer within a minute.",
    "It may be busy: try again, over a shorter time range where the page has one.",
  );
}

/** Places whose last call failed. */
const failing = new Set<string>();

/** The raw response of a call that succeeded; throws ApiError for every other outcome. */
export async function request(path: string, options: Options = {}): Promise<Response> {
  try {
    const response = await ask(path, options);
    failing.delete(path);
    return response;
  } catch (error) {
    if (error instanceof ApiError) {
      error.again = failing.has(path);
      failing.add(path);
    }
    throw error;
  }
}

async function ask(path: string, options: Options): Promise<Response> {
  const { method = "GET", query, body, signal } = options;
  const headers: Record<string, string> = { accept: "application/json", ...options.headers };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (method !== "GET") headers["x-stockpot-csrf"] = csrf;
  const bounded = method === "GET" || options.brief;
  const deadline = bounded ? AbortSignal.timeout(PATIENCE_MS) : undefined;
  let response: Response;
  try {
    response = await fetch(withQuery(path, query), {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal && deadline ? AbortSignal.any([signal, deadline]) : (signal ?? deadline),
      credentials: "same-origin",
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    if (deadline?.aborted) throw noAnswer();
    reachable(false);
    throw new ApiError(
      0,
      "unreachable",
      "The control plane does not answer.",
      method === "GET"
        ? "Look at the terminal that runs `stockpot up`; this page loads when it is back."
        : "Look at the terminal that runs `stockpot up`, then try again.",
    );
  }
  reachable(true);
  if (response.ok) return response;
  const error = await readError(response);
  if (response.status === 401 && !options.keepSession) onSignedOut();
  throw error;
}

/** A refusal is final, and a minute without an answer is enough; a broken connection or a 5xx is
 * worth another try. What goes on failing is not tried at once any more, so that a page that asks
 * every few seconds goes on saying so in the place of loading anew each time. */
export function worthRetrying(count: number, error: Error): boolean {
  if (error instanceof ApiError && error.status >= 400 && error.status < 500) return false;
  if (error instanceof ApiError && error.code === "no_answer") return false;
  if (error instanceof ApiError && error.again) return false;
  return count < 2;
}

export async function call<T>(path: string, options: Options = {}): Promise<T> {
  const response = await request(path, options);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    if (cause instanceof DOMException && cause.name === "TimeoutError") throw noAnswer();
    throw new ApiError(
      response.status,
      "unreadable",
      "What answered is not the control plane, or the answer broke off.",
      "Look at the proxy before it: a sign-in page of its own answers like this. Then load again.",
    );
  }
}

async function readError(response: Response): Promise<ApiError> {
  const text = await response.text();
  const traceId = response.headers.get("x-stockpot-trace-id") ?? "";
  try {
    const { error } = JSON.parse(text);
    return new ApiError(
      response.status,
      error.code ?? error.type ?? "error",
      error.message ?? `The server answered ${response.status}.`,
      error.hint ?? "",
      traceId,
    );
  } catch {
    const start = /^\s*</.test(text) ? "" : text.slice(0, 200).trim();
    return new ApiError(
      response.status,
      "unreadable",
      `The server answered ${response.status} ${response.statusText}`.trim() +
        (start ? `: ${start}` : ""),
      "Look at the terminal that runs `stockpot up`, or at the proxy before it.",
    );
  }
}

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "console_error";
  return new ApiError(0, code, message, "");
}
