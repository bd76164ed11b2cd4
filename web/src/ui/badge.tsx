import type { ReactNode } from "react";
import type { Status } from "../api/types";
import { cx } from "./cx";

export type Tone = "ok" | "warn" | "bad" | "mute" | "accent";

const TONES: Record<Tone, string> = {
  ok: "bg-ok-wash text-ok",
  warn: "bg-warn-wash text-warn",
  bad: "bg-bad-wash text-bad",
  mute: "bg-mute-wash text-ink-2",
  accent: "bg-accent-wash text-accent",
};

const DOTS: Record<Tone, string> = {
  ok: "bg-ok",
  warn: "bg-warn",
  bad: "bg-bad",
  mute: "bg-ink-3",
  accent: "bg-accent",
};

export function Badge({
  tone = "mute",
  children,
  title,
}: {
  tone?: Tone;
  children: ReactNode;
  title?: string;
}) {
  return (
    <span
      title={title}
      className={cx(
        "inline-flex h-[18px] items-center rounded px-1.5 text-2xs font-medium whitespace-nowrap",
        TONES[tone],
      )}
    >
      {children}
    </span>
  );
}

export function Dot({ tone }: { tone: Tone }) {
  return (
    <span
      aria-hidden="true"
      className={cx("inline-block size-[7px] shrink-0 rounded-full", DOTS[tone])}
    />
  );
}

export const STATUS_TONE: Record<Status, Tone> = {
  ok: "ok",
  error: "bad",
  interrupted: "warn",
  refused: "warn",
};

/** A state as a dot and a word; colour is never the only bearer of meaning. */
export function State({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <Dot tone={tone} />
      {children}
    </span>
  );
}
