// Where a message is typed, with pictures and sound; for all columns that share, or for one apart.
import { type ClipboardEvent, type DragEvent, type KeyboardEvent, useRef, useState } from "react";
import { Button } from "../ui/button";
import { TextArea } from "../ui/field";
import { toastError } from "../ui/toast";
import type { Media } from "./board";
import { say, setTyping } from "./board-store";
import { readMedia } from "./media";
import { MediaView } from "./media-view";
import { run, stop } from "./run";

interface Props {
  project: string | undefined;
  running: boolean;
  ready: boolean;
  /** The column that is apart; null speaks to all others. */
  column: number | null;
}

export function Composer({ project, running, ready, column }: Props) {
  const [text, setText] = useState("");
  const [media, setMedia] = useState<readonly Media[]>([]);
  const picker = useRef<HTMLInputElement>(null);
  const empty = !text.trim() && media.length === 0;
  const submit = () => {
    if (empty || running || !ready) return;
    run(say(text.trim(), media, column), project);
    setText("");
    setTyping("");
    setMedia([]);
  };
  const add = async (files: Iterable<File>) => {
    for (const file of files) {
      try {
        const read = await readMedia(file);
        setMedia((old) => [...old.filter((one) => one.url !== read.url), read]);
      } catch (error) {
        toastError(error);
      }
    }
  };
  const onPaste = (event: ClipboardEvent) => {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    void add(event.clipboardData.files);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    void add(event.dataTransfer.files);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      // With nothing typed Ctrl+Enter is for the whole page: it runs all columns again.
      if (empty && (event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      submit();
    } else if (event.key === "Escape" && running) stop(column ?? undefined);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files are dropped; the button does the same
    <div
      className="shrink-0 border-t px-4 py-3"
      onDrop={onDrop}
      onDragOver={(event) => event.preventDefault()}
    >
      <div className="mx-auto max-w-[900px]">
        {media.length > 0 && (
          <MediaView
            media={media}
            onRemove={(gone) => setMedia((old) => old.filter((one) => one !== gone))}
          />
        )}
        <div className="flex items-end gap-2">
          <TextArea
            data-search={column === null ? true : undefined}
            aria-label={column === null ? "Message" : "Message of this column"}
            placeholder="Message. Enter sends, Shift+Enter starts a new line; {{name}} is a variable."
            rows={Math.min(8, Math.max(2, text.split("\n").length))}
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              setTyping(event.target.value);
            }}
            onKeyDown={onKey}
            onPaste={onPaste}
            className="resize-none text-base"
          />
          <input
            ref={picker}
            type="file"
            hidden
            multiple
            accept="image/*,audio/*"
            aria-label="Images or sound"
            onChange={(event) => {
              void add(event.target.files ?? []);
              event.target.value = "";
            }}
          />
          <Button
            tone="ghost"
            icon="plus"
            className="h-8"
            aria-label="Add images or sound"
            title="Add images or sound (or paste, or drop them)"
            onClick={() => picker.current?.click()}
          />
          {running ? (
            <Button icon="stop" onClick={() => stop(column ?? undefined)} className="h-8 w-20">
              Stop
            </Button>
          ) : (
            <Button tone="primary" onClick={submit} disabled={empty || !ready} className="h-8 w-20">
              Send
            </Button>
          )}
        </div>
      </div>
    </div>
  );
}
