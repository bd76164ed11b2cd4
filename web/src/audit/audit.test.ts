import { describe, expect, it } from "vitest";
import { effect, summary, tone } from "./changes";
import { filterOf } from "./search";

describe("the audit log", () => {
  it("takes a bare word for everything that was done to such records", () => {
    expect(filterOf({ action: "key" }).action).toBe("key.*");
    expect(filterOf({ action: "key.create" }).action).toBe("key.create");
    expect(filterOf({ action: "user.*" }).action).toBe("user.*");
  });

  it("tells what is new from what is taken away", () => {
    expect([tone("key.create"), tone("key.revoke"), tone("key.change")]).toEqual([
      "ok",
      "bad",
      "mute",
    ]);
  });

  it("says in one line what was given, and what became of the record", () => {
    expect(summary({ project: "menu", note: "", limits: { rpm: 5 } })).toBe(
      'project=menu, limits={"rpm":5}',
    );
    expect(effect({ before: "", after: "a" })).toBe("The record was made.");
    expect(effect({ before: "a", after: "b" })).toBe("The record was changed.");
    expect(effect({ before: "a", after: "" })).toBe("The record was taken away.");
  });
});
