// Instants as people read them, by this browser's clock. Pure; apart from the other formats because the
// frame needs it before any page.

const two = (value: number) => String(value).padStart(2, "0");

/** Local clock time: what a row of the trace list shows for today. */
export function clock(ms: number): string {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

export function day(ms: number): string {
  return new Date(ms).toLocaleDateString("en-GB", { day: "2-digit", month: "short" });
}

/** Today's instants as a clock time, older ones with their day. */
export function moment(ms: number, now = Date.now()): string {
  const same = new Date(ms).toDateString() === new Date(now).toDateString();
  return same ? clock(ms) : `${day(ms)} ${clock(ms)}`;
}

const zoned = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });

/** The zone that every time on the page is in, at that instant: `UTC`, `CEST`. */
export function zone(ms = Date.now()): string {
  return zoned.formatToParts(ms).find((part) => part.type === "timeZoneName")?.value ?? "";
}

/** An instant with its day and zone, to the minute, second or millisecond. */
export function fullTime(ms: number, to: "min" | "s" | "ms" = "ms"): string {
  const at = new Date(ms);
  const time =
    to === "ms"
      ? `${clock(ms)}.${String(at.getMilliseconds()).padStart(3, "0")}`
      : clock(ms).slice(0, to === "s" ? 8 : 5);
  return `${day(ms)} ${at.getFullYear()}, ${time} ${zone(ms)}`;
}

export function ago(ms: number, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - ms) / 1000));
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}
