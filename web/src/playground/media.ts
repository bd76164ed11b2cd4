// Files that a person adds to a message, as data URLs. Knows what models take; knows no message.
import type { Media } from "./board";

const MOST_BYTES = 8 * 1024 * 1024;

function kindOf(file: File): Media["kind"] | null {
  if (file.type.startsWith("image/")) return "image";
  if (file.type.startsWith("audio/")) return "audio";
  return null;
}

/** Throws, in words for the person, for what no model takes. */
export async function readMedia(file: File): Promise<Media> {
  const kind = kindOf(file);
  if (!kind) throw new Error(`${file.name || "This file"} is neither an image nor sound.`);
  if (file.size > MOST_BYTES) throw new Error(`${file.name} is larger than 8 MB.`);
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(new Error(`${file.name} could not be read.`));
    reader.readAsDataURL(file);
  });
  return { kind, url, name: file.name || kind };
}
