// What the judges page shows, as search parameters. Pure.
import { type Raw, text } from "../frame/search";

export interface JudgeSearch {
  /** The judge that is looked at, and its project where several are shown. */
  judge?: string;
  of?: string;
  /** The version whose certificate is looked at; the newest without it. */
  version?: number;
}

export function parseJudgeSearch(raw: Raw): JudgeSearch {
  const version = Number(raw.version);
  return {
    judge: text(raw.judge, 100),
    of: text(raw.of, 63),
    version: Number.isInteger(version) && version > 0 ? version : undefined,
  };
}
