import { describe, expect, it } from "vitest";
import type { PromptContent } from "../api/types";
import {
  contentOf,
  diffLines,
  draftOf,
  EMPTY,
  faultOf,
  namesIn,
  valuesOf,
  variablesOf,
} from "./draft";

const SCHEMA = {
  type: "object",
  properties: {
    dish: { type: "string", description: "Its name" },
    price: { type: "number" },
    tone: { type: "string", enum: ["calm", "loud"] },
  },
  required: ["dish"],
};

const CONTENT: PromptContent = {
  kind: "chat",
  syntax: "jinja",
  body: "",
  messages: [
    { role: "system", content: "Be brief.", insert: "" },
    { role: null, content: "", insert: "history" },
  ],
  variables_schema: SCHEMA,
  tools: [],
  response_schema: null,
  model: "m",
  params: { temperature: 0 },
};

describe("a draft", () => {
  it("says what the version said", () => {
    expect(contentOf(draftOf(CONTENT))).toEqual({
      kind: "chat",
      syntax: "jinja",
      messages: [{ role: "system", content: "Be brief." }, { insert: "history" }],
      variables_schema: SCHEMA,
      tools: [],
      response_schema: null,
      model: "m",
      params: { temperature: 0 },
    });
  });

  it("names the part that is no JSON of its kind", () => {
    expect(faultOf(EMPTY)).toBe("");
    expect(faultOf({ ...EMPTY, tools: "{}" })).toContain("tools must be a JSON list");
    expect(faultOf({ ...EMPTY, params: "{temperature" })).toContain("parameters");
  });
});

describe("variables", () => {
  it("are those of the schema and those that templates read besides", () => {
    const found = variablesOf(JSON.stringify(SCHEMA), ["dish", "guest"]);
    expect(found.map((one) => [one.name, one.required, one.type])).toEqual([
      ["dish", true, "string"],
      ["price", false, "number"],
      ["tone", false, "string"],
      ["guest", false, ""],
    ]);
    expect(found[2]?.choices).toEqual(["calm", "loud"]);
  });

  it("are typed as the schema wants them, and left out where nothing was typed", () => {
    const found = variablesOf(JSON.stringify(SCHEMA), []);
    expect(valuesOf(found, { dish: "7", price: "7.5", tone: "" })).toEqual({
      dish: "7",
      price: 7.5,
    });
  });
});

describe("names in a draft", () => {
  it("are plain variables, not what a loop makes", () => {
    const content =
      "{{ dish.name | upper }} {% for one in list %}{{ one }}{{ loop.index }}{% endfor %}";
    const messages = [
      { id: 0, role: "user" as const, content, insert: "" },
      { id: 1, role: "user" as const, content: "", insert: "history" },
    ];
    expect(namesIn({ ...EMPTY, messages })).toEqual(["dish", "history"]);
  });
});

describe("a difference", () => {
  it("is read line by line", () => {
    const text = "--- v1\n+++ v2\n@@ -1,2 +1,2 @@\n kept\n-old\n+new\n";
    expect(diffLines(text).map(({ kind, text: line }) => [kind, line])).toEqual([
      ["place", "@@ -1,2 +1,2 @@"],
      ["same", "kept"],
      ["less", "old"],
      ["more", "new"],
    ]);
  });
});
