import { describe, expect, it } from "vitest";
import { pretty, readAnswer, readRequest } from "./chat";

const chunk = (delta: object, more: object = {}) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, ...more }] })}\n\n`;

describe("reading a streamed answer", () => {
  it("puts text, finish reason and usage together", () => {
    const text =
      chunk({ role: "assistant", content: "" }) +
      chunk({ content: "Hel" }) +
      chunk({ content: "lo" }) +
      chunk({}, { finish_reason: "stop" }) +
      'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4}}}\n\n' +
      "data: [DONE]\n\n";
    const answer = readAnswer(text);
    expect(answer?.choices[0]?.text).toBe("Hello");
    expect(answer?.finish).toBe("stop");
    expect(answer?.complete).toBe(true);
    expect(answer?.usage).toEqual({ input: 9, output: 2, cacheRead: 4, reasoning: 0 });
  });

  it("puts tool calls that arrive in pieces together by their index", () => {
    const text =
      chunk({
        tool_calls: [{ index: 0, id: "a", function: { name: "look", arguments: '{"q"' } }],
      }) +
      chunk({ tool_calls: [{ index: 1, id: "b", function: { name: "other", arguments: "{}" } }] }) +
      chunk({ tool_calls: [{ index: 0, function: { arguments: ":1}" } }] });
    expect(readAnswer(text)?.choices[0]?.toolCalls).toEqual([
      { id: "a", name: "look", arguments: '{"q":1}' },
      { id: "b", name: "other", arguments: "{}" },
    ]);
  });

  it("keeps what came before an error inside the stream, and says that it is not complete", () => {
    const text = `${chunk({ content: "Half" })}data: {"error":{"message":"upstream went away","code":"stream"}}\n\n`;
    const answer = readAnswer(text);
    expect(answer?.choices[0]?.text).toBe("Half");
    expect(answer?.error).toEqual({ message: "upstream went away", code: "stream" });
    expect(answer?.complete).toBe(false);
  });

  it("keeps several choices and reasoning apart", () => {
    const text =
      'data: {"choices":[{"index":1,"delta":{"content":"second"}}]}\n\n' +
      'data: {"choices":[{"index":0,"delta":{"reasoning_content":"hm","content":"first"}}]}\n\n';
    const answer = readAnswer(text);
    expect(answer?.choices.map((choice) => choice.text)).toEqual(["first", "second"]);
    expect(answer?.choices[0]?.reasoning).toBe("hm");
  });
});

describe("reading a whole answer", () => {
  it("reads a chat completion, a plain completion, an embedding and an error", () => {
    const chat = readAnswer(
      '{"choices":[{"message":{"role":"assistant","content":"Hi"},"finish_reason":"length"}]}',
    );
    expect(chat?.choices[0]?.text).toBe("Hi");
    expect(chat?.finish).toBe("length");
    expect(readAnswer('{"choices":[{"text":"plain"}]}')?.choices[0]?.text).toBe("plain");
    expect(readAnswer('{"data":[{"object":"embedding","embedding":[1,2,3]}]}')?.embedding).toEqual({
      count: 1,
      dimensions: 3,
      sample: [1, 2, 3],
    });
    expect(readAnswer('{"error":{"message":"no","type":"t"}}')?.error).toEqual({
      message: "no",
      code: "t",
    });
  });

  it("takes a body that is no conversation for what it is", () => {
    expect(readAnswer("<html>502</html>")).toBeNull();
    expect(readAnswer("null")).toBeNull();
    expect(readRequest("not json")).toEqual([]);
    expect(pretty("not json")).toBe("not json");
  });
});

describe("reading a request", () => {
  it("joins text parts and names the others", () => {
    const body = {
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url: "data:..." } },
          ],
        },
        { role: "tool", tool_call_id: "a", content: "42" },
      ],
    };
    const messages = readRequest(JSON.stringify(body));
    expect(messages.map((message) => message.role)).toEqual(["system", "user", "tool"]);
    expect(messages[1]?.text).toBe("What is this?");
    expect(messages[1]?.media).toEqual(["image"]);
    expect(messages[2]?.toolCallId).toBe("a");
  });

  it("reads prompts and embedding inputs, one or many", () => {
    expect(readRequest('{"prompt":"Once"}').map((message) => message.text)).toEqual(["Once"]);
    expect(readRequest('{"input":["a","b"]}').map((message) => message.text)).toEqual(["a", "b"]);
  });
});
