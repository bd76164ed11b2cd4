import { expect, test } from "vitest";
import { agreement } from "./certificate";
import type { Tally } from "./queries";
import { parseJudgeSearch } from "./search";
import { estimated, tallyText } from "./words";

const TALLY = { rows: 10, judged: 7, parse: 2, abstained: 1, errors: 0, apart: 0 } as Tally;

test("rows without a verdict are said to be missing, with the reason of each", () => {
  expect(tallyText(TALLY)).toBe(
    "7 of 10 rows have a verdict; 2 unreadable, 1 abstained: missing, not 0",
  );
  expect(tallyText({ ...TALLY, judged: 10, parse: 0, abstained: 0 })).toBe(
    "10 of 10 rows have a verdict",
  );
});

test("failed calls are told with the most frequent reason", () => {
  const failing = { ...TALLY, parse: 0, abstained: 0, judged: 8, errors: 2, error: "no budget" };
  expect(tallyText(failing)).toBe(
    "8 of 10 rows have a verdict; 2 failed (no budget): missing, not 0",
  );
});

test("an agreement is told with its interval, and not at all where nobody measured it", () => {
  const badge = { judge: "judge:a@1", words: "", n: 37 };
  expect(agreement({ ...badge, state: "certified", kappa: 0.7, low: 0.5, high: 0.9 })).toBe(
    "κ 0.70 [0.50, 0.90] n=37",
  );
  expect(agreement({ ...badge, state: "uncertified", kappa: null, low: null, high: null })).toBe(
    "",
  );
  expect(estimated({ value: null, low: null, high: null, n: 0, method: "" })).toBe("not known");
});

test("a version in the address is a number from 1, and anything else is left out", () => {
  expect(parseJudgeSearch({ judge: "polite", version: "2" })).toEqual({
    judge: "polite",
    of: undefined,
    version: 2,
  });
  expect(parseJudgeSearch({ version: "0" }).version).toBeUndefined();
});
