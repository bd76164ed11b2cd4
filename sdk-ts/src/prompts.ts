// Prompts in an application: kept in memory, watched in the background. The first `get` of a prompt
// asks the server; every later one is a look into a map. Labels are watched while they are in use,
// each by a request that the server answers when the label moves. While the server is away the last
// known version serves, and before there is any, the fallback of the caller.

import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Answer, ask, type Request } from "./http.js";
import { fromEnvironment } from "./options.js";
import { type Rendered, renderHere, type Variables, type Version } from "./render.js";
import type { Linked } from "./span.js";

export type Fallback = string | { role: string; content: string }[] | Version;
export type Source = "server" | "disk" | "fallback";

export interface Wanted {
  /** `production` when not said. */
  label?: string;
  version?: number;
  /** Text, messages or a version; serves while the prompt was never seen. */
  fallback?: Fallback;
}

export interface PromptsOptions {
  url?: string;
  key?: string;
  project?: string;
  /** Keeps what is known over restarts. */
  folder?: string;
  /** The longest that a first `get` may take. */
  timeoutMs?: number;
}

const HOLD_S = 25;
const UNUSED_MS = 600_000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5000;

/** There is no such prompt, or nobody to ask, and no fallback was given. */
export class PromptUnavailable extends Error {
  override name = "PromptUnavailable";
}

type Ask = (path: string, wanted: Partial<Request>) => Promise<Answer>;

/** A version of a prompt, ready to be rendered. `source` says where it comes from. */
export class Prompt implements Linked {
  constructor(
    readonly version: Version,
    readonly label: string,
    readonly source: Source,
    private readonly ask: Ask,
  ) {}

  get name(): string {
    return this.version.name;
  }

  /** Of the version; 0 is the fallback. */
  get number(): number {
    return this.version.number;
  }

  /** Text or messages: here where the template is plain, else by the server, which knows both
   * languages whole and says what is wrong with the variables. */
  async render(variables: Variables = {}): Promise<Rendered> {
    const here = renderHere(this.version, variables);
    if (here) return here;
    const { name, version } = this;
    const content = { ...version, ref: undefined };
    const body =
      this.source === "fallback"
        ? { content: draftOf(content), variables }
        : { ref: String(this.number), variables };
    const query = version.project ? `?project=${encodeURIComponent(version.project)}` : "";
    const path = `/api/v1/prompts/${encodeURIComponent(name)}/render${query}`;
    const answer = await this.ask(path, { method: "POST", body: JSON.stringify(body) });
    if (answer.status !== 200) throw new Error(`${name}: ${answer.body.slice(0, 500)}`);
    return JSON.parse(answer.body) as Rendered;
  }

  /** Arguments for `chat.completions.create` of an OpenAI client. */
  async request(variables: Variables = {}): Promise<Record<string, unknown>> {
    const made = await this.render(variables);
    const messages = made.messages?.length ? made.messages : [{ role: "user", content: made.text }];
    const form = { name: "answer", schema: made.response_schema, strict: true };
    return {
      ...made.params,
      messages,
      ...(made.model ? { model: made.model } : {}),
      ...(made.tools?.length ? { tools: made.tools } : {}),
      ...(made.response_schema
        ? { response_format: { type: "json_schema", json_schema: form } }
        : {}),
    };
  }

  /** What links a span to this version: `observe.current().set({ prompt })`. */
  attributes(): Record<string, string> {
    return {
      "stockpot.prompt.name": this.name,
      "stockpot.prompt.version": String(this.number),
      ...(this.label ? { "stockpot.prompt.label": this.label } : {}),
    };
  }

  /** What tells the gateway that a call was rendered from this version. A fallback is none. */
  headers(): Record<string, string> {
    if (!this.number) return {};
    const label = this.label ? `;label=${encodeURIComponent(this.label)}` : "";
    return { "x-stockpot-prompt-used": `${encodeURIComponent(this.name)}@${this.number}${label}` };
  }
}

