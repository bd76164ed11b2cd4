import { expect, test } from "vitest";
import type { AnnotationQuestion } from "../api/types";
import { choicesOf, current, missing, typed } from "./answering";

const question = (more: Partial<AnnotationQuestion>) =>
  ({
    name: "verdict",
    kind: "categorical",
    labels: ["good", "bad"],
    required: true,
    least: null,
    most: null,
    ...more,
  }) as AnnotationQuestion;
const stars = question({ name: "stars", kind: "numeric", labels: [], least: 1, most: 5 });
const why = question({ name: "why", kind: "text", labels: [], required: false });

test("digits stand for labels, yes and no, and short scales", () => {
  expect(choicesOf(question({})).map((one) => one.label)).toEqual(["good", "bad"]);
  expect(choicesOf(question({ kind: "bool" })).map((one) => one.value)).toEqual([true, false]);
  expect(choicesOf(stars).map((one) => one.value)).toEqual([1, 2, 3, 4, 5]);
  expect(choicesOf(why)).toEqual([]);
});

test("a digit answers the first question that is open", () => {
  const rubric = [question({}), stars, why];
  expect(current(rubric, {})).toBe(0);
  const first = typed(rubric[0], {}, 2);
  expect(first).toEqual({ verdict: "bad" });
  expect(current(rubric, first)).toBe(1);
  expect(missing(rubric, first)).toEqual(["stars"]);
  expect(typed(rubric[1], first, 9)).toBe(first);
});
