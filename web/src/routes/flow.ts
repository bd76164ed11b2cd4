// A route as a drawing: its policy as rows, its targets in tiers, and the lines between. Pure: the
// places follow from fixed heights, so that nothing is measured and nothing jumps.
import type { Model, RouteTarget, TargetGroup, TargetHealth, Totals } from "../api/types";
import type { Tone } from "../ui/badge";
import { percent } from "../ui/format";

export const POLICY_ROW = 38;
export const TIER_HEAD = 26;
export const TARGET_ROW = 50;
export const TIER_GAP = 10;

export interface Step {
  id: string;
  label: string;
  value: string;
  title?: string;
}

export interface Stop {
  id: string;
  provider: string;
  model: string;
  weight: number;
  /** What part of its tier's calls it is meant to get. */
  meant: number;
  /** What part of the route's answered calls it gave; null when none was answered. */
  served: number | null;
  totals: Totals | null;
  /** Missing when its provider is not connected. */
  health: TargetHealth | null;
  /** The middle of its row. */
  y: number;
}

export interface Tier {
  tier: number;
  label: string;
  top: number;
  stops: Stop[];
}

export interface Line {
  id: string;
  from: number;
  to: number;
  kind: "share" | "rule" | "shadow";
  tone: Tone;
  width: number;
  idle: boolean;
}

export interface Flow {
  steps: Step[];
  tiers: Tier[];
  lines: Line[];
  height: number;
}

const STRATEGY: Record<Model["strategy"], string> = {
  weighted: "by weight",
  priority: "in order",
  least_latency: "least latency",
  least_cost: "least cost",
  least_busy: "least busy",
};

const DEGRADE: Record<Model["degrade"], string> = {
  never: "refuse what a target cannot say",
  hints: "drop hints, refuse content",
  all: "drop what a target cannot say",
};

export function stepsOf(route: Model): Step[] {
  const steps: Step[] = route.rules.map((rule) => {
    const what = rule.field ? `${rule.source} ${rule.field}` : rule.source;
    const where = rule.tier === null ? rule.targets.join(", ") : `tier ${rule.tier}`;
    const value = `${what} = ${rule.values.join(" | ")}`;
    return {
      id: `rule-${rule.name}`,
      label: `Rule ${rule.name}`,
      value,
      title: `${value} → ${where}${rule.only ? ", nowhere else" : ", others after it"}`,
    };
  });
  if (route.sticky !== "never")
    steps.push({ id: "sticky", label: "Sticky", value: `same target for a ${route.sticky}` });
  steps.push({ id: "strategy", label: "Choice", value: STRATEGY[route.strategy] });
  steps.push({
    id: "retries",
    label: "Tries",
    value: `up to ${route.attempts}, ${percent(route.retry_share, 1)} extra`,
    title: `Tried again after: ${route.retry_on.join(", ") || "nothing"}`,
  });
  if (route.hedge) {
    const { share, min_ms, max_ms } = route.hedge;
    const value = `at p95, ${percent(share, 1)} of calls`;
    steps.push({ id: "hedge", label: "Hedge", value, title: `Within ${min_ms} to ${max_ms} ms` });
  }
  if (route.shadow) {
    const { provider, model, share } = route.shadow;
    const value = `${percent(share, 1)} copied to ${provider}/${model}`;
    steps.push({ id: "shadow", label: "Shadow", value, title: value });
  }
  const { connect_s, first_byte_s, idle_s, total_s } = route.timeouts;
  steps.push({
    id: "timeouts",
    label: "Patience",
    value: `${first_byte_s} s to begin, ${total_s} s in all`,
    title: `${connect_s} s to connect, ${first_byte_s} s to the first byte, ${idle_s} s of silence, ${total_s} s in all`,
  });
  steps.push({ id: "degrade", label: "Losses", value: DEGRADE[route.degrade] });
  return steps;
}

type Place = RouteTarget & { health: TargetHealth | null };

function places(route: Model): Place[] {
  const there = route.targets.map((health) => ({
    provider: health.provider,
    model: health.model,
    weight: health.weight,
    tier: health.tier,
    health,
  }));
  return [...there, ...route.absent.map((target) => ({ ...target, health: null }))];
}

