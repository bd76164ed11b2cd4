// One span while it runs, and its form in OTLP's JSON.

import { randomBytes } from "node:crypto";
import type { Mask, Options } from "./options.js";

export type Kind =
  | "span"
  | "llm"
  | "embedding"
  | "retriever"
  | "reranker"
  | "tool"
  | "agent"
  | "workflow"
  | "guardrail"
  | "evaluator";

/** What a span can be linked to: a prompt's version. */
export interface Linked {
  attributes(): Record<string, string>;
  headers(): Record<string, string>;
}

/** An experiment, the arm, and the name that the unit has in records. */
export type Exposure = readonly [experiment: string, arm: string, unit: string];

export interface Score {
  name?: string;
  value?: number | boolean;
  label?: string;
  comment?: string;
}

/** What may be said of a span. Session, user and tags hold for the spans below it too. */
export interface Said {
  name?: string;
  kind?: Kind;
  input?: unknown;
  output?: unknown;
  session?: string;
  user?: string;
  tags?: readonly string[];
  metadata?: Record<string, unknown>;
  model?: string;
  /** `input_tokens`, `output_tokens` and further names of `gen_ai.usage`. */
  usage?: Record<string, number>;
  prompt?: Linked;
}

/** Whoever takes ended spans and scores. */
export interface Owner {
  readonly options: Options;
  ended(span: Span, endNs: bigint): void;
  wrong(error: unknown): void;
  give(item: Record<string, unknown>): void;
}

/** Where a span hangs. */
export interface Place {
  traceId: string;
  parentId: string;
  session: string;
  user: string;
  tags: readonly string[];
  exposures: readonly Exposure[];
  remote: boolean;
}

const NAMED: Partial<Record<Kind, string>> = {
  tool: "gen_ai.tool.name",
  agent: "gen_ai.agent.name",
};
const UNMASKED = "(not kept: the mask failed)";
const MOST_DRIFT_NS = 100_000_000n;

/** The time of day with the resolution of the steady clock. That one stands still while a machine
 * sleeps, and the other is set right now and then: whoever drifts from it starts anew. */
export function clock(wall: () => number, steady: () => bigint): () => bigint {
  const ahead = (): bigint => BigInt(wall()) * 1_000_000n - steady();
  let offset = ahead();
  return () => {
    const apart = ahead() - offset;
    if (apart > MOST_DRIFT_NS || apart < -MOST_DRIFT_NS) offset += apart;
    return offset + steady();
  };
}

export const nowNs = clock(Date.now, process.hrtime.bigint);

/** A span that runs, or ran. Everything set on it after its end is lost. */
export class Span {
  readonly spanId = randomBytes(8).toString("hex");
  readonly startNs = nowNs();
  readonly traceId: string;
  readonly parentId: string;
  readonly remote: boolean;
  session: string;
  user: string;
  tags: readonly string[];
  exposures: readonly Exposure[];
  attributes: Record<string, unknown> = {};
  failure: { type: string; message: string; stack: string } | undefined;
  over = false;
  #prompt: Record<string, string> = {};

  constructor(
    private readonly owner: Owner,
    public name: string,
    public kind: Kind,
    at: Place | undefined,
    readonly recorded: boolean,
  ) {
    this.traceId = at?.traceId ?? randomBytes(16).toString("hex");
    this.parentId = at?.parentId ?? "";
    this.remote = at?.remote ?? false;
    this.session = at?.session ?? "";
    this.user = at?.user ?? "";
    this.tags = at?.tags ?? [];
    this.exposures = at?.exposures ?? [];
  }

  /** What cannot be said is told and left out; nothing is thrown. */
  set(said: Said): this {
    try {
      return this.#say(said);
    } catch (wrong) {
      this.owner.wrong(wrong);
      return this;
    }
  }

