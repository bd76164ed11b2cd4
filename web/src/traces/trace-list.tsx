// The virtual list: thousands of rows, of which the visible ones exist.
import { Link, useParams } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useRef } from "react";
import type { TraceRow } from "../api/types";
import { Dot, STATUS_TONE } from "../ui/badge";
import { cx } from "../ui/cx";
import { compact, count, duration, moment, money, NONE, zone } from "../ui/format";
import { Failure } from "../ui/states";
import { kept } from "./search";

const ROW_PX = 30;

interface Props {
  rows: readonly TraceRow[];
  keyName: (id: string) => string;
  more: boolean;
  loading: boolean;
  failed: unknown;
  onMore: () => void;
  /** How many of the first rows came through the live tail. */
  fresh: number;
}

export function TraceList({ rows, keyName, more, loading, failed, onMore, fresh }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const { traceId } = useParams({ strict: false });
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 20,
    getItemKey: (index) => rows[index]?.trace_id ?? index,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && !failed && last >= rows.length - 30) onMore();
  }, [more, loading, failed, last, rows.length, onMore]);
  const at = traceId ? rows.findIndex((row) => row.trace_id === traceId) : -1;
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: "auto" });
  }, [at, virtual]);
  return (
    <div
      ref={scroller}
      className="min-h-0 flex-1 overflow-auto"
      role="table"
      aria-label="Traces"
      aria-rowcount={more ? -1 : rows.length}
    >
      <div
        role="row"
        className="trace-grid sticky top-0 z-10 h-7 border-b bg-page px-4 text-xs font-medium text-ink-3"
      >
        <span role="columnheader">Time, {zone()}</span>
        <span role="columnheader">Model</span>
        <span role="columnheader">Input</span>
        <span role="columnheader" data-col="output">
          Output
        </span>
        <span role="columnheader" data-col="tokens" className="num">
          Tokens
        </span>
        <span role="columnheader" className="num">
          Cost
        </span>
        <span role="columnheader" data-col="ttft" className="num">
          TTFT
        </span>
        <span role="columnheader" className="num">
          Duration
        </span>
        <span role="columnheader" data-col="key" className="pl-1.5">
          Key
        </span>
      </div>
      <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = rows[item.index];
          return row ? (
            <Row
              key={item.key}
              row={row}
              top={item.start}
              index={item.index}
              open={item.index === at}
              fresh={item.index < fresh}
              keyName={keyName}
            />
          ) : null;
        })}
      </div>
      <footer className="px-4 py-2 text-xs text-ink-3">
        {failed ? (
          <Failure error={failed} onRetry={onMore} />
        ) : loading ? (
          "Loading more…"
        ) : more ? (
          `${count(rows.length)} loaded`
        ) : (
          `${count(rows.length)} ${rows.length === 1 ? "trace" : "traces"}, that is all`
        )}
      </footer>
    </div>
  );
}

interface RowProps {
  row: TraceRow;
  top: number;
  index: number;
  open: boolean;
  fresh: boolean;
  keyName: (id: string) => string;
}

const Row = memo(function Row({ row, top, index, open, fresh, keyName }: RowProps) {
  const { root } = row;
  const failed = root.status !== "ok";
  return (
    <div
      role="row"
      aria-rowindex={index + 1}
      aria-selected={open}
      className={cx(
        "trace-grid absolute inset-x-0 h-[30px] border-b px-4",
        open ? "bg-accent-wash" : "hover:bg-hover",
        fresh && "arrived",
      )}
      style={{ transform: `translateY(${top}px)` }}
    >
      <span
        role="cell"
        className="flex items-center gap-2 overflow-hidden whitespace-nowrap text-ink-2"
      >
        <span title={root.status} className="flex items-center">
          <Dot tone={STATUS_TONE[root.status]} />
          <span className="sr-only">{root.status}</span>
        </span>
        {moment(root.start_ms)}
      </span>
      <span role="cell" className="truncate">
        <Link
          to="/traces/$traceId"
          params={{ traceId: row.trace_id }}
          search={(old) => ({ ...kept(old), span: undefined })}
          className="outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
        >
          {root.requested_model || root.model || root.name}
        </Link>
      </span>
      <span role="cell" className="truncate" title={root.input_preview || undefined}>
        {root.input_preview || (
          <span className="text-ink-3">{root.payload === "none" ? "not logged" : root.name}</span>
        )}
      </span>
      <span
        role="cell"
        data-col="output"
        title={(failed ? root.error_message : root.output_preview) || undefined}
        className={cx("truncate", failed ? "text-bad" : "text-ink-2")}
      >
        {failed
          ? root.error_message || root.error
          : root.output_preview || <span className="text-ink-3">{NONE}</span>}
      </span>
      <span role="cell" data-col="tokens" className="num text-ink-2">
        {compact(row.total_tokens)}
      </span>
      <span
        role="cell"
        className={cx("num", row.total_cost_nano === null ? "text-ink-3" : "text-ink-2")}
      >
        {money(row.total_cost_nano)}
      </span>
      <span role="cell" data-col="ttft" className="num text-ink-2">
        {duration(root.ttft_ms)}
      </span>
      <span role="cell" className="num">
        {duration(root.duration_ms)}
      </span>
      <span role="cell" data-col="key" className="truncate pl-1.5 text-ink-2">
        {keyName(root.key_id)}
      </span>
    </div>
  );
});
