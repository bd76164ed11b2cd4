// Rendering a prompt here, where it is so plain that every language agrees on what comes out: text
// with `{{ name }}` in it, and names that are texts, whole numbers or truth values. Everything else
// (filters, loops, images, types that need checking) is the server's to render.

export interface Version {
  project?: string;
  name: string;
  number: number;
  label?: string;
  kind: "text" | "chat";
  syntax?: "jinja" | "mustache";
  body?: string;
  messages?: { role?: string; content?: string; insert?: string }[];
  variables_schema?: Record<string, unknown>;
  tools?: Record<string, unknown>[];
  response_schema?: Record<string, unknown> | null;
  model?: string;
  params?: Record<string, unknown>;
  content_hash?: string;
}

export interface Message {
  role: string;
  content: unknown;
}

export interface Rendered {
  name: string;
  number: number;
  kind: "text" | "chat";
  text: string;
  messages: Message[];
  tools: Record<string, unknown>[];
  response_schema?: Record<string, unknown> | null;
  model: string;
  params: Record<string, unknown>;
}

export type Variables = Record<string, unknown>;

const NAME = /\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}/g;
const WORDS = new Set(["true", "false", "none", "True", "False", "None", "not"]);
const SCHEMA_KEYS = new Set([
  "type",
  "properties",
  "required",
  "title",
  "description",
  "additionalProperties",
]);
const PROPERTY_KEYS = new Set(["type", "title", "description", "default"]);

/** What a version and its variables come to, or undefined where only the server can tell. */
export function renderHere(version: Version, variables: Variables): Rendered | undefined {
  const values = checked(version.variables_schema ?? {}, variables);
  if (values === undefined) return undefined;
  let text = "";
  const messages: Message[] = [];
  if (version.kind === "text") {
    const made = filled(version.body ?? "", values);
    if (made === undefined) return undefined;
    text = made;
  } else {
    for (const line of version.messages ?? []) {
      if (line.insert) return undefined;
      const content = filled(line.content ?? "", values);
      if (content === undefined) return undefined;
      messages.push({ role: line.role ?? "user", content });
    }
  }
  return {
    name: version.name,
    number: version.number,
    kind: version.kind,
    text,
    messages,
    tools: version.tools ?? [],
    response_schema: version.response_schema ?? null,
    model: version.model ?? "",
    params: version.params ?? {},
  };
}

/** The variables with defaults, or undefined where they need a closer look. */
function checked(schema: Record<string, unknown>, given: Variables): Variables | undefined {
  if (!Object.keys(schema).length) return given;
  if (Object.keys(schema).some((key) => !SCHEMA_KEYS.has(key))) return undefined;
  if (schema.type !== undefined && schema.type !== "object") return undefined;
  const known = (schema.properties ?? {}) as Record<string, Record<string, unknown>>;
  const closed = schema.additionalProperties;
  if (closed !== undefined && typeof closed !== "boolean") return undefined;
  const values: Variables = {};
  for (const [name, about] of Object.entries(known)) {
    if (typeof about !== "object" || Object.keys(about).some((key) => !PROPERTY_KEYS.has(key))) {
      return undefined;
    }
    const value = Object.hasOwn(given, name) ? given[name] : about.default;
    if (value === undefined) return undefined;
    if (about.type !== undefined && typeName(value) !== about.type) return undefined;
    values[name] = value;
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(known, name) && closed === false) return undefined;
  }
  return { ...given, ...values };
}

function typeName(value: unknown): string {
  return typeof value === "number" && Number.isSafeInteger(value) ? "integer" : typeof value;
}

function filled(template: string, values: Variables): string | undefined {
  let plain = true;
  const bare = template.replace(NAME, "");
  if (/\{\{|\}\}|\{%|\{#/.test(bare)) return undefined;
  const made = template.replace(NAME, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    const simple =
      typeof value === "string" || typeof value === "boolean" || Number.isSafeInteger(value);
    if (!simple || WORDS.has(name)) plain = false;
    return String(value);
  });
  return plain ? made : undefined;
}
