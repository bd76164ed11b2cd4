// What people say of an answer, on its way to the server through the observer's buffer.

import { randomUUID } from "node:crypto";

export interface FeedbackItem {
  traceId?: string;
  spanId?: string;
  session?: string;
  thumb?: "up" | "down" | "none";
  name?: string;
  score?: number | boolean;
  label?: string;
  comment?: string;
  correction?: string;
  signal?:
    | "copied"
    | "regenerated"
    | "escalated"
    | "citation_click"
    | "accepted"
    | "edited"
    | "abandoned"
    | "appealed";
  user?: string;
  /** Makes saying it twice harmless. */
  id?: string;
}

export interface Post {
  give(item: Record<string, unknown>): void;
  traceId(): string;
}

/** Says what somebody thinks of a trace, a span or a session; without any, of the trace that runs
 * now. Never blocks, never throws for the server's sake. */
export function feedbackTo(post: Post): (item: FeedbackItem) => void {
  return (item) => {
    const { traceId, spanId, score, name, ...rest } = item;
    const said: Record<string, unknown> = { id: randomUUID(), ...rest };
    const trace = traceId || (item.session ? "" : post.traceId());
    if (trace) said.trace_id = trace;
    for (const who of ["user", "session"] as const) {
      if (item[who] !== undefined) said[who] = String(item[who]); // applications number theirs
    }
    if (spanId) said.span_id = spanId;
    if (score !== undefined) said.value = Number(score);
    if (name && (score !== undefined || item.label)) said.name = name;
    post.give(said);
  };
}
