import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { call } from "../api/client";
import { instanceQuery, modelsQuery } from "../api/queries";
import type { Model } from "../api/types";
import { stringifySearch } from "../frame/search";
import { useShortcuts } from "../frame/shortcuts";
import { Button } from "../ui/button";
import { copyText } from "../ui/copy";
import { Kbd } from "../ui/kbd";
import { Failure, Lines } from "../ui/states";
import { toast, toastError } from "../ui/toast";
import { MOST_COLUMNS, shareable } from "./board";
import { addColumn, changeSettings, clearTurns, current, useBoard } from "./board-store";
import { ColumnView } from "./column-view";
import { Composer } from "./composer";
import { useGrid } from "./grid-store";
import { GridView } from "./grid-view";
import { Meter } from "./meter";
import { NoModels } from "./no-models";
import { inUrl, useOpening } from "./opening";
import { runAll, stop, useRunning } from "./run";
import { SettingsPanel } from "./settings-panel";

const SaveVersion = lazy(() => import("./save-version"));
const SaveRow = lazy(() => import("./save-row"));
const ReplayDialog = lazy(() => import("./replay-dialog"));

export function PlaygroundPage() {
  const { data: models, error, refetch } = useQuery(modelsQuery);
  const { data: instance } = useQuery(instanceQuery);
  if (error && !models) return <Failure error={error} onRetry={refetch} className="m-4" />;
  if (!models) return <Lines rows={8} />;
  const chats = models.filter((model) => model.kind === "chat");
  if (chats.length === 0) return <NoModels />;
  const usual = chats.find((model) => model.name === instance?.default_model) ?? chats[0];
  return <Playground models={chats} usual={usual?.name} />;
}

type Saving = "version" | "row" | "replay" | null;

function Playground({ models, usual }: { models: readonly Model[]; usual: string | undefined }) {
  const search = useSearch({ from: "/frame/playground" });
  const board = useBoard();
  const running = useRunning();
  const grid = useGrid();
  const opening = useOpening();
  const [saving, setSaving] = useState<Saving>(null);
  useUsualModel(usual, opening === null);
  useAddress(opening === null);
  useRunKeys(search.project);
  const at = Math.max(
    0,
    board.columns.findIndex((column) => column.id === board.chosen),
  );
  const chosen = board.columns[at];
  if (!chosen) return null;
  const shared = board.columns.filter((column) => !column.apart);
  return (
    <div className="flex h-full min-h-0">
      <SettingsPanel
        key={chosen.id}
        models={models}
        column={chosen}
        number={at + 1}
        project={search.project}
        dataset={search.dataset}
      />
      <section aria-label="Conversation" className="flex min-w-0 flex-1 flex-col">
        <Bar models={models} onSave={setSaving} />
        {grid.rows.length > 0 ? (
          <GridView grid={grid} />
        ) : (
          <>
            <div className="flex min-h-0 flex-1 overflow-x-auto">
              {opening ??
                board.columns.map((column, index) => (
                  <ColumnView
                    key={column.id}
                    column={column}
                    number={index + 1}
                    alone={board.columns.length === 1}
                    full={board.columns.length >= MOST_COLUMNS}
                    chosen={column.id === chosen.id}
                    running={running.includes(column.id)}
                    project={search.project}
                    models={models}
                  />
                ))}
            </div>
            {shared.length > 0 && (
              <Composer
                column={null}
                project={search.project}
                running={shared.some((column) => running.includes(column.id))}
                ready={shared.every(({ settings }) => settings.model || settings.prompt)}
              />
            )}
          </>
        )}
      </section>
      <Suspense fallback={null}>
        {saving === "version" && (
          <SaveVersion column={chosen} project={search.project} onClose={() => setSaving(null)} />
        )}
        {saving === "row" && (
          <SaveRow column={chosen} project={search.project} onClose={() => setSaving(null)} />
        )}
        {saving === "replay" && search.trace && (
          <ReplayDialog trace={search.trace} models={models} onClose={() => setSaving(null)} />
        )}
      </Suspense>
    </div>
  );
}

