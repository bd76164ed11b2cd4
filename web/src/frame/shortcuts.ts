// Keyboard shortcuts: single keys and two-key sequences such as `g t`. A page adds its own while it
// is shown; the innermost one wins.
import { useEffect, useRef } from "react";

export interface Shortcut {
  keys: string;
  label: string;
  group: string;
  run: () => void;
  /** A shortcut that another page explains; it is left out of the help. */
  hidden?: boolean;
}

const stack: { current: readonly Shortcut[] }[] = [];
const SEQUENCE_MS = 900;

export function shortcuts(): Shortcut[] {
  return stack.flatMap((layer) => layer.current);
}

/** Registers `list` while the calling component is mounted. */
export function useShortcuts(list: readonly Shortcut[]): void {
  const layer = useRef(list);
  layer.current = list;
  useEffect(() => {
    stack.push(layer);
    return () => {
      stack.splice(stack.indexOf(layer), 1);
    };
  }, []);
}

function busyElsewhere(target: EventTarget | null): boolean {
  if (target instanceof HTMLElement) {
    if (target.isContentEditable) return true;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return true;
  }
  return document.querySelector('[role="dialog"],[role="alertdialog"],[role="listbox"]') !== null;
}

/** Installs the one listener of the page; returns its removal. */
export function listen(): () => void {
  let pending = "";
  let since = 0;
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || busyElsewhere(event.target)) return;
    const now = Date.now();
    const typed = now - since < SEQUENCE_MS && pending ? `${pending} ${event.key}` : event.key;
    const known = shortcuts().reverse();
    const hit =
      known.find((shortcut) => shortcut.keys === typed) ??
      known.find((shortcut) => shortcut.keys === event.key);
    pending = "";
    if (hit) {
      event.preventDefault();
      hit.run();
    } else if (known.some((shortcut) => shortcut.keys.startsWith(`${event.key} `))) {
      pending = event.key;
      since = now;
    }
  };
  window.addEventListener("keydown", onKey);
  return () => window.removeEventListener("keydown", onKey);
}
