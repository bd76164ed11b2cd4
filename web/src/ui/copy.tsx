import { useEffect, useState } from "react";
import { Button } from "./button";
import { cx } from "./cx";
import { Icon } from "./icons";
import { toast } from "./toast";

/** Copies through the clipboard API, or through a selection where that API is not allowed. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.className = "fixed -left-[999px]";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

export function useCopy(): [boolean, (text: string) => void] {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1_600);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = (text: string) => {
    copyText(text).then((done) => {
      setCopied(done);
      if (!done)
        toast({ tone: "bad", text: "The browser refused to copy. Select the text instead." });
    });
  };
  return [copied, copy];
}

interface Props {
  text: string;
  label?: string;
  className?: string;
}

export function CopyButton({ text, label = "Copy", className }: Props) {
  const [copied, copy] = useCopy();
  return (
    <Button
      tone="ghost"
      icon={copied ? "check" : "copy"}
      aria-label={copied ? "Copied" : label}
      title={label}
      className={className}
      onClick={() => copy(text)}
    />
  );
}

/** An id or another short value that copies itself when clicked. */
export function CopyText({
  text,
  shown = text,
  className,
}: {
  text: string;
  shown?: string;
  className?: string;
}) {
  const [copied, copy] = useCopy();
  return (
    <button
      type="button"
      title={`Copy ${text}`}
      onClick={() => copy(text)}
      className={cx(
        "group inline-flex items-center gap-1 rounded font-mono text-xs hover:text-ink",
        className,
      )}
    >
      <span className="truncate">{shown}</span>
      <Icon
        name={copied ? "check" : "copy"}
        size={12}
        className={cx("shrink-0", copied ? "text-ok" : "opacity-40 group-hover:opacity-100")}
      />
    </button>
  );
}
