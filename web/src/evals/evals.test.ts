import { describe, expect, it } from "vitest";
import { scaleOf } from "./interval";
import type { Result, Run } from "./types";
import { amount, armOf, asked, difference, failingFirst, hours, remaining, stepped } from "./words";
import { wordDiff } from "./words-diff";

const result = (item: string, value: number | null, error = ""): Result => ({
  item,
  repeat: 0,
  input: null,
  expected: null,
  output: "",
  error,
  trace_id: "",
  cached: false,
  latency_ms: null,
  cost_nano: null,
  usage: { input: 0, output: 0 },
  model: "",
  cluster: "",
  slices: [],
  scores:
    value === null ? {} : { exact: { value, label: "", reason: "", missing: "", judgement: null } },
});

describe("rows of a run", () => {
  it("stand with errors first, then what failed, then in the data set's order", () => {
    const rows = [result("a", 1), result("b", 0), result("c", null, "timeout"), result("d", 0.5)];
    expect(failingFirst(rows, ["exact"]).map((row) => row.item)).toEqual(["c", "b", "d", "a"]);
  });

  it("are asked what a person would read", () => {
    expect(asked({ question: "soup?" })).toBe("soup?");
    expect(asked({ messages: [{ role: "user", content: "leek" }] })).toBe("leek");
    expect(asked({ dish: 1 })).toBe('{"dish":1}');
  });
});

describe("figures", () => {
  it("are said in their unit, differences with a sign", () => {
    expect(amount(0.8456, "share")).toBe("84.6%");
    expect(difference(-0.031, "share")).toBe("−3.1 pt");
    expect(difference(12, "ms")).toBe("+12 ms");
    expect(amount(null, "score")).toBe("–");
    expect([0.005, 0.5, 5, 50, null].map(hours)).toEqual(["18 s", "30 min", "5.0 h", "2.1 d", "–"]);
  });

  it("share a scale that holds all of them, and zero where it matters", () => {
    const scale = scaleOf([0.2, null, 0.4], true);
    expect(scale.from).toBeLessThan(0);
    expect(scale.to).toBeGreaterThan(0.4);
  });

  it("name what ran", () => {
    const run = { arm: { kind: "prompt", prompt: "menu", prompt_version: 7, model: "fast" } };
    expect(armOf(run as unknown as Run)).toBe("menu@7 · fast");
  });

  it("tell how long a run still takes once it has begun", () => {
    const run = (done: number) =>
      ({ state: "running", progress: { rows: 100, done, seconds: 10 } }) as unknown as Run;
    expect(remaining(run(50))).toBe(10);
    expect(remaining(run(1))).toBeUndefined();
  });
});

describe("a run that goes on", () => {
  const run = (id: string, state: string, done: number) =>
    ({
      id,
      state,
      suite: "menu",
      metrics: ["kept"],
      progress: { rows: 9, done },
    }) as unknown as Run;

  it("is as far as its last step, and keeps what a step does not tell", () => {
    const { metrics: _, ...step } = run("a", "running", 5);
    expect(stepped(run("a", "queued", 0), step)).toEqual(run("a", "running", 5));
    expect(stepped(run("b", "queued", 0), step)).toEqual(run("b", "queued", 0));
  });

  it("goes back by no late step, but when it is taken up again and when it ends", () => {
    expect(stepped(run("a", "running", 6), run("a", "running", 5)).progress.done).toBe(6);
    expect(stepped(run("a", "failed", 6), run("a", "queued", 4)).progress.done).toBe(4);
    expect(stepped(run("a", "running", 6), run("a", "cancelled", 6)).state).toBe("cancelled");
  });
});

describe("two texts", () => {
  it("show the words that the other has not", () => {
    const [left, right] = wordDiff("a leek soup today", "a pea soup today");
    expect(left.filter((piece) => !piece.same).map((piece) => piece.text)).toEqual(["leek"]);
    expect(right.filter((piece) => !piece.same).map((piece) => piece.text)).toEqual(["pea"]);
    expect(left.map((piece) => piece.text).join("")).toBe("a leek soup today");
  });
});
