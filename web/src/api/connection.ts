// Whether the control plane answers: one bit that the banner watches.
import { useSyncExternalStore } from "react";

let connected = true;
const listeners = new Set<() => void>();

/** Every call reports here what became of it. */
export function reachable(now: boolean): void {
  if (now === connected) return;
  connected = now;
  for (const tell of listeners) tell();
}

export function useConnected(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => connected,
  );
}
