// Which rows of a tree in reading order are in sight, when some spans are closed. Pure.

/** Places of closed rows, and how many rows hang below each. */
export type Closed = ReadonlyMap<number, number>;

export interface Sight {
  length: number;
  /** The place of the row that stands at an index. */
  at: (index: number) => number;
}

export function rowsInSight(total: number, closed: Closed): Sight {
  // Jumps: from this index on, rows stand `by` places further down.
  const jumps: { from: number; by: number }[] = [];
  let end = -1;
  let hidden = 0;
  for (const [place, below] of [...closed].sort(([a], [b]) => a - b)) {
    if (place <= end) continue; // inside one that is closed already
    end = place + below;
    const from = place + 1 - hidden;
    hidden += below;
    jumps.push({ from, by: hidden });
  }
  return {
    length: total - hidden,
    at: (index) => index + (jumps.findLast((jump) => jump.from <= index)?.by ?? 0),
  };
}
