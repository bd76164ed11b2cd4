import { describe, expect, it } from "vitest";
import type { PromptSummary } from "../api/types";
import { whyOf } from "./why";

const MENU = {
  name: "menu",
  tags: ["Soups"],
  description: "Cold dishes",
  folder: "kitchen",
} as unknown as PromptSummary;

describe("why a prompt was found", () => {
  it.each([
    ["MENU", "in its name"],
    ["cold soup", "in its tags and description"],
    ["gazpacho kitch  men", "in its name, folder and text"],
    ["  ", ""],
  ])("%s stands %s", (sought, why) => expect(whyOf(MENU, sought)).toBe(why));
});
