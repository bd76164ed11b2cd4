// A route while it is being written, and the definition that comes of it. Pure.
import type { Model, Provider, RouteSettings, RouteTarget, RuleSpec } from "../api/types";

export type Kind = Model["kind"];
export type RetryOn = NonNullable<RouteSettings["retry_on"]>[number];

export interface TargetLine extends RouteTarget {
  id: number;
}

export interface RuleLine extends Omit<RuleSpec, "values" | "targets" | "tier"> {
  id: number;
  /** Separated by commas. */
  values: string;
  /** `tier 1` or `provider/model, provider/model`. */
  to: string;
}

export interface RouteDraft
  extends Pick<
    Model,
    | "strategy"
    | "sticky"
    | "retry_share"
    | "retry_floor"
    | "retry_burst"
    | "breaker"
    | "hedge"
    | "shadow"
    | "degrade"
    | "attempts"
    | "timeouts"
  > {
  name: string;
  kind: Kind;
  retry_on: readonly RetryOn[];
  targets: readonly TargetLine[];
  rules: readonly RuleLine[];
}

export const RETRIES: readonly { value: RetryOn; label: string }[] = [
  { value: "connect", label: "no connection" },
  { value: "timeout", label: "timeout" },
  { value: "rate_limit", label: "rate limit" },
  { value: "server", label: "server error" },
  { value: "stream", label: "broken stream" },
];

let last = 0;
const nextId = () => ++last;

export function newTarget(providers: readonly Provider[], tier = 0): TargetLine {
  const [first] = providers;
  return {
    id: nextId(),
    provider: first?.name ?? "",
    model: first?.models[0] ?? "",
    weight: 1,
    tier,
  };
}

export function newRule(): RuleLine {
  return { id: nextId(), name: "", source: "header", field: "", values: "", to: "", only: false };
}

export function emptyDraft(providers: readonly Provider[]): RouteDraft {
  return {
    name: "",
    kind: "chat",
    strategy: "weighted",
    sticky: "never",
    retry_share: 0.2,
    retry_floor: 2,
    retry_burst: 20,
    breaker: null,
    hedge: null,
    shadow: null,
    degrade: "hints",
    attempts: 3,
    timeouts: { connect_s: 5, first_byte_s: 120, idle_s: 60, total_s: 600 },
    retry_on: RETRIES.map((one) => one.value),
    targets: [newTarget(providers)],
    rules: [],
  };
}

/** As it is written: targets whose provider is not connected now stay, in their place. */
export function draftOf(route: Model): RouteDraft {
  return {
    name: route.name,
    kind: route.kind,
    strategy: route.strategy,
    sticky: route.sticky,
    retry_share: route.retry_share,
    retry_floor: route.retry_floor,
    retry_burst: route.retry_burst,
    breaker: route.breaker,
    hedge: route.hedge,
    shadow: route.shadow,
    degrade: route.degrade,
    attempts: route.attempts,
    timeouts: route.timeouts,
    retry_on: RETRIES.map((one) => one.value).filter((value) => route.retry_on.includes(value)),
    targets: route.defined.map(({ provider, model, weight, tier }) => ({
      id: nextId(),
      provider,
      model,
      weight,
      tier,
    })),
    rules: route.rules.map(({ values, targets: named, tier, ...rest }) => ({
      ...rest,
      id: nextId(),
      values: values.join(", "),
      to: tier === null ? named.join(", ") : `tier ${tier}`,
    })),
  };
}

const listed = (text: string) =>
  text
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean);

function ruleOf({ name, source, field, values, to, only }: RuleLine): RuleSpec {
  const tier = /^tier (\d{1,3})$/.exec(to.trim())?.[1];
  const named = source === "header" || source === "metadata";
  return {
    name: name.trim(),
    source,
    field: named ? field.trim() : "",
    values: listed(values),
    targets: tier === undefined ? listed(to) : [],
    tier: tier === undefined ? null : Number(tier),
    only,
  };
}

export function settingsOf(draft: RouteDraft): RouteSettings {
  const { name: _, targets, rules, retry_on, ...rest } = draft;
  return {
    ...rest,
    retry_on: [...retry_on],
    targets: targets.map(({ provider, model, weight, tier }) => ({
      provider: provider.trim(),
      model: model.trim(),
      weight,
      tier,
    })),
    rules: rules.map(ruleOf),
  };
}

/** What stands in the way of planning; the server checks the rest. */
export function problem(draft: RouteDraft): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,199}$/.test(draft.name.trim()))
    return "A name begins with a letter or a digit; then letters, digits and . _ : @ / + -";
  if (draft.targets.some((one) => !one.provider.trim() || !one.model.trim()))
    return "Each target has a provider and a model.";
  if (!draft.targets.some((one) => one.weight > 0)) return "One target needs a weight above 0.";
  if (draft.rules.some((one) => !one.name.trim() || !one.values.trim() || !one.to.trim()))
    return "Each rule has a name, values, and where it leads.";
  return "";
}
