// The states a page can be in besides showing data: loading, failed, empty.
import { type ReactNode, useEffect, useState } from "react";
import { asApiError } from "../api/client";
import { Button } from "./button";
import { cx } from "./cx";
import { Icon } from "./icons";

export function Failure({
  error,
  onRetry,
  className,
}: {
  error: unknown;
  onRetry?: () => void;
  className?: string;
}) {
  const { message, hint, code, status } = asApiError(error);
  return (
    <div
      role="alert"
      className={cx("flex gap-3 rounded-lg border border-line bg-panel px-4 py-3", className)}
    >
      <Icon name="warn" className="mt-0.5 shrink-0 text-bad" />
      <div className="min-w-0 flex-1">
        <p className="font-medium break-words">{message}</p>
        {hint && <Hint text={hint} />}
        {code !== "console_error" && (
          <p className="mt-0.5 font-mono text-2xs text-ink-3">
            {code}
            {status ? ` · ${status}` : ""}
          </p>
        )}
      </div>
      {onRetry && (
        <Button icon="refresh" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** The next step; a command is shown as one, so that it can be copied whole. */
export function Hint({ text }: { text: string }) {
  if (!/^stockpot [a-z]/.test(text)) {
    return (
      <p className="break-words text-ink-2">
        {text.split("`").map((words, part) =>
          part % 2 ? (
            <code key={words} className="rounded bg-mute-wash px-1 font-mono text-xs select-all">
              {words}
            </code>
          ) : (
            words
          ),
        )}
      </p>
    );
  }
  return (
    <p className="text-ink-2">
      Run <code className="rounded bg-mute-wash px-1 font-mono text-xs select-all">{text}</code>
    </p>
  );
}

interface EmptyProps {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  className?: string;
}

/** What to see when there is nothing: one sentence, the next step, no drawing. */
export function Empty({ title, children, action, className }: EmptyProps) {
  return (
    <section className={cx("mx-auto w-full max-w-[680px] px-6 py-10", className)}>
      <h2 className="text-lg font-semibold">{title}</h2>
      {children && <div className="mt-1 text-ink-2">{children}</div>}
      {action && <div className="mt-4">{action}</div>}
    </section>
  );
}

const SLOW_MS = 8_000;

/** Says, below what stands in for a page that loads, that it takes longer than it should. */
export function Slow() {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const clock = setTimeout(() => setSlow(true), SLOW_MS);
    return () => clearTimeout(clock);
  }, []);
  return (
    slow && (
      <p className="col-span-full text-ink-2">Still waiting for the control plane to answer…</p>
    )
  );
}

export function Lines({ rows = 8, className }: { rows?: number; className?: string }) {
  return (
    <div
      aria-busy="true"
      aria-label="Loading"
      role="status"
      className={cx("flex flex-col gap-3 p-4", className)}
    >
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: identical placeholders have no other identity
        <div key={row} className="skeleton h-3.5" style={{ width: `${92 - ((row * 17) % 45)}%` }} />
      ))}
      <Slow />
    </div>
  );
}
