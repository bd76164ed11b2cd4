// `observe`: functions and blocks of code as spans. The current span travels in AsyncLocalStorage,
// so whatever is awaited or scheduled inside inherits it.

import { AsyncLocalStorage } from "node:async_hooks";
import { fromEnvironment, type Options } from "./options.js";
import { type Counts, Sender } from "./sender.js";
import {
  attributes,
  isBytes,
  type Kind,
  type Owner,
  type Place,
  placeOf,
  type Score,
  Span,
  spanJson,
} from "./span.js";

/** What is said of a span where it is observed. */
export interface Facts {
  name?: string;
  kind?: Kind;
  session?: string;
  user?: string;
  tags?: readonly string[];
  metadata?: Record<string, unknown>;
  input?: unknown;
  /** false keeps neither input nor output. */
  capture?: boolean;
  /** The headers of the request that is being served, or a span. */
  parent?: Headers | Record<string, string | string[] | undefined> | Span;
}

// biome-ignore lint/suspicious/noExplicitAny: any function may be observed
type AnyFunction = (...args: any[]) => any;

const MOST_ITEMS = 10_000;
const MOST_BYTES = 4 * 1024 * 1024;
const current = new AsyncLocalStorage<Span | undefined>();

export class Observer implements Owner {
  #options: Options;
  #sender: Sender | undefined;
  #told = new Set<string>();

  constructor(options: Partial<Options> = {}) {
    this.#options = { ...fromEnvironment(), ...options };
  }

  get options(): Options {
    return this.#options;
  }

  /** Change options; best before the first span. What waits is still sent where it was meant to go. */
  configure(changes: Partial<Options>): void {
    this.#options = { ...this.#options, ...changes };
    this.#sender = undefined;
  }

  /** The function, each call in a span: plain, async, generators and async generators. */
  wrap<F extends AnyFunction>(fn: F, facts: Facts = {}): F {
    const observer = this;
    const name = facts.name || fn.name || "function";
    const kept = (): boolean => facts.capture ?? observer.#options.capture;
    const wrapper = function (this: unknown, ...args: unknown[]): unknown {
      const span = observer.begin({ ...facts, name });
      if (kept() && !("input" in facts)) span.set({ input: args.length === 1 ? args[0] : args });
      return observer.#through(span, kept(), () => fn.apply(this, args));
    };
    Object.defineProperty(wrapper, "name", { value: fn.name });
    Object.defineProperty(wrapper, "length", { value: fn.length });
    return wrapper as F;
  }

  /** Run a block in a span, which the block is given. */
  span<R>(name: string, facts: Facts, block: (span: Span) => R): R;
  span<R>(name: string, block: (span: Span) => R): R;
  span<R>(name: string, facts: Facts | ((span: Span) => R), block?: (span: Span) => R): R {
    const told = typeof facts === "function" ? {} : facts;
    const run = (typeof facts === "function" ? facts : block) as (span: Span) => R;
    const span = this.begin({ ...told, name });
    return this.#through(span, false, () => run(span)) as R;
  }

