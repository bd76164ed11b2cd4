// Opening what the address names: a shared set-up, a recorded call, a prompt, settings.
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { call } from "../api/client";
import { traceQuery } from "../api/queries";
import type { RecordedCall } from "../api/types";
import { Failure, Lines } from "../ui/states";
import { toastError } from "../ui/toast";
import { type Board, fromRequest, readShared, type Settings } from "./board";
import {
  changeSettings,
  current,
  openBoard,
  openedFrom,
  openRecorded,
  useBoard,
} from "./board-store";

const SETTINGS = [
  "model",
  "prompt",
  "system",
  "temperature",
  "top_p",
  "max_tokens",
  "seed",
  "stop",
  "json",
] as const;

/** What to show until the board is open; null when it is. */
export function useOpening(): ReactNode {
  const search = useSearch({ from: "/frame/playground" });
  const board = useBoard();
  const from = search.share ?? (search.trace ? `${search.trace}/${search.span ?? ""}` : "");
  const wanted = Boolean(from) && board.openedFrom !== from;
  const shared = useShared(search.share ?? "", wanted && Boolean(search.share));
  const recorded = useRecorded(
    search.trace ?? "",
    search.span,
    wanted && !search.share && Boolean(search.trace),
  );
  useSettings(!wanted);
  const error = shared.error ?? recorded.error;
  if (wanted && error)
    return (
      <Failure
        error={error}
        onRetry={search.share ? shared.refetch : recorded.refetch}
        className="m-4 self-start"
      />
    );
  return wanted ? <Lines rows={6} className="flex-1" /> : null;
}

function useShared(id: string, wanted: boolean) {
  const query = useQuery({
    queryKey: ["playground-share", id],
    queryFn: ({ signal }) =>
      call<{ state: object }>(`/api/v1/playground/shares/${encodeURIComponent(id)}`, { signal }),
    enabled: wanted,
    retry: false,
  });
  useEffect(() => {
    if (!wanted || !query.data) return;
    const board = readShared(query.data.state);
    if (board) openBoard({ ...current(), ...board }, id);
    else {
      toastError(new Error("This link holds no set-up of the playground."));
      openedFrom(id);
    }
  }, [wanted, query.data, id]);
  return query;
}

function useRecorded(trace: string, span: string | undefined, wanted: boolean) {
  const navigate = useNavigate();
  const traced = useQuery({ ...traceQuery(trace), enabled: wanted && !span });
  const chats = traced.data?.spans.filter((one) => one.kind === "llm") ?? [];
  const chosen = span ?? (chats.find((one) => one.is_root) ?? chats[0])?.span_id;
  const query = useQuery({
    queryKey: ["playground-recorded", trace, chosen],
    queryFn: ({ signal }) =>
      call<RecordedCall>(
        `/api/v1/playground/recorded/${encodeURIComponent(trace)}/${encodeURIComponent(chosen ?? "")}`,
        { signal },
      ),
    enabled: wanted && Boolean(chosen),
    retry: false,
  });
  const none =
    wanted && traced.data && !chosen
      ? new Error("This trace holds no chat request that could be loaded.")
      : null;
  useEffect(() => {
    if (!wanted || !query.data) return;
    const from = `${trace}/${span ?? ""}`;
    const opened = open(query.data, from);
    if (!opened) {
      toastError(new Error("This trace holds no chat request that could be loaded."));
      openedFrom(from);
      return;
    }
    navigate({ to: "/playground", search: { ...inUrl(opened), trace, span }, replace: true });
  }, [wanted, query.data, trace, span, navigate]);
  return { error: traced.error ?? query.error ?? none, refetch: () => void query.refetch() };
}

function open(recorded: RecordedCall, from: string): Settings | null {
  const loaded = fromRequest(recorded.request);
  if (!loaded) return null;
  const [said] = recorded.answer?.choices ?? [];
  if (said && (said.text || said.tool_calls.length > 0))
    loaded.turns.push({
      role: "assistant",
      text: said.text,
      ...(said.tool_calls.length > 0 && { toolCalls: said.tool_calls }),
      result: { state: "done", traceId: recorded.trace_id },
    });
  const variables = Object.fromEntries(
    Object.entries(recorded.variables).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
  const filledBy = recorded.filled
    ? { prompt: recorded.prompt, messages: recorded.filled }
    : undefined;
  openRecorded(loaded, variables, from, { lost: recorded.lost, filledBy });
  return loaded.settings;
}

/** The part of a column's settings that an address can carry. */
export function inUrl(settings: Settings): Settings {
  return Object.fromEntries(SETTINGS.map((name) => [name, settings[name]]));
}

/** Settings in the address are those of the first column when the page opens. */
function useSettings(wanted: boolean): void {
  const search = useSearch({ from: "/frame/playground" });
  const key = JSON.stringify(SETTINGS.map((name) => search[name]));
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` stands for all of them
  useEffect(() => {
    const { columns } = current();
    const first = columns[0];
    const given = SETTINGS.filter((name) => search[name] !== undefined);
    if (!wanted || !first || given.length === 0 || search.share) return;
    const change = Object.fromEntries(SETTINGS.map((name) => [name, search[name]]));
    if (search.prompt && !search.model) change.model = undefined;
    changeSettings(first.id, change);
  }, [key, wanted]);
}

export type { Board };
