import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, call, worthRetrying } from "./client";

const answer = (status: number, body: string) =>
  vi.stubGlobal("fetch", async () => new Response(body, { status, statusText: "Bad Gateway" }));

describe("a call that fails", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("says who answered when it was not the control plane, without its page", async () => {
    answer(502, "<html><body>nginx</body></html>");
    const error = await call("/api/v1/keys").catch((caught: ApiError) => caught);
    expect(error).toMatchObject({ status: 502, message: "The server answered 502 Bad Gateway" });
    expect((error as ApiError).hint).toContain("proxy");
  });

  it("is tried again twice, and never when it was refused", () => {
    const refused = new ApiError(404, "not_found", "no trace", "");
    const broken = new ApiError(500, "internal", "broken", "");
    expect([0, 1, 2].map((count) => worthRetrying(count, broken))).toEqual([true, true, false]);
    expect(worthRetrying(0, refused)).toBe(false);
  });
});
