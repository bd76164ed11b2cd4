// One HTTP request whose waiting keeps no process alive where that is wished; `fetch` cannot do this.

import { request as plain } from "node:http";
import { request as secure } from "node:https";

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface Request {
  method?: "GET" | "POST";
  headers: Record<string, string>;
  body?: string;
  timeoutMs: number;
  signal: AbortSignal;
  /** Whether the process may end while this waits. */
  idle?: boolean;
}

/** Rejects when there is no answer in time. */
export function ask(url: string, wanted: Request): Promise<Answer> {
  return new Promise((done, failed) => {
    const { headers, body, signal, idle } = wanted;
    const begin = url.startsWith("https:") ? secure : plain;
    const asked = begin(url, { method: wanted.method ?? "GET", headers, signal }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (part: string) => {
        text += part;
      });
      answer.on("error", failed);
      answer.on("end", () => {
        const told = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
        done({ status: answer.statusCode ?? 0, headers: Object.fromEntries(told), body: text });
      });
    });
    const late = setTimeout(() => asked.destroy(new Error("no answer in time")), wanted.timeoutMs);
    if (idle) {
      late.unref();
      asked.on("socket", (socket) => socket.unref());
    }
    asked.on("close", () => clearTimeout(late));
    asked.on("error", failed);
    asked.end(body);
  });
}
