import { Button } from "../ui/button";
import type { Media } from "./board";

export function MediaView({
  media,
  onRemove,
}: {
  media: readonly Media[];
  onRemove?: (media: Media) => void;
}) {
  return (
    <ul className="my-1.5 flex flex-wrap gap-2">
      {media.map((one) => (
        <li key={one.url} className="relative">
          {one.kind === "image" ? (
            <img
              src={one.url}
              alt={one.name}
              className="max-h-28 max-w-full rounded-md border bg-panel"
            />
          ) : (
            // biome-ignore lint/a11y/useMediaCaption: what a person recorded has no captions
            <audio controls src={one.url} aria-label={one.name} className="h-9 max-w-full" />
          )}
          {onRemove && (
            <Button
              tone="plain"
              icon="close"
              className="absolute -top-2 -right-2 !size-5 rounded-full"
              aria-label={`Remove ${one.name}`}
              onClick={() => onRemove(one)}
            />
          )}
        </li>
      ))}
    </ul>
  );
}
