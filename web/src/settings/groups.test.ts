import { describe, expect, it } from "vitest";
import type { ModelPrices, SettingShown } from "../api/types";
import { dollars, grouped, ownPrices, unpriced } from "./groups";

const setting = (name: string) =>
  ({ name, env: `STOCKPOT_${name.toUpperCase()}`, doc: "" }) as SettingShown;

describe("settings", () => {
  it("each stand in one group", () => {
    const names = ["database_url", "workers", "oidc", "payloads", "host", "body_timeout_s"];
    const groups = grouped(names.map(setting));
    expect(groups.flatMap((group) => group.rows)).toHaveLength(names.length);
    expect(groups.at(-1)).toMatchObject({ title: "Other", rows: [{ name: "payloads" }] });
  });

  it("are found by the name of their variable", () => {
    expect(grouped([setting("host"), setting("oidc")], "stockpot_oi")).toHaveLength(1);
  });
});

describe("prices", () => {
  const prices = [
    { free: false, present: null, rows: [] },
    { free: true, present: null, rows: [] },
    { free: false, present: "own/1", rows: [{ own: true }, { own: false }] },
  ] as unknown as ModelPrices[];

  it("that are unknown are told from what is free", () => {
    expect(unpriced(prices)).toHaveLength(1);
    expect(ownPrices(prices)).toHaveLength(1);
  });

  it("are dollars by bucket", () => {
    expect(dollars({ dollars: { input: 2.5, cache_read: 0.075 } })).toBe(
      "input $2.50, cache read $0.075",
    );
  });
});
