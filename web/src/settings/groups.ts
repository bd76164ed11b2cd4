// Which settings belong together, and what an own price says. Pure.
import type { ModelPrices, Price, SettingShown } from "../api/types";

const GROUPS: readonly (readonly [string, RegExp])[] = [
  ["Addresses", /^(home|host|gateway_port|port|ingest_bind|public_url|tls_|cors_|trusted_)/],
  ["Stores", /^(database_url|kv_url|spool_|disk_|fsync|cache_mb)/],
  ["Workers", /^(workers|fleet|control_url|ingest_url|drain_s|keepalive_s|max_|\w+_timeout_s)/],
  ["Signing in", /^(oidc|password_sign_in)/],
  ["Models and vendors", /^(default_model|engines|discover|hub_url|upstream_|private_upstreams)/],
];

export interface SettingGroup {
  title: string;
  rows: SettingShown[];
}

/** Every setting in exactly one group; what belongs nowhere is last. */
export function grouped(settings: readonly SettingShown[], find = ""): SettingGroup[] {
  const wanted = settings.filter((row) =>
    `${row.name} ${row.env} ${row.doc}`.toLowerCase().includes(find.toLowerCase()),
  );
  const titleOf = (name: string) => GROUPS.find(([, known]) => known.test(name))?.[0] ?? "Other";
  return [...GROUPS.map(([title]) => title), "Other"]
    .map((title) => ({ title, rows: wanted.filter((row) => titleOf(row.name) === title) }))
    .filter((group) => group.rows.length > 0);
}

/** The prices that somebody here has stated. */
export function ownPrices(prices: readonly ModelPrices[]): Price[] {
  return prices.flatMap((model) => model.rows.filter((row) => row.own));
}

/** Two decimals, or as many as the price has. */
export function dollars(price: Pick<Price, "dollars">): string {
  const shown = (value: number) => (/\.\d{3}/.test(String(value)) ? value : value.toFixed(2));
  return Object.entries(price.dollars)
    .map(([bucket, value]) => `${bucket.replaceAll("_", " ")} $${shown(value)}`)
    .join(", ");
}

/** Models whose calls are of unknown cost. */
export function unpriced(prices: readonly ModelPrices[]): ModelPrices[] {
  return prices.filter((model) => !model.free && model.present === null);
}
