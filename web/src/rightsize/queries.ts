// What the right-sizing page reads.
import { queryOptions } from "@tanstack/react-query";
import { call } from "../api/client";
import type { Savings, SizeRun } from "./types";

/** Everything below this key is read anew after a change. */
export const SIZES = "rightsize";
export const API = "/api/v1/rightsize";
const LIVE_MS = 1_000;

export const goesOn = (run: SizeRun) => run.state === "queued" || run.state === "running";

export const sizesQuery = (project: string) =>
  queryOptions({
    queryKey: [SIZES, "runs", project],
    queryFn: ({ signal }) => call<SizeRun[]>(`${API}/runs`, { query: { project }, signal }),
    refetchInterval: (query) => (query.state.data?.some(goesOn) ? LIVE_MS : 10_000),
  });

export const sizeQuery = (id: string) =>
  queryOptions({
    queryKey: [SIZES, "run", id],
    queryFn: ({ signal }) => call<SizeRun>(`${API}/runs/${encodeURIComponent(id)}`, { signal }),
    refetchInterval: (query) => (query.state.data && goesOn(query.state.data) ? LIVE_MS : false),
  });

export const savingsQuery = (project: string) =>
  queryOptions({
    queryKey: [SIZES, "savings", project],
    queryFn: ({ signal }) => call<Savings>(`${API}/savings`, { query: { project }, signal }),
    refetchInterval: 10_000,
  });
