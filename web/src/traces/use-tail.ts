// The live tail: rows as the server sends them, newest first.
import { useEffect, useState } from "react";
import { withQuery } from "../api/client";
import type { TraceFilter, TraceRow } from "../api/types";

export type TailState = "off" | "connecting" | "live";
const KEPT = 500;

let state: TailState = "off";
const listeners = new Set<() => void>();

function tell(next: TailState): void {
  state = next;
  for (const listener of listeners) listener();
}

export const tailState = {
  get: () => state,
  subscribe: (listener: () => void) => {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  },
};

export function useTail(filter: TraceFilter, on: boolean): { rows: readonly TraceRow[] } {
  const [rows, setRows] = useState<readonly TraceRow[]>([]);
  const { from_ms: _from, to_ms: _to, ...conditions } = filter;
  const address = withQuery("/api/v1/traces/tail", conditions);
  useEffect(() => {
    setRows([]);
    if (!on) return;
    let waiting: TraceRow[] = [];
    let frame = 0;
    const flush = () => {
      frame = 0;
      const arrived = waiting.reverse();
      waiting = [];
      const ids = new Set(arrived.map((row) => row.trace_id));
      setRows((known) =>
        [...arrived, ...known.filter((row) => !ids.has(row.trace_id))].slice(0, KEPT),
      );
    };
    const source = new EventSource(address);
    tell("connecting");
    source.onopen = () => tell("live");
    source.onerror = () => tell("connecting");
    source.addEventListener("trace", (event: MessageEvent<string>) => {
      waiting.push(JSON.parse(event.data) as TraceRow);
      // A burst of calls becomes one render.
      if (!frame) frame = requestAnimationFrame(flush);
    });
    return () => {
      source.close();
      cancelAnimationFrame(frame);
      tell("off");
    };
  }, [address, on]);
  return { rows };
}
