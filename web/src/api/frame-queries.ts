// What the frame reads before any page is there; apart, so that the first load holds no more.
import { queryOptions } from "@tanstack/react-query";
import { call, setCsrf } from "./client";
import type { InstanceInfo, Project, SessionInfo } from "./types";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }) => {
    const session = await call<SessionInfo>("/api/v1/session", { signal, keepSession: true });
    setCsrf(session.csrf);
    return session;
  },
  staleTime: Number.POSITIVE_INFINITY,
});

export const instanceQuery = queryOptions({
  queryKey: ["instance"],
  queryFn: ({ signal }) => call<InstanceInfo>("/api/v1/instance", { signal }),
  refetchInterval: (query) => (query.state.error ? 2_000 : 15_000),
});

export const projectsQuery = queryOptions({
  queryKey: ["projects"],
  queryFn: ({ signal }) => call<Project[]>("/api/v1/projects", { signal }),
  staleTime: 60_000,
});