  #say(said: Said): this {
    this.name = String(said.name || this.name);
    this.kind = said.kind ?? this.kind;
    this.session = named(said.session) || this.session;
    this.user = named(said.user) || this.user;
    const tags = typeof said.tags === "string" ? [said.tags] : (said.tags ?? []);
    this.tags = [...new Set([...this.tags, ...tags])];
    if (said.prompt) this.#prompt = said.prompt.headers();
    if (!this.recorded) return this;
    const found = this.attributes;
    if ("input" in said) found["stockpot.input"] = this.#text(said.input);
    if ("output" in said) found["stockpot.output"] = this.#text(said.output);
    for (const [key, value] of Object.entries(said.metadata ?? {})) {
      found[`stockpot.metadata.${key}`] = this.#text(value);
    }
    if (said.model) found["gen_ai.request.model"] = said.model;
    for (const [key, count] of Object.entries(said.usage ?? {})) {
      if (count !== null && count !== undefined) found[`gen_ai.usage.${key}`] = count;
    }
    if (said.prompt) Object.assign(found, said.prompt.attributes());
    return this;
  }

  /** Say that it failed, without an exception that leaves it. */
  fail(error: unknown): this {
    const { mask } = this.owner.options;
    const told = error instanceof Error;
    this.failure = {
      type: told ? error.name : "error",
      message: textOf(told ? error.message : error, mask, 2000),
      stack: told ? textOf(error.stack ?? "", mask, 8000) : "",
    };
    return this;
  }

  /** Judge it by code: a score of a figure or a label. */
  score(score: Score): this {
    try {
      if (this.recorded) this.#score(score);
    } catch (wrong) {
      this.owner.wrong(wrong);
    }
    return this;
  }

  #score(score: Score): void {
    const value = score.value === undefined ? {} : { value: Number(score.value) };
    const about = {
      id: randomBytes(16).toString("hex"),
      trace_id: this.traceId,
      span_id: this.spanId,
    };
    this.owner.give({ ...about, name: "rating", ...score, ...value });
  }

  /** Say that it is made in an arm of an experiment; so are the spans below that begin later and the
   * calls that its headers go with. */
  expose(exposure: Exposure): this {
    const known = this.exposures.some((one) => one.join("\0") === exposure.join("\0"));
    if (!known) this.exposures = [...this.exposures, exposure];
    return this;
  }

  /** W3C `traceparent` and `baggage`: what is called with them hangs below this span. */
  headers(): Record<string, string> {
    const said = { "session.id": this.session, "user.id": this.user };
    const baggage = Object.entries(said)
      .filter(([, value]) => value)
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join(",");
    return {
      traceparent: `00-${this.traceId}-${this.spanId}-01`,
      ...(baggage ? { baggage } : {}),
      ...this.#prompt,
      ...exposureHeaders(this.exposures),
    };
  }

  /** Where spans below this one hang. */
  below(): Place {
    const { traceId, spanId: parentId, session, user, tags, exposures } = this;
    return { traceId, parentId, session, user, tags, exposures, remote: false };
  }

  /** It is over; the second time changes nothing. */
  end(): void {
    if (this.over) return;
    this.over = true;
    if (!this.recorded) return;
    let endNs = nowNs();
    if (endNs < this.startNs) endNs = this.startNs; // the clock was set back
    this.owner.ended(this, endNs);
  }

  #text(value: unknown): string {
    return textOf(value, this.owner.options.mask, this.owner.options.mostChars);
  }
}

/** What tells the gateway in which arms a call is made. */
export function exposureHeaders(exposures: readonly Exposure[]): Record<string, string> {
  const told = exposures.map(
    ([name, arm, unit]) =>
      `${encodeURIComponent(name)}; arm=${encodeURIComponent(arm)}; unit=${unit}`,
  );
  return told.length ? { "x-stockpot-experiment-used": told.join(", ") } : {};
}

/** A value as JSON (text stays text), masked, of at most `most` characters. Never throws. */
export function textOf(value: unknown, mask: Mask | undefined, most: number): string {
  let text: string;
  try {
    if (mask) value = mask(value);
  } catch {
    return UNMASKED;
  }
  try {
    if (typeof value === "string") text = value;
    else if (isBytes(value)) text = bytes(value);
    else text = JSON.stringify(value, plain) ?? String(value);
  } catch {
    text = shown(value); // circles, getters that throw
  }
  text = text.length <= most ? text : `${text.slice(0, most)} ... (${text.length} characters)`;
  return whole(text);
}

/** Halves of characters, also such that the cut made, are no text that a server could read. */
function whole(text: string): string {
  return text.replace(HALVES, "\ufffd");
}

const HALVES = /\p{Surrogate}/gu;

