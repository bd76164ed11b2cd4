import { describe, expect, it } from "vitest";
import type { Provider, ProviderVendor } from "../api/types";
import { alias, target } from "../routes/made";
import { freeName, pricesOf, secretWords, stateOf, targetsOf, vendorsFor } from "./state";

const provider = { name: "lab", routable: true } as Provider;

describe("a provider", () => {
  it("is as well as the worst of its targets, each counted once", () => {
    const models = [
      alias([target("lab", "a"), target("openai", "b", { state: "failing" })]),
      alias([target("lab", "a"), target("lab", "c", { state: "unknown" })], { name: "other" }),
    ];
    expect(targetsOf("lab", models).map((one) => one.id)).toEqual(["lab/a", "lab/c"]);
    expect(stateOf(provider, targetsOf("lab", models))).toBe("healthy");
    expect(stateOf(provider, [target("lab", "a"), target("lab", "b", { state: "cooling" })])).toBe(
      "cooling",
    );
    expect(stateOf(provider, [])).toBe("unknown");
    expect(stateOf({ ...provider, routable: false }, [])).toBe("not routable");
  });

  it("says where its prices come from, and how many are unknown", () => {
    const priced = target("lab", "a", { price: { input: 1 }, price_source: "genai-prices" });
    expect(pricesOf([priced])).toBe("genai-prices");
    expect(pricesOf([priced, target("lab", "b")])).toBe("genai-prices, 1 unknown");
    expect(pricesOf([target("lab", "b", { free: true })])).toBe("free");
    expect(pricesOf([target("lab", "b")])).toBe("unknown");
  });

  it("shows the end of a secret, or the whole of a reference", () => {
    expect(secretWords({ secret_hint: "1234", origin: "console" })).toBe("····1234");
    expect(secretWords({ secret_hint: "env:LAB_KEY", origin: "console" })).toBe("env:LAB_KEY");
    expect(secretWords({ secret_hint: "OPENAI_API_KEY", origin: "environment" })).toBe(
      "OPENAI_API_KEY",
    );
    expect(secretWords({ secret_hint: "", origin: "local" })).toBe("none");
  });
});

describe("finding a vendor", () => {
  const vendor = (name: string, title: string) =>
    ({ name, title, wire: "openai", base_url: `https://api.${name}.ai/v1` }) as ProviderVendor;
  const all = [vendor("openai", "OpenAI"), vendor("mistral", "Mistral AI"), vendor("xai", "xAI")];

  it("looks at titles, names, wires and addresses, beginnings first", () => {
    expect(vendorsFor(all, "xai").map((one) => one.name)).toEqual(["xai"]);
    expect(vendorsFor(all, "api.mistral").map((one) => one.name)).toEqual(["mistral"]);
    expect(vendorsFor(all, "openai").map((one) => one.name)[0]).toBe("openai");
    expect(vendorsFor(all, "zzz")).toEqual([]);
  });

  it("gives a second one of a vendor a name of its own", () => {
    expect(freeName("openai", [])).toBe("openai");
    expect(freeName("openai", ["openai", "openai-2"])).toBe("openai-3");
  });
});