/** Answered calls by `provider/model`, and their sum. */
function traffic(route: Model, groups: readonly TargetGroup[]) {
  const mine = groups.filter((group) => group.route === route.name);
  const totals = new Map(mine.map((one) => [`${one.provider}/${one.model}`, one.totals]));
  const answered = mine.reduce((sum, one) => sum + one.totals.calls - one.totals.errors, 0);
  return { totals, answered };
}

export function flowOf(route: Model, groups: readonly TargetGroup[]): Flow {
  const steps = stepsOf(route);
  const { totals, answered } = traffic(route, groups);
  const all = places(route);
  const numbers = [...new Set(all.map((one) => one.tier))].sort((a, b) => a - b);
  const tiers: Tier[] = [];
  let top = 0;
  for (const [place, tier] of numbers.entries()) {
    const peers = all.filter((one) => one.tier === tier);
    const weights = peers.reduce((sum, one) => sum + one.weight, 0);
    const stops = peers.map((one, row): Stop => {
      const id = `${one.provider}/${one.model}`;
      const seen = totals.get(id) ?? null;
      return {
        id: one.health?.id ?? id,
        provider: one.provider,
        model: one.model,
        weight: one.weight,
        meant: weights > 0 ? one.weight / weights : 0,
        served: seen && answered > 0 ? (seen.calls - seen.errors) / answered : null,
        totals: seen,
        health: one.health,
        y: top + TIER_HEAD + TARGET_ROW * row + TARGET_ROW / 2,
      };
    });
    const label = place === 0 ? "First" : place === 1 ? "When all of these fail" : "After that";
    tiers.push({ tier, label, top, stops });
    top += TIER_HEAD + TARGET_ROW * stops.length + TIER_GAP;
  }
  const height = Math.max(top - TIER_GAP, steps.length * POLICY_ROW, POLICY_ROW);
  return { steps, tiers, lines: linesOf(route, steps, tiers), height };
}

export function toneOf(health: TargetHealth | null): Tone {
  if (!health || health.breaker === "open" || health.state === "failing") return "bad";
  if (health.breaker === "half_open" || health.state === "cooling") return "warn";
  return health.state === "healthy" ? "ok" : "mute";
}

function linesOf(route: Model, steps: readonly Step[], tiers: readonly Tier[]): Line[] {
  const at = (id: string) => {
    const row = steps.findIndex((step) => step.id === id);
    return row * POLICY_ROW + POLICY_ROW / 2;
  };
  const stops = tiers.flatMap((tier) => tier.stops);
  const first = tiers[0]?.tier;
  const idle = stops.every((stop) => stop.served === null);
  const lines: Line[] = tiers.flatMap((tier) =>
    tier.stops.map((stop): Line => {
      const planned = idle && stop.health && tier.tier === first ? stop.meant : 0;
      const share = stop.served ?? planned;
      return {
        id: `share ${stop.id}`,
        from: at("strategy"),
        to: stop.y,
        kind: "share",
        tone: toneOf(stop.health),
        width: 1 + 6 * share,
        idle: share === 0,
      };
    }),
  );
  for (const rule of route.rules) {
    const meant = tiers.flatMap((tier) =>
      tier.stops.filter((stop) =>
        rule.tier === null
          ? rule.targets.includes(`${stop.provider}/${stop.model}`)
          : tier.tier === rule.tier,
      ),
    );
    for (const stop of meant) {
      lines.push({
        id: `${rule.name} ${stop.id}`,
        from: at(`rule-${rule.name}`),
        to: stop.y,
        kind: "rule",
        tone: "accent",
        width: 1.25,
        idle: false,
      });
    }
  }
  const { shadow } = route;
  const copied =
    shadow && stops.find((one) => one.provider === shadow.provider && one.model === shadow.model);
  if (copied) {
    lines.push({
      id: "shadow",
      from: at("shadow"),
      to: copied.y,
      kind: "shadow",
      tone: "mute",
      width: 1.25,
      idle: false,
    });
  }
  return lines;
}

/** A line between two columns that are `wide` apart. */
export function curve({ from, to }: Pick<Line, "from" | "to">, wide: number): string {
  return `M0 ${from} C${wide / 2} ${from} ${wide / 2} ${to} ${wide} ${to}`;
}
