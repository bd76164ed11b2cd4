// What the pages of annotation ask the control plane.
import { queryOptions } from "@tanstack/react-query";
import { call } from "../api/client";
import type {
  AnnotationAgreement,
  AnnotationItem,
  AnnotationQueue,
  AnnotationTask,
} from "../api/types";

const API = "/api/v1/annotation/queues";
export const pathOf = (queue: string, more = "") => `${API}/${encodeURIComponent(queue)}${more}`;

export const queuesQuery = (project?: string) =>
  queryOptions({
    queryKey: ["queues", project],
    queryFn: ({ signal }) => call<AnnotationQueue[]>(API, { query: { project }, signal }),
    refetchInterval: 10_000,
  });

export const queueQuery = (id: string) =>
  queryOptions({
    queryKey: ["queue", id],
    queryFn: ({ signal }) => call<AnnotationQueue>(pathOf(id), { signal }),
    refetchInterval: 10_000,
  });

export const itemsQuery = (id: string) =>
  queryOptions({
    queryKey: ["queue", id, "items"],
    queryFn: ({ signal }) =>
      call<{ items: AnnotationItem[]; total: number }>(pathOf(id, "/items"), {
        query: { limit: 1000 },
        signal,
      }),
  });

export const taskQuery = (id: string, item: string) =>
  queryOptions({
    queryKey: ["queue", id, "task", item],
    queryFn: ({ signal }) =>
      call<AnnotationTask>(pathOf(id, `/items/${encodeURIComponent(item)}`), { signal }),
  });

export const agreementQuery = (id: string) =>
  queryOptions({
    queryKey: ["queue", id, "agreement"],
    queryFn: ({ signal }) => call<AnnotationAgreement>(pathOf(id, "/agreement"), { signal }),
  });
