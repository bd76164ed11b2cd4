import { describe, expect, it } from "vitest";
import { againstOf, compared, searchOf } from "./changed-windows";

const HOUR = 3_600_000;

describe("comparing two windows", () => {
  it("takes the time just before, or the same hours of an earlier day, and never overlaps", () => {
    const at = 100 * 24 * HOUR;
    expect(compared(at, at + HOUR, "before").base_to_ms).toBe(at);
    expect(compared(at, at + HOUR, "day").base_from_ms).toBe(at - 24 * HOUR);
    expect(compared(at, at + 48 * HOUR, "day").base_to_ms).toBe(at);
    expect(againstOf("nonsense")).toBe("before");
  });

  it("finds a prompt's version, and knows which values have no filter", () => {
    expect(searchOf("prompt", "menu@home@3")).toEqual({
      prompt_name: "menu@home",
      prompt_version: "3",
    });
    expect(searchOf("release", "2026.1")).toEqual({ release: "2026.1" });
    expect(searchOf("params", "{}")).toBeUndefined();
    expect(searchOf("", "all")).toEqual({});
  });
});
