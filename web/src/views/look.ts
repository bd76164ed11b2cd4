// What of a page's address a saved view keeps. Pure.

export type Looks = Readonly<Record<string, unknown>>;
type Kept = Record<string, string | number | boolean>;

/** What is open at the moment belongs to no view. */
const PASSING = new Set(["live", "span", "tab", "wide", "versus"]);

/** The search parameters worth keeping. */
export function savedLook(look: Looks): Kept {
  const kept: Kept = {};
  for (const [name, value] of Object.entries(look)) {
    if (PASSING.has(name)) continue;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      kept[name] = value;
  }
  return kept;
}

/** Whether a view shows what the page shows now. */
export function sameLook(saved: Looks, look: Looks): boolean {
  const tell = (one: Looks) =>
    JSON.stringify(Object.entries(savedLook(one)).sort(([a], [b]) => (a < b ? -1 : 1)));
  return tell(saved) === tell(look);
}
