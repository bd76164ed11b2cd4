// Images and sounds of a recorded call, to look at, to hear and to keep. What is at another host is
// never fetched by itself: it stays a link.
import { buttonClass } from "../ui/button";
import { bytes } from "../ui/format";
import type { Media } from "./media";

/** Larger ones are not drawn, they are there to download. */
const INLINE = 4_000_000;

export default function MediaGallery({ media }: { media: readonly Media[] }) {
  return (
    <ul aria-label="Media" className="mt-2 flex flex-wrap items-start gap-3">
      {media.map((one, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: parts never move
        <li key={index} className="flex max-w-full min-w-0 flex-col gap-1">
          <Shown media={one} />
          <Caption media={one} />
        </li>
      ))}
    </ul>
  );
}

function Shown({ media: { kind, url, name, size } }: { media: Media }) {
  if (!url.startsWith("data:") || size > INLINE) return null;
  if (kind === "image")
    return (
      <img
        src={url}
        alt={`${name}, as it was recorded`}
        style={{ maxHeight: 288 }}
        className="max-w-full rounded-md border bg-panel"
      />
    );
  if (kind === "audio")
    return (
      // biome-ignore lint/a11y/useMediaCaption: what was recorded has no captions
      <audio controls src={url} aria-label={name} className="h-9 max-w-full" />
    );
  return null;
}

function Caption({ media: { kind, url, name, size } }: { media: Media }) {
  if (!url.startsWith("data:"))
    return (
      <p className="max-w-[86ch] min-w-0 truncate text-xs text-ink-2">
        {kind} at{" "}
        <a
          href={url}
          target="_blank"
          rel="noreferrer"
          className="text-accent underline underline-offset-2"
        >
          {name}
        </a>
      </p>
    );
  return (
    <p className="flex items-center gap-2 text-xs text-ink-2">
      <span className="truncate">{name}</span> {bytes(size)}
      {size > INLINE && ", too large to show here"}
      <a href={url} download={fileName(name)} className={buttonClass("ghost", "text-xs")}>
        Download
      </a>
    </p>
  );
}

/** A name for a file: its own, or one with the ending that its type suggests. */
function fileName(name: string): string {
  const ending = /^\w+\/([a-z0-9]+)/i.exec(name)?.[1];
  if (!ending) return name;
  return `media.${ending === "mpeg" ? "mp3" : ending}`;
}
