import { describe, expect, it } from "vitest";
import { parseScope, parseSearch, stringifySearch } from "./search";

describe("the part of an address after the question mark", () => {
  it("stays plain text, so that digits remain the text that they are", () => {
    expect(parseSearch("?q=123&user=007")).toEqual({ q: "123", user: "007" });
    expect(stringifySearch({ q: "123", live: true, none: undefined, no: false })).toBe(
      "?q=123&live=1",
    );
    expect(stringifySearch({})).toBe("");
  });

  it("survives a round trip with characters that mean something in an address", () => {
    const search = { q: 'a&b=c "d" #e +f %20', user: "ü@x" };
    expect(parseSearch(stringifySearch(search))).toEqual(search);
  });

  it("takes two instants or one range, and drops what makes no sense", () => {
    expect(parseScope({ from_ms: "1000", to_ms: "2000", range: "1h" })).toMatchObject({
      from_ms: 1000,
      to_ms: 2000,
      range: undefined,
    });
    expect(parseScope({ from_ms: "2000", to_ms: "1000", range: "1h" })).toMatchObject({
      from_ms: undefined,
      range: "1h",
    });
    expect(parseScope({ range: "; drop" })).toMatchObject({ range: undefined });
    expect(parseScope({ project: "  menu  " })).toMatchObject({ project: "menu" });
  });
});