interface Entry {
  prompt: Prompt;
  tag: string;
  used: boolean;
}

export class Prompts {
  #url: string;
  #headers: Record<string, string>;
  #project: string;
  #folder: string | undefined;
  #timeoutMs: number;
  #entries = new Map<string, Entry>();
  #old = new Map<string, Entry>();
  #asking = new Map<string, Promise<Entry>>();
  #closed = new AbortController();

  constructor(options: PromptsOptions = {}) {
    const told = fromEnvironment();
    this.#url = (options.url ?? told.url).replace(/\/+$/, "");
    const bearer = `Bearer ${options.key ?? told.key}`;
    this.#headers = { authorization: bearer, "content-type": "application/json" };
    this.#project = options.project ?? told.project;
    this.#folder = options.folder ?? process.env.STOCKPOT_PROMPTS_FOLDER;
    this.#timeoutMs = options.timeoutMs ?? 2000;
  }

  /** What a label means now, or a version by its number. Throws PromptUnavailable where the prompt
   * was never seen and there is no fallback. */
  async get(name: string, wanted: Wanted = {}): Promise<Prompt> {
    const id = idOf(name, wanted);
    const entry = this.#entries.get(id);
    if (entry === undefined) return this.#first(id, name, wanted);
    entry.used = true;
    if (entry.prompt.source === "fallback" && wanted.fallback !== undefined) {
      return this.#fallback(name, wanted.fallback);
    }
    return entry.prompt;
  }

  /** The same without waiting: undefined until it was asked for. */
  peek(name: string, wanted: Wanted = {}): Prompt | undefined {
    const entry = this.#entries.get(idOf(name, wanted));
    if (entry) entry.used = true;
    return entry?.prompt;
  }

  /** Stop watching; what is known stays. */
  close(): void {
    this.#closed.abort();
  }

