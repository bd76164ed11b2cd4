// Changes of definitions in words. Pure; what equals its default is said to be the default.
import type { Change } from "../api/types";
import { fullTime, money } from "../ui/format";

const NOUN: Record<string, string> = {
  providers: "provider",
  aliases: "alias",
  projects: "project",
  keys: "key",
};

export interface Words {
  sign: "+" | "~" | "-";
  /** `alias support-chat`. */
  subject: string;
  /** `strategy`; empty when the whole entry comes or goes. */
  field: string;
  before: string;
  after: string;
}

const SIGN = { add: "+", change: "~", remove: "-" } as const;

export function changeWords({ path, kind, before, after }: Change): Words {
  const [section = "", name = "", field = ""] = path;
  return {
    sign: SIGN[kind],
    subject: `${NOUN[section] ?? section} ${name}`,
    field: field.replace(/^(expires)_ms$/, "$1").replaceAll("_", " "),
    before: kind === "add" ? "" : valueWords(before, field),
    after: kind === "remove" ? "" : valueWords(after, field),
  };
}

type Fields = Record<string, unknown>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `openai/gpt-4o ×3, then lab/small`: targets in the order in which they are tried. */
export function targetWords(targets: readonly Fields[]): string {
  const tiers = new Map<number, string[]>();
  for (const target of targets) {
    const tier = Number(target.tier ?? 0);
    const weight = Number(target.weight ?? 1);
    const said = `${target.provider}/${target.model}${weight === 1 ? "" : ` ×${weight}`}`;
    tiers.set(tier, [...(tiers.get(tier) ?? []), said]);
  }
  return [...tiers.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, said]) => said.join(" + "))
    .join(", then ");
}

export function valueWords(value: unknown, field = ""): string {
  if (value === null || value === undefined) return "default";
  if (field.endsWith("_nano")) return money(Number(value));
  if (field === "expires_ms") return value === 0 ? "never" : fullTime(Number(value), "min");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) {
    if (value.length === 0) return "none";
    if (field === "targets" && value.every(isFields)) return targetWords(value);
    return value
      .map((one) => (isFields(one) && one.name ? String(one.name) : valueWords(one)))
      .join(", ");
  }
  if (isFields(value)) {
    return (
      Object.entries(value)
        .map(
          ([name, one]) =>
            `${name.replace(/_nano$|^(expires)_ms$/, "$1").replaceAll("_", " ")} ${valueWords(one, name)}`,
        )
        .join(", ") || "none"
    );
  }
  return String(value) || "empty";
}
