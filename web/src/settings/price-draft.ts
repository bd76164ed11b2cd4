// A price while it is being stated: text as typed, and what the API gets of it. Pure.
import type { ModelPrices, NewPrice, Price } from "../api/types";

/** What is billed apart, as people name it; the first four are what most models have. */
export const BUCKETS = [
  ["input", "Input"],
  ["output", "Output"],
  ["cache_read", "Read from a cache"],
  ["cache_write", "Written to a cache"],
  ["cache_write_1h", "Written for an hour"],
  ["reasoning", "Reasoning"],
  ["audio_input", "Audio in"],
  ["audio_output", "Audio out"],
  ["audio_cache_read", "Audio from a cache"],
  ["image_input", "Images in"],
  ["image_output", "Images out"],
  ["image_cache_read", "Images from a cache"],
  ["request", "A thousand requests"],
  ["search", "A thousand searches"],
  ["audio_time", "An hour of sound"],
  ["characters", "A million characters"],
] as const;
export const USUAL = 4;
/** One of these at least has to be known for a bill. */
const ENOUGH = new Set(["input", "request", "audio_time", "characters"]);

export type Bucket = (typeof BUCKETS)[number][0];

export interface PriceDraft {
  /** `provider/model`; a model may have slashes of its own. */
  of: string;
  dollars: Partial<Record<Bucket, string>>;
  source: string;
  /** A local date, `2027-01-31`; empty is always. */
  from: string;
  /** The instant of the row that is being changed: kept while its date is. */
  since: number;
  tier: string;
  /** Tokens of the prompt from which it counts; empty is every prompt. */
  above: string;
}

export const nameOf = ({ provider, model }: Pick<Price, "provider" | "model">) =>
  `${provider}/${model}`;

/**
 * `asked` is the id of a row or the name of a model. It begins with the row, or with the price that
 * holds for the model now; whoever states another says anew where it comes from.
 */
export function priceDraft(asked: string, prices: readonly ModelPrices[]): PriceDraft {
  const model = prices.find((one) => nameOf(one) === asked);
  const row =
    prices.flatMap((one) => one.rows).find((one) => one.id === asked) ??
    model?.rows.find((one) => one.id === model.present);
  const dollars: PriceDraft["dollars"] = {};
  for (const [bucket] of BUCKETS) {
    const value = row?.dollars[bucket];
    if (value !== undefined) dollars[bucket] = String(value);
  }
  return {
    of: row ? nameOf(row) : model ? asked : "",
    dollars,
    source: row?.own ? row.source : "",
    from: row?.own && row.valid_from_ms > 0 ? localDate(row.valid_from_ms) : "",
    since: row?.own ? row.valid_from_ms : 0,
    tier: row?.own ? row.tier : "",
    above: row?.own && row.above > 0 ? String(row.above) : "",
  };
}

function localDate(ms: number): string {
  const at = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

const amount = (text: string) => /^\$?\d{1,7}(\.\d{1,6})?$/.test(text.trim());

export type PriceProblems = Partial<Record<"of" | "dollars" | "source" | "above", string>>;

export function priceProblems(draft: PriceDraft): PriceProblems {
  const found: PriceProblems = {};
  const stated = Object.entries(draft.dollars).filter(([, text]) => text.trim());
  if (!draft.of) found.of = "Say which model.";
  if (stated.some(([, text]) => !amount(text)))
    found.dollars = "Amounts in dollars such as 2.50, with six decimals at most.";
  else if (!stated.some(([bucket]) => ENOUGH.has(bucket)))
    found.dollars = "A price needs one of input, of a request, of sound or of characters.";
  if (draft.source.trim().length < 3)
    found.source = "Say where it comes from: a page, a contract, an invoice.";
  if (draft.above.trim() && !/^\d{1,9}$/.test(draft.above.trim()))
    found.above = "A whole number of tokens, or empty.";
  return found;
}

export function newPrice(draft: PriceDraft): NewPrice {
  const slash = draft.of.indexOf("/");
  const kept = draft.since > 0 && draft.from === localDate(draft.since);
  return {
    provider: draft.of.slice(0, slash),
    model: draft.of.slice(slash + 1),
    dollars: Object.fromEntries(
      Object.entries(draft.dollars)
        .filter(([, text]) => text.trim())
        .map(([bucket, text]) => [bucket, text.trim().replace(/^\$/, "")]),
    ),
    source: draft.source.trim(),
    valid_from_ms: kept
      ? draft.since
      : draft.from
        ? new Date(`${draft.from}T00:00:00`).getTime()
        : 0,
    tier: draft.tier.trim(),
    above: Number(draft.above.trim() || 0),
  };
}
