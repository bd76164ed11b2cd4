// The board that is open. It lives outside the page, so that looking at a trace and coming back
// neither loses nor interrupts it.
import { useSyncExternalStore } from "react";
import {
  type Board,
  type Column,
  type Loaded,
  type Media,
  MOST_COLUMNS,
  type NewTurn,
  type Settings,
  type Turn,
} from "./board";

export interface Opened extends Board {
  /** Which column's settings are shown. */
  chosen: number;
  /** What the board was opened from: a share, a trace, a prompt. */
  openedFrom: string;
  /** What stands in the composer: its variables have fields before it is sent. */
  typing: string;
}

let last = 1;
const next = () => ++last;
const EMPTY: Column = { id: 1, settings: {}, tools: [], turns: [], extra: {} };
let board: Opened = { columns: [EMPTY], variables: {}, chosen: 1, openedFrom: "", typing: "" };
const listeners = new Set<() => void>();

export function current(): Opened {
  return board;
}

function publish(change: Partial<Opened>): void {
  board = { ...board, ...change };
  for (const tell of listeners) tell();
}

export function useBoard(): Opened {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => board,
  );
}

export function columnOf(id: number): Column | undefined {
  return board.columns.find((column) => column.id === id);
}

export function changeColumn(id: number, change: (column: Column) => Column): void {
  publish({ columns: board.columns.map((one) => (one.id === id ? change(one) : one)) });
}

export function changeSettings(id: number, change: Settings): void {
  changeColumn(id, (column) => ({ ...column, settings: { ...column.settings, ...change } }));
}

export function choose(id: number): void {
  if (board.chosen !== id) publish({ chosen: id });
}

export function setTyping(typing: string): void {
  publish({ typing });
}

export function setVariable(name: string, value: string): void {
  publish({ variables: { ...board.variables, [name]: value } });
}

export function setVariables(variables: Record<string, string>): void {
  publish({ variables: { ...board.variables, ...variables } });
}

/** A copy of a column beside it: same messages, to try another model or other words. */
export function addColumn(from: number): void {
  const source = columnOf(from) ?? board.columns.at(-1);
  if (!source || board.columns.length >= MOST_COLUMNS) return;
  const id = next();
  const turns = source.turns.map((turn) => ({ ...turn, id: next() }));
  const at = board.columns.indexOf(source) + 1;
  const copy = { ...source, id, turns };
  publish({ columns: board.columns.toSpliced(at, 0, copy), chosen: id });
}

export function removeColumn(id: number): void {
  if (board.columns.length < 2) return;
  const columns = board.columns.filter((column) => column.id !== id);
  publish({ columns, chosen: columns[0]?.id ?? 1 });
}

/** Takes every conversation away; columns, models and parameters stay. */
export function clearTurns(): void {
  publish({
    columns: board.columns.map((column) => ({
      ...column,
      turns: [],
      extra: {},
      loadedFrom: undefined,
      lost: undefined,
      filledBy: undefined,
    })),
    openedFrom: "",
  });
}

export function openBoard(opened: Board, from: string): void {
  const columns = opened.columns.map((column) => ({
    ...column,
    id: next(),
    turns: column.turns.map((turn) => {
      last = Math.max(last, turn.key);
      return { ...turn, id: next() };
    }),
  }));
  publish({
    columns,
    variables: opened.variables,
    chosen: columns[0]?.id ?? 1,
    openedFrom: from,
  });
}

/** One column out of a recorded call. */
export function openRecorded(
  loaded: Loaded,
  variables: Record<string, string>,
  from: string,
  more: Pick<Column, "lost" | "filledBy">,
): void {
  const turns = loaded.turns.map(keyed);
  const column = { ...loaded, id: next(), turns, loadedFrom: from, ...more };
  publish({ columns: [column], variables, chosen: column.id, openedFrom: from });
}

export function openedFrom(from: string): void {
  publish({ openedFrom: from });
}

function keyed(turn: NewTurn): Turn {
  const id = next();
  return { ...turn, id, key: id };
}

/** Puts the prompt itself in the place of the messages that it made when the call ran. */
export function takePromptItself(id: number): void {
  changeColumn(id, ({ filledBy, ...column }) => {
    if (!filledBy) return column;
    const made = filledBy.messages - (column.settings.system ? 1 : 0);
    return {
      ...column,
      settings: { ...column.settings, system: undefined, prompt: filledBy.prompt },
      turns: column.turns.slice(Math.max(0, made)),
    };
  });
}

// --- turns --------------------------------------------------------------------------------------

/** The columns that share what is said in `id`: itself, and the others that are not apart. */
export function together(id: number | null): readonly Column[] {
  const one = id === null ? undefined : columnOf(id);
  if (one?.apart) return [one];
  return board.columns.filter((column) => !column.apart || column.id === id);
}

/** Adds what the user typed; to one column, or to all that are not apart. */
export function say(text: string, media: readonly Media[], id: number | null): readonly number[] {
  const key = next();
  const told = together(id);
  for (const column of told) {
    const turn: Turn = { id: next(), key, role: "user", text, ...(media.length > 0 && { media }) };
    changeColumn(column.id, (one) => ({ ...one, turns: [...one.turns, turn] }));
  }
  return told.map((column) => column.id);
}

export function addTurn(id: number, turn: NewTurn): number {
  const made = keyed(turn);
  changeColumn(id, (column) => ({ ...column, turns: [...column.turns, made] }));
  return made.id;
}

export function updateTurn(id: number, turnId: number, change: (turn: Turn) => Turn): void {
  changeColumn(id, (column) => ({
    ...column,
    turns: column.turns.map((turn) => (turn.id === turnId ? change(turn) : turn)),
  }));
}

/** Changes a turn's text, in every column that was told it. What followed a turn that is not the
 * model's own is gone; returns the columns that are to be asked anew. */
export function edit(id: number, turnId: number, text: string): readonly number[] {
  const turn = columnOf(id)?.turns.find((one) => one.id === turnId);
  if (!turn) return [];
  const changed = (old: Turn): Turn => {
    const { logged: _, parts: __, ...rest } = old;
    return { ...rest, text };
  };
  if (turn.role === "assistant" || turn.role === "tool") {
    updateTurn(id, turnId, changed);
    return [];
  }
  const asked: number[] = [];
  for (const column of together(id)) {
    const at = column.turns.findIndex((one) => one.key === turn.key);
    const old = column.turns[at];
    if (!old) continue;
    changeColumn(column.id, (one) => ({
      ...one,
      turns: [...one.turns.slice(0, at), changed(old)],
    }));
    asked.push(column.id);
  }
  return asked;
}

/** Takes a turn and what follows away, to be answered again. */
export function cut(id: number, turnId: number): void {
  changeColumn(id, (column) => {
    const at = column.turns.findIndex((turn) => turn.id === turnId);
    return { ...column, turns: column.turns.slice(0, Math.max(0, at)) };
  });
}

/** Takes the model's last words away, with the tool results between them, back to the last user. */
export function cutAnswer(id: number): void {
  changeColumn(id, (column) => {
    const at = column.turns.findLastIndex(
      (turn) => turn.role !== "assistant" && turn.role !== "tool",
    );
    return { ...column, turns: column.turns.slice(0, at + 1) };
  });
}
