// One turn: its text, its figures, and what can be done with it.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { memo, useState } from "react";
import { traceQuery } from "../api/queries";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { CopyButton } from "../ui/copy";
import { cx } from "../ui/cx";
import { TextArea } from "../ui/field";
import { count, duration, money } from "../ui/format";
import { Icon } from "../ui/icons";
import type { Result, Turn } from "./board";
import { cut, edit } from "./board-store";
import { MediaView } from "./media-view";
import { run } from "./run";

interface Props {
  turn: Turn;
  column: number;
  project: string | undefined;
  busy: boolean;
  /** A tool's turn that a person has to fill in. */
  asks: boolean;
}

export const TurnView = memo(function TurnView({ turn, column, project, busy, asks }: Props) {
  const [editing, setEditing] = useState(false);
  const { result } = turn;
  const assistant = turn.role === "assistant";
  const rerun = !assistant && turn.role !== "tool";
  return (
    <article
      aria-label={`${turn.role} turn`}
      className={cx("group border-b px-4 py-3", assistant && "bg-panel")}
    >
      <div className="mx-auto max-w-[820px]">
        <header className="mb-1 flex h-6 items-center gap-1">
          <h3
            className={cx(
              "mr-auto text-xs font-semibold capitalize",
              assistant ? "text-accent" : "text-ink-2",
            )}
          >
            {turn.role}
            {turn.toolName && <span className="font-mono font-normal"> {turn.toolName}</span>}
          </h3>
          <div className="flex opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
            {turn.text && <CopyButton text={turn.text} label="Copy the text" />}
            {!busy && !editing && !asks && (
              <Button
                tone="ghost"
                icon="edit"
                aria-label={rerun ? "Edit and run again" : "Edit this answer"}
                title={rerun ? "Edit and run again" : "Edit this answer"}
                onClick={() => setEditing(true)}
              />
            )}
            {!busy && assistant && (
              <Button
                tone="ghost"
                icon="refresh"
                aria-label="Run again"
                title="Run again"
                onClick={() => {
                  cut(column, turn.id);
                  run([column], project);
                }}
              />
            )}
          </div>
        </header>
        {editing || asks ? (
          <Editor
            turn={turn}
            column={column}
            project={project}
            asks={asks}
            onDone={() => setEditing(false)}
          />
        ) : (
          <Content turn={turn} />
        )}
        {result?.check && <Check check={result.check} />}
        {result && <Figures result={result} />}
      </div>
    </article>
  );
});

function Content({ turn }: { turn: Turn }) {
  const { result, parts } = turn;
  const calls = turn.toolCalls ?? parts?.toolCalls ?? [];
  return (
    <>
      {result?.reasoning && (
        <details className="mb-2 text-ink-2">
          <summary className="text-xs">Reasoning</summary>
          <p className="mt-1 border-l-2 pl-3 break-words whitespace-pre-wrap">{result.reasoning}</p>
        </details>
      )}
      {turn.text && (
        <p className="text-base leading-[22px] break-words whitespace-pre-wrap">
          {turn.text}
          {result?.state === "streaming" && (
            <span
              aria-hidden="true"
              className="ml-0.5 inline-block h-3.5 w-[7px] animate-pulse bg-ink-3 align-[-2px]"
            />
          )}
        </p>
      )}
      {result?.state === "waiting" && (
        <p role="status" className="text-ink-3">
          Waiting for the first token…
        </p>
      )}
      {parts?.media.map((kind, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: parts never move
        <Badge key={index}>{kind}</Badge>
      ))}
      {turn.media && <MediaView media={turn.media} />}
      {calls.map((call) => (
        <pre
          key={call.id || call.name}
          className="mt-1 font-mono text-xs break-words whitespace-pre-wrap"
        >
          {call.name}({call.arguments})
        </pre>
      ))}
      {result?.error && (
        <div role="alert" className="flex gap-2 text-bad">
          <Icon name="warn" size={14} className="mt-[3px] shrink-0" />
          <p className="min-w-0 break-words">
            {result.error.message}
            {result.error.hint && <span className="block text-ink-2">{result.error.hint}</span>}
          </p>
        </div>
      )}
    </>
  );
}

