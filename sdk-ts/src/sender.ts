// Sending what an application leaves behind, in the background, with a bounded buffer. `put` only
// appends. When the buffer is full, what comes is dropped and counted, and told once. What the server
// refuses for good is counted too; everything else is tried again, at growing intervals. Its timers
// never keep a process alive; at its natural end what waits is sent, as far as the time reaches.

import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Options } from "./options.js";

const packed = promisify(gzip);
const LATER = new Set([408, 425, 429, 500, 502, 503, 504]);
const SPLIT = new Set([400, 413, 422]);
const MOST_BYTES = 4 * 1024 * 1024;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 1000;
const COMPRESSED_FROM = 2048;

/** Where a lane leads, and what stands around the items of a body. */
export interface Line {
  url: string;
  head: string;
  tail: string;
  most: number;
  compressed: boolean;
}

export interface Counts {
  waiting: number;
  sent: number;
  dropped: number;
  refused: number;
}

class Lane {
  waiting: string[] = [];
  nextTry = 0;
  wait = 0;
  /** When the server itself said that it may be asked again. */
  asked = 0;

  constructor(readonly line: Line) {}

  /** The first items that fit into one body; always one, if there is any. */
  batch(): string[] {
    const taken: string[] = [];
    let size = 0;
    for (const item of this.waiting) {
      size += item.length;
      if (taken.length === this.line.most || (taken.length && size > MOST_BYTES)) break;
      taken.push(item);
    }
    return taken;
  }
}

export class Sender {
  readonly counts: Counts = { waiting: 0, sent: 0, dropped: 0, refused: 0 };
  #lanes = new Map<string, Lane>();
  #size = 0;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #told = new Set<string>();
  #options: Options;
  #ending = false;

  constructor(options: Options, lines: Record<string, Line>) {
    this.#options = options;
    for (const [name, line] of Object.entries(lines)) this.#lanes.set(name, new Lane(line));
    senders.add(this);
  }

  /** Take an item, or drop it when the buffer is full. */
  put(name: string, item: string): boolean {
    const { bufferItems, bufferBytes, sendEveryMs } = this.#options;
    const lane = this.#lanes.get(name);
    if (lane === undefined) return false;
    if (this.counts.waiting >= bufferItems || this.#size + item.length > bufferBytes) {
      this.counts.dropped += 1;
      this.#tell(
        "full",
        `${this.counts.waiting} spans wait for the server, the buffer is full: what comes is dropped`,
      );
      return false;
    }
    lane.waiting.push(item);
    this.counts.waiting += 1;
    this.#size += item.length;
    if (lane.waiting.length === lane.line.most && lane.nextTry <= Date.now()) this.#soon(0);
    else if (this.#timer === undefined) this.#soon(sendEveryMs);
    return true;
  }

