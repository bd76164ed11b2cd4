// Dark or light: the system's choice until the user makes one.
import { useSyncExternalStore } from "react";

export type Theme = "dark" | "light";
const STORE = "stockpot.theme";
const listeners = new Set<() => void>();

function current(): Theme {
  return document.documentElement.dataset.theme === "dark" ? "dark" : "light";
}

function apply(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  for (const tell of listeners) tell();
}

export function toggleTheme(): void {
  const next = current() === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(STORE, next);
  } catch {
    // Without storage the choice lasts until the page is closed.
  }
  apply(next);
}

/** Follows the system while nothing was chosen by hand. */
export function followSystem(): () => void {
  const media = matchMedia("(prefers-color-scheme: dark)");
  const onChange = () => {
    let chosen: string | null = null;
    try {
      chosen = localStorage.getItem(STORE);
    } catch {
      chosen = null;
    }
    if (!chosen) apply(media.matches ? "dark" : "light");
  };
  media.addEventListener("change", onChange);
  return () => media.removeEventListener("change", onChange);
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
}
