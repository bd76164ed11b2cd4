import { describe, expect, it } from "vitest";
import { bucketFor, rangeMs, resolveWindow } from "./window";

describe("time windows", () => {
  it("reads relative ranges and refuses what is none", () => {
    expect(rangeMs("15m")).toBe(900_000);
    expect(rangeMs("7d")).toBe(604_800_000);
    for (const wrong of ["", "0h", "h", "-1h", "1y", "99999h"])
      expect(rangeMs(wrong), wrong).toBeUndefined();
  });

  it("keeps a chart readable whatever the span", () => {
    for (const span of [60_000, 900_000, 3_600_000, 86_400_000, 30 * 86_400_000]) {
      expect(span / bucketFor(span)).toBeLessThanOrEqual(72);
    }
  });

  it("ends a relative window with the bucket that is being filled", () => {
    const now = 1_700_000_123_456;
    const { from_ms, to_ms, bucket_ms } = resolveWindow({ range: "1h" }, now);
    expect(to_ms).toBeGreaterThanOrEqual(now);
    expect(to_ms - now).toBeLessThan(bucket_ms);
    expect(to_ms % bucket_ms).toBe(0);
    expect(to_ms - from_ms).toBe(3_600_000);
  });

  it("leaves two fixed instants as they are", () => {
    expect(resolveWindow({ from_ms: 1_000, to_ms: 61_000 })).toEqual({
      from_ms: 1_000,
      to_ms: 61_000,
      bucket_ms: 60_000,
    });
  });
});
