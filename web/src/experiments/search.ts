// What the experiments page shows, as search parameters. Pure.
import { oneOf, type Raw, text } from "../frame/search";

export const FORMS = ["new", "plan", "ramp", "stop", "lift", "remove", "release"] as const;
export type Form = (typeof FORMS)[number];

export interface ExperimentSearch {
  /** The experiment that is looked at, by its id. */
  experiment?: string;
  /** What is open above it. */
  form?: Form;
  /** The metric and arm whose band is shown: `metric|arm`. */
  band?: string;
}

export function parseExperimentSearch(raw: Raw): ExperimentSearch {
  return {
    experiment: text(raw.experiment, 40),
    form: oneOf(raw.form, FORMS),
    band: text(raw.band, 200),
  };
}
