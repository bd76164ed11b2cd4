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

const REFUSED = "stockpot_sign_in_refused";

/** Why a provider's sign-in was refused, once. It comes in a cookie, which only the server can set:
 * words out of the address could be anybody's. */
export function takeRefusal(): string | undefined {
  const found = document.cookie.split("; ").find((cookie) => cookie.startsWith(`${REFUSED}=`));
  if (!found) return undefined;
  // biome-ignore lint/suspicious/noDocumentCookie: Safari has no cookie store yet
  document.cookie = `${REFUSED}=; path=/sign-in; max-age=0; samesite=lax`;
  return decodeURIComponent(found.slice(REFUSED.length + 1));
}
