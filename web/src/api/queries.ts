// Every read of the API as query options: its key, its route, how long it stays fresh.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { ApiError, call, type Query, worthRetrying } from "./client";
import type {
  AccessRequest,
  ApiToken,
  AuditEntry,
  AuditVerification,
  InstanceEvent,
  Model,
  ModelPrices,
  Move,
  Overview,
  Payload,
  ProjectAccess,
  Provider,
  ProviderVendor,
  Revision,
  RevisionDetail,
  SettingShown,
  SignInWays,
  Spending,
  Team,
  Trace,
  TraceFilter,
  TracePage,
  User,
  VirtualKey,
} from "./types";
import { resolveWindow, type Window } from "./window";

export { instanceQuery, projectsQuery, sessionQuery } from "./frame-queries";

export const keysQuery = queryOptions({
  queryKey: ["keys"],
  queryFn: ({ signal }) => call<VirtualKey[]>("/api/v1/keys", { signal }),
  staleTime: 10_000,
});

export const modelsQuery = queryOptions({
  queryKey: ["models"],
  queryFn: ({ signal }) => call<Model[]>("/api/v1/models", { signal }),
  staleTime: 5_000,
});

export const vendorsQuery = queryOptions({
  queryKey: ["vendors"],
  queryFn: ({ signal }) => call<ProviderVendor[]>("/api/v1/vendors", { signal }),
  staleTime: Number.POSITIVE_INFINITY,
});

export const providersQuery = queryOptions({
  queryKey: ["providers"],
  queryFn: ({ signal }) => call<Provider[]>("/api/v1/providers", { signal }),
  staleTime: 10_000,
});

export const revisionsQuery = queryOptions({
  queryKey: ["revisions"],
  queryFn: ({ signal }) => call<Revision[]>("/api/v1/revisions", { query: { limit: 200 }, signal }),
  refetchInterval: (query) =>
    query.state.data?.some((one) => one.state === "watching") ? 1_000 : 10_000,
});

/** One revision; while its release is watched, its figures move. */
export const revisionQuery = (number: number) =>
  queryOptions({
    queryKey: ["revision", number],
    queryFn: ({ signal }) => call<RevisionDetail>(`/api/v1/revisions/${number}`, { signal }),
    refetchInterval: (query) => (query.state.data?.revision.state === "watching" ? 1_000 : false),
  });

export const movesQuery = queryOptions({
  queryKey: ["pointers"],
  queryFn: ({ signal }) => call<Move[]>("/api/v1/pointers", { query: { limit: 200 }, signal }),
  refetchInterval: 15_000,
});

export const eventsQuery = queryOptions({
  queryKey: ["events"],
  queryFn: ({ signal }) => call<InstanceEvent[]>("/api/v1/events", { signal }),
  refetchInterval: 30_000,
});

export const requestsQuery = queryOptions({
  queryKey: ["requests"],
  queryFn: ({ signal }) => call<AccessRequest[]>("/api/v1/requests", { signal }),
  refetchInterval: 15_000,
});

export const usersQuery = queryOptions({
  queryKey: ["users"],
  queryFn: ({ signal }) => call<User[]>("/api/v1/users", { signal }),
  staleTime: 10_000,
});

export const teamsQuery = queryOptions({
  queryKey: ["teams"],
  queryFn: ({ signal }) => call<Team[]>("/api/v1/teams", { signal }),
  staleTime: 10_000,
});

export const accessQuery = (project: string) =>
  queryOptions({
    queryKey: ["access", project],
    queryFn: ({ signal }) =>
      call<ProjectAccess[]>(`/api/v1/projects/${encodeURIComponent(project)}/access`, { signal }),
    staleTime: 10_000,
  });

export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: ({ signal }) => call<ApiToken[]>("/api/v1/tokens", { signal }),
  staleTime: 10_000,
});