  /** Send what waits now; whether the buffer became empty in time. */
  async flush(timeoutMs = 10_000): Promise<boolean> {
    const until = Date.now() + timeoutMs;
    let pause = FIRST_PAUSE_MS;
    while (this.counts.waiting && Date.now() < until) {
      const before = this.counts.sent + this.counts.refused;
      for (const lane of this.#lanes.values()) lane.nextTry = lane.asked;
      await within(this.#send(), until - Date.now());
      if (this.counts.sent + this.counts.refused > before) pause = FIRST_PAUSE_MS;
      else pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      const left = until - Date.now();
      if (this.counts.waiting && left > 0) {
        await new Promise((done) => setTimeout(done, Math.min(pause, left)));
      }
    }
    return this.counts.waiting === 0;
  }

  /** The process has nothing else to do. */
  atExit(): void {
    if (this.#ending || !this.counts.waiting) return;
    this.#ending = true; // once: a server that is away must not keep the process for ever
    void this.flush(this.#options.exitMs).then((all) => {
      if (!all) this.#tell("closed", `${this.counts.waiting} spans were not sent before the end`);
    });
  }

  #soon(inMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#send();
    }, inMs);
    this.#timer.unref();
  }

  /** Send what may be sent now; never rejects. One round at a time. */
  #send(): Promise<void> {
    this.#round ??= this.#rounds().finally(() => {
      this.#round = undefined;
      if (this.counts.waiting && this.#timer === undefined) this.#soon(this.#options.sendEveryMs);
    });
    return this.#round;
  }

  async #rounds(): Promise<void> {
    for (const lane of this.#lanes.values()) {
      while (lane.waiting.length && lane.nextTry <= Date.now()) {
        try {
          if (!(await this.#deliver(lane, lane.batch()))) break;
        } catch (wrong) {
          this.#tell("wrong", `sending failed: ${String(wrong)}`);
          this.#done(lane, lane.batch().length, false);
        }
      }
    }
  }

  /** Whether the batch is done with, one way or the other. */
  async #deliver(lane: Lane, batch: string[]): Promise<boolean> {
    let answer: Response;
    try {
      answer = await this.#post(lane.line, batch);
    } catch (away) {
      this.#later(lane, 0, away instanceof Error ? String(away.cause ?? away) : String(away));
      return false;
    }
    if (LATER.has(answer.status)) {
      const after = Number(answer.headers.get("retry-after") ?? 0) * 1000;
      this.#later(lane, Number.isFinite(after) ? after : 0, `status ${answer.status}`);
      return false;
    }
    if (answer.ok) {
      this.#done(lane, batch.length, true);
    } else if (batch.length > 1 && SPLIT.has(answer.status)) {
      const half = batch.length >> 1; // one may spoil the others
      const first = await this.#deliver(lane, batch.slice(0, half));
      return first && (await this.#deliver(lane, batch.slice(half)));
    } else {
      this.#done(lane, batch.length, false);
      const said = (await answer.text().catch(() => "")).slice(0, 300);
      this.#tell(
        `refused ${answer.status}`,
        `${lane.line.url} refuses, status ${answer.status}: ${said}`,
      );
    }
    lane.wait = lane.nextTry = lane.asked = 0;
    return true;
  }

  async #post(line: Line, batch: string[]): Promise<Response> {
    const headers: Record<string, string> = {
      authorization: `Bearer ${this.#options.key}`,
      "content-type": "application/json",
    };
    let body: string | Uint8Array<ArrayBuffer> = line.head + batch.join(",") + line.tail;
    if (line.compressed && body.length > COMPRESSED_FROM) {
      body = new Uint8Array(await packed(body, { level: 1 }));
      headers["content-encoding"] = "gzip";
    }
    const signal = AbortSignal.timeout(this.#options.timeoutMs);
    const answer = await fetch(line.url, { method: "POST", headers, body, signal });
    if (answer.ok) await answer.arrayBuffer();
    return answer;
  }

  #later(lane: Lane, afterMs: number, why: string): void {
    lane.wait = Math.min(Math.max(lane.wait * 2, FIRST_WAIT_MS), LONGEST_WAIT_MS);
    lane.asked = Date.now() + afterMs;
    lane.nextTry = Date.now() + Math.max(afterMs, lane.wait * (0.5 + Math.random() / 2));
    const most = this.#options.bufferItems;
    this.#tell("away", `${lane.line.url} is away (${why}); up to ${most} spans wait for it`);
  }

  #done(lane: Lane, count: number, sent: boolean): void {
    for (const item of lane.waiting.splice(0, count)) this.#size -= item.length;
    this.counts.waiting -= count;
    this.counts[sent ? "sent" : "refused"] += count;
    if (sent && this.#told.delete("away")) this.#told.delete("full");
  }

  /** Once, until it is over. */
  #tell(what: string, message: string): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    try {
      this.#options.warn(message);
    } catch {
      // whoever is told must not break the application either
    }
  }
}

/** When the work is done, or `ms` are over. */
async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((done) => {
    timer = setTimeout(done, Math.max(1, ms)).unref();
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

const senders = new Set<Sender>();
process.on("beforeExit", () => {
  for (const sender of senders) sender.atExit();
});
