import type { ButtonHTMLAttributes, Ref } from "react";
import { cx } from "./cx";
import { Icon, type IconName } from "./icons";

type Tone = "plain" | "primary" | "danger" | "ghost";

const TONES: Record<Tone, string> = {
  plain: "border border-line-strong bg-raised text-ink hover:bg-hover",
  primary: "border border-transparent bg-accent text-accent-ink hover:opacity-90",
  danger: "border border-transparent bg-bad text-page hover:opacity-90",
  ghost: "border border-transparent text-ink-2 hover:bg-hover hover:text-ink",
};

const BASE =
  "inline-flex h-7 shrink-0 items-center justify-center gap-1.5 rounded-md text-sm font-medium whitespace-nowrap select-none disabled:cursor-not-allowed disabled:opacity-50";

export function buttonClass(tone: Tone = "plain", extra?: string): string {
  return cx(BASE, "px-2.5", TONES[tone], extra);
}

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  tone?: Tone;
  icon?: IconName;
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({
  tone = "plain",
  icon,
  busy,
  className,
  children,
  disabled,
  ...rest
}: Props) {
  return (
    <button
      type="button"
      className={cx(BASE, children ? "px-2.5" : "w-7", TONES[tone], className)}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {busy ? <Spinner /> : icon ? <Icon name={icon} size={14} /> : null}
      {children}
    </button>
  );
}

export function Spinner() {
  return (
    <svg width={13} height={13} viewBox="0 0 16 16" className="animate-spin" aria-hidden="true">
      <circle
        cx={8}
        cy={8}
        r={6}
        fill="none"
        stroke="currentColor"
        strokeWidth={2}
        opacity={0.25}
      />
      <path
        d="M14 8a6 6 0 0 0-6-6"
        fill="none"
        stroke="currentColor"
        strokeWidth={2}
        strokeLinecap="round"
      />
    </svg>
  );
}
