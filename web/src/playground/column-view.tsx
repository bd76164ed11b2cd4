// One column: what it asks, and its conversation.
import { useEffect, useRef } from "react";
import type { Model } from "../api/types";
import { Button } from "../ui/button";
import { cx } from "../ui/cx";
import { Empty } from "../ui/states";
import type { Column } from "./board";
import { addColumn, changeColumn, choose, removeColumn } from "./board-store";
import { Composer } from "./composer";
import { Meter } from "./meter";
import { RenderedView } from "./rendered-view";
import { stop } from "./run";
import { TurnView } from "./turn-view";

interface Props {
  column: Column;
  number: number;
  alone: boolean;
  full: boolean;
  chosen: boolean;
  running: boolean;
  project: string | undefined;
  models: readonly Model[];
}

export function ColumnView(props: Props) {
  const { column, number, alone, chosen, running, project, models } = props;
  return (
    <section
      aria-label={`Column ${number}`}
      onFocusCapture={() => choose(column.id)}
      onPointerDownCapture={() => choose(column.id)}
      className={cx(
        "flex min-h-0 min-w-[300px] flex-1 flex-col border-r last:border-r-0",
        chosen && !alone && "border-t-2 border-t-accent",
      )}
    >
      {!alone && <Head {...props} />}
      <Turns column={column} running={running} project={project} />
      {column.apart && (
        <Composer
          column={column.id}
          project={project}
          running={running}
          ready={Boolean(column.settings.model || column.settings.prompt)}
        />
      )}
      {!alone && (
        <footer className="flex h-6 shrink-0 items-center border-t px-3">
          <Meter columns={[column]} models={models} />
        </footer>
      )}
    </section>
  );
}

function Head({ column, number, full, running }: Props) {
  const { settings } = column;
  const title = [settings.prompt, settings.model].filter(Boolean).join(", ");
  const apart = () => changeColumn(column.id, (one) => ({ ...one, apart: !one.apart }));
  return (
    <header className="flex h-9 shrink-0 items-center gap-0.5 border-b pr-1 pl-3">
      <h2 className="mr-auto truncate text-sm font-medium" title={title}>
        <span className="text-ink-3">{number}. </span>
        {title || "no model"}
        {settings.temperature !== undefined && (
          <span className="text-xs text-ink-3"> t {settings.temperature}</span>
        )}
        {settings.seed !== undefined && (
          <span className="text-xs text-ink-3"> seed {settings.seed}</span>
        )}
      </h2>
      {running && (
        <Button
          tone="ghost"
          icon="stop"
          aria-label={`Stop column ${number}`}
          onClick={() => stop(column.id)}
        />
      )}
      <Button
        tone="ghost"
        aria-pressed={Boolean(column.apart)}
        className="!px-1.5 text-xs"
        title={
          column.apart
            ? "This column has messages of its own: share them with the others again"
            : "Give this column messages of its own"
        }
        onClick={apart}
      >
        {column.apart ? "Own" : "Shared"}
      </Button>
      <Button
        tone="ghost"
        icon="copy"
        aria-label={`Copy column ${number}`}
        title="Copy this column"
        disabled={full}
        onClick={() => addColumn(column.id)}
      />
      <Button
        tone="ghost"
        icon="close"
        aria-label={`Remove column ${number}`}
        title="Remove this column"
        onClick={() => removeColumn(column.id)}
      />
    </header>
  );
}

function Turns({
  column,
  running,
  project,
}: {
  column: Column;
  running: boolean;
  project: string | undefined;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  const { turns, settings } = column;
  // biome-ignore lint/correctness/useExhaustiveDependencies: every new piece of text may have to scroll
  useEffect(() => {
    const element = scroller.current;
    if (element && stuck.current) element.scrollTop = element.scrollHeight;
  }, [turns]);
  return (
    <div
      ref={scroller}
      className="min-h-0 flex-1 overflow-y-auto"
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        stuck.current = scrollHeight - scrollTop - clientHeight < 40;
      }}
    >
      {settings.prompt && <RenderedView prompt={settings.prompt} project={project} />}
      {turns.length === 0 && !settings.prompt ? (
        <Empty title="Ask a model something" className="pt-16">
          <p>
            Every run goes through the gateway like your applications' calls do: it is routed,
            priced and recorded, and each answer links to its trace. To debug a call of an
            application, open its trace and choose “Open in playground”. Add a column to compare
            models, prompts and parameters side by side.
          </p>
        </Empty>
      ) : (
        turns.map((turn, at) => (
          <TurnView
            key={turn.id}
            turn={turn}
            column={column.id}
            project={project}
            busy={running}
            asks={
              !running && turn.role === "tool" && !turn.text && !turn.logged && lastOnes(column, at)
            }
          />
        ))
      )}
    </div>
  );
}

/** Whether only tool results follow: the column waits for this one. */
function lastOnes({ turns }: Column, at: number): boolean {
  return turns.slice(at).every(({ role }) => role === "tool");
}
