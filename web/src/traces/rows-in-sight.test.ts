import { describe, expect, test } from "vitest";
import { rowsInSight } from "./rows-in-sight";

const shown = (total: number, closed: [number, number][]) => {
  const sight = rowsInSight(total, new Map(closed));
  return Array.from({ length: sight.length }, (_, index) => sight.at(index));
};

describe("rows in sight", () => {
  test("are all when nothing is closed", () => {
    expect(shown(4, [])).toEqual([0, 1, 2, 3]);
  });
  test("leave out what hangs below a closed span", () => {
    expect(shown(8, [[1, 3]])).toEqual([0, 1, 5, 6, 7]);
  });
  test("count a span inside a closed one once, and several one after the other", () => {
    expect(
      shown(10, [
        [6, 2],
        [1, 3],
        [2, 1],
      ]),
    ).toEqual([0, 1, 5, 6, 9]);
  });
});