function Editor({
  turn,
  column,
  project,
  asks,
  onDone,
}: Omit<Props, "busy"> & { onDone: () => void }) {
  const [text, setText] = useState(turn.text);
  const kept = turn.role === "assistant" || turn.role === "tool";
  const save = () => {
    onDone();
    const asked = edit(column, turn.id, text);
    run(asks ? [column] : asked, project);
  };
  const word = asks ? "Answer and go on" : kept ? "Save" : "Run again from here";
  return (
    <div>
      {asks && <p className="mb-1 text-xs text-ink-2">What does the tool return?</p>}
      <TextArea
        autoFocus
        aria-label={asks ? `Result of ${turn.toolName ?? "the tool"}` : "Edit the turn"}
        rows={Math.min(12, Math.max(3, text.split("\n").length))}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.stopPropagation();
            save();
          }
          if (event.key === "Escape") onDone();
        }}
      />
      <div className="mt-1.5 flex gap-2">
        <Button tone="primary" onClick={save} disabled={!text.trim()}>
          {word}
        </Button>
        {!asks && (
          <Button tone="ghost" onClick={onDone}>
            Cancel
          </Button>
        )}
      </div>
    </div>
  );
}

function Check({ check }: { check: NonNullable<Result["check"]> }) {
  if (check.valid)
    return (
      <p className="mt-1.5 text-xs">
        <Badge tone="ok">keeps its schema</Badge>
      </p>
    );
  return (
    <div className="mt-1.5 text-xs">
      <Badge tone="bad">breaks its schema</Badge>
      <ul className="mt-1 flex flex-col gap-0.5">
        {check.problems.map((one) => (
          <li key={`${one.path}${one.message}`} className="break-words">
            <code className="mr-1.5 font-mono text-accent">{one.path}</code>
            {one.message}
          </li>
        ))}
      </ul>
    </div>
  );
}

const ENDED: Partial<Record<Result["state"], string>> = { stopped: "stopped", failed: "failed" };

/** The log's figures when they are there, this browser's until then. */
function Figures({ result }: { result: Result }) {
  const over = result.state !== "waiting" && result.state !== "streaming";
  const { data } = useQuery({
    ...traceQuery(result.traceId ?? "", 40),
    enabled: over && Boolean(result.traceId),
  });
  const root = data?.spans.find((span) => span.is_root);
  const ttft = root?.ttft_ms ?? result.ttftMs;
  const tokens = root?.tokens.source !== "none" && root ? root.tokens : result.usage;
  const total = root?.duration_ms ?? result.totalMs;
  const items = [
    ENDED[result.state],
    result.finish === "length" && "cut at max tokens",
    tokens
      ? `${count(tokens.input)} in, ${count(tokens.output)} out`
      : !over && result.pieces && `${count(result.pieces)} pieces`,
    ttft !== undefined && ttft !== null && `first token ${duration(ttft)}`,
    over && total !== undefined && `total ${duration(total)}`,
    root?.tpot_ms && `${Math.round(1000 / root.tpot_ms)} tokens/s`,
    root && `cost ${money(root.cost_nano)}`,
  ].filter(Boolean);
  return (
    <footer className="mt-1.5 flex min-h-5 flex-wrap items-center gap-x-3 text-xs text-ink-3">
      {items.map((item) => (
        <span key={String(item)}>{item}</span>
      ))}
      {over && result.traceId && (
        <Link
          to="/traces/$traceId"
          params={{ traceId: result.traceId }}
          search={{}}
          className="ml-auto inline-flex items-center gap-1 text-accent hover:underline"
        >
          Open trace
          <Icon name="right" size={12} />
        </Link>
      )}
    </footer>
  );
}
