import { expect, it } from "vitest";
import { sameLook, savedLook } from "./look";

it("keeps filters and the time range, not what happens to be open", () => {
  const look = { model: "echo", range: "7d", live: true, span: "ab", tab: "cost", q: undefined };
  expect(savedLook(look)).toEqual({ model: "echo", range: "7d" });
});

it("knows a view again, in whatever order its parameters stand", () => {
  expect(sameLook({ a: "1", b: 2 }, { b: 2, live: true, a: "1" })).toBe(true);
  expect(sameLook({ a: "1" }, { a: "1", b: 2 })).toBe(false);
});
