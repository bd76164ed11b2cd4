// Rows in words. Pure.
import type { RowsAdded } from "../api/types";
import { count, plural } from "../ui/format";

/** What a value says on one line: the words of its messages where it is a conversation. */
export function oneLine(value: unknown, longest = 300): string {
  return said(value).replace(/\s+/g, " ").trim().slice(0, longest);
}

function said(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.map(said).filter(Boolean).join(" ");
  const { messages, content, text } = value as Record<string, unknown>;
  if (Array.isArray(messages)) return said(messages.at(-1));
  if (content !== undefined) return said(content);
  if (typeof text === "string") return text;
  const entries = Object.entries(value);
  if (entries.length === 1) return said(entries[0]?.[1]);
  return entries.map(([name, part]) => `${name}: ${said(part)}`).join(" · ");
}

export function pretty(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** What a person typed, as a value: JSON where it is some, else the text itself. */
export function typedValue(text: string): unknown {
  const trimmed = text.trim();
  if (!trimmed) return null;
  if (!/^[[{"\d-]|^(true|false|null)$/.test(trimmed)) return text;
  try {
    return JSON.parse(trimmed);
  } catch {
    return text;
  }
}

export function whatBecame(done: RowsAdded): string {
  if (!done.version) {
    return done.skipped.length > 0
      ? `Nothing new; ${plural(done.skipped.length, "one", "of them")} made no row.`
      : "Nothing new: all of it is there.";
  }
  const parts = [
    done.added && `${count(done.added)} new`,
    done.changed && `${count(done.changed)} changed`,
    done.unchanged && `${count(done.unchanged)} were there`,
    done.skipped.length && `${count(done.skipped.length)} left out`,
  ].filter(Boolean);
  return `Version ${done.version.number}: ${parts.join(", ")}.`;
}

/** The columns of a file's first line, to be told what they are. */
export function columnsOf(kind: "csv" | "jsonl", text: string): string[] {
  const first =
    text
      .replace(/^\ufeff/, "")
      .split("\n")
      .find((line) => line.trim()) ?? "";
  if (kind === "jsonl") {
    try {
      const value: unknown = JSON.parse(first);
      return value && typeof value === "object" && !Array.isArray(value) ? Object.keys(value) : [];
    } catch {
      return [];
    }
  }
  const cells: string[] = [];
  for (const match of first.replace(/\r$/, "").matchAll(/("(?:[^"]|"")*"|[^,]*)(,|$)/g)) {
    const cell = match[1] ?? "";
    cells.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (match[2] === "") break;
  }
  return cells;
}

const PLACES = ["input", "expected", "metadata", "split", "id", "source_trace", "source_span"];

/** What a column would be taken for, by its name. */
export function guess(kind: "csv" | "jsonl", column: string, columns: readonly string[]): string {
  const head = column.split(".")[0] ?? "";
  if (PLACES.includes(head)) return column;
  return kind === "jsonl" && !columns.includes("input") ? `input.${column}` : `metadata.${column}`;
}
