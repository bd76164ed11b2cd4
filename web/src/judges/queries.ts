// What the judges page reads.
import { queryOptions } from "@tanstack/react-query";
import { call } from "../api/client";
import type { components } from "../api/schema";

type Schemas = components["schemas"];
/** The server sends every field; one with a default is optional only in what we send. */
type Complete<T> = T extends object ? { [K in keyof T]-?: Complete<T[K]> } : T;

export type Judge = Complete<Schemas["Judge"]>;
export type JudgeSummary = Complete<Schemas["JudgeSummary"]>;
export type CertificateRecord = Complete<Schemas["Certificate"]>;
export type Estimated = Complete<Schemas["Estimated"]>;
export type Tally = Complete<Schemas["Tally"]>;
export type SliceAgreement = Complete<Schemas["SliceAgreement"]>;

/** Everything below this key is read anew after a change. */
export const JUDGES = "judges";
const API = "/api/v1/evals/judges";
const GOING = ["queued", "running"];

export const judgesQuery = (project: string) =>
  queryOptions({
    queryKey: [JUDGES, project],
    queryFn: ({ signal }) => call<JudgeSummary[]>(API, { query: { project }, signal }),
    refetchInterval: 10_000,
  });

export const versionsQuery = (project: string, name: string) =>
  queryOptions({
    queryKey: [JUDGES, project, name, "versions"],
    queryFn: ({ signal }) =>
      call<Judge[]>(`${API}/${encodeURIComponent(name)}/versions`, { query: { project }, signal }),
    retry: false,
  });

export const certificatesQuery = (project: string, name: string) =>
  queryOptions({
    queryKey: [JUDGES, project, name, "certificates"],
    queryFn: ({ signal }) =>
      call<CertificateRecord[]>(`${API}/${encodeURIComponent(name)}/certificates`, {
        query: { project },
        signal,
      }),
    refetchInterval: (query) =>
      query.state.data?.some((one) => GOING.includes(one.progress)) ? 1_000 : 15_000,
    retry: false,
  });
