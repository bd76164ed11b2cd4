import { expect, test } from "vitest";
import type { RowsAdded } from "../api/types";
import { columnsOf, guess, oneLine, typedValue, whatBecame } from "./words";

test("a conversation is told by its last message", () => {
  const messages = [
    { role: "system", content: "You cook." },
    { role: "user", content: [{ type: "text", text: "What\n soup?" }] },
  ];
  expect(oneLine({ messages })).toBe("What soup?");
  expect(oneLine({ question: "soup?" })).toBe("soup?");
  expect(oneLine({ a: 1, b: "x" })).toBe("a: 1 · b: x");
});

test("what is typed is JSON where it is some", () => {
  expect(typedValue('{"dish": "leek"}')).toEqual({ dish: "leek" });
  expect(typedValue("leek soup")).toBe("leek soup");
  expect(typedValue("{not json")).toBe("{not json");
  expect(typedValue("  ")).toBe(null);
  expect(typedValue("12")).toBe(12);
});

test("the columns of a file are read from its first line", () => {
  expect(columnsOf("csv", 'a,"b, c",d\r\n1,2,3')).toEqual(["a", "b, c", "d"]);
  expect(columnsOf("jsonl", '\n{"input": 1, "x": 2}\n')).toEqual(["input", "x"]);
  expect(columnsOf("jsonl", "no")).toEqual([]);
  expect(guess("csv", "lang", ["lang"])).toBe("metadata.lang");
  expect(guess("jsonl", "lang", ["lang"])).toBe("input.lang");
  expect(guess("csv", "expected.dish", [])).toBe("expected.dish");
});

test("what became of rows is one sentence", () => {
  const none = { version: null, added: 0, changed: 0, unchanged: 3, skipped: [] };
  expect(whatBecame(none as RowsAdded)).toBe("Nothing new: all of it is there.");
  const some = { version: { number: 4 }, added: 2, changed: 0, unchanged: 1, skipped: ["x"] };
  expect(whatBecame(some as unknown as RowsAdded)).toBe(
    "Version 4: 2 new, 1 were there, 1 left out.",
  );
});
