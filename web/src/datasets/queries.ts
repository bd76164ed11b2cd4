// What the pages of data sets ask the control plane, and how they change it.
import { infiniteQueryOptions, type QueryClient, queryOptions } from "@tanstack/react-query";
import { call } from "../api/client";
import type {
  Dataset,
  DatasetCheck,
  DatasetDiff,
  DatasetRowPage,
  DatasetSlice,
  DatasetUse,
  DatasetVersion,
} from "../api/types";

export interface Which {
  project: string;
  name: string;
}

export const pathOf = ({ name }: Which, more = "") =>
  `/api/v1/datasets/${encodeURIComponent(name)}${more}`;

export const datasetsQuery = (project?: string) =>
  queryOptions({
    queryKey: ["datasets", project],
    queryFn: ({ signal }) => call<Dataset[]>("/api/v1/datasets", { query: { project }, signal }),
    refetchInterval: 15_000,
  });

export const datasetQuery = (which: Which) =>
  queryOptions({
    queryKey: ["dataset", which],
    queryFn: ({ signal }) =>
      call<Dataset>(pathOf(which), { query: { project: which.project }, signal }),
    retry: false,
  });

const part = <T>(which: Which, name: string, query: Record<string, unknown> = {}) =>
  queryOptions({
    queryKey: ["dataset", which, name, query],
    queryFn: ({ signal }) =>
      call<T>(pathOf(which, `/${name}`), {
        query: { project: which.project, ...(query as Record<string, string>) },
        signal,
      }),
  });

export const versionsQuery = (which: Which) => part<DatasetVersion[]>(which, "versions");
export const slicesQuery = (which: Which) => part<DatasetSlice[]>(which, "slices");
export const usesQuery = (which: Which) => part<DatasetUse[]>(which, "uses");
export const splitsQuery = (which: Which, version?: number) =>
  part<Record<string, number>>(which, "splits", { version });
export const diffQuery = (which: Which, base: number, version?: number) =>
  part<DatasetDiff>(which, "diff", { base, version });
export const checkQuery = (which: Which, version: number | undefined, threshold: number) =>
  part<DatasetCheck>(which, "check", { version, threshold });

export interface Part {
  version?: number;
  split?: string;
  slice?: string;
  q?: string;
}

const PAGE = 200;

export const rowsQuery = (which: Which, { version, split, slice, q }: Part) =>
  infiniteQueryOptions({
    queryKey: ["dataset", which, "rows", version, split, slice, q],
    queryFn: ({ pageParam, signal }) =>
      call<DatasetRowPage>(pathOf(which, "/rows"), {
        query: { project: which.project, version, split, slice, q, offset: pageParam, limit: PAGE },
        signal,
      }),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next_offset ?? undefined,
  });

/** Write to a data set; whatever is shown of it is asked for again. */
export async function change<T>(
  client: QueryClient,
  which: Which,
  more: string,
  body: unknown,
  method: "POST" | "PUT" | "PATCH" | "DELETE" = "POST",
): Promise<T> {
  const done = await call<T>(pathOf(which, more), {
    method,
    body,
    query: { project: which.project },
  });
  await Promise.all(
    ["dataset", "datasets", "rows-of-trace"].map((key) =>
      client.invalidateQueries({ queryKey: [key] }),
    ),
  );
  return done;
}
