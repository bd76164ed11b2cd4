// Why a prompt was found: where its record holds the words that were sought. Pure.
import type { PromptSummary } from "../api/types";

/** Where the words stand, as "in its name and text": what a list does not have is the text. */
export function whyOf(prompt: PromptSummary, sought: string): string {
  const has = (text: string, word: string) => text.toLowerCase().includes(word);
  const places = sought
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => {
      if (has(prompt.name, word)) return "name";
      if (prompt.tags.some((tag) => has(tag, word))) return "tags";
      if (has(prompt.description, word)) return "description";
      return has(prompt.folder, word) ? "folder" : "text";
    });
  const found = ["name", "tags", "description", "folder", "text"].filter((place) =>
    (places as string[]).includes(place),
  );
  if (found.length === 0) return "";
  const last = found.pop();
  return `in its ${found.length > 0 ? `${found.join(", ")} and ` : ""}${last}`;
}
