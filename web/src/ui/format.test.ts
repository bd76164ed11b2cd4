import { describe, expect, it } from "vitest";
import {
  ago,
  compact,
  duration,
  fullTime,
  moment,
  money,
  parseDollars,
  parseDuration,
  percent,
  spend,
} from "./format";

describe("money", () => {
  it("shows an unknown cost as unknown and a known nothing as $0", () => {
    expect(money(null)).toBe("unknown");
    expect(money(undefined)).toBe("unknown");
    expect(money(0)).toBe("$0");
  });

  it("never rounds a cost to zero", () => {
    for (let power = 0; power <= 14; power++) {
      const shown = money(10 ** power);
      expect(Number(shown.replace(/[$,]/g, "")), shown).toBeGreaterThan(0);
    }
    expect(money(1)).toBe("$0.000000001");
    expect(money(123_456)).toBe("$0.00012");
    expect(money(1_234_567_890)).toBe("$1.23");
    expect(money(50_000_000)).toBe("$0.05");
  });

  it("calls a sum unknown when no call in it has a price, and partial otherwise", () => {
    expect(spend({ cost_nano: 0, unpriced: 4, calls: 4 })).toBe("unknown");
    expect(spend({ cost_nano: 0, unpriced: 1, calls: 4 })).toBe("$0");
    expect(spend({ cost_nano: 2e9, unpriced: 1, calls: 4 })).toBe("$2.00");
  });

  it("reads amounts back", () => {
    expect(parseDollars("$0.50")).toBe(500_000_000);
    expect(parseDollars("25")).toBe(25_000_000_000);
    expect(parseDollars("0.000000001")).toBe(1);
    expect(parseDollars("about 5")).toBeUndefined();
  });
});

describe("durations and times", () => {
  it("keeps three telling digits at every scale", () => {
    expect(duration(null)).toBe("–");
    expect(duration(0)).toBe("0 ms");
    expect(duration(0.042)).toBe("0.042 ms");
    expect(duration(0.42)).toBe("0.42 ms");
    expect(duration(4.24)).toBe("4.2 ms");
    expect(duration(424)).toBe("424 ms");
    expect(duration(4_240)).toBe("4.24 s");
    expect(duration(42_400)).toBe("42.4 s");
    expect(duration(125_000)).toBe("2 min 5 s");
    expect(duration(7_320_000)).toBe("2 h 2 min");
  });

  it("never shows sixty seconds beside a minute", () => {
    expect(duration(119_800)).toBe("2 min 0 s");
  });

  it("reads durations back", () => {
    expect(parseDuration("250")).toBe(250);
    expect(parseDuration("1.5s")).toBe(1_500);
    expect(parseDuration("2m")).toBe(120_000);
    expect(parseDuration("soon")).toBeUndefined();
  });

  it("gives the day of an instant that is not of today", () => {
    const now = new Date(2026, 10, 22, 12, 0, 0).getTime();
    expect(moment(now - 60_000, now)).toBe("11:59:00");
    expect(moment(now - 86_400_000, now)).toBe("21 Nov 12:00:00");
    expect(ago(now - 130_000, now)).toBe("2 min ago");
    const zone = fullTime(now, "s").split(" ").at(-1);
    expect(zone).toMatch(/^[A-Z]{3,}/);
    expect(fullTime(now, "min")).toBe(`22 Nov 2026, 12:00 ${zone}`);
    expect(fullTime(now)).toBe(`22 Nov 2026, 12:00:00.000 ${zone}`);
  });
});

describe("counts", () => {
  it("shortens from ten thousand on", () => {
    expect(compact(9_999)).toBe("9,999");
    expect(compact(12_345)).toBe("12.3K");
  });

  it("never calls some errors 0 %", () => {
    expect(percent(1, 100_000)).toBe("<0.1%");
    expect(percent(0, 10)).toBe("0%");
    expect(percent(1, 0)).toBe("–");
  });
});