/** A user or a session as text: applications number theirs. */
function named(who: unknown): string {
  return who === null || who === undefined ? "" : whole(String(who));
}

function plain(_: string, given: unknown): unknown {
  const value = withoutBytes(given);
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return value;
}

/** A list or an object with the size of bytes in their place: each is asked before what it holds,
 * and a Buffer would tell itself number by number. */
function withoutBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.some(isBytes) ? value.map(sized) : value;
  if (value === null || typeof value !== "object" || isBytes(value)) return sized(value);
  const entries = Object.entries(value);
  const held = entries.some(([, inner]) => isBytes(inner));
  return held ? Object.fromEntries(entries.map(([key, inner]) => [key, sized(inner)])) : value;
}

export function isBytes(value: unknown): value is ArrayBufferView | ArrayBuffer {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

function sized(value: unknown): unknown {
  return isBytes(value) ? bytes(value) : value;
}

function bytes(value: ArrayBufferView | ArrayBuffer): string {
  return `(${value.byteLength} bytes)`;
}

function shown(value: unknown): string {
  try {
    return String(value);
  } catch {
    return `(${typeof value})`;
  }
}

/** Where a request's `traceparent` and `baggage` put a span; undefined without a good one. */
export function placeOf(
  headers: Headers | Record<string, string | string[] | undefined>,
): Place | undefined {
  const told = new Map<string, string>();
  const pairs = headers instanceof Headers ? [...headers] : Object.entries(headers);
  for (const [name, value] of pairs) told.set(name.toLowerCase(), String(value ?? ""));
  const found = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/.exec(
    (told.get("traceparent") ?? "").trim(),
  );
  const [, version, traceId = "", parentId = "", more] = found ?? [];
  if (!found || version === "ff" || (more && version === "00")) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  const carried = new Map<string, string>();
  for (const member of (told.get("baggage") ?? "").split(",")) {
    const [name = "", value = ""] = (member.split(";")[0] ?? "").split("=");
    try {
      carried.set(name.trim(), decodeURIComponent(value.trim()));
    } catch {
      // a badly encoded member is as if it were not there
    }
  }
  const session = carried.get("session.id") ?? "";
  const user = carried.get("user.id") ?? "";
  return { traceId, parentId, session, user, tags: [], exposures: [], remote: true };
}

/** One span of an ExportTraceServiceRequest. */
export function spanJson(span: Span, endNs: bigint): string {
  const failed = span.failure;
  const facts: Record<string, unknown> = { "stockpot.kind": span.kind };
  const named = NAMED[span.kind];
  if (named) facts[named] = span.name;
  if (span.session) facts["session.id"] = span.session;
  if (span.user) facts["user.id"] = span.user;
  if (span.tags.length) facts["stockpot.tags"] = span.tags;
  for (const [place, name] of ["name", "variant", "unit"].entries()) {
    const told = span.exposures.map((one) => one[place] ?? "");
    if (told.length) facts[`stockpot.experiment.${name}`] = told.length === 1 ? told[0] : told;
  }
  if (failed) facts["error.type"] = failed.type;
  const exception = failed && {
    "exception.type": failed.type,
    "exception.message": failed.message,
    ...(failed.stack ? { "exception.stacktrace": failed.stack } : {}),
  };
  return JSON.stringify({
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentId ? { parentSpanId: span.parentId } : {}),
    name: whole(span.name),
    kind: 1,
    flags: span.remote ? 0x301 : 0x101,
    startTimeUnixNano: String(span.startNs),
    endTimeUnixNano: String(endNs),
    attributes: attributes({ ...facts, ...span.attributes }),
    ...(failed ? { status: { code: 2, message: failed.message } } : {}),
    ...(exception
      ? {
          events: [
            { timeUnixNano: String(endNs), name: "exception", attributes: attributes(exception) },
          ],
        }
      : {}),
  });
}

/** OTLP's form of attributes. */
export function attributes(facts: Record<string, unknown>): unknown[] {
  return Object.entries(facts).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: unknown): unknown {
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number" && Number.isSafeInteger(value)) return { intValue: String(value) };
  if (typeof value === "number" && Number.isFinite(value)) return { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { stringValue: textOf(value, undefined, 10_000_000) };
}
