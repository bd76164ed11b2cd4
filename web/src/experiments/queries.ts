// What the experiments page reads.
import { queryOptions } from "@tanstack/react-query";
import { call } from "../api/client";
import type {
  Experiment,
  ExperimentPlan,
  ExperimentPlanRequest,
  ExperimentReport,
} from "../api/types";

/** Everything below this key is read anew after a change. */
export const EXPERIMENTS = "experiments";

export const experimentsQuery = queryOptions({
  queryKey: [EXPERIMENTS],
  queryFn: ({ signal }) => call<Experiment[]>("/api/v1/experiments", { signal }),
  refetchInterval: 5_000,
});

export const reportQuery = (experiment: Pick<Experiment, "project" | "name">) =>
  queryOptions({
    queryKey: [EXPERIMENTS, "report", experiment.project, experiment.name],
    queryFn: ({ signal }) =>
      call<ExperimentReport>(`/api/v1/experiments/${experiment.name}/report`, {
        query: { project: experiment.project },
        signal,
      }),
    refetchInterval: 5_000,
  });

/** What an experiment will be able to see, and how long it takes. */
export const planQuery = (asked: ExperimentPlanRequest | undefined) =>
  queryOptions({
    queryKey: [EXPERIMENTS, "plan", asked],
    queryFn: ({ signal }) =>
      call<ExperimentPlan>("/api/v1/experiments/plan", { method: "POST", body: asked, signal }),
    enabled: asked !== undefined,
    placeholderData: (previous) => previous,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
