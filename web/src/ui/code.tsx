// Code to read and to paste. A tiny highlighter for JSON; other text stays plain.
import { memo, type ReactNode } from "react";
import { CopyButton } from "./copy";
import { cx } from "./cx";

const TOKEN =
  /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;
const HIGHLIGHT_LIMIT = 120_000;

/** JSON text with coloured keys, strings and numbers; too long a text is left plain. */
export const Json = memo(function Json({ text }: { text: string }) {
  if (text.length > HIGHLIGHT_LIMIT) return <>{text}</>;
  const parts: ReactNode[] = [];
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [whole, string, colon, word, number] = match;
    parts.push(text.slice(at, match.index));
    at = match.index + whole.length;
    const tone = colon
      ? "text-accent"
      : string
        ? "text-ok"
        : word
          ? "text-series-3"
          : number
            ? "text-copper"
            : "";
    parts.push(
      <span key={match.index} className={tone}>
        {string ?? whole}
      </span>,
    );
    if (colon) parts.push(colon);
  }
  parts.push(text.slice(at));
  return <>{parts}</>;
});

interface Props {
  text: string;
  json?: boolean;
  className?: string;
  label?: string;
}

export function CodeBlock({ text, json, className, label = "Copy" }: Props) {
  return (
    <div className={cx("group relative rounded-lg border bg-panel text-ink", className)}>
      <pre className="max-h-[inherit] overflow-auto px-3 py-2.5 font-mono text-xs leading-[18px] break-words whitespace-pre-wrap">
        {json ? <Json text={text} /> : text}
      </pre>
      <CopyButton text={text} label={label} className="absolute top-1 right-1 bg-panel" />
    </div>
  );
}
