import { describe, expect, it } from "vitest";
import type { VirtualKey } from "../api/types";
import { changes, draftOf, emptyDraft, newKey, problems } from "./draft";
import { budgetShare, limitWords } from "./words";

describe("writing a key", () => {
  it("needs a name, whole limits, an amount of dollars and a day that is not over", () => {
    expect(Object.keys(problems(emptyDraft))).toEqual(["name"]);
    const wrong = { ...emptyDraft, name: "a", rpm: "many", budget: "-1", expires: "2001-01-01" };
    expect(Object.keys(problems(wrong)).sort()).toEqual(["budget", "expires", "rpm"]);
    expect(
      problems({ ...emptyDraft, name: "a", rpm: "60", budget: "$0.5", expires: "2999-01-01" }),
    ).toEqual({});
  });

  it("sends nano-dollars, and null where the project decides", () => {
    expect(
      newKey({ ...emptyDraft, name: " a ", rpm: "60", budget: "0.5", period: "day" }),
    ).toMatchObject({
      name: "a",
      project: "default",
      limits: { rpm: 60, tpm: 0, concurrency: 0 },
      budget: { limit_nano: 500_000_000, period: "day", when_away: "closed" },
      expires_ms: 0,
      payloads: null,
      environment: null,
    });
  });

  it("changes nothing of a key whose fields are left alone", () => {
    const key = {
      name: "a",
      project: "default",
      environment: "staging",
      models: ["m"],
      networks: ["10.0.0.0/8"],
      limits: { rpm: 5, tpm: 0, concurrency: 0 },
      budget: {
        spec: {
          limit_nano: 1_230_000_000,
          period: "week",
          when_away: "continue",
          away_multiple: 2,
        },
      },
      payloads: "masked",
      expires_ms: 32_503_680_001_234,
      on_disconnect: "drain",
      on_ledger_full: "refuse",
    } as unknown as VirtualKey;
    expect(changes(draftOf(key), key)).toEqual({});
    const passing = { ...draftOf(key), onLedgerFull: "pass" as const };
    expect(changes(passing, key)).toEqual({ on_ledger_full: "pass" });
    expect(changes({ ...draftOf(key), rpm: "", budget: "2" }, key)).toEqual({
      limits: { rpm: 0, tpm: 0, concurrency: 0 },
      budget: {
        limit_nano: 2_000_000_000,
        period: "week",
        when_away: "continue",
        away_multiple: 2,
      },
    });
  });
});

describe("what a key repeats, and its limits apart", () => {
  const key = {
    ...({ name: "a", project: "p", environment: "dev", models: [], networks: [] } as object),
    limits: { rpm: 0, tpm: 0, concurrency: 0 },
    budget: null,
    payloads: "full",
    expires_ms: null,
    cache: { ttl_s: 60, scope: "project", max_entry: 9 },
    apart: {
      users: { rpm: 5, tpm: 0, concurrency: 0 },
      models: { echo: { rpm: 0, tpm: 7, concurrency: 0 } },
    },
  } as unknown as VirtualKey;

  it("are read and left alone", () => {
    const draft = draftOf(key);
    expect(draft.apart).toEqual([{ model: "echo", rpm: "", tpm: "7", concurrency: "" }]);
    expect(changes(draft, key)).toEqual({});
  });

  it("are taken away by saying so, and changed without losing what the form does not show", () => {
    const none = { rpm: "", tpm: "", concurrency: "" };
    expect(changes({ ...draftOf(key), cache: "", user: none, apart: [] }, key)).toEqual({
      cache: { ttl_s: 0 },
      apart: { users: { rpm: 0, tpm: 0, concurrency: 0 }, models: {} },
    });
    expect(changes({ ...draftOf(key), cache: "90" }, key)).toEqual({
      cache: { ttl_s: 90, scope: "project", max_entry: 9 },
    });
  });

  it("are whole numbers of a named model", () => {
    const draft = { ...emptyDraft, name: "a", cache: "soon" };
    const apart = [{ model: "", rpm: "1", tpm: "", concurrency: "" }];
    expect(Object.keys(problems({ ...draft, apart })).sort()).toEqual(["apart", "cache"]);
  });
});

describe("a key in few words", () => {
  it("names its limits", () => {
    expect(limitWords({ rpm: 0, tpm: 0, concurrency: 0 })).toBe("none");
    expect(limitWords({ rpm: 60, tpm: 200_000, concurrency: 4 })).toBe(
      "60 rpm, 200K tpm, 4 at once",
    );
  });

  it("shows a budget that was overrun as more than whole", () => {
    expect(budgetShare({ spent_nano: 11, spec: { limit_nano: 10 } as never })).toBeCloseTo(1.1);
  });
});