export const auditQuery = (filter: Query) =>
  infiniteQueryOptions({
    queryKey: ["audit", filter],
    queryFn: ({ pageParam, signal }) =>
      call<AuditEntry[]>("/api/v1/audit", {
        query: { ...filter, before: pageParam, limit: PAGE },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.length < PAGE ? undefined : page.at(-1)?.id),
  });

export const chainQuery = queryOptions({
  queryKey: ["audit-chain"],
  queryFn: ({ signal }) => call<AuditVerification>("/api/v1/audit/verify", { signal }),
  staleTime: 60_000,
});

export const settingsQuery = queryOptions({
  queryKey: ["settings"],
  queryFn: ({ signal }) => call<SettingShown[]>("/api/v1/settings", { signal }),
  staleTime: 60_000,
});

export const pricesQuery = queryOptions({
  queryKey: ["prices"],
  queryFn: ({ signal }) => call<ModelPrices[]>("/api/v1/prices", { signal }),
  staleTime: 60_000,
});

export const signInWaysQuery = queryOptions({
  queryKey: ["sign-in-ways"],
  queryFn: ({ signal }) => call<SignInWays>("/api/v1/sign-in", { signal }),
  staleTime: 60_000,
});

export interface OverviewAsk extends Window {
  project?: string;
  environment?: string;
}

export const overviewQuery = (ask: OverviewAsk) =>
  queryOptions({
    queryKey: ["overview", ask],
    queryFn: ({ signal }) => {
      const { from_ms, to_ms, bucket_ms } = resolveWindow(ask);
      const { project, environment } = ask;
      const query = { project, environment, from_ms, to_ms, bucket_ms };
      return call<Overview>("/api/v1/overview", { query, signal });
    },
    placeholderData: (previous) => previous,
    refetchInterval: ask.to_ms ? false : 10_000,
  });

export interface SpendingAsk extends OverviewAsk {
  by: Spending["by"];
  key_id?: string;
  model?: string;
  provider?: string;
}

export const spendingQuery = (ask: SpendingAsk) =>
  queryOptions({
    queryKey: ["spending", ask],
    queryFn: ({ signal }) => {
      const { from_ms, to_ms, bucket_ms } = resolveWindow(ask);
      const { range: _, ...asked } = ask;
      return call<Spending>("/api/v1/spending", {
        query: { ...asked, from_ms, to_ms, bucket_ms },
        signal,
      });
    },
    placeholderData: (previous) => previous,
    refetchInterval: ask.to_ms ? false : 10_000,
  });

export const PAGE = 100;

/** `window` stays relative in the key, so that a page of "the last hour" keeps its cache entry. */
export const tracesQuery = (filter: TraceFilter, window: Window) =>
  infiniteQueryOptions({
    queryKey: ["traces", filter, window],
    queryFn: ({ pageParam, signal }) => {
      const { from_ms, to_ms } = window.to_ms
        ? window
        : { ...resolveWindow(window), to_ms: undefined };
      const query = { ...filter, from_ms, to_ms, cursor: pageParam, limit: PAGE };
      return call<TracePage>("/api/v1/traces", { query, signal });
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

/**
 * `patience`: how often to ask again, 0.4 s apart, for a trace that may still be on its way. Who waits
 * is told at once by `failureReason`; `error` comes when the patience is over.
 */
export const traceQuery = (id: string, patience = 5) =>
  queryOptions({
    queryKey: ["trace", id],
    queryFn: ({ signal }) => call<Trace>(`/api/v1/traces/${encodeURIComponent(id)}`, { signal }),
    retry: (count, error) => (isMissing(error) ? count < patience : worthRetrying(count, error)),
    retryDelay: 400,
  });

export const payloadQuery = (trace: string, span: string) =>
  queryOptions({
    queryKey: ["payload", trace, span],
    queryFn: ({ signal }) =>
      call<Payload>(
        `/api/v1/traces/${encodeURIComponent(trace)}/spans/${encodeURIComponent(span)}/payload`,
        { signal },
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** A call of a second ago may still be on its way from the worker to the span log. */
export function isMissing(error: Error | null): boolean {
  return error instanceof ApiError && error.status === 404;
}
