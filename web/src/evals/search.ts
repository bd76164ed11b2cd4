// What the evaluations page shows, as search parameters. Pure.
import { flag, type Raw, text } from "../frame/search";

export interface EvalSearch {
  /** Runs of this suite alone. */
  suite?: string;
  /** The run that is looked at; with `base` it is compared with that one. */
  run?: string;
  base?: string;
  /** The slice that rows and comparisons are narrowed to. */
  slice?: string;
  /** The dialog that starts a run is open. */
  begin?: true;
}

export function parseEvalSearch(raw: Raw): EvalSearch {
  return {
    suite: text(raw.suite, 100),
    run: text(raw.run, 40),
    base: text(raw.base, 40),
    slice: text(raw.slice, 300),
    begin: flag(raw.begin),
  };
}
