// Routes for tests: what the API answers, with what a test cares about changed.
import type { Model, TargetGroup, TargetHealth } from "../api/types";

export function target(
  provider: string,
  model: string,
  more: Partial<TargetHealth> = {},
): TargetHealth {
  return {
    id: `${provider}/${model}`,
    provider,
    model,
    base_url: "",
    wire: "openai",
    weight: 1,
    tier: 0,
    state: "healthy",
    last_error: "",
    last_ok_ms: 1,
    in_flight: 0,
    price: null,
    price_source: "",
    free: false,
    breaker: "closed",
    limited_until_ms: null,
    first_byte_ms: null,
    ...more,
  };
}

export function alias(targets: readonly TargetHealth[], more: Partial<Model> = {}): Model {
  return {
    name: "fast",
    kind: "chat",
    smoke: false,
    origin: "alias",
    targets: [...targets],
    defined: targets.map(({ provider, model, weight, tier }) => ({
      provider,
      model,
      weight,
      tier,
    })),
    absent: [],
    attempts: 3,
    retry_on: ["connect", "server"],
    timeouts: { connect_s: 5, first_byte_s: 120, idle_s: 60, total_s: 600 },
    created_ms: 0,
    strategy: "weighted",
    rules: [],
    sticky: "never",
    retry_share: 0.2,
    retry_floor: 2,
    retry_burst: 20,
    breaker: null,
    hedge: null,
    shadow: null,
    degrade: "hints",
    ...more,
  };
}

export function asked(provider: string, model: string, calls: number, errors = 0): TargetGroup {
  const none = { p50: null, p95: null, p99: null };
  const totals = {
    calls,
    errors,
    input_tokens: 0,
    output_tokens: 0,
    cost_nano: 0,
    unpriced: 0,
    saved_nano: 0,
    cache_hits: 0,
    latency_ms: none,
    ttft_ms: none,
    tpot_ms: none,
  };
  return { route: "fast", provider, model, totals };
}
