// What the right-sizing page shows, as search parameters. Pure.
import { flag, type Raw, text } from "../frame/search";

export interface SizeSearch {
  /** The run that is looked at. */
  size?: string;
  /** The dialog that starts a run is open. */
  begin?: true;
}

export function parseSizeSearch(raw: Raw): SizeSearch {
  return { size: text(raw.size, 40), begin: flag(raw.begin) };
}
