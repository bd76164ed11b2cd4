// Arranging spans for a waterfall: parents before children, both by start; safe against orphans and
// cycles, which foreign instrumentations do send. Pure.
import type { Span } from "../api/types";

export interface Row {
  span: Span;
  depth: number;
}

const byAttempt = (a: Span, b: Span) => a.attempt - b.attempt;
const byStart = (a: Span, b: Span) => a.start_ms - b.start_ms || a.attempt - b.attempt;

/**
 * The attempts of one gateway call follow each other although the log hangs failed ones below the
 * last, whose span covers the whole call: they are shown in their order, at one depth.
 */
export function arrange(spans: readonly Span[]): { rows: Row[]; start: number; end: number } {
  const ids = new Set(spans.map((span) => span.span_id));
  const attempts = spans.every((span) => span.source === "gateway");
  const rows: Row[] = [];
  if (attempts) {
    rows.push(...[...spans].sort(byAttempt).map((span) => ({ span, depth: 0 })));
  } else {
    const children = new Map<string, Span[]>();
    const roots: Span[] = [];
    for (const span of spans) {
      if (span.parent_id && ids.has(span.parent_id) && span.parent_id !== span.span_id) {
        children.set(span.parent_id, [...(children.get(span.parent_id) ?? []), span]);
      } else roots.push(span);
    }
    const seen = new Set<string>();
    const visit = (span: Span, depth: number) => {
      if (seen.has(span.span_id)) return;
      seen.add(span.span_id);
      rows.push({ span, depth: Math.min(depth, 12) });
      for (const child of (children.get(span.span_id) ?? []).sort(byStart)) visit(child, depth + 1);
    };
    for (const root of roots.sort(byStart)) visit(root, 0);
    for (const span of [...spans].sort(byStart)) visit(span, 0);
  }
  const start = spans.reduce(
    (least, span) => Math.min(least, span.start_ms),
    Number.POSITIVE_INFINITY,
  );
  const end = spans.reduce((most, span) => Math.max(most, span.start_ms + span.duration_ms), 0);
  return { rows, start: Number.isFinite(start) ? start : 0, end };
}

/** Round instants along an axis of `total` milliseconds, 3 to 6 of them, from 0. */
export function niceTicks(total: number): number[] {
  const rough = total / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  const ticks: number[] = [];
  for (let index = 0; index * step <= total * 0.96; index++) ticks.push(index * step);
  return ticks;
}
