// What the cost page shows, as search parameters. Pure.
import { oneOf, type Raw, text } from "../frame/search";

export const BYS = ["key", "project", "environment", "model", "provider", "day"] as const;
export type By = (typeof BYS)[number];

export const BY_TITLE: Record<By, string> = {
  key: "Keys",
  project: "Projects",
  environment: "Environments",
  model: "Models",
  provider: "Providers",
  day: "Days",
};

export interface CostSearch {
  by?: By;
  key_id?: string;
  model?: string;
  provider?: string;
}

export function parseCostSearch(raw: Raw): CostSearch {
  return {
    by: oneOf(raw.by, BYS),
    key_id: text(raw.key_id),
    model: text(raw.model),
    provider: text(raw.provider),
  };
}
