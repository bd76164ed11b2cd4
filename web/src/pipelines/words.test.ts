import { describe, expect, it } from "vitest";
import type { CheckRun } from "./queries";
import { parseCheckSearch } from "./search";
import { costOf, pText, scheduleOf, standing } from "./words";

const run = (changes: Partial<CheckRun>) =>
  ({
    kind: "canary",
    state: "done",
    alarm: null,
    cost_nano: 0,
    result: {},
    ...changes,
  }) as CheckRun;

describe("a check in words", () => {
  it("says when it is due in the largest unit that fits", () => {
    const due = (every_s: number | null, cron = "") =>
      scheduleOf({ enabled: true, schedule: { every_s, cron } });
    expect(due(21_600)).toBe("every 6 hours");
    expect(due(86_400)).toBe("every day");
    expect(due(90)).toBe("every 90 seconds");
    expect(due(null, "0 3 * * *")).toBe("cron 0 3 * * *");
    expect(due(null)).toBe("when asked or triggered");
    expect(scheduleOf({ enabled: false, schedule: { every_s: 60, cron: "" } })).toBe("disabled");
  });

  it("tells an alarm from a failure and from what could not be told", () => {
    expect(standing(null).word).toBe("never ran");
    expect(standing(run({ alarm: true }))).toEqual({ tone: "bad", word: "alarm" });
    expect(standing(run({ alarm: true, kind: "pipeline" })).word).toBe("failed");
    expect(standing(run({ alarm: false })).tone).toBe("ok");
    expect(standing(run({ kind: "drift" }))).toEqual({ tone: "mute", word: "too few to tell" });
    expect(standing(run({ state: "running" })).tone).toBe("accent");
    expect(standing(run({ state: "failed" })).tone).toBe("bad");
  });

  it("never shows an unknown cost as nothing, and a budget beside what was spent of it", () => {
    const cost = { nano: 40_000, limit_nano: 100_000, day_nano: 80_000, apart: "" };
    expect(costOf(run({ result: { cost } }))).toBe("$0.000040, $0.000080 of $0.00010 that day");
    const unknown = { nano: null, limit_nano: null, day_nano: null, apart: "" };
    expect(costOf(run({ result: { cost: unknown } }))).toBe("unknown");
    expect(costOf(run({}))).toBe("");
    expect(standing(run({ result: { skipped: true } })).word).toBe("skipped");
  });

  it("writes a small p-value with its size", () => {
    expect(pText(0.0004)).toBe("4e-4");
    expect(pText(0.25)).toBe("0.250");
  });

  it("keeps of an address what is known", () => {
    expect(parseCheckSearch({ which: "canary", check: "chk_1", run: "chr_1" })).toEqual({
      which: "canary",
      check: "chk_1",
      run: "chr_1",
    });
    expect(parseCheckSearch({ which: "other" }).which).toBeUndefined();
  });
});
