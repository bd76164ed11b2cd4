// The one-time token travels in the URL's fragment, which no server and no referrer ever sees.

/** The token of `#token=...`, taken out of the address bar and the history at once. */
export function takeToken(): string | undefined {
  const token = new URLSearchParams(location.hash.replace(/^#/, "")).get("token");
  if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
  return token || undefined;
}

/** Only a path of this console may follow signing in; anything else leads to the overview. */
export function safeNext(next: string | undefined): string {
  if (
    !next?.startsWith("/") ||
    next.startsWith("//") ||
    next.includes("\\") ||
    next.startsWith("/sign-in")
  ) {
    return "/overview";
  }
  return next;
}