  async #first(id: string, name: string, wanted: Wanted): Promise<Prompt> {
    let asking = this.#asking.get(id);
    if (asking === undefined) {
      // Who comes second waits for the first one's answer instead of asking too.
      asking = this.#found(id, name, wanted).finally(() => this.#asking.delete(id));
      this.#asking.set(id, asking);
    }
    return (await asking).prompt;
  }

  async #found(id: string, name: string, wanted: Wanted): Promise<Entry> {
    let entry: Entry | undefined;
    let why = "";
    try {
      entry = await this.#fetch(id, name, wanted);
    } catch (wrong) {
      why = wrong instanceof Error ? wrong.message : String(wrong);
      entry = this.#old.get(id) ?? (await this.#read(id));
    }
    if (entry === undefined) {
      if (wanted.fallback === undefined) {
        throw new PromptUnavailable(`no prompt '${name}' (${refOf(wanted)}): ${why}`);
      }
      entry = { prompt: this.#fallback(name, wanted.fallback), tag: "", used: true };
    }
    this.#entries.set(id, entry);
    if (wanted.version === undefined || entry.prompt.source !== "server") {
      void this.#follow(id, name, wanted, entry);
    }
    return entry;
  }

  #fallback(name: string, fallback: Fallback): Prompt {
    let version: Version;
    if (typeof fallback === "string") version = { name, number: 0, kind: "text", body: fallback };
    else if (Array.isArray(fallback))
      version = { name, number: 0, kind: "chat", messages: fallback };
    else version = fallback;
    return new Prompt(version, "", "fallback", this.#ask);
  }

  #ask: Ask = (path, wanted) => {
    const headers = { ...this.#headers, ...wanted.headers };
    const { signal } = this.#closed;
    return ask(this.#url + path, { timeoutMs: 10_000, signal, ...wanted, headers });
  };

  /** What the server says; undefined when it is still what bears the tag. */
  async #fetch(
    id: string,
    name: string,
    wanted: Wanted,
    tag = "",
    holdS = 0,
    idle = false,
  ): Promise<Entry | undefined> {
    const query = new URLSearchParams(this.#project ? { project: this.#project } : {});
    if (wanted.version === undefined) query.set("label", wanted.label ?? "production");
    else query.set("version", String(wanted.version));
    if (holdS) query.set("wait_s", String(holdS));
    const path = `/api/v1/prompts/${encodeURIComponent(name)}/resolved?${query}`;
    const headers: Record<string, string> = tag ? { "if-none-match": tag } : {};
    const timeoutMs = this.#timeoutMs + holdS * 1000;
    const { status, body, ...told } = await this.#ask(path, { headers, timeoutMs, idle });
    if (status === 304) return undefined;
    if (status !== 200) throw new Error(`status ${status}: ${body.slice(0, 300)}`);
    const entry = this.#entryOf(body, "server", told.headers.etag ?? "");
    await this.#keep(id, body);
    return entry;
  }

  #entryOf(body: string, source: Source, tag: string): Entry {
    const version = JSON.parse(body) as Version;
    const prompt = new Prompt(version, version.label ?? "", source, this.#ask);
    return { prompt, tag, used: true };
  }

  /** Bring every new version, until nobody uses the prompt any more. */
  async #follow(id: string, name: string, wanted: Wanted, entry: Entry): Promise<void> {
    let wait = 0;
    let used = Date.now();
    while (!this.#closed.signal.aborted) {
      if (wait) await pause(wait);
      if (entry.used) [entry.used, used] = [false, Date.now()];
      else if (Date.now() - used > UNUSED_MS) break;
      const began = Date.now();
      try {
        const hold = entry.tag ? HOLD_S : 0;
        const fresh = await this.#fetch(id, name, wanted, entry.tag, hold, true);
        if (fresh) [entry.prompt, entry.tag] = [fresh.prompt, fresh.tag];
        if (fresh && wanted.version !== undefined) return; // a version never changes
        // A server that does not hold the request is not asked more than four times a second.
        wait = fresh ? 0 : Math.max(0, 250 - (Date.now() - began));
      } catch {
        const grown = Math.min(Math.max(wait * 2, FIRST_WAIT_MS), LONGEST_WAIT_MS);
        wait = grown * (0.5 + Math.random() / 2);
      }
    }
    if (!this.#closed.signal.aborted) {
      this.#entries.delete(id);
      this.#old.set(id, entry);
    }
  }

  #path(id: string): string | undefined {
    if (this.#folder === undefined) return undefined;
    const about = [this.#url, this.#project, id].join("\0");
    return join(
      this.#folder,
      `${createHash("sha256").update(about).digest("hex").slice(0, 32)}.json`,
    );
  }

  async #keep(id: string, body: string): Promise<void> {
    const path = this.#path(id);
    if (path === undefined) return;
    try {
      await mkdir(this.#folder as string, { recursive: true });
      const draft = `${path}.${process.pid}`;
      await writeFile(draft, body);
      await rename(draft, path);
    } catch (wrong) {
      fromEnvironment().warn(`prompts are not kept in ${this.#folder}: ${String(wrong)}`);
    }
  }

  async #read(id: string): Promise<Entry | undefined> {
    const path = this.#path(id);
    try {
      return path === undefined
        ? undefined
        : this.#entryOf(await readFile(path, "utf8"), "disk", "");
    } catch {
      return undefined;
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms).unref());
}

function idOf(name: string, wanted: Wanted): string {
  return wanted.version === undefined
    ? `${name}\0label ${wanted.label ?? "production"}`
    : `${name}\0version ${wanted.version}`;
}

function refOf(wanted: Wanted): string {
  return wanted.version === undefined
    ? `label ${wanted.label ?? "production"}`
    : `version ${wanted.version}`;
}

function draftOf(version: Version): Record<string, unknown> {
  const { body, messages, kind, syntax, variables_schema } = version;
  const told = { kind, syntax, body, messages, variables_schema };
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined));
}
