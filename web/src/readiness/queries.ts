// What the readiness page reads.
import { queryOptions } from "@tanstack/react-query";
import { call } from "../api/client";
import type { components } from "../api/schema";

type Schemas = components["schemas"];
type Complete<T> = T extends object ? { [K in keyof T]-?: Complete<T[K]> } : T;

export type Readiness = Complete<Schemas["Readiness"]>;
export type Rung = Complete<Schemas["Rung"]>;
export type Need = Complete<Schemas["NeedFound"]>;

/** Everything below this key is read anew after a change. */
export const READINESS = "readiness";

export const readinessQuery = (project: string) =>
  queryOptions({
    queryKey: [READINESS, project],
    queryFn: ({ signal }) => call<Readiness>("/api/v1/readiness", { query: { project }, signal }),
    refetchInterval: 15_000,
  });
