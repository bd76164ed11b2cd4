// What an application imports: observe what it does, use prompts, take part in experiments, give
// feedback.

import { Experiments } from "./experiments.js";
import { type FeedbackItem, feedbackTo } from "./feedback.js";
import { type Facts, Observer } from "./observe.js";

export { Assignment, Experiments, type ExperimentsOptions } from "./experiments.js";
export { type FeedbackItem, feedbackTo } from "./feedback.js";
export { type Facts, Observer } from "./observe.js";
export type { Mask, Options } from "./options.js";
export { draw, type Experiment } from "./placing.js";
export {
  type Fallback,
  Prompt,
  Prompts,
  type PromptsOptions,
  PromptUnavailable,
} from "./prompts.js";
export type { Rendered, Variables, Version } from "./render.js";
export type { Counts } from "./sender.js";
export { type Kind, type Said, type Score, Span } from "./span.js";

const observer = new Observer();

// biome-ignore lint/suspicious/noExplicitAny: any function may be observed
type AnyFunction = (...args: any[]) => any;

/** `observe(fn)`, `observe(fn, { kind: "tool" })`: the function, each call in a span. What else an
 * Observer can do hangs on it: `observe.span("name", async (span) => ...)`, `observe.headers()`. */
export const observe: (<F extends AnyFunction>(fn: F, facts?: Facts) => F) &
  Pick<
    Observer,
    | "begin"
    | "configure"
    | "counts"
    | "current"
    | "flush"
    | "headers"
    | "propagate"
    | "score"
    | "span"
    | "traceId"
  > = Object.assign(<F extends AnyFunction>(fn: F, facts?: Facts): F => observer.wrap(fn, facts), {
  begin: observer.begin.bind(observer),
  configure: observer.configure.bind(observer),
  counts: observer.counts.bind(observer),
  current: observer.current.bind(observer),
  flush: observer.flush.bind(observer),
  headers: observer.headers.bind(observer),
  propagate: observer.propagate.bind(observer),
  score: observer.score.bind(observer),
  span: observer.span.bind(observer) as Observer["span"],
  traceId: observer.traceId.bind(observer),
});

/** Which arm of an experiment a unit is in; exposures are noted at the spans of `observe`. */
export const experiments = new Experiments({ observer: observer });

/** Says what somebody thinks of a trace, a span or a session. */
export const feedback: (item: FeedbackItem) => void = feedbackTo(observer);
