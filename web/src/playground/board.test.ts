import { describe, expect, it } from "vitest";
import {
  requestBody as bodyOf,
  fill,
  fromRequest,
  readShared,
  type Settings,
  shareable,
  slots,
  stopWords,
  type Turn,
} from "./board";

const turn = (role: string, text: string, id = 1): Turn => ({ id, key: id, role, text });
const requestBody = (
  settings: Settings,
  turns: readonly Turn[],
  extra: Record<string, unknown> = {},
  variables: Record<string, string> = {},
) => bodyOf({ settings, turns, extra, tools: [] }, variables);

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
    const loaded = fromRequest(logged);
    const turns = (loaded?.turns ?? []).map((one, id) => ({ ...one, id, key: id }));
    const body = bodyOf({ ...(loaded ?? { settings: {}, tools: [], extra: {} }), turns });
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
    expect(fromRequest({ input: "text" })).toBeNull();
    expect(fromRequest("nonsense")).toBeNull();
  });
});

describe("variables", () => {
  it("are filled where they are known and stay where they are not", () => {
    const text = "Describe {{ dish }} for {{guest.name}} and {{dish}}.";
    expect(slots(text)).toEqual(["dish", "guest.name"]);
    expect(fill(text, { dish: "soup" })).toBe("Describe soup for {{guest.name}} and soup.");
  });

  it("are typed for a prompt, whose model is the prompt's own unless one is chosen", () => {
    const variables = { dish: "soup", price: "7.5", tags: '["hot"]', tone: "" };
    const body = requestBody({ prompt: "menu@production" }, [], {}, variables);
    expect(body.prompt_variables).not.toHaveProperty("tone");
    expect(body).toMatchObject({
      model: "prompt:menu@production",
      prompt_variables: { dish: "soup", price: 7.5, tags: ["hot"] },
    });
    expect(requestBody({ prompt: "menu@3", model: "m" }, [])).toMatchObject({ model: "m" });
  });
});

describe("images and sound", () => {
  it("go as parts beside the text", () => {
    const media = [
      { kind: "image", url: "data:image/png;base64,AA", name: "a" },
      { kind: "audio", url: "data:audio/mpeg;base64,BB", name: "b" },
    ] as const;
    const body = requestBody({ model: "m" }, [{ ...turn("user", "What is it?"), media }]);
    expect(body.messages).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "What is it?" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AA" } },
          { type: "input_audio", input_audio: { data: "BB", format: "mp3" } },
        ],
      },
    ]);
  });
});

describe("a shared board", () => {
  it("comes back as it was, without the headers of its tools", () => {
    const tool = {
      name: "look",
      description: "",
      parameters: "{}",
      answer: { by: "http", url: "https://x", method: "POST", headers: "authorization: s" },
    } as const;
    const column = { id: 1, settings: { model: "m" }, tools: [tool], turns: [turn("user", "hi")] };
    const state = shareable({ columns: [{ ...column, extra: {} }], variables: { a: "1" } });
    expect(JSON.stringify(state)).not.toContain("authorization");
    const back = readShared(JSON.parse(JSON.stringify(state)));
    expect(back?.variables).toEqual({ a: "1" });
    expect(back?.columns[0]).toMatchObject({ settings: { model: "m" } });
    expect(back?.columns[0]?.turns[0]).toMatchObject({ role: "user", text: "hi" });
    expect(readShared({})).toBeNull();
  });
});

describe("stop words", () => {
  it("are separated by commas and may hold line ends", () => {
    expect(stopWords(" a , \\n\\n ,,")).toEqual(["a", "\n\n"]);
    expect(stopWords(undefined)).toEqual([]);
  });
});
