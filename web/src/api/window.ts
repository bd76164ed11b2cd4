// Time windows: a relative range such as `24h`, or two fixed instants. Pure.
export interface Window {
  range?: string;
  from_ms?: number;
  to_ms?: number;
}

export const RANGES = ["15m", "1h", "6h", "24h", "7d", "30d"] as const;
export const DEFAULT_RANGE = "24h";

const UNIT: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

export function rangeMs(range: string): number | undefined {
  const match = /^(\d{1,4})([mhd])$/.exec(range);
  if (!match) return undefined;
  const amount = Number(match[1]) * (UNIT[match[2] ?? ""] ?? 0);
  return amount > 0 ? amount : undefined;
}

const BUCKETS = [1, 5, 10, 15, 30, 60, 120, 360, 720, 1440].map((minutes) => minutes * 60_000);

/** The smallest whole bucket that keeps a chart at 72 points or fewer; rollups are by the minute. */
export function bucketFor(span: number): number {
  return BUCKETS.find((bucket) => span / bucket <= 72) ?? 1440 * 60_000;
}

/** Concrete instants. The end of a relative window is the end of the present minute. */
export function resolveWindow(window: Window, now = Date.now()) {
  if (window.from_ms !== undefined && window.to_ms !== undefined) {
    const bucket_ms = bucketFor(window.to_ms - window.from_ms);
    return { from_ms: window.from_ms, to_ms: window.to_ms, bucket_ms };
  }
  const span = rangeMs(window.range ?? DEFAULT_RANGE) ?? 86_400_000;
  const bucket_ms = bucketFor(span);
  const to_ms = Math.ceil(now / bucket_ms) * bucket_ms;
  return { from_ms: to_ms - span, to_ms, bucket_ms };
}
