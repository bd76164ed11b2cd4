import { describe, expect, it } from "vitest";
import { parseTraceSearch } from "./search";
import { chipsOf, parseTyped } from "./terms";

describe("words typed into the search box", () => {
  it("become conditions, and the rest is full text", () => {
    expect(parseTyped("model:gpt-4o status:error cost:>0.01 duration:>2s late  delivery")).toEqual({
      model: "gpt-4o",
      status: "error",
      min_cost_nano: 10_000_000,
      min_duration_ms: 2_000,
      q: "late delivery",
    });
  });

  it("may be quoted to hold spaces", () => {
    expect(parseTyped('user:"Ana B" hi')).toEqual({ user: "Ana B", q: "hi" });
  });

  it("stay text when they are no condition", () => {
    expect(parseTyped("https://example.org note: well status:strange")).toEqual({
      q: "https://example.org note: well status:strange",
    });
    expect(parseTyped("cost:lots")).toEqual({ q: "cost:lots" });
  });
});

describe("filters in the address", () => {
  it("are read with their types, and unknown values are dropped", () => {
    expect(
      parseTraceSearch({
        status: "error",
        kind: "nonsense",
        min_cost_nano: "5",
        live: "1",
        q: " x ",
      }),
    ).toMatchObject({ status: "error", kind: undefined, min_cost_nano: 5, live: true, q: "x" });
  });

  it("are shown as chips that a person can read", () => {
    const chips = chipsOf(
      { key_id: "key_1", min_duration_ms: 2_000, unpriced: true },
      () => "checkout",
    );
    expect(chips.map((chip) => `${chip.label} ${chip.value}`)).toEqual([
      "price unknown",
      "key checkout",
      "duration ≥ 2.00 s",
    ]);
  });
});
