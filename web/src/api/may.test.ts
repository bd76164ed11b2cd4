import { describe, expect, it } from "vitest";
import { mayOf } from "./may";
import type { SessionInfo } from "./types";

const session = (role: string, projects = {}) =>
  ({ user: { id: "u", role }, projects }) as unknown as SessionInfo;

describe("what one may do", () => {
  it("is nothing before anybody is signed in", () => {
    expect(mayOf(undefined).somewhere("own")).toBe(false);
  });

  it("follows the role on the instance into every project", () => {
    const may = mayOf(session("editor"));
    expect(may.project("editor", "menu")).toBe(true);
    expect(may.project("admin", "menu")).toBe(false);
    expect(may.instance("admin")).toBe(false);
  });

  it("is bounded to the projects given where the role on the instance is own", () => {
    const may = mayOf(session("own", { menu: "admin" }));
    expect(may.project("admin", "menu")).toBe(true);
    expect(may.project("own", "till")).toBe(false);
    expect(may.somewhere("editor")).toBe(true);
    expect(may.instance("viewer")).toBe(false);
  });
});
