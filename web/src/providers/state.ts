// How a provider does, read from the models that it serves, and which vendors a word finds. Pure.
import type { Model, Provider, ProviderVendor, TargetHealth } from "../api/types";
import type { Tone } from "../ui/badge";

export type ProviderState = TargetHealth["state"] | "not routable";

const WORST: readonly TargetHealth["state"][] = ["failing", "cooling", "healthy", "unknown"];

export const STATE_TONE: Record<ProviderState, Tone> = {
  healthy: "ok",
  failing: "bad",
  cooling: "warn",
  unknown: "mute",
  "not routable": "warn",
};

/** The targets of a provider, each once, whatever names lead to it. */
export function targetsOf(provider: string, models: readonly Model[]): TargetHealth[] {
  const found = new Map<string, TargetHealth>();
  for (const model of models)
    for (const target of model.targets)
      if (target.provider === provider) found.set(target.id, target);
  return [...found.values()];
}

/** The worst that is known of any of its targets; one that nobody called says nothing. */
export function stateOf(provider: Provider, targets: readonly TargetHealth[]): ProviderState {
  if (!provider.routable) return "not routable";
  const states = new Set(targets.map((target) => target.state));
  return WORST.find((state) => states.has(state)) ?? "unknown";
}

/** Where its prices come from, in a word; how many of its models have none. */
export function pricesOf(targets: readonly TargetHealth[]): string {
  if (targets.length === 0) return "–";
  if (targets.every((target) => target.free)) return "free";
  const sources = [...new Set(targets.map((target) => target.price_source).filter(Boolean))];
  const unknown = targets.filter((target) => !target.free && !target.price).length;
  if (sources.length === 0) return "unknown";
  return unknown > 0 ? `${sources.join(", ")}, ${unknown} unknown` : sources.join(", ");
}

/** Vendors whose name, title, wire or address has the word; those that begin with it first. */
export function vendorsFor(vendors: readonly ProviderVendor[], typed: string): ProviderVendor[] {
  const word = typed.trim().toLowerCase();
  const text = (one: ProviderVendor) =>
    `${one.title} ${one.name} ${one.wire} ${one.base_url}`.toLowerCase();
  const begins = (one: ProviderVendor) =>
    one.title.toLowerCase().startsWith(word) || one.name.startsWith(word);
  return vendors
    .filter((one) => text(one).includes(word))
    .sort((a, b) => Number(begins(b)) - Number(begins(a)));
}

/** The vendor's own name, or the next free one such as `openai-2`. */
export function freeName(vendor: string, taken: readonly string[]): string {
  let name = vendor;
  for (let number = 2; taken.includes(name); number++) name = `${vendor}-${number}`;
  return name;
}

/** The secret as it may be shown: its last characters, or the name of where it is. */
export function secretWords({
  secret_hint: hint,
  origin,
}: Pick<Provider, "secret_hint" | "origin">): string {
  if (!hint) return "none";
  return origin === "environment" || /^(env|file):/.test(hint) ? hint : `····${hint.slice(-4)}`;
}
