import { expect, test } from "vitest";
import { told } from "./forecast";

const FOUND = {
  month: "2026-08",
  spent_nano: 4_000_000_000,
  unpriced: 0,
  forecast_nano: 10_000_000_000,
  low_nano: 9_000_000_000,
  high_nano: 11_000_000_000,
  confidence: 0.9,
  days: 28,
  days_needed: 7,
  method: "weekday means",
  note: "",
};

test("a forecast is told with its interval and what it was taken from", () => {
  const said = told(FOUND);
  expect(said).toMatch(/^August so far: \$4\.00/);
  expect(said).toMatch(/about \$10\.00, with 90% between \$9\.00 and \$11\.00, from 28 days\.$/);
  expect(told({ ...FOUND, unpriced: 1 })).toContain("without 1 call of unknown cost");
});

test("too few days are said, not guessed over", () => {
  const none = { forecast_nano: null, low_nano: null, high_nano: null };
  expect(told({ ...FOUND, ...none, days: 1 })).toContain("needs 7 whole days");
  expect(told({ ...FOUND, ...none, days: 1 })).toContain("there is 1.");
});
