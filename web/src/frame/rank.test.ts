import { describe, expect, it } from "vitest";
import { rank, score } from "./rank";

const item = (label: string, group = "Go to") => ({ label, group });

describe("ranking commands", () => {
  it("prefers a beginning to a word, a word to a middle, and letters in order to nothing", () => {
    const scores = ["Keys", "Create keys", "Monkeys", "k e y s apart", "Models"].map((label) =>
      score(label, "keys"),
    );
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(scores.at(-1)).toBe(0);
  });

  it("keeps groups together, the best match's first", () => {
    const items = [
      item("Overview"),
      item("Try gpt", "Models"),
      item("Go try"),
      item("Trial", "Do"),
    ];
    expect(rank(items, "try").map((one) => one.label)).toEqual(["Try gpt", "Go try"]);
  });

  it("shows everything in its order while nothing is typed", () => {
    const items = [item("b"), item("a")];
    expect(rank(items, " ")).toEqual(items);
  });
});
