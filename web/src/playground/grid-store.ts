// A run of every column over the rows of a data set: a few calls at once, all of them visible.
import { useSyncExternalStore } from "react";
import { asApiError } from "../api/client";
import { type Column, type Result, requestBody } from "./board";
import { current } from "./board-store";
import { messagesOf, type Row, wordsOf } from "./rows";
import { checked, stream } from "./run";

const AT_ONCE = 4;

export interface GridCell {
  text: string;
  result: Result;
}

export interface Grid {
  dataset: string;
  rows: readonly Row[];
  /** As they were when the run began. */
  columns: readonly Column[];
  /** By `ROW/COLUMN`. */
  cells: Readonly<Record<string, GridCell>>;
  running: boolean;
}

let grid: Grid = { dataset: "", rows: [], columns: [], cells: {}, running: false };
let control: AbortController | null = null;
const listeners = new Set<() => void>();

function publish(change: Partial<Grid>): void {
  grid = { ...grid, ...change };
  for (const tell of listeners) tell();
}

export function useGrid(): Grid {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => grid,
  );
}

export const cellKey = (row: number, column: number) => `${row}/${column}`;

export function closeGrid(): void {
  stopGrid();
  publish({ rows: [], columns: [], cells: {}, dataset: "" });
}

export function stopGrid(): void {
  control?.abort();
}

export async function runGrid(
  dataset: string,
  rows: readonly Row[],
  project: string | undefined,
): Promise<void> {
  stopGrid();
  const mine = new AbortController();
  control = mine;
  const columns = current().columns.map(withoutAnswers);
  publish({ dataset, rows, columns, cells: {}, running: true });
  const waiting = rows.flatMap((row, at) => columns.map((column) => ({ row, at, column })));
  const work = async () => {
    for (let one = waiting.shift(); one; one = waiting.shift()) {
      if (mine.signal.aborted) return;
      await ask(one.row, one.at, one.column, project, mine.signal);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (control === mine) publish({ running: false });
}

/** What a column asks: everything that is no answer of a model at its end. */
function withoutAnswers(column: Column): Column {
  const at = column.turns.findLastIndex(({ role }) => role !== "assistant" && role !== "tool");
  return { ...column, turns: column.turns.slice(0, at + 1) };
}

async function ask(
  row: Row,
  at: number,
  column: Column,
  project: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const key = cellKey(at, column.id);
  const set = (cell: GridCell) => publish({ cells: { ...grid.cells, [key]: cell } });
  const begun = performance.now();
  const body = requestBody(column, { ...current().variables, ...wordsOf(row.input) });
  if (column.turns.length === 0 && messagesOf(row.input).length > 0)
    body.messages = [...((body.messages as object[]) ?? []), ...messagesOf(row.input)];
  let text = "";
  let result: Result = { state: "waiting" };
  set({ text, result });
  try {
    const now = await stream(body, project, column.settings, signal, (seen) => {
      ({ text, result } = seen);
      set({ text, result });
    });
    text = now.text || now.toolCalls.map((one) => `${one.name}(${one.arguments})`).join("\n");
    result = { ...now.result, state: "done", totalMs: performance.now() - begun };
    set({ text, result });
    if (column.settings.schema)
      set({ text, result: { ...result, check: await checked(column.settings.schema, text) } });
  } catch (failure) {
    const { message, hint, code } = asApiError(failure);
    const state = signal.aborted ? "stopped" : "failed";
    const error = state === "failed" ? { message, hint, code } : undefined;
    set({ text, result: { ...result, state, error, totalMs: performance.now() - begun } });
  }
}
