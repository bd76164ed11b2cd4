// Numbers, money and times as people read them. Pure; None stays "unknown" and is never zero.
export * from "./time";

const integer = new Intl.NumberFormat("en-US");
const compactNumber = new Intl.NumberFormat("en-US", {
  notation: "compact",
  maximumFractionDigits: 1,
});

export const NONE = "–";

export function count(value: number): string {
  return integer.format(value);
}

export function compact(value: number): string {
  return Math.abs(value) < 10_000 ? integer.format(value) : compactNumber.format(value);
}

/** Dollars from integer nano-dollars, always with digits enough to be told from zero. */
export function money(nano: number | null | undefined): string {
  if (nano === null || nano === undefined) return "unknown";
  if (nano === 0) return "$0";
  const dollars = Math.abs(nano) / 1e9;
  const sign = nano < 0 ? "-" : "";
  if (dollars >= 10_000) return `${sign}$${integer.format(Math.round(dollars))}`;
  if (dollars >= 1) return `${sign}$${dollars.toFixed(2)}`;
  if (dollars >= 0.01) return `${sign}$${dollars.toFixed(4).replace(/0{1,2}$/, "")}`;
  const digits = Math.min(9, 1 - Math.floor(Math.log10(dollars)));
  return `${sign}$${dollars.toFixed(digits)}`;
}

export interface Spend {
  cost_nano: number;
  unpriced: number;
  calls: number;
}

/** A sum of costs of which some may be unknown. With no priced call at all, the sum is unknown. */
export function spend({ cost_nano, unpriced, calls }: Spend): string {
  return unpriced > 0 && unpriced >= calls && cost_nano === 0 ? "unknown" : money(cost_nano);
}

export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return NONE;
  if (ms === 0) return "0 ms";
  if (ms < 1) return `${ms.toFixed(ms < 0.1 ? 3 : 2)} ms`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const whole = Math.round(ms / 1_000);
  const minutes = Math.floor(whole / 60);
  const seconds = whole % 60;
  if (minutes < 60) return `${minutes} min ${seconds} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function percent(part: number, whole: number): string {
  if (whole === 0) return NONE;
  const share = (100 * part) / whole;
  if (share > 0 && share < 0.1) return "<0.1%";
  return `${share.toFixed(share < 10 && share !== Math.round(share) ? 1 : 0)}%`;
}

export function bytes(size: number): string {
  if (size < 1_000) return `${size} B`;
  if (size < 1_000_000) return `${(size / 1_000).toFixed(1)} kB`;
  return `${(size / 1_000_000).toFixed(1)} MB`;
}

export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

/** `0.5`, `$0.50` or `12` dollars as nano-dollars; undefined when it is not an amount. */
export function parseDollars(text: string): number | undefined {
  const match = /^\$?(\d{1,9}(?:\.\d{1,9})?)$/.exec(text.trim());
  if (!match?.[1]) return undefined;
  return Math.round(Number(match[1]) * 1e9);
}

/** `250`, `250ms`, `1.5s` or `2m` as milliseconds; undefined when it is not a duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|m|min)?$/.exec(text.trim());
  if (!match?.[1]) return undefined;
  const scale = { ms: 1, s: 1_000, m: 60_000, min: 60_000 }[match[2] ?? "ms"] ?? 1;
  return Number(match[1]) * scale;
}
