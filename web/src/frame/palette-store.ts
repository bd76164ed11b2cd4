// Whether the command palette is open; apart from it so that the palette itself can load late.
import { useSyncExternalStore } from "react";

let open = false;
const listeners = new Set<() => void>();

export function openPalette(next: boolean): void {
  open = next;
  for (const tell of listeners) tell();
}

export function usePalette(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => open,
  );
}