function Bar({ models, onSave }: { models: readonly Model[]; onSave: (what: Saving) => void }) {
  const search = useSearch({ from: "/frame/playground" });
  const navigate = useNavigate();
  const board = useBoard();
  const running = useRunning();
  const said = board.columns.some(({ turns }) => turns.length > 0);
  const ready = board.columns.some(({ turns, settings }) => turns.length > 0 || settings.prompt);
  const startOver = () => {
    stop();
    clearTurns();
    navigate({
      to: "/playground",
      search: (old) => ({ ...old, trace: undefined, span: undefined, share: undefined }),
      replace: true,
    });
  };
  useShortcuts([
    { keys: "n", label: "New conversation", group: "Playground", run: startOver },
    {
      keys: "c",
      label: "Add a column",
      group: "Playground",
      run: () => addColumn(current().chosen),
    },
  ]);
  return (
    <div className="flex min-h-10 shrink-0 flex-wrap items-center gap-1 border-b px-3 py-1">
      {running.length > 0 ? (
        <Button icon="stop" onClick={() => stop()}>
          Stop all
        </Button>
      ) : (
        <Button
          icon="play"
          disabled={!ready}
          title="Answer the last question anew in every column (Ctrl+Enter)"
          onClick={() => runAll(search.project)}
        >
          Run all
          <span className="max-wide:hidden">
            <Kbd>Ctrl ⏎</Kbd>
          </span>
        </Button>
      )}
      <Button
        icon="plus"
        tone="ghost"
        disabled={board.columns.length >= MOST_COLUMNS}
        onClick={() => addColumn(board.chosen)}
      >
        <span className="max-wide:sr-only">Add a column</span>
      </Button>
      {search.trace && (
        <>
          <span className="truncate px-1 text-xs text-ink-3">
            from trace {search.trace.slice(0, 8)}
          </span>
          <Button tone="ghost" icon="refresh" onClick={() => onSave("replay")}>
            Replay it
          </Button>
        </>
      )}
      <span className="mr-auto" />
      <Meter columns={board.columns} models={models} />
      <Button
        tone="ghost"
        disabled={!ready && !board.columns[0]?.settings.system}
        onClick={() => onSave("version")}
      >
        Save version
      </Button>
      <Button tone="ghost" disabled={!said} onClick={() => onSave("row")}>
        Save row
      </Button>
      <Share />
      <Button
        tone="ghost"
        aria-label="New conversation"
        title="New conversation (n)"
        onClick={startOver}
        disabled={!said && !search.trace}
      >
        New
      </Button>
    </div>
  );
}

/** One column without a word is a link by itself; anything more is kept under an id. */
function Share() {
  const { project } = useSearch({ from: "/frame/playground" });
  const share = async () => {
    try {
      const link = `${location.origin}/playground${stringifySearch(await shareSearch(project))}`;
      const done = await copyText(link);
      toast(
        done
          ? { text: "Link to this board copied: it opens for everybody who sees the project." }
          : { tone: "bad", text: "The browser refused to copy.", hint: link },
      );
    } catch (error) {
      toastError(error);
    }
  };
  return (
    <Button tone="ghost" icon="copy" onClick={share}>
      Copy link
    </Button>
  );
}

async function shareSearch(project: string | undefined) {
  const board = current();
  const [first] = board.columns;
  const plain =
    board.columns.length === 1 &&
    first &&
    first.turns.length === 0 &&
    first.tools.length === 0 &&
    !first.settings.schema &&
    Object.keys(board.variables).length === 0;
  if (plain) return { ...inUrl(first.settings), project };
  const { id } = await call<{ id: string }>("/api/v1/playground/shares", {
    method: "POST",
    body: { project: project ?? "default", state: shareable(board) },
  });
  return { share: id, project };
}

/** A column without a model asks the instance's usual one. */
function useUsualModel(usual: string | undefined, ready: boolean): void {
  const { columns } = useBoard();
  const without = columns.find(({ settings }) => !settings.model && !settings.prompt)?.id;
  const { model, prompt } = useSearch({ from: "/frame/playground" });
  useEffect(() => {
    if (ready && usual && without !== undefined && !model && !prompt)
      changeSettings(without, { model: usual });
  }, [ready, usual, without, model, prompt]);
}

/** The first column's settings stand in the address, as far as an address can carry them. */
function useAddress(ready: boolean): void {
  const navigate = useNavigate();
  const { columns } = useBoard();
  const settings = columns[0]?.settings;
  useEffect(() => {
    if (!ready || !settings) return;
    // The address of a page that was just opened is read first.
    const timer = setTimeout(
      () =>
        navigate({
          to: "/playground",
          search: (old) => (old.share ? old : { ...old, ...inUrl(settings) }),
          replace: true,
        }),
      120,
    );
    return () => clearTimeout(timer);
  }, [ready, settings, navigate]);
}

/** Ctrl+Enter runs all columns, wherever the cursor is. */
function useRunKeys(project: string | undefined): void {
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.defaultPrevented)
        return;
      if (document.querySelector('[role="dialog"]')) return;
      event.preventDefault();
      runAll(project);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [project]);
}
