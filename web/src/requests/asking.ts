// What can be asked for, what a request says, and who decides. Pure.
import type { May } from "../api/may";
import type { AccessRequest, NewRequest, Project, VirtualKey } from "../api/types";
import { money, parseDollars } from "../ui/format";

export interface Draft {
  kind: "model" | "budget";
  /** `key:<id>` or `project:<name>`. */
  target: string;
  model: string;
  dollars: string;
  reason: string;
}

interface Target {
  value: string;
  label: string;
}

/** Keys that are bounded to some models; keys and projects that have a cap. Others need nothing. */
export function targets(
  kind: Draft["kind"],
  keys: readonly VirtualKey[],
  projects: readonly Project[],
  may: May,
): Target[] {
  const usable = keys.filter((key) => key.state !== "revoked");
  if (kind === "model") {
    return usable
      .filter((key) => key.models.length > 0)
      .map((key) => ({ value: `key:${key.id}`, label: key.name }));
  }
  return [
    ...usable
      .filter((key) => key.budget)
      .map((key) => ({ value: `key:${key.id}`, label: `key ${key.name}` })),
    ...projects
      .filter((one) => one.budget && may.project("viewer", one.name))
      .map((one) => ({ value: `project:${one.name}`, label: `project ${one.name}` })),
  ];
}

/** The present cap of what a request is about. */
export function capOf(
  target: string,
  keys: readonly VirtualKey[],
  projects: readonly Project[],
): number | undefined {
  const state = target.startsWith("key:")
    ? keys.find((key) => `key:${key.id}` === target)?.budget
    : projects.find((one) => `project:${one.name}` === target)?.budget;
  return state?.spec.limit_nano;
}

export type Problems = Partial<Record<keyof Draft, string>>;

export function problems(draft: Draft, cap: number | undefined): Problems {
  const found: Problems = {};
  if (!draft.target) found.target = "Choose what it is for.";
  if (!draft.reason.trim()) found.reason = "Who decides needs a reason.";
  if (draft.kind === "model" && !draft.model) found.model = "Choose a model.";
  if (draft.kind === "budget") {
    const wanted = parseDollars(draft.dollars);
    if (!wanted) found.dollars = "An amount in dollars such as 25 or 0.50.";
    else if (cap !== undefined && wanted <= cap)
      found.dollars = `That is no more than the present ${money(cap)}.`;
  }
  return found;
}

export function newRequest(draft: Draft): NewRequest {
  const [what, name] = [
    draft.target.slice(0, draft.target.indexOf(":")),
    draft.target.slice(draft.target.indexOf(":") + 1),
  ];
  return {
    ...(what === "key" ? { key_id: name } : { project: name }),
    ...(draft.kind === "model"
      ? { model: draft.model }
      : { limit_nano: parseDollars(draft.dollars) }),
    reason: draft.reason.trim(),
  };
}

/** What is asked for, in a few words. */
export function wanted(request: Pick<AccessRequest, "kind" | "wanted">): string {
  if (request.kind === "model") return `Use ${String(request.wanted.model)}`;
  return `Spend up to ${money(Number(request.wanted.limit_nano))}`;
}

export type Decider = { may: true } | { may: false; why: string };

/** Nobody decides about their own request; a project's own budget is the instance's to decide. */
export function decider(request: AccessRequest, may: May): Decider {
  if (request.asked_by === may.userId) return { may: false, why: "yours: somebody else decides" };
  if (!may.project("admin", request.project))
    return { may: false, why: `an admin of ${request.project} decides` };
  if (!request.key_id && !may.instance("admin"))
    return { may: false, why: "an admin of this instance decides" };
  return { may: true };
}
