// Images and sounds out of streamed answers, whichever dialect they were streamed in. Pure.
// A sound comes in pieces, each packed by itself, mostly as bare samples: a player needs a head.
import { parseJson } from "../api/chat";
import { looksLikeEvents, readEvents } from "../api/sse";
import { type Media, made, mediaByMessage, mediaOf } from "./media";

// biome-ignore lint/suspicious/noExplicitAny: bodies come from anywhere; every access is guarded
type Loose = any;

interface Made {
  images: Media[];
  /** The newest state of an image that is still being made. */
  draft: Media | null;
  sound: string[];
  mime: string;
}

const list = (value: Loose): Loose[] => (Array.isArray(value) ? value : []);
const str = (value: Loose): string => (typeof value === "string" ? value : "");

/** Media of an answer, streamed or whole, by choice; `request` says how sounds were asked for. */
export function mediaOfAnswer(answer: string, request: string): Media[][] {
  if (!looksLikeEvents(answer)) return mediaByMessage(parseJson(answer));
  const asked = str(parseJson(request)?.audio?.format);
  const format = asked && asked !== "pcm16" ? `audio/${asked === "mp3" ? "mpeg" : asked}` : "";
  const choices: Made[] = [];
  const at = (index: Loose): Made => {
    const place = typeof index === "number" ? Math.min(Math.max(index, 0), 127) : 0;
    while (choices.length <= place)
      choices.push({ images: [], draft: null, sound: [], mime: format });
    return choices[place] as Made;
  };
  for (const data of readEvents(answer)) take(parseJson(data), at);
  return choices.map((one) => [...shown(one), ...heard(one)]);
}

function shown({ images, draft }: Made): Media[] {
  return images.length === 0 && draft ? [draft] : images;
}

function take(event: Loose, at: (index: Loose) => Made): void {
  for (const choice of list(event?.choices)) {
    const one = at(choice?.index);
    if (choice?.delta?.audio?.data) one.sound.push(str(choice.delta.audio.data));
    for (const part of [...list(choice?.delta?.images), ...list(choice?.delta?.content)])
      see(one, mediaOf(part));
  }
  for (const candidate of list(event?.candidates))
    for (const part of list(candidate?.content?.parts)) takePart(at(candidate?.index), part);
  const type = str(event?.type);
  if (type.endsWith(".partial_image")) {
    const half = str(event.partial_image_b64) || str(event.b64_json);
    at(0).draft = made(`image/${str(event.output_format) || "png"}`, half) ?? at(0).draft;
  } else if (type === "response.output_item.done") see(at(0), mediaOf(event.item));
  else if (/^image_(generation|edit)\.completed$/.test(type)) see(at(0), mediaOf(event));
  else if (/audio\.delta$/.test(type))
    at(0).sound.push(str(event.delta) || str(event.data) || str(event.audio));
}

function takePart(one: Made, part: Loose): void {
  const inline = part?.inlineData ?? part?.inline_data;
  const mime = str(inline?.mimeType) || str(inline?.mime_type);
  if (!mime.startsWith("audio/")) {
    see(one, mediaOf(part));
    return;
  }
  one.mime = mime;
  one.sound.push(str(inline.data));
}

function see(one: Made, media: Media | null): void {
  if (media) one.images.push(media);
}

function heard({ sound, mime }: Made): Media[] {
  const pieces = sound.map(unpacked);
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (size === 0) return [];
  const bare = mime === "" || /^audio\/(l16|pcm)/i.test(mime);
  const rate = Number(/rate=(\d{4,6})/.exec(mime)?.[1] ?? 24_000);
  const whole = bare ? [head(size, rate), ...pieces] : pieces;
  const one = made(bare ? "audio/wav" : (mime.split(";")[0] ?? ""), packed(whole));
  return one ? [one] : [];
}

function unpacked(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

function packed(pieces: Uint8Array[]): string {
  let text = "";
  for (const piece of pieces)
    for (let from = 0; from < piece.length; from += 8192)
      text += String.fromCharCode(...piece.subarray(from, from + 8192));
  return btoa(text);
}

/** The head of a WAV file: one channel of 16-bit samples. */
function head(size: number, rate: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(44));
  const word = (at: number, text: string) => {
    for (let n = 0; n < 4; n++) view.setUint8(at + n, text.charCodeAt(n));
  };
  word(0, "RIFF");
  view.setUint32(4, 36 + size, true);
  word(8, "WAVE");
  word(12, "fmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  word(36, "data");
  view.setUint32(40, size, true);
  return new Uint8Array(view.buffer);
}
