// The trace list's filters as search parameters. Pure.
import type { SpanKind, Status, TraceFilter } from "../api/types";
import { flag, number, oneOf, type Raw, text } from "../frame/search";

export const STATUSES: readonly Status[] = ["ok", "error", "interrupted", "refused"];
export const KINDS: readonly SpanKind[] = [
  "llm",
  "embedding",
  "retriever",
  "reranker",
  "tool",
  "agent",
  "workflow",
  "guardrail",
  "evaluator",
  "span",
];

export type Conditions = Omit<TraceFilter, "project" | "environment" | "from_ms" | "to_ms">;

export interface TraceSearch extends Conditions {
  live?: true;
  /** What calls are made of is compared with this earlier time, in place of the list. */
  changed?: string;
}

export function parseTraceSearch(raw: Raw): TraceSearch {
  return {
    q: text(raw.q),
    status: oneOf(raw.status, STATUSES),
    failed: flag(raw.failed),
    error: text(raw.error),
    unpriced: flag(raw.unpriced),
    kind: oneOf(raw.kind, KINDS),
    model: text(raw.model),
    requested_model: text(raw.requested_model),
    provider: text(raw.provider),
    key_id: text(raw.key_id),
    user: text(raw.user),
    session: text(raw.session),
    tag: text(raw.tag),
    prompt_name: text(raw.prompt_name),
    prompt_version: text(raw.prompt_version),
    service: text(raw.service),
    release: text(raw.release),
    agent: text(raw.agent),
    tool: text(raw.tool),
    dataset_run: text(raw.dataset_run),
    experiment: text(raw.experiment),
    variant: text(raw.variant),
    unit: text(raw.unit),
    min_cost_nano: number(raw.min_cost_nano),
    min_duration_ms: number(raw.min_duration_ms),
    trace_prefix: text(raw.trace_prefix, 32),
    live: flag(raw.live),
    changed: text(raw.changed, 10),
  };
}

export interface DetailSearch {
  tab?: string;
  span?: string;
  wide?: true;
  /** The trace that this one is compared with. */
  versus?: string;
}

export function parseDetailSearch(raw: Raw): DetailSearch {
  return {
    tab: text(raw.tab, 20),
    span: text(raw.span, 40),
    wide: flag(raw.wide),
    versus: text(raw.versus, 32),
  };
}

/** The conditions alone: the search parameters of a page also hold its scope and its state. */
export function conditionsOf(search: TraceSearch): Conditions {
  const { live: _, changed: __, ...conditions } = parseTraceSearch({ ...search });
  return conditions;
}

/** Other pages mean something else by some of these words: their parameters are read anew. */
export function kept<T extends object>(
  old: T,
): Omit<T, "release"> & { release?: string; versus?: string } {
  const { release } = old as { release?: unknown };
  return { ...old, release: text(release), versus: undefined };
}
