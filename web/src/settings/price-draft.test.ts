import { describe, expect, it } from "vitest";
import type { ModelPrices } from "../api/types";
import { newPrice, priceDraft, priceProblems } from "./price-draft";

const row = { provider: "lab", tier: "", above: 0, hours: null };
const prices = [
  {
    ...{ provider: "lab", model: "org/tuned", free: false, present: "own/1" },
    rows: [
      { ...row, id: "published", model: "org/tuned", own: false, dollars: { input: 1 } },
      {
        ...{ ...row, id: "own/1", model: "org/tuned", own: true, source: "contract" },
        ...{ dollars: { input: 0.5, output: 2 }, valid_from_ms: 1_700_000_000_123 },
      },
    ],
  },
  { provider: "lab", model: "new", free: false, present: null, rows: [] },
] as unknown as ModelPrices[];

describe("a price", () => {
  it("that is changed keeps its instant while its day stays, and names the model whole", () => {
    const draft = priceDraft("own/1", prices);
    expect(newPrice({ ...draft, dollars: { ...draft.dollars, output: "$3" } })).toEqual({
      ...{ provider: "lab", model: "org/tuned", dollars: { input: "0.5", output: "3" } },
      ...{ source: "contract", valid_from_ms: 1_700_000_000_123, tier: "", above: 0 },
    });
    expect(newPrice({ ...draft, from: "" }).valid_from_ms).toBe(0);
  });

  it("of a model that has none begins empty and says what it lacks", () => {
    const draft = priceDraft("lab/new", prices);
    expect(draft).toMatchObject({ of: "lab/new", dollars: {} });
    expect(Object.keys(priceProblems(draft))).toEqual(["dollars", "source"]);
    expect(
      priceProblems({ ...draft, dollars: { input: "0.0000001" }, source: "their page" }),
    ).toHaveProperty("dollars");
    expect(priceProblems({ ...draft, dollars: { request: "4" }, source: "their page" })).toEqual(
      {},
    );
  });
});
