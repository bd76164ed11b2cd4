// The waterfall of a giant trace: rows come page by page and only those in sight exist. A closed span
// hides the rows below it, which follow it by number, loaded or not.
import { queryOptions, useQueries } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import { call } from "../api/client";
import type { Span, TreePage, TreeRow } from "../api/types";
import { cx } from "../ui/cx";
import { count, duration, money } from "../ui/format";
import { type Closed, rowsInSight } from "./rows-in-sight";

const PAGE = 200;
const ROW = 26;

export const treeQuery = (id: string, page = 0) =>
  queryOptions({
    queryKey: ["tree", id, page],
    queryFn: ({ signal }) =>
      call<TreePage>(`/api/v1/traces/${encodeURIComponent(id)}/tree`, {
        query: { cursor: page ? String(page * PAGE) : undefined, limit: PAGE },
        signal,
      }),
    retry: false, // the trace itself is waited for, see `traceQuery`
    staleTime: 30_000, // scrolling back and forth asks for no page twice
  });

interface Props {
  first: TreePage;
  chosen: string;
  onChoose: (span: Span) => void;
}

export function Waterfall({ first, chosen, onChoose }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const [closed, setClosed] = useState<Closed>(new Map());
  const sight = useMemo(() => rowsInSight(first.total, closed), [first.total, closed]);
  const virtual = useVirtualizer({
    count: sight.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const pages = [...new Set(items.map((item) => Math.floor(sight.at(item.index) / PAGE)))];
  const loaded = useQueries({ queries: pages.map((page) => treeQuery(first.trace_id, page)) });
  const rows = new Map<number, TreeRow>();
  for (const page of [first, ...loaded.map((one) => one.data)])
    for (const row of page?.rows ?? []) rows.set(row.at, row);
  const whole = Math.max(first.end_ms - first.start_ms, 0.001);
  const toggle = (row: TreeRow) => {
    const next = new Map(closed);
    if (!next.delete(row.at)) next.set(row.at, row.spans - 1);
    setClosed(next);
  };
  return (
    <section aria-label="Timeline" className="shrink-0 border-b">
      <p className="flex gap-3 px-4 pt-2 pb-1 text-2xs text-ink-3">
        <span className="font-medium">Timeline</span>
        <span>{count(first.total)} spans</span>
        <span className={first.errors ? "text-bad" : ""}>{count(first.errors)} errors</span>
        <span>{money(first.cost_nano)}</span>
        <span>{duration(whole)}</span>
      </p>
      <div ref={scroller} className="h-[min(46vh,520px)] overflow-y-auto px-2" data-waterfall>
        <div className="relative" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rows.get(sight.at(item.index));
            return (
              <div
                key={item.key}
                className="absolute inset-x-0"
                style={{ height: ROW, transform: `translateY(${item.start}px)` }}
              >
                {row ? (
                  <Line
                    row={row}
                    start={first.start_ms}
                    whole={whole}
                    open={!closed.has(row.at)}
                    chosen={row.span.span_id === chosen}
                    onToggle={() => toggle(row)}
                    onChoose={() => onChoose(row.span)}
                  />
                ) : (
                  <div className="mx-2 mt-2 h-2.5 animate-pulse rounded bg-mute-wash" />
                )}
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}

interface LineProps {
  row: TreeRow;
  start: number;
  whole: number;
  open: boolean;
  chosen: boolean;
  onToggle: () => void;
  onChoose: () => void;
}

function Line({ row, start, whole, open, chosen, onToggle, onChoose }: LineProps) {
  const { span } = row;
  const color =
    span.status === "error"
      ? "var(--bad)"
      : span.status === "ok"
        ? "var(--series-1)"
        : "var(--warn)";
  const at = (ms: number) => `${((ms - start) / whole) * 100}%`;
  return (
    <div
      className={cx(
        "grid h-full grid-cols-[minmax(140px,34%)_1fr_64px] items-center gap-x-3 rounded-md px-2",
        chosen ? "bg-accent-wash" : "hover:bg-hover",
      )}
    >
      <span
        className="flex min-w-0 items-center gap-1"
        style={{ paddingLeft: Math.min(row.depth, 14) * 12 }}
      >
        {row.children > 0 ? (
          <button
            type="button"
            aria-expanded={open}
            aria-label={`${open ? "Close" : "Open"} ${span.name}, ${row.spans - 1} below`}
            className="w-4 shrink-0 text-ink-3 hover:text-ink"
            onClick={onToggle}
          >
            {open ? "▾" : "▸"}
          </button>
        ) : (
          <span className="w-4 shrink-0" />
        )}
        <button
          type="button"
          aria-pressed={chosen}
          className="min-w-0 truncate text-left"
          onClick={onChoose}
        >
          {span.name}
        </button>
        {row.children > 0 && (
          <span className="shrink-0 text-2xs text-ink-3">{count(row.spans)}</span>
        )}
        {row.errors > 0 && <span className="shrink-0 text-2xs text-bad">{count(row.errors)}!</span>}
      </span>
      <svg className="h-3.5 w-full" aria-hidden="true">
        <line x1="0" x2="100%" y1="7" y2="7" stroke="var(--line)" />
        <rect
          x={at(span.start_ms)}
          y={2}
          width={`${(span.duration_ms / whole) * 100}%`}
          height={10}
          rx={2}
          fill={color}
          opacity={0.9}
        />
        <rect x={at(span.start_ms)} y={2} width={2} height={10} fill={color} />
      </svg>
      <span className="num text-xs text-ink-2">{duration(span.duration_ms)}</span>
    </div>
  );
}
