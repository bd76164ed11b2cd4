// Short notices at the corner: what was done, or what failed. One store, one live region.
import { useSyncExternalStore } from "react";
import { asApiError } from "../api/client";
import { Dot, type Tone } from "./badge";
import { Button } from "./button";

interface Toast {
  id: number;
  tone: Tone;
  text: string;
  hint?: string;
}

let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function publish(next: readonly Toast[]): void {
  toasts = next;
  for (const tell of listeners) tell();
}

export function dismiss(id: number): void {
  publish(toasts.filter((item) => item.id !== id));
}

export function toast({
  tone = "ok",
  ...rest
}: {
  tone?: Tone;
  text: string;
  hint?: string;
}): void {
  const id = ++last;
  publish([...toasts.slice(-3), { id, tone, ...rest }]);
  setTimeout(() => dismiss(id), tone === "bad" ? 12_000 : 5_000);
}

export function toastError(error: unknown): void {
  const { message, hint } = asApiError(error);
  toast({ tone: "bad", text: message, hint });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <output
      aria-live="polite"
      className="pointer-events-none fixed right-4 bottom-4 z-[70] flex w-[380px] max-w-[calc(100vw-32px)] flex-col gap-2"
    >
      {shown.map((item) => (
        <span
          key={item.id}
          className="pointer-events-auto flex items-start gap-2.5 rounded-lg border border-line-strong bg-raised py-2 pr-2 pl-3 shadow-[var(--shadow)]"
        >
          <span className="pt-1">
            <Dot tone={item.tone} />
          </span>
          <span className="min-w-0 flex-1 pt-0.5">
            <span className="block break-words text-sm">{item.text}</span>
            {item.hint && <span className="block break-words text-xs text-ink-2">{item.hint}</span>}
          </span>
          <Button tone="ghost" icon="close" aria-label="Dismiss" onClick={() => dismiss(item.id)} />
        </span>
      ))}
    </output>
  );
}
