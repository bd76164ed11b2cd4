// What the feedback pages ask the control plane.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { call } from "../api/client";
import type { PublicKey, Satisfaction, Score, ScorePage } from "../api/types";
import { resolveWindow, type Window } from "../api/window";
import type { FeedbackSearch, GroupBy } from "./search";

export const satisfactionQuery = (project: string | undefined, by: GroupBy, window: Window) =>
  queryOptions({
    queryKey: ["satisfaction", project, by, window],
    queryFn: ({ signal }) => {
      const { from_ms, to_ms } = resolveWindow(window);
      const query = { project, by, from_ms, to_ms: window.to_ms ? to_ms : undefined };
      return call<Satisfaction[]>("/api/v1/feedback/summary", { query, signal });
    },
    placeholderData: (previous) => previous,
    refetchInterval: 15_000,
  });

export const streamQuery = (
  project: string | undefined,
  { prompt, of_version, said }: FeedbackSearch,
  window: Window,
) =>
  infiniteQueryOptions({
    queryKey: ["feedback", project, prompt, of_version, said, window],
    queryFn: ({ pageParam, signal }) => {
      const { from_ms, to_ms } = resolveWindow(window);
      const query = {
        project,
        name: said === "down" ? "thumbs" : undefined,
        label: said === "down" ? "down" : undefined,
        prompt_name: prompt,
        prompt_version: of_version,
        commented: said === "commented" ? true : undefined,
        corrected: said === "corrected" ? true : undefined,
        by_people: true,
        annotated: false,
        from_ms,
        to_ms: window.to_ms ? to_ms : undefined,
        cursor: pageParam,
        limit: 100,
      };
      return call<ScorePage>("/api/v1/scores", { query, signal });
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: 15_000,
  });

export const scoresOfTrace = (project: string, trace: string) =>
  queryOptions({
    queryKey: ["scores", project, trace],
    queryFn: async ({ signal }) => {
      const query = { project, trace_id: trace, limit: 200 };
      const page = await call<ScorePage>("/api/v1/scores", { query, signal });
      return page.items as Score[];
    },
  });

export const publicKeysQuery = queryOptions({
  queryKey: ["public-keys"],
  queryFn: ({ signal }) => call<PublicKey[]>("/api/v1/public-keys", { signal }),
  staleTime: 5_000,
});
