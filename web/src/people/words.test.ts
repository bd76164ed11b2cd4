import { describe, expect, it } from "vitest";
import { ends, tokenProblems, tokenRequest } from "./words";

const DAY = 86_400_000;

describe("an API token", () => {
  it("needs a name and a scope", () => {
    const draft = { name: " ", scopes: [], project: "", days: "" };
    expect(Object.keys(tokenProblems(draft)).sort()).toEqual(["name", "scopes"]);
  });

  it("is asked for with its scopes in order, bounded to a project and a time", () => {
    const draft = { name: " ci ", scopes: ["write", "read"], project: "menu", days: "30" } as const;
    expect(tokenRequest(draft, 1_000)).toEqual({
      name: "ci",
      scopes: ["read", "write"],
      project: "menu",
      expires_ms: 1_000 + 30 * DAY,
    });
    expect(tokenRequest({ ...draft, days: "", project: "" })).toMatchObject({
      project: null,
      expires_ms: null,
    });
  });

  it("that ends within a week is a warning", () => {
    expect(ends({ expires_ms: null }).text).toBe("never");
    expect(ends({ expires_ms: 3 * DAY }, 0).tone).toBe("warn");
    expect(ends({ expires_ms: 30 * DAY }, 0).tone).toBe("ok");
    expect(ends({ expires_ms: 1 }, 2).tone).toBe("bad");
  });
});
