import { describe, expect, it } from "vitest";
import { fromRequest, requestBody, stopWords, type Turn } from "./turns";

const turn = (role: string, text: string, id = 1): Turn => ({ id, role, text });

describe("what the playground sends", () => {
  it("holds only what was set", () => {
    expect(requestBody({ model: "m" }, [turn("user", "hi")])).toEqual({
      model: "m",
      messages: [{ role: "user", content: "hi" }],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it("keeps a temperature and a seed of zero", () => {
    expect(requestBody({ model: "m", temperature: 0, seed: 0 }, [])).toMatchObject({
      temperature: 0,
      seed: 0,
    });
  });

  it("puts the system prompt first and asks for JSON when told to", () => {
    const body = requestBody({ model: "m", system: "Be brief.", json: true, stop: "END, \\n" }, [
      turn("user", "hi"),
    ]);
    expect(body.messages).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "hi" },
    ]);
    expect(body.response_format).toEqual({ type: "json_object" });
    expect(body.stop).toEqual(["END", "\n"]);
  });
});

describe("loading a logged request", () => {
  const logged = {
    model: "m",
    temperature: 0,
    max_completion_tokens: 50,
    stop: ["\n"],
    tools: [{ type: "function", function: { name: "look" } }],
    user: "u-1",
    messages: [
      { role: "system", content: "Be brief." },
      {
        role: "user",
        content: [
          { type: "text", text: "What is this?" },
          { type: "image_url", image_url: { url: "data:x" } },
        ],
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "t1", function: { name: "look", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "t1", content: "a pot" },
      { role: "user", content: "And now?" },
    ],
  };

  it("sends the same messages and parameters again", () => {
    const loaded = fromRequest(JSON.stringify(logged));
    const turns = (loaded?.turns ?? []).map((one, id) => ({ ...one, id }));
    const body = requestBody(loaded?.settings ?? {}, turns, loaded?.extra);
    expect(body).toMatchObject({
      model: "m",
      temperature: 0,
      max_tokens: 50,
      stop: "\n",
      tools: logged.tools,
      user: "u-1",
    });
    expect(body.messages).toEqual(logged.messages);
  });

  it("is refused for what is no chat request", () => {
    expect(fromRequest('{"input":"text"}')).toBeNull();
    expect(fromRequest("nonsense")).toBeNull();
  });
});

describe("stop words", () => {
  it("are separated by commas and may hold line ends", () => {
    expect(stopWords(" a , \\n\\n ,,")).toEqual(["a", "\n\n"]);
    expect(stopWords(undefined)).toEqual([]);
  });
});
