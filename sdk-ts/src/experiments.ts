// Experiments in an application: which arm a unit is in, without asking anybody for it. The
// experiments of a project are fetched once, kept and refreshed in the background; a unit is placed
// here, in the same arm as in the gateway. While the server is away what was known last decides;
// where nothing is known nobody takes part, and the application gets the control.

import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "./http.js";
import type { Observer } from "./observe.js";
import { fromEnvironment } from "./options.js";
import { draw, type Experiment } from "./placing.js";
import { exposureHeaders } from "./span.js";

export interface ExperimentsOptions {
  url?: string;
  key?: string;
  project?: string;
  /** Keeps what is known over restarts. */
  folder?: string;
  /** The longest that the very first `assign` may take. */
  timeoutMs?: number;
  /** What is known is asked for anew after so long, beside the call that finds it old. */
  freshMs?: number;
  /** Notes exposures at its spans. */
  observer?: Pick<Observer, "begin" | "current">;
}

export interface Wanted {
  /** The arm of those of whom nothing is known. */
  default?: string;
  /** Whether the exposure is noted at the span that runs now; it is when not said. */
  record?: boolean;
}

/** Where a unit is: the arm's name and what it is to be given (`NAME@7` of a prompt, a model name;
 * "" where nothing is known). `unit` is its name in records, "" for one that does not take part. */
export class Assignment {
  constructor(
    readonly experiment: string,
    readonly arm: string,
    readonly target: string,
    readonly unit = "",
  ) {}

  /** Whether the unit takes part. */
  get exposed(): boolean {
    return this.unit !== "";
  }

  /** The version of a prompt that the target names by its number. */
  get version(): number | undefined {
    const number = /@([0-9]+)$/.exec(this.target)?.[1];
    return number === undefined ? undefined : Number(number);
  }

  /** What tells the gateway that a call is made in this arm. */
  headers(): Record<string, string> {
    return exposureHeaders(this.exposed ? [[this.experiment, this.arm, this.unit]] : []);
  }
}

interface Known {
  experiments: Map<string, Experiment>;
  tag: string;
}

const NOTHING: Known = { experiments: new Map(), tag: "" };
const FIRST_WAIT_MS = 1000;

export class Experiments {
  #url: string;
  #headers: Record<string, string>;
  #project: string;
  #folder: string | undefined;
  #timeoutMs: number;
  #freshMs: number;
  #observer: Pick<Observer, "begin" | "current"> | undefined;
  #known: Known | undefined;
  #asking: Promise<void> | undefined;
  #next = 0;
  #closed = new AbortController();

  constructor(options: ExperimentsOptions = {}) {
    const told = fromEnvironment();
    this.#url = (options.url ?? told.url).replace(/\/+$/, "");
    this.#headers = { authorization: `Bearer ${options.key ?? told.key}` };
    this.#project = options.project ?? told.project;
    this.#folder = options.folder ?? process.env.STOCKPOT_EXPERIMENTS_FOLDER;
    this.#timeoutMs = options.timeoutMs ?? 2000;
    this.#freshMs = options.freshMs ?? 30_000;
    this.#observer = options.observer;
  }

  /** The arm of a unit. Never rejects, and waits for nobody but the very first time. */
  async assign(experiment: string, unit: string, wanted: Wanted = {}): Promise<Assignment> {
    if (this.#known === undefined) await this.#refresh(false);
    return this.peek(experiment, unit, wanted);
  }

  /** The same without waiting: until `assign` was asked once, nothing is known. Never throws. */
  peek(experiment: string, unit: string, wanted: Wanted = {}): Assignment {
    let found = new Assignment(experiment, wanted.default ?? "", "");
    try {
      if (Date.now() >= this.#next) void this.#refresh(true);
      found = this.#placed(experiment, String(unit), wanted.default);
      if (found.exposed && wanted.record !== false) this.#note(found);
    } catch (wrong) {
      fromEnvironment().warn(`assigning failed, the application goes on: ${String(wrong)}`);
    }
    return found;
  }

  /** Ask for nothing any more; what is known stays. */
  close(): void {
    this.#closed.abort();
  }

  #placed(name: string, unit: string, otherwise: string | undefined): Assignment {
    const experiment = this.#known?.experiments.get(name);
    if (experiment === undefined) return new Assignment(name, otherwise ?? "", "");
    const begun = !experiment.starts_ms || Date.now() >= experiment.starts_ms;
    const drawn = unit && begun ? draw(experiment, unit) : undefined;
    if (drawn) return new Assignment(name, drawn.arm.name, drawn.arm.target, drawn.unit);
    const control = experiment.arms.find((arm) => arm.name === experiment.control);
    return new Assignment(name, otherwise || experiment.control, control?.target ?? "");
  }

  #note(found: Assignment): void {
    const span = this.#observer?.current();
    if (span === undefined) return;
    if (span.name && !span.over) span.expose([found.experiment, found.arm, found.unit]);
    else {
      const alone = this.#observer?.begin({ name: `experiment ${found.experiment}` });
      alone?.expose([found.experiment, found.arm, found.unit]).end();
    }
  }

  #refresh(idle: boolean): Promise<void> {
    this.#asking ??= this.#ask(idle).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(idle: boolean): Promise<void> {
    let known = this.#known ?? (await this.#read());
    let wait = this.#freshMs;
    try {
      const query = this.#project ? `?project=${encodeURIComponent(this.#project)}` : "";
      const tag: Record<string, string> = known.tag ? { "if-none-match": known.tag } : {};
      const answer = await ask(`${this.#url}/api/v1/experiments/document${query}`, {
        headers: { ...this.#headers, ...tag },
        timeoutMs: this.#timeoutMs,
        signal: this.#closed.signal,
        idle,
      });
      if (answer.status === 200) {
        known = read(answer.body, answer.headers.etag ?? "");
        await this.#keep(answer.body);
      } else if (answer.status !== 304) throw new Error(`status ${answer.status}`);
    } catch {
      if (known === NOTHING) wait = Math.min(wait, FIRST_WAIT_MS);
    }
    this.#known = known;
    this.#next = Date.now() + wait;
  }

  #path(): string | undefined {
    if (this.#folder === undefined) return undefined;
    const about = `experiments\0${this.#url}\0${this.#project}`;
    const name = createHash("sha256").update(about).digest("hex").slice(0, 32);
    return join(this.#folder, `${name}.json`);
  }

  async #keep(body: string): Promise<void> {
    const path = this.#path();
    if (path === undefined) return;
    try {
      await mkdir(this.#folder as string, { recursive: true });
      const draft = `${path}.${process.pid}`;
      await writeFile(draft, body);
      await rename(draft, path);
    } catch (wrong) {
      fromEnvironment().warn(`experiments are not kept in ${this.#folder}: ${String(wrong)}`);
    }
  }

  async #read(): Promise<Known> {
    const path = this.#path();
    try {
      return path === undefined ? NOTHING : read(await readFile(path, "utf8"), "");
    } catch {
      return NOTHING;
    }
  }
}

function read(body: string, tag: string): Known {
  const { experiments } = JSON.parse(body) as { experiments: Experiment[] };
  return { experiments: new Map(experiments.map((one) => [one.name, one])), tag };
}
