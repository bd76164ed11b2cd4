// A prompt's content while it is edited: what is typed, what it means, what is wrong with it. Pure.
import { parseJson } from "../api/chat";
import type { PromptContent } from "../api/types";

type Role = "system" | "developer" | "user" | "assistant";

export interface DraftMessage {
  id: number;
  role: Role;
  content: string;
  /** The variable whose messages stand here, instead of a role and words. */
  insert: string;
}

export interface Draft {
  kind: "text" | "chat";
  syntax: "jinja" | "mustache";
  body: string;
  messages: readonly DraftMessage[];
  model: string;
  /** JSON as it is typed; empty is nothing. */
  params: string;
  tools: string;
  response: string;
  variables: string;
}

export const ROLES: readonly Role[] = ["system", "user", "assistant", "developer"];

const shown = (value: unknown): string => {
  const empty =
    value === null ||
    value === undefined ||
    (typeof value === "object" && Object.keys(value).length === 0);
  return empty ? "" : JSON.stringify(value, null, 2);
};

export function draftOf(content: PromptContent): Draft {
  return {
    kind: content.kind,
    syntax: content.syntax,
    body: content.body,
    messages: content.messages.map((message, id) => ({
      id,
      role: message.role ?? "user",
      content: message.content,
      insert: message.insert,
    })),
    model: content.model,
    params: shown(content.params),
    tools: shown(content.tools),
    response: shown(content.response_schema),
    variables: shown(content.variables_schema),
  };
}

export const EMPTY: Draft = {
  kind: "chat",
  syntax: "jinja",
  body: "",
  messages: [{ id: 0, role: "user", content: "", insert: "" }],
  model: "",
  params: "",
  tools: "",
  response: "",
  variables: "",
};

const JSONS = [
  { field: "params", name: "parameters", list: false },
  { field: "tools", name: "tools", list: true },
  { field: "response", name: "answer schema", list: false },
  { field: "variables", name: "variables schema", list: false },
] as const;

/** The first thing that is wrong with what was typed, or ''. */
export function faultOf(draft: Draft): string {
  for (const { field, name, list } of JSONS) {
    if (!draft[field].trim()) continue;
    const value = parseJson(draft[field]);
    if (typeof value !== "object" || value === null || Array.isArray(value) !== list)
      return `The ${name} must be a JSON ${list ? "list" : "object"}.`;
  }
  return "";
}

export function contentOf(draft: Draft): Record<string, unknown> {
  const json = (text: string) => (text.trim() ? parseJson(text) : undefined);
  const chat = draft.kind === "chat";
  return {
    kind: draft.kind,
    syntax: draft.syntax,
    ...(chat
      ? {
          messages: draft.messages.map(({ role, content, insert }) =>
            insert ? { insert } : { role, content },
          ),
        }
      : { body: draft.body }),
    variables_schema: json(draft.variables) ?? {},
    tools: json(draft.tools) ?? [],
    response_schema: json(draft.response) ?? null,
    model: draft.model,
    params: json(draft.params) ?? {},
  };
}

export interface Variable {
  name: string;
  required: boolean;
  type: string;
  description: string;
  choices: readonly string[];
}

/** What stands between double braces and is a plain name: those get a field at once, also while
 * the draft cannot be rendered yet. */
export function namesIn(draft: Draft): string[] {
  const text = [draft.body, ...draft.messages.map(({ content }) => content)].join("\n");
  const found = [...text.matchAll(/\{\{-?\s*([A-Za-z_]\w*)\b/g)].map((match) => match[1] ?? "");
  const inserted = draft.messages.map(({ insert }) => insert);
  const made = [...text.matchAll(/\{%-?\s*(?:for|set)\s+(\w+)/g)].map((match) => match[1] ?? "");
  return [...new Set([...found, ...inserted])].filter(
    (name) => name && name !== "loop" && !made.includes(name),
  );
}

/** The variables of a prompt: what its schema declares, then what its templates read besides. */
export function variablesOf(schemaText: string, read: readonly string[]): Variable[] {
  const schema = parseJson(schemaText || "{}");
  const properties: Record<string, Record<string, unknown>> = schema?.properties ?? {};
  const required: unknown[] = Array.isArray(schema?.required) ? schema.required : [];
  const names = [...new Set([...Object.keys(properties), ...read])];
  return names.map((name) => {
    const told = properties[name] ?? {};
    return {
      name,
      required: required.includes(name),
      type: typeof told.type === "string" ? told.type : "",
      description: typeof told.description === "string" ? told.description : "",
      choices: Array.isArray(told.enum) ? told.enum.map(String) : [],
    };
  });
}

/** A typed value as its type wants it; '' is not given. */
export function valueFrom(variable: Pick<Variable, "type">, text: string): unknown {
  if (text === "") return undefined;
  if (variable.type === "string") return text;
  const value = parseJson(text);
  return value === undefined ? text : value;
}

export function valuesOf(
  variables: readonly Variable[],
  typed: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const pairs = variables.map((one) => [one.name, valueFrom(one, typed[one.name] ?? "")] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
}

export interface DiffLine {
  kind: "same" | "less" | "more" | "place";
  text: string;
}

/** A unified diff as lines with their meaning; the two lines of names are left out. */
export function diffLines(text: string): DiffLine[] {
  return text
    .split("\n")
    .filter((line) => !line.startsWith("--- ") && !line.startsWith("+++ ") && line !== "")
    .map((line) => {
      if (line.startsWith("@@")) return { kind: "place", text: line };
      if (line.startsWith("-")) return { kind: "less", text: line.slice(1) };
      if (line.startsWith("+")) return { kind: "more", text: line.slice(1) };
      return { kind: "same", text: line.slice(1) };
    });
}
