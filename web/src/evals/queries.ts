// What the evaluations page reads.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { call } from "../api/client";
import type { Forecast, NewRun, ResultPage, Run, RunComparison, Suite, Velocity } from "./types";
import { isOver } from "./words";

/** Everything below this key is read anew after a change. */
export const EVALS = "evals";
const API = "/api/v1/evals";
const ASKED_EVERY_MS = 1_000;
const STREAMED_EVERY_MS = 30_000;

/** Whether the server tells of runs by itself; else pages ask while one goes on. */
export const stream = { open: false };
const whileItGoesOn = () => (stream.open ? STREAMED_EVERY_MS : ASKED_EVERY_MS);

export const runsQuery = (project: string, suite?: string) =>
  queryOptions({
    queryKey: [EVALS, "runs", project, suite],
    queryFn: ({ signal }) =>
      call<Run[]>(`${API}/runs`, { query: { project, suite, limit: 200 }, signal }),
    refetchInterval: (query) =>
      query.state.data?.some((run) => !isOver(run)) ? whileItGoesOn() : 10_000,
  });

export const suitesQuery = (project: string) =>
  queryOptions({
    queryKey: [EVALS, "suites", project],
    queryFn: ({ signal }) => call<Suite[]>(`${API}/suites`, { query: { project }, signal }),
    staleTime: 10_000,
  });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: [EVALS, "run", id],
    queryFn: ({ signal }) => call<Run>(`${API}/runs/${encodeURIComponent(id)}`, { signal }),
    refetchInterval: (query) =>
      query.state.data && !isOver(query.state.data) ? whileItGoesOn() : false,
  });

export const ROWS_AT_ONCE = 500;
export const MOST_ROWS = 10_000;

/** `done` is how far the run is: a run that goes on is read again. */
export const resultsQuery = (id: string, part: string | undefined, done: number) =>
  infiniteQueryOptions({
    queryKey: [EVALS, "results", id, part, done],
    queryFn: ({ pageParam, signal }) =>
      call<ResultPage>(`${API}/runs/${encodeURIComponent(id)}/rows`, {
        query: { slice: part, cursor: pageParam, limit: ROWS_AT_ONCE },
        signal,
      }),
    initialPageParam: -1,
    getNextPageParam: (page, pages) =>
      pages.length * ROWS_AT_ONCE >= MOST_ROWS ? undefined : (page.next_cursor ?? undefined),
    placeholderData: (previous) => previous,
  });

export const comparisonQuery = (base: string, candidate: string) =>
  queryOptions({
    queryKey: [EVALS, "compare", base, candidate],
    queryFn: ({ signal }) =>
      call<RunComparison>(`${API}/compare`, { query: { base, candidate }, signal }),
    retry: false,
  });

export const forecastQuery = (project: string, wanted: NewRun | undefined) =>
  queryOptions({
    queryKey: [EVALS, "forecast", project, wanted],
    queryFn: ({ signal }) =>
      call<Forecast>(`${API}/forecast`, {
        method: "POST",
        query: { project },
        body: wanted,
        signal,
      }),
    enabled: wanted !== undefined,
    retry: false,
  });

export const velocityQuery = (project: string) =>
  queryOptions({
    queryKey: [EVALS, "velocity", project],
    queryFn: ({ signal }) => call<Velocity>(`${API}/velocity`, { query: { project }, signal }),
    staleTime: 60_000,
  });
