// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { safeNext, takeRefusal, takeToken } from "./token";

describe("a one-time token", () => {
  it("is taken out of the address at once", () => {
    history.replaceState(null, "", "/sign-in?next=%2Fkeys#token=abc_123-x");
    expect(takeToken()).toBe("abc_123-x");
    expect(location.href).toMatch(/\/sign-in\?next=%2Fkeys$/);
    expect(takeToken()).toBeUndefined();
  });
});

describe("where signing in leads to", () => {
  it("is a page of this console and never another site", () => {
    expect(safeNext("/traces?status=error")).toBe("/traces?status=error");
    for (const evil of [
      undefined,
      "",
      "https://evil.example",
      "//evil.example",
      "/\\evil.example",
      "javascript:alert(1)",
      "/sign-in",
    ]) {
      expect(safeNext(evil), String(evil)).toBe("/overview");
    }
  });
});

describe("a refusal", () => {
  it("is read from its cookie", () => {
    document.cookie = `stockpot_sign_in_refused=${encodeURIComponent("no e-mail; start again")}`;
    expect(takeRefusal()).toBe("no e-mail; start again");
  });
});
