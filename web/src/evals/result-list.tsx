// The rows of a run, the failing ones first; of thousands those exist that are in sight.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import { Certificate } from "../judges/certificate";
import { Badge } from "../ui/badge";
import { Dialog } from "../ui/dialog";
import { Input } from "../ui/field";
import { count, duration, money } from "../ui/format";
import { NativeSelect } from "../ui/native-select";
import { Failure, Lines } from "../ui/states";
import { MOST_ROWS, resultsQuery } from "./queries";
import type { Measured, Result, Run } from "./types";
import { asked, failingFirst, isOver, plain, verdictText } from "./words";

const ROW_PX = 30;
const COLUMNS = 4;

interface Props {
  run: Run;
  part?: string;
}

export function ResultList({ run, part }: Props) {
  const navigate = useNavigate();
  const step = isOver(run) ? run.progress.done : Math.floor(run.progress.done / 50);
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery(
    resultsQuery(run.id, part, step),
  );
  const [find, setFind] = useState("");
  const [open, setOpen] = useState<Result | null>(null);
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage) fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const metrics = useMemo(() => columnsOf(run), [run]);
  const rows = useMemo(() => {
    const all = data?.pages.flatMap((page) => page.items) ?? [];
    const word = find.trim().toLowerCase();
    const found = word
      ? all.filter((row) =>
          `${row.item} ${row.output} ${row.error} ${plain(row.input)}`.toLowerCase().includes(word),
        )
      : all;
    return failingFirst(
      found,
      metrics
        .filter((one) => one.unit === "share" || one.unit === "score")
        .map((one) => one.metric),
    );
  }, [data, find, metrics]);
  const slices = [...new Set(run.metrics.map((one) => one.slice).filter(Boolean))];
  const bad = rows.filter((row) => row.error).length;
  return (
    <section aria-label="Rows" className="pt-4">
      <div className="flex items-center gap-2 px-4 pb-2">
        <h3 className="font-semibold">Rows</h3>
        <p className="mr-auto text-xs text-ink-3">
          {data &&
            `${count(rows.length)}, failing first${bad ? `, ${count(bad)} with an error` : ""}${
              rows.length >= MOST_ROWS ? "; the first of more" : ""
            }`}
        </p>
        {slices.length > 0 && (
          <NativeSelect
            label="Slice"
            value={part ?? ""}
            onChange={(value) =>
              navigate({ to: "/evals", search: { run: run.id, slice: value || undefined } })
            }
            choices={[
              { value: "", label: "All rows" },
              ...slices.map((slice) => ({ value: slice, label: slice })),
            ]}
          />
        )}
        <Input
          data-search
          aria-label="Find in rows"
          placeholder="Find in rows"
          value={find}
          className="!w-[180px]"
          onChange={(event) => setFind(event.target.value)}
        />
      </div>
      {error && !data ? (
        <Failure error={error} onRetry={refetch} className="mx-4" />
      ) : !data ? (
        <Lines rows={5} />
      ) : rows.length === 0 ? (
        <p className="px-4 text-ink-2">{find ? "No row has that." : "No row is done yet."}</p>
      ) : (
        <>
          <p className="flex flex-wrap gap-x-4 gap-y-1 px-4 pb-1 text-xs text-ink-2">
            {metrics
              .filter((one) => one.badge)
              .map((one) => (
                <span key={one.metric}>
                  {one.metric} is a judge’s word: <Certificate badge={one.badge} />
                </span>
              ))}
          </p>
          <Rows rows={rows} metrics={metrics} onOpen={setOpen} />
        </>
      )}
      {open && <ResultDialog result={open} metrics={metrics} onClose={() => setOpen(null)} />}
    </section>
  );
}

interface Column {
  metric: string;
  unit: string;
  badge: Measured["badge"];
}

/** The metrics that single rows have: latency and cost have columns of their own. */
function columnsOf(run: Run): Column[] {
  return run.spec.scorers.flatMap((scorer) => {
    const metric = scorer.name || scorer.use;
    const measured = run.metrics.find((one) => one.metric === metric);
    const unit = measured?.unit ?? "score";
    const judged = run.judges.find((one) => one.metric === metric);
    const badge = measured?.badge ?? judged?.badge ?? null;
    return unit === "ms" || unit === "nano" ? [] : [{ metric, unit, badge }];
  });
}

const GRID = "grid items-center gap-3 px-4";

