import { describe, expect, it } from "vitest";
import { readAnswer } from "../api/chat";
import { mediaOfAnswer } from "./streamed-media";

const PNG = "iVBORw0KGgo=";
const stream = (...events: unknown[]) =>
  `${events.map((one) => `data: ${JSON.stringify(one)}\n\n`).join("")}data: [DONE]\n\n`;
const delta = (told: object, index = 0) => ({ choices: [{ index, delta: told }] });
const bytesOf = (url: string) => atob(url.split(",")[1] ?? "");

describe("media of a streamed answer", () => {
  it("joins the pieces of a sound, each packed by itself, into one that plays", () => {
    const answer = stream(
      delta({ audio: { data: btoa("\x01\x02"), transcript: "good " } }),
      delta({ audio: { data: btoa("\x03\x04\x05\x06"), transcript: "day" } }),
    );
    const [[sound] = []] = mediaOfAnswer(answer, "{}");
    expect(sound?.kind).toBe("audio");
    const wav = bytesOf(sound?.url ?? "");
    expect(wav.slice(0, 4) + wav.slice(8, 12)).toBe("RIFFWAVE");
    expect(wav.slice(44)).toBe("\x01\x02\x03\x04\x05\x06");
    expect(wav.charCodeAt(40)).toBe(6);
    expect(readAnswer(answer)?.choices[0]?.text).toBe("good day");
    const [[mp3] = []] = mediaOfAnswer(answer, '{"audio":{"format":"mp3"}}');
    expect(bytesOf(mp3?.url ?? "")).toBe("\x01\x02\x03\x04\x05\x06");
    expect(mp3?.url).toContain("audio/mpeg");
  });

  it("finds images of every dialect, and a half-made one only where no whole one came", () => {
    const url = `data:image/png;base64,${PNG}`;
    const chat = stream(delta({}), delta({ images: [{ image_url: { url } }] }, 1));
    expect(mediaOfAnswer(chat, "").map((media) => media.length)).toEqual([0, 1]);
    const inlineData = { mimeType: "image/png", data: PNG };
    const gemini = stream({ candidates: [{ content: { parts: [{ inlineData }] } }] });
    expect(mediaOfAnswer(gemini, "")[0]?.[0]?.url).toBe(url);
    const half = {
      type: "response.image_generation_call.partial_image",
      partial_image_b64: "AAAA",
    };
    const item = { type: "image_generation_call", result: PNG, output_format: "webp" };
    const whole = { type: "response.output_item.done", item };
    expect(mediaOfAnswer(stream(half, whole), "")[0]?.map((one) => one.name)).toEqual([
      "image/webp",
    ]);
    expect(mediaOfAnswer(stream(half), "")[0]?.[0]?.url).toContain("AAAA");
    const drawn = { type: "image_generation.completed", b64_json: PNG };
    expect(mediaOfAnswer(stream(drawn), "")[0]).toHaveLength(1);
  });

  it("plays samples at the rate that their type tells", () => {
    const inlineData = { mimeType: "audio/L16;codec=pcm;rate=16000", data: btoa("\x00\x01") };
    const told = stream({ candidates: [{ content: { parts: [{ inlineData }] } }] });
    const wav = bytesOf(mediaOfAnswer(told, "")[0]?.[0]?.url ?? "");
    expect(wav.charCodeAt(24) + 256 * wav.charCodeAt(25)).toBe(16_000);
  });

  it("reads a whole answer as before, and shows nothing of a damaged one", () => {
    const body = { output: [{ type: "image_generation_call", result: PNG }] };
    expect(mediaOfAnswer(JSON.stringify(body), "")[0]).toHaveLength(1);
    expect(mediaOfAnswer(stream(delta({ audio: { data: "%%%" } })), "")).toEqual([[]]);
  });
});
