// Every read of the prompts' API. Names are unique in a project, so a project stands in each.
import { queryOptions } from "@tanstack/react-query";
import { call, type Query } from "../api/client";
import type {
  LabelMove,
  PromptComment,
  PromptDetail,
  PromptDifference,
  PromptSearch,
  PromptSummary,
  PromptVersionDetail,
  RenderedPrompt,
  RenderRequest,
} from "../api/types";

export const promptPath = (name: string, rest = "") =>
  `/api/v1/prompts/${encodeURIComponent(name)}${rest}`;

export const promptsQuery = (filter: Query) =>
  queryOptions({
    queryKey: ["prompts", filter],
    queryFn: ({ signal }) => call<PromptSummary[]>("/api/v1/prompts", { query: filter, signal }),
    staleTime: 5_000,
    placeholderData: (previous) => previous,
  });

export const promptSearchQuery = (asked: Query) =>
  queryOptions({
    queryKey: ["prompts", "meaning", asked],
    queryFn: ({ signal }) => call<PromptSearch>("/api/v1/prompt-search", { query: asked, signal }),
    staleTime: 60_000,
    retry: false,
  });

export const promptQuery = (name: string, project: string) =>
  queryOptions({
    queryKey: ["prompt", project, name],
    queryFn: ({ signal }) => call<PromptDetail>(promptPath(name), { query: { project }, signal }),
    staleTime: 5_000,
  });

export const promptVersionQuery = (name: string, number: number, project: string) =>
  queryOptions({
    queryKey: ["prompt", project, name, "version", number],
    queryFn: ({ signal }) =>
      call<PromptVersionDetail>(promptPath(name, `/versions/${number}`), {
        query: { project },
        signal,
      }),
    staleTime: 60_000,
  });

export const promptDiffQuery = (name: string, before: number, after: number, project: string) =>
  queryOptions({
    queryKey: ["prompt", project, name, "diff", before, after],
    queryFn: ({ signal }) =>
      call<PromptDifference>(promptPath(name, "/diff"), {
        query: { project, before, after },
        signal,
      }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const promptHistoryQuery = (name: string, project: string) =>
  queryOptions({
    queryKey: ["prompt", project, name, "history"],
    queryFn: ({ signal }) =>
      call<LabelMove[]>(promptPath(name, "/history"), { query: { project }, signal }),
  });

export const promptCommentsQuery = (name: string, project: string) =>
  queryOptions({
    queryKey: ["prompt", project, name, "comments"],
    queryFn: ({ signal }) =>
      call<PromptComment[]>(promptPath(name, "/comments"), { query: { project }, signal }),
  });

/** What a version or a draft comes to. A fault of the variables is an answer, not worth a retry. */
export const renderQuery = (name: string, project: string, asked: RenderRequest) =>
  queryOptions({
    queryKey: ["prompt", project, name, "render", asked],
    queryFn: ({ signal }) =>
      call<RenderedPrompt>(promptPath(name, "/render"), {
        method: "POST",
        query: { project },
        body: asked,
        signal,
      }),
    retry: false,
  });
