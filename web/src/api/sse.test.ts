import { describe, expect, it } from "vitest";
import { looksLikeEvents, readEvents, SseReader } from "./sse";

const STREAM =
  'data: {"a":1}\r\n\r\n: keep-alive\r\n\r\ndata: two\r\ndata: lines\r\n\r\ndata:[DONE]\r\n\r\n';

describe("reading server-sent events", () => {
  it("joins data lines, skips comments and takes every kind of line end", () => {
    expect(readEvents(STREAM)).toEqual(['{"a":1}', "two\nlines", "[DONE]"]);
    expect(readEvents(STREAM.replaceAll("\r\n", "\n"))).toEqual([
      '{"a":1}',
      "two\nlines",
      "[DONE]",
    ]);
    expect(readEvents(STREAM.replaceAll("\r\n", "\r"))).toEqual([
      '{"a":1}',
      "two\nlines",
      "[DONE]",
    ]);
  });

  it("finds the same events however the text is cut", () => {
    for (let cut = 0; cut <= STREAM.length; cut++) {
      for (let second = cut; second <= STREAM.length; second += 3) {
        const reader = new SseReader();
        const events = [
          ...reader.push(STREAM.slice(0, cut)),
          ...reader.push(STREAM.slice(cut, second)),
          ...reader.push(STREAM.slice(second)),
          ...reader.end(),
        ];
        expect(events, `cut at ${cut} and ${second}`).toEqual(['{"a":1}', "two\nlines", "[DONE]"]);
      }
    }
  });

  it("gives the last event of a stream that broke off without an empty line", () => {
    expect(readEvents("data: one\n\ndata: cut off")).toEqual(["one", "cut off"]);
  });

  it("tells a stream from JSON", () => {
    expect(looksLikeEvents("data: {}")).toBe(true);
    expect(looksLikeEvents(": ping\n\ndata: {}")).toBe(true);
    expect(looksLikeEvents('{"data": 1}')).toBe(false);
  });
});
