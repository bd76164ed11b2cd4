// Reading a model's health, prices and shares from its targets. Pure.
import type { Model, TargetHealth } from "../api/types";

export type Health = TargetHealth["state"] | "degraded" | "no target";

/** A name is healthy when all its targets are; with some of them down it still answers. */
export function health({ targets }: Pick<Model, "targets">): Health {
  const states = targets.map((target) => target.state);
  if (states.length === 0) return "no target";
  const down = states.filter((state) => state === "failing" || state === "cooling").length;
  if (down === states.length) return states.includes("failing") ? "failing" : "cooling";
  if (down > 0) return "degraded";
  return states.includes("healthy") ? "healthy" : "unknown";
}

/** Dollars per million tokens. A price that is not known is said to be unknown, never zero. */
export function price(
  target: Pick<TargetHealth, "free" | "price"> | undefined,
  bucket: string,
): string {
  if (!target) return "";
  if (target.free) return "free";
  const dollars = target.price?.[bucket];
  if (dollars === undefined) return target.price ? "–" : "unknown";
  return `$${dollars.toFixed(4).replace(/0{1,2}$/, "")}`;
}

/** What part of the calls a target gets: by weight inside its tier, later tiers on failure. */
export function share(target: TargetHealth, model: Pick<Model, "targets">): string {
  const tiers = [...new Set(model.targets.map((one) => one.tier))].sort((a, b) => a - b);
  const peers = model.targets.filter((one) => one.tier === target.tier);
  const sum = peers.reduce((total, one) => total + one.weight, 0);
  const part = sum > 0 ? `${Math.round((100 * target.weight) / sum)}%` : "0%";
  const place = tiers.indexOf(target.tier);
  if (place === 0) return part;
  return peers.length > 1 ? `fallback ${place}, ${part}` : `fallback ${place}`;
}
