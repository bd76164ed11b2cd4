// From the answer of the API to a chart, links and a file. Pure.
import type { Spending, SpendTotals, SpentOn } from "../api/types";
import type { Scope } from "../frame/search";
import type { Conditions } from "../traces/search";
import type { Series } from "../ui/chart";
import type { By } from "./search";

const COLORS = ["--series-1", "--series-2", "--series-3", "--series-4"] as const;

/** Bars that stand on one another: the three dearest, and all others together. */
export function stacked(spending: Spending, nameOf: (key: string) => string): Series[] {
  const paid = spending.groups.filter((group) => group.totals.cost_nano > 0);
  const single = spending.by === "day" || paid.length === 0;
  if (single) return [{ label: "spend", values: spending.costs, color: "--series-1", bars: true }];
  const shown = paid
    .slice(0, 3)
    .map((group) => ({ label: nameOf(group.key), values: group.costs }));
  const others = spending.costs.map((all, at) =>
    Math.max(0, all - shown.reduce((sum, one) => sum + (one.values[at] ?? 0), 0)),
  );
  const parts = others.some((value) => value > 0)
    ? [...shown, { label: "others", values: others }]
    : shown;
  return parts.map((part, index) => ({
    ...part,
    color: COLORS[index] ?? "--ink-3",
    bars: true,
    drawn: part.values.map((_, at) =>
      parts.slice(index).reduce((sum, one) => sum + (one.values[at] ?? 0), 0),
    ),
  }));
}

const DAY_MS = 86_400_000;

/** The traces behind one group. Days are UTC, as the server counts them. */
export function behind(by: By, key: string): Conditions & Scope {
  if (by === "day") {
    const from_ms = Date.parse(`${key}T00:00:00Z`);
    return { range: undefined, from_ms, to_ms: from_ms + DAY_MS };
  }
  return { [by === "key" ? "key_id" : by]: key };
}

/** Dollars with all nine digits that are known, for a file that others add up. */
export function exactDollars(nano: number): string {
  const sign = nano < 0 ? "-" : "";
  const whole = Math.abs(nano);
  const cents = String(whole % 1e9).padStart(9, "0");
  return `${sign}${Math.floor(whole / 1e9)}.${cents}`;
}

const HEAD = [
  "calls",
  "calls_of_unknown_cost",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "known_cost_usd",
  "saved_by_vendor_caches_usd",
  "saved_by_gateway_cache_usd",
  "gateway_cache_hits",
];

function figures(totals: SpendTotals): string[] {
  return [
    String(totals.calls),
    String(totals.unpriced),
    String(totals.input_tokens),
    String(totals.output_tokens),
    String(totals.cache_read_tokens),
    String(totals.cache_write_tokens),
    allUnknown(totals) ? "" : exactDollars(totals.cost_nano),
    exactDollars(totals.saved_by_vendor_nano),
    exactDollars(totals.saved_here_nano),
    String(totals.cache_hits),
  ];
}

/** Nothing of a group is priced: its cost is unknown, not zero. */
export function allUnknown({ unpriced, calls, cost_nano }: SpendTotals): boolean {
  return unpriced > 0 && unpriced >= calls && cost_nano === 0;
}

/** A cell that no spreadsheet takes for a formula. */
export function cell(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) && !/^-?\d+(\.\d+)?$/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csv(spending: Spending, nameOf: (key: string) => string): string {
  const line = (id: string, name: string, totals: SpendTotals) =>
    [id, name, ...figures(totals)].map(cell).join(",");
  const rows = spending.groups.map((group: SpentOn) =>
    line(group.key, nameOf(group.key), group.totals),
  );
  if (spending.more > 0) rows.push(line("", `${spending.more} others`, spending.rest));
  return `${[[spending.by, "name", ...HEAD].join(","), ...rows].join("\r\n")}\r\n`;
}