function Rows({
  rows,
  metrics,
  onOpen,
}: {
  rows: readonly Result[];
  metrics: readonly Column[];
  onOpen: (row: Result) => void;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const shown = metrics.slice(0, COLUMNS);
  const columns = {
    gridTemplateColumns: `minmax(90px,150px) minmax(120px,1fr) minmax(120px,1.4fr) ${"minmax(64px,90px) ".repeat(shown.length)}70px 80px 52px`,
  };
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  return (
    <div
      ref={scroller}
      role="table"
      aria-label="Rows"
      aria-rowcount={rows.length}
      className="max-h-[560px] overflow-auto border-y"
    >
      <div
        role="row"
        style={columns}
        className={`${GRID} sticky top-0 z-10 h-7 min-w-[720px] border-b bg-page text-xs font-medium text-ink-3`}
      >
        {["Row", "Asked", "Answered"].map((title) => (
          <span key={title} role="columnheader">
            {title}
          </span>
        ))}
        {shown.map((one) => (
          <span key={one.metric} role="columnheader" className="truncate" title={one.metric}>
            {one.metric}
          </span>
        ))}
        <span role="columnheader" className="num">
          Latency
        </span>
        <span role="columnheader" className="num">
          Cost
        </span>
        <span role="columnheader">Trace</span>
      </div>
      <div
        role="rowgroup"
        className="relative min-w-[720px]"
        style={{ height: virtual.getTotalSize() }}
      >
        {virtual.getVirtualItems().map((item) => {
          const row = rows[item.index];
          return row ? (
            <div
              key={item.key}
              role="row"
              aria-rowindex={item.index + 2}
              style={{ ...columns, transform: `translateY(${item.start}px)`, height: ROW_PX }}
              className={`${GRID} absolute inset-x-0 top-0 border-b hover:bg-hover`}
            >
              <ResultCells row={row} metrics={shown} onOpen={() => onOpen(row)} />
            </div>
          ) : null;
        })}
      </div>
    </div>
  );
}

function ResultCells({
  row,
  metrics,
  onOpen,
}: {
  row: Result;
  metrics: readonly Column[];
  onOpen: () => void;
}) {
  return (
    <>
      <span role="cell" className="min-w-0">
        <button
          type="button"
          onClick={onOpen}
          className="max-w-full truncate font-mono text-xs hover:underline"
        >
          {row.item}
          {row.repeat > 0 && ` #${row.repeat + 1}`}
        </button>
      </span>
      <span role="cell" className="truncate text-ink-2">
        {asked(row.input)}
      </span>
      <span role="cell" className="truncate">
        {row.error ? <span className="text-bad">{row.error}</span> : row.output}
      </span>
      {metrics.map((one) => (
        <span role="cell" key={one.metric} className="truncate">
          <Said result={row} column={one} />
        </span>
      ))}
      <span role="cell" className="num">
        {row.cached ? <span className="text-ink-3">cached</span> : duration(row.latency_ms)}
      </span>
      <span role="cell" className="num">
        {row.cost_nano === null ? "" : money(row.cost_nano)}
      </span>
      <span role="cell">
        {row.trace_id && (
          <Link
            to="/traces/$traceId"
            params={{ traceId: row.trace_id }}
            aria-label={`Trace of ${row.item}`}
            className="text-xs text-accent underline"
          >
            open
          </Link>
        )}
      </span>
    </>
  );
}

function Said({ result, column }: { result: Result; column: Column }) {
  const verdict = result.scores[column.metric];
  const text = verdictText(verdict, column.unit);
  if (column.unit !== "share" || verdict?.value === undefined || verdict.value === null)
    return text;
  return (
    <Badge tone={verdict.value >= 1 ? "ok" : verdict.value > 0 ? "warn" : "bad"}>{text}</Badge>
  );
}

function ResultDialog({
  result,
  metrics,
  onClose,
}: {
  result: Result;
  metrics: readonly Column[];
  onClose: () => void;
}) {
  return (
    <Dialog open onClose={onClose} width={820} title={result.item} description={result.model}>
      <dl className="mb-3 flex flex-col gap-1">
        {metrics.map((one) => (
          <div key={one.metric} className="flex items-baseline gap-2">
            <dt className="w-[150px] shrink-0 text-ink-2">{one.metric}</dt>
            <dd className="min-w-0 break-words">
              <Said result={result} column={one} /> <Certificate badge={one.badge} />{" "}
              <span className="text-ink-2">{result.scores[one.metric]?.reason}</span>
            </dd>
          </div>
        ))}
      </dl>
      <div className="grid grid-cols-2 gap-3">
        <Body title="Asked" text={plain(result.input)} />
        <Body title="Expected" text={plain(result.expected)} />
      </div>
      <Body title="Answered" text={result.error || result.output} bad={Boolean(result.error)} />
      {result.trace_id && (
        <p className="mt-3">
          <Link
            to="/traces/$traceId"
            params={{ traceId: result.trace_id }}
            className="text-accent underline"
          >
            Open the trace
          </Link>
        </p>
      )}
    </Dialog>
  );
}

export function Body({ title, text, bad }: { title: string; text: string; bad?: boolean }) {
  return (
    <div className="mt-2 min-w-0">
      <h4 className="text-xs font-medium text-ink-2">{title}</h4>
      <pre
        className={`mt-0.5 max-h-[260px] overflow-auto rounded-md border bg-panel px-2 py-1.5 font-mono text-xs break-words whitespace-pre-wrap ${bad ? "text-bad" : ""}`}
      >
        {text || "–"}
      </pre>
    </div>
  );
}
