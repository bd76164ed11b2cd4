// What the page of scheduled work reads.
import { queryOptions } from "@tanstack/react-query";
import { call } from "../api/client";
import type { components } from "../api/schema";

type Schemas = components["schemas"];
type Complete<T> = T extends object ? { [K in keyof T]-?: Complete<T[K]> } : T;

export type CheckRun = Complete<Omit<Schemas["CheckRun"], "result">> & { result: Result };
export type Check = Complete<Omit<Schemas["KeptCheck"], "last" | "spec" | "badges">> & {
  badges: readonly Schemas["Badge"][];
  last: CheckRun | null;
  spec: Record<string, unknown>;
};

export interface Feature {
  statistic: number;
  effect: number | null;
  p: number;
  p_adjusted: number;
  test: string;
  moved: boolean;
}

export interface Step {
  id: string;
  use: string;
  state: "waiting" | "running" | "done" | "skipped" | "failed" | "not run";
  started_ms: number | null;
  finished_ms: number | null;
  words: string;
  link: string;
}

/** What a run leaves; each kind has its own part of it. */
export interface Result {
  steps?: Step[];
  features?: Record<string, Feature>;
  reference?: { n: number; from_ms?: number; to_ms?: number } | boolean;
  now?: { n: number; from_ms?: number; to_ms?: number };
  changed?: { prompt: string; before: string; now: string; trace?: string }[];
  identity?: { what: string; reference: string; now: string }[];
  seen?: number;
  drawn?: number;
  uncovered?: number;
  unkept?: number;
  skipped?: boolean;
  /** What a canary's run cost beside its day's budget; `apart` is a model without a price. */
  cost?: { nano: number | null; limit_nano: number | null; day_nano: number | null; apart: string };
  estimate?: { mean: number; low: number | null; high: number | null; n: number } | null;
}

/** Everything below this key is read anew after a change. */
export const CHECKS = "checks";
const open = (run: CheckRun | null | undefined) =>
  run?.state === "queued" || run?.state === "running";

export const checksQuery = queryOptions({
  queryKey: [CHECKS],
  queryFn: ({ signal }) => call<Check[]>("/api/v1/checks", { signal }),
  refetchInterval: (query) => (query.state.data?.some((one) => open(one.last)) ? 1_000 : 5_000),
});

export const runsQuery = (id: string) =>
  queryOptions({
    queryKey: [CHECKS, id, "runs"],
    queryFn: ({ signal }) =>
      call<CheckRun[]>(`/api/v1/checks/${id}/runs`, { query: { limit: 60 }, signal }),
    refetchInterval: (query) => (query.state.data?.some(open) ? 1_000 : 5_000),
  });
