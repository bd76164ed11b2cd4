// Images and sounds inside recorded bodies, whichever dialect they were sent in. Pure.

/** A part that is not text; `url` is empty where the body only names it. */
export interface Media {
  kind: "image" | "audio" | "file";
  url: string;
  name: string;
  /** Bytes, as far as they are in the body itself. */
  size: number;
}

// biome-ignore lint/suspicious/noExplicitAny: bodies come from anywhere; every access is guarded
type Loose = any;

const AUDIO: Record<string, string> = { mp3: "mpeg", pcm16: "L16", opus: "ogg" };
const MIME = /^[a-z0-9.+-]+\/[a-z0-9.+-]+$/i;

const str = (value: Loose): string => (typeof value === "string" ? value : "");
const list = (value: Loose): Loose[] => (Array.isArray(value) ? value : []);

/** What base64 of a type holds; null where the type is none. */
export function made(mime: string, base64: string, name = ""): Media | null {
  return base64 && MIME.test(mime) ? atUrl(`data:${mime};base64,${base64}`, name) : null;
}

function atUrl(url: string, name = "", fallback: Media["kind"] = "file"): Media | null {
  const inside = /^data:([^;,]*)[^,]{0,100},/.exec(url.slice(0, 200));
  if (inside) {
    const mime = inside[1] ?? "";
    const kind = mime.startsWith("image/") ? "image" : mime.startsWith("audio/") ? "audio" : "file";
    const size = Math.floor(((url.length - inside[0].length) * 3) / 4);
    return { kind, url, name: name || mime || "file", size };
  }
  if (!/^https?:\/\//.test(url)) return null;
  return { kind: fallback, url, name: name || url.slice(0, 80), size: 0 };
}

/** One part of a message's content; null where it holds nothing to show. */
export function mediaOf(part: Loose): Media | null {
  const image = part?.image_url;
  if (image) return atUrl(str(image) || str(image.url), "", "image");
  const sound = part?.input_audio ?? part?.audio;
  if (sound?.data) {
    const format = str(sound.format) || "wav";
    return made(`audio/${AUDIO[format] ?? format}`, str(sound.data));
  }
  const source = part?.source;
  if (source) {
    if (source.url) return atUrl(str(source.url), "", part.type === "image" ? "image" : "file");
    return made(str(source.media_type), str(source.data), str(part.title));
  }
  const inline = part?.inline_data ?? part?.inlineData;
  if (inline) return made(str(inline.mime_type) || str(inline.mimeType), str(inline.data));
  const drawn = str(part?.b64_json) || (part?.type === "image_generation_call" && str(part.result));
  if (drawn) return made(`image/${str(part.output_format) || "png"}`, drawn);
  const file = part?.file ?? part;
  return file?.file_data ? atUrl(str(file.file_data), str(file.filename)) : null;
}

function ofMessage(message: Loose): Media[] {
  const parts = [...list(message?.content), ...list(message?.parts), ...list(message?.images)];
  if (message?.audio?.data) parts.push({ audio: message.audio });
  return parts.map(mediaOf).filter((one) => one !== null);
}

/** What each message of a body holds, in the order of its messages; also images that were made. */
export function mediaByMessage(body: Loose): Media[][] {
  if (Array.isArray(body?.messages)) return body.messages.map(ofMessage);
  if (Array.isArray(body?.choices)) {
    return body.choices.map((choice: Loose) => ofMessage(choice?.message));
  }
  const images = [
    ...list(body?.data).map((one) => mediaOf(one) ?? atUrl(str(one?.url), "", "image")),
    ...list(body?.output).map(mediaOf),
  ];
  const messages = [
    body,
    ...list(body?.input),
    ...list(body?.output),
    ...list(body?.contents),
    ...list(body?.candidates).map((one) => one?.content),
  ];
  return [[...messages.flatMap(ofMessage), ...images.filter((one) => one !== null)]];
}
