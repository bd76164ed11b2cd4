import { expect, test } from "vitest";
import type { Score } from "../api/types";
import { place, saidIn, told } from "./words";

const score = (more: Partial<Score>) =>
  ({ name: "rating", value: null, label: "", correction: null, ...more }) as Score;

test("a score is told in a few words", () => {
  expect(saidIn(score({ name: "thumbs", label: "down", value: 0 }))).toBe("Thumb down");
  expect(saidIn(score({ name: "correction", correction: "leek" }))).toBe("Corrected");
  expect(saidIn(score({ name: "copied", value: 1 }))).toBe("Copied the answer");
  expect(saidIn(score({ name: "csat", value: 4.5 }))).toBe("csat: 4.50");
});

test("an interval is told with its bounds, and without them where there are none", () => {
  expect(told({ value: 0.7, low: 0.397, high: 0.892, n: 10, badges: [] })).toBe(
    "70% of 10, 95 % interval 40% to 89%",
  );
  expect(told({ value: 1, low: null, high: null, n: 1, badges: [] })).toBe("100% of 1");
});

test("a place stays inside the bar", () => {
  expect(place(0.25)).toBe(0.25);
  expect(place(7, 1, 5)).toBe(1);
});