  /** A span that begins now, below the current one or where it was said; end it by `end()`. */
  begin(facts: Facts = {}): Span {
    const span = this.#safely(() => {
      const { parent } = facts;
      const at =
        (parent instanceof Span ? parent.below() : parent && placeOf(parent)) ??
        current.getStore()?.below();
      return new Span(this, facts.name || "span", facts.kind ?? "span", at, this.recording);
    });
    const made = span ?? new Span(this, "span", "span", undefined, false);
    this.#safely(() => made.set({ ...facts, name: "" }));
    return made;
  }

  /** The span that runs now; outside of any, one that nobody keeps. */
  current(): Span {
    return current.getStore() ?? new Span(this, "", "span", undefined, false);
  }

  /** Headers for a call of the gateway, or of another service: it joins this trace. */
  headers(): Record<string, string> {
    return current.getStore()?.headers() ?? {};
  }

  /** Of the trace that runs now, "" outside of any: what feedback refers to. */
  traceId(): string {
    return current.getStore()?.traceId ?? "";
  }

  /** A score of the span that runs now. */
  score(score: Score): void {
    current.getStore()?.score(score);
  }

  /** The function, bound to the span that runs now: for callbacks that lose their context. */
  propagate<F extends AnyFunction>(fn: F): F {
    return AsyncLocalStorage.bind(fn) as unknown as F;
  }

  /** How many spans and pieces of feedback wait, were sent, dropped, refused. */
  counts(): Counts {
    return { ...(this.#sender?.counts ?? { waiting: 0, sent: 0, dropped: 0, refused: 0 }) };
  }

  /** Send now what waits, for a process that is about to be frozen; whether all is sent. */
  async flush(timeoutMs = 10_000): Promise<boolean> {
    return this.#sender === undefined || this.#sender.flush(timeoutMs);
  }

  get recording(): boolean {
    return this.#options.enabled && this.#options.key !== "";
  }

  ended(span: Span, endNs: bigint): void {
    this.#safely(() => this.#out().put("spans", spanJson(span, endNs)));
  }

  /** Something of the SDK's own failed: told once, never thrown. */
  wrong(error: unknown): void {
    this.#safely(() => {
      throw error;
    });
  }

  give(item: Record<string, unknown>): void {
    if (this.recording) this.#safely(() => this.#out().put("feedback", JSON.stringify(item)));
  }

  /** Run it inside the span, and end the span when what comes out is over. */
  #through(span: Span, capture: boolean, run: () => unknown): unknown {
    const close = (outcome: { value: unknown } | { error: unknown }): void => {
      this.#safely(() => {
        if ("error" in outcome) span.fail(outcome.error);
        else if (capture) span.set({ output: outcome.value });
        span.end();
      });
    };
    let value: unknown;
    try {
      value = current.run(span, run);
    } catch (error) {
      close({ error });
      throw error;
    }
    if (isGenerator(value)) return this.#watched(value, span, close);
    if (value instanceof Promise) {
      // The promise itself goes back: a rejection that nobody handles stays one.
      return value.then(
        (done) => {
          close({ value: done });
          return done;
        },
        (error: unknown) => {
          close({ error });
          throw error;
        },
      );
    }
    close({ value });
    return value;
  }

  /** A generator whose code runs inside its span, which ends with it. */
  #watched(
    inner: Generator | AsyncGenerator,
    span: Span,
    close: (outcome: { value: unknown } | { error: unknown }) => void,
  ): unknown {
    const items: unknown[] = [];
    let held = 0;
    const output = (): unknown =>
      items.length && items.every((item) => typeof item === "string") ? items.join("") : items;
    const seen = (step: IteratorResult<unknown>): IteratorResult<unknown> => {
      if (step.done) close({ value: output() });
      else if (span.recorded && items.length < MOST_ITEMS && held < MOST_BYTES) {
        held += weight(step.value);
        items.push(step.value);
      }
      return step;
    };
    const failed = (error: unknown): never => {
      close({ error });
      throw error;
    };
    const step = (go: () => unknown): unknown => {
      try {
        const made = current.run(span, go);
        if (made instanceof Promise) return made.then(seen, failed);
        return seen(made as IteratorResult<unknown>);
      } catch (error) {
        return failed(error);
      }
    };
    const shape = {
      next: (value?: unknown) => step(() => inner.next(value)),
      throw: (error: unknown) => step(() => inner.throw(error)),
      return: (value?: unknown) => step(() => inner.return(value)),
    };
    const mark = Symbol.asyncIterator in inner ? Symbol.asyncIterator : Symbol.iterator;
    return Object.assign(Object.create(Object.getPrototypeOf(inner) as object), shape, {
      [mark]() {
        return this;
      },
    });
  }

  #safely<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (wrong) {
      const said = String(wrong);
      if (!this.#told.has(said) && this.#told.size < 100) {
        this.#told.add(said);
        this.#options.warn(`observing failed, the application goes on: ${said}`);
      }
      return undefined;
    }
  }

  #out(): Sender {
    if (this.#sender === undefined) this.#sender = senderOf(this.#options);
    return this.#sender;
  }
}

/** About how many bytes are held as long as the value is; what an object holds is not counted. */
function weight(value: unknown): number {
  if (typeof value === "string") return value.length;
  return isBytes(value) ? value.byteLength : 64;
}

function isGenerator(value: unknown): value is Generator | AsyncGenerator {
  const kind = Object.prototype.toString.call(value);
  return kind === "[object Generator]" || kind === "[object AsyncGenerator]";
}

function senderOf(options: Options): Sender {
  const about = {
    "service.name": options.service,
    "service.version": options.release,
    "deployment.environment.name": options.environment,
    "telemetry.sdk.name": "stockpot",
    "telemetry.sdk.language": "nodejs",
  };
  const told = Object.fromEntries(Object.entries(about).filter(([, value]) => value));
  const resource = JSON.stringify({ attributes: attributes(told) });
  const url = options.url.replace(/\/+$/, "");
  const traces = (options.tracesUrl || url).replace(/\/+$/, "");
  return new Sender(options, {
    spans: {
      url: `${traces}/v1/traces`,
      head: `{"resourceSpans":[{"resource":${resource},"scopeSpans":[{"scope":{"name":"stockpot"},"spans":[`,
      tail: "]}]}]}",
      most: 500,
      compressed: true,
    },
    feedback: {
      url: `${url}/api/v1/feedback`,
      head: '{"items":[',
      tail: "]}",
      most: 50,
      compressed: false,
    },
  });
}

export type { Place };
