// How rails and what they find are said. Pure.
import type { GuardrailPolicy, GuardrailRule, GuardrailTested, RailRates } from "../api/types";

export function where(policy: GuardrailPolicy): string {
  const said = (policy.bindings ?? []).map((one) =>
    one.kind === "project" ? `project ${policy.project}` : `${one.kind} ${one.subject}`,
  );
  return said.join(", ");
}

export function acts(rule: GuardrailRule): string {
  const action = rule.action === "route" ? `route to ${rule.route_to}` : (rule.action ?? "flag");
  return rule.reversible ? `${action}, taken back` : action;
}

/** What a rule finds and leaves as it is. */
export function onlyFlags(types: readonly string[] | undefined): string {
  return types?.length ? `only flags ${types.join(", ")}` : "";
}

const FIGURES = ["recall", "fpr", "p95_ms"] as const;

/** The measured rates of a rail in a few words, and those of the data they come from. */
export function rates(rail: RailRates | undefined): { said: string; of: string } {
  if (!rail) return { said: "unknown", of: "" };
  if (!rail.measured) return { said: "not measured: may only flag", of: "" };
  const known = rail.rates as Record<string, unknown>;
  const said = FIGURES.flatMap((name) => {
    const value = known[name];
    const shown = typeof value === "number" ? value.toFixed(name === "p95_ms" ? 2 : 3) : undefined;
    return shown === undefined ? [] : [`${name.replace("_", " ")} ${shown}`];
  });
  const of = typeof known.set === "string" ? known.set : "";
  return { said: said.join(", ") || "finds what it is told to find", of };
}

export interface Stretch {
  text: string;
  types: string[];
}

/** A text cut where findings begin and end, so that each piece can be shown as what it is. */
export function stretches(text: string, tested: GuardrailTested): Stretch[] {
  const found = tested.rules.flatMap((rule) => rule.findings ?? []);
  // Offsets count characters, not halves of a pair.
  const letters = [...text];
  const cuts = new Set([0, letters.length]);
  for (const one of found) {
    cuts.add(one.start);
    cuts.add(one.end);
  }
  const at = [...cuts].filter((cut) => cut <= letters.length).sort((a, b) => a - b);
  return at.slice(0, -1).map((start, number) => {
    const end = at[number + 1] ?? letters.length;
    const types = found.filter((one) => one.start <= start && end <= one.end);
    return {
      text: letters.slice(start, end).join(""),
      types: [...new Set(types.map((one) => one.type))],
    };
  });
}
