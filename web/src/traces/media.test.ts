import { describe, expect, it } from "vitest";
import { mediaByMessage, mediaOf } from "./media";

const PNG = "data:image/png;base64,iVBORw0KGgo=";

describe("media of a recorded body", () => {
  it("finds images and sounds of a chat beside the message that holds them", () => {
    const body = {
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url: PNG } },
            { type: "input_audio", input_audio: { data: "SUQz", format: "mp3" } },
          ],
        },
      ],
    };
    const [none, both] = mediaByMessage(body);
    expect(none).toEqual([]);
    expect(both?.map((one) => one.kind)).toEqual(["image", "audio"]);
    expect(both?.[1]?.url).toBe("data:audio/mpeg;base64,SUQz");
  });

  it("reads what other dialects call an image, and images that were made", () => {
    const source = { type: "base64", media_type: "image/webp", data: "UklG" };
    expect(mediaOf({ type: "image", source })?.url).toBe("data:image/webp;base64,UklG");
    expect(mediaOf({ inlineData: { mimeType: "audio/wav", data: "UklG" } })?.kind).toBe("audio");
    expect(mediaOf({ type: "input_image", image_url: PNG })?.url).toBe(PNG);
    expect(mediaByMessage({ data: [{ b64_json: "iVBORw0KGgo=" }] })[0]?.[0]?.kind).toBe("image");
  });

  it("takes no address that is neither data nor the web's, and no type that is none", () => {
    expect(mediaOf({ image_url: { url: "javascript:alert(1)" } })).toBeNull();
    expect(mediaOf({ inlineData: { mimeType: "text/html,<b>", data: "UklG" } })).toBeNull();
    expect(mediaOf({ type: "text", text: "soup" })).toBeNull();
    expect(mediaByMessage(undefined)).toEqual([[]]);
  });
});
