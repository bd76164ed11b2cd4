// From the overview's points to the columns that a chart draws. Pure.
import type { Overview, Totals } from "../api/types";

/** One entry per bucket of the window; a bucket without calls is there, with null. */
export function columns(overview: Overview): { times: number[]; totals: (Totals | null)[] } {
  const { from_ms, to_ms, bucket_ms, series } = overview;
  const known = new Map(
    series.map((point) => [Math.round(point.start_ms / bucket_ms), point.totals]),
  );
  const times: number[] = [];
  const totals: (Totals | null)[] = [];
  const first = Math.floor(from_ms / bucket_ms);
  const last = Math.ceil(to_ms / bucket_ms);
  for (let bucket = first; bucket < last && times.length < 2_000; bucket++) {
    times.push((bucket * bucket_ms) / 1000);
    totals.push(known.get(bucket) ?? null);
  }
  return { times, totals };
}

/** Counts are zero where there were no calls; quantiles are unknown there. */
export function counted(totals: (Totals | null)[], pick: (one: Totals) => number): number[] {
  return totals.map((one) => (one ? pick(one) : 0));
}

export function measured(
  totals: (Totals | null)[],
  pick: (one: Totals) => number | null,
): (number | null)[] {
  return totals.map((one) => (one ? pick(one) : null));
}
