// What the guardrails page reads.
import { queryOptions } from "@tanstack/react-query";
import { call } from "../api/client";
import type {
  GuardrailPolicy,
  GuardrailTested,
  GuardrailTestRequest,
  RailCalibration,
  RailRates,
  TracePage,
} from "../api/types";

/** Everything below this key is read anew after a change. */
export const GUARDRAILS = "guardrails";

export const policiesQuery = queryOptions({
  queryKey: [GUARDRAILS, "policies"],
  queryFn: ({ signal }) => call<GuardrailPolicy[]>("/api/v1/guardrails/policies", { signal }),
  refetchInterval: 10_000,
});

export const railsQuery = queryOptions({
  queryKey: [GUARDRAILS, "rails"],
  queryFn: ({ signal }) => call<RailRates[]>("/api/v1/guardrails/rails", { signal }),
  staleTime: 60_000,
});

export const calibrationsQuery = queryOptions({
  queryKey: [GUARDRAILS, "calibrations"],
  queryFn: ({ signal }) => call<RailCalibration[]>("/api/v1/guardrails/calibrations", { signal }),
});

/** Calls in which a rule found something, newest first. */
export const foundQuery = (project: string | undefined, policy: string | undefined) =>
  queryOptions({
    queryKey: [GUARDRAILS, "found", project, policy],
    queryFn: ({ signal }) =>
      call<TracePage>("/api/v1/traces", {
        query: { kind: "guardrail", project, agent: policy, limit: 20 },
        signal,
      }),
    refetchInterval: 10_000,
  });

export function testText(asked: GuardrailTestRequest): Promise<GuardrailTested> {
  return call<GuardrailTested>("/api/v1/guardrails/test", { method: "POST", body: asked });
}

/** Puts a policy into a project; it holds nowhere by that alone. */
export function putPolicy(project: string, policy: object): Promise<GuardrailPolicy> {
  return call<GuardrailPolicy>("/api/v1/guardrails/policies", {
    method: "PUT",
    body: { ...policy, project },
  });
}

/** Lets a policy hold for all calls of its project. */
export function bindToProject(policy: GuardrailPolicy): Promise<GuardrailPolicy> {
  const path = `/api/v1/guardrails/policies/${encodeURIComponent(policy.name)}/bindings`;
  return call<GuardrailPolicy>(path, {
    method: "PUT",
    query: { project: policy.project },
    body: { kind: "project" },
  });
}
