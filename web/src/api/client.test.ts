import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, call, request, worthRetrying } from "./client";

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

  it("says in words that an answer was not the control plane's, whatever its status", async () => {
    answer(200, "<html><body>Sign in to the company</body></html>");
    const error = await call("/api/v1/keys").catch((caught: ApiError) => caught);
    expect(error).toMatchObject({ code: "unreadable", status: 200 });
    expect((error as ApiError).message).not.toContain("JSON");
  });

  it("ends a read or a sign-in that nobody answers, and no other write", async () => {
    const late = AbortSignal.abort(new DOMException("late", "TimeoutError"));
    vi.spyOn(AbortSignal, "timeout").mockReturnValue(late);
    vi.stubGlobal("fetch", async (_: string, { signal }: RequestInit) => {
      signal?.throwIfAborted();
      return new Response("made");
    });
    const error = await call("/api/v1/keys").catch((caught: ApiError) => caught);
    const post = { method: "POST", body: {} } as const;
    const entering = call("/api/v1/session", { ...post, keepSession: true, brief: true });
    expect(await entering.catch((caught) => caught)).toMatchObject({ code: "no_answer" });
    expect(await (await request("/api/v1/keys", post)).text()).toBe("made");
    vi.restoreAllMocks();
    expect(error).toMatchObject({ code: "no_answer" });
    expect(worthRetrying(0, error as ApiError)).toBe(false);
  });

  it("is tried again twice, and never when it was refused", () => {
    const refused = new ApiError(404, "not_found", "no trace", "");
    const broken = new ApiError(500, "internal", "broken", "");
    expect([0, 1, 2].map((count) => worthRetrying(count, broken))).toEqual([true, true, false]);
    expect(worthRetrying(0, refused)).toBe(false);
  });

  it("is not tried again at once while the same place goes on failing", async () => {
    const failed = () => call<Error>("/api/v1/flaky").catch((caught: Error) => caught);
    answer(500, "");
    expect(worthRetrying(0, await failed())).toBe(true);
    expect(worthRetrying(0, await failed())).toBe(false);
    answer(200, "[]");
    await call("/api/v1/flaky");
    answer(500, "");
    expect(worthRetrying(0, await failed())).toBe(true);
  });
});
