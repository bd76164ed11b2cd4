import { describe, expect, it } from "vitest";
import { mayOf } from "../api/may";
import type { AccessRequest, Project, SessionInfo, VirtualKey } from "../api/types";
import { capOf, decider, newRequest, problems, targets, wanted } from "./asking";

const may = (role: string, projects = {}, id = "me") =>
  mayOf({ user: { id, role }, projects } as unknown as SessionInfo);
const keys = [
  { id: "k1", name: "bounded", models: ["m"], budget: null, state: "active" },
  {
    id: "k2",
    name: "capped",
    models: [],
    budget: { spec: { limit_nano: 2e9 } },
    state: "active",
  },
] as unknown as VirtualKey[];
const projects = [{ name: "menu", budget: { spec: { limit_nano: 9e9 } } }] as unknown as Project[];
const draft = { kind: "budget", target: "key:k2", model: "", dollars: "5", reason: "x" } as const;

describe("asking", () => {
  it("offers only what is bounded, and a project's budget only to its members", () => {
    expect(targets("model", keys, projects, may("viewer")).map((t) => t.value)).toEqual(["key:k1"]);
    expect(targets("budget", keys, projects, may("viewer")).map((t) => t.value)).toEqual([
      "key:k2",
      "project:menu",
    ]);
    expect(targets("budget", keys, projects, may("own", { menu: "own" }))).toHaveLength(1);
  });

  it("needs a reason, and more than there is", () => {
    const cap = capOf("key:k2", keys, projects);
    expect(problems(draft, cap)).toEqual({});
    expect(problems({ ...draft, dollars: "2", reason: " " }, cap)).toEqual({
      dollars: "That is no more than the present $2.00.",
      reason: "Who decides needs a reason.",
    });
  });

  it("sends one thing", () => {
    expect(newRequest(draft)).toEqual({ key_id: "k2", limit_nano: 5e9, reason: "x" });
    expect(newRequest({ ...draft, target: "project:menu" })).toMatchObject({ project: "menu" });
    expect(wanted({ kind: "budget", wanted: { limit_nano: 5e9 } })).toBe("Spend up to $5.00");
  });
});

describe("deciding", () => {
  const request = { asked_by: "you", project: "menu", key_id: "k1" } as AccessRequest;
  it("is for an admin of the project who did not ask", () => {
    expect(decider(request, may("own", { menu: "admin" })).may).toBe(true);
    expect(decider(request, may("own", { menu: "editor" })).may).toBe(false);
    expect(decider({ ...request, asked_by: "me" }, may("admin")).may).toBe(false);
  });

  it("about a project's own budget is for an admin of the instance", () => {
    expect(decider({ ...request, key_id: "" }, may("own", { menu: "admin" })).may).toBe(false);
    expect(decider({ ...request, key_id: "" }, may("admin")).may).toBe(true);
  });
});
