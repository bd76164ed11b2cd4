// The grid of rows: of many thousands those exist that are in sight. One row opens beside it.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";
import { ApiError } from "../api/client";
import type { DatasetRow } from "../api/types";
import { useShortcuts } from "../frame/shortcuts";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { cx } from "../ui/cx";
import { Input } from "../ui/field";
import { plural } from "../ui/format";
import { Empty, Failure, Lines } from "../ui/states";
import type { ViewProps } from "./dataset-view";
import { rowsQuery } from "./queries";
import { RowPane } from "./row-pane";
import { oneLine } from "./words";

const ROW_PX = 32;
const GRID = "grid grid-cols-[minmax(0,5fr)_minmax(0,4fr)_76px_64px] items-center gap-3 px-4";

export function RowsView({ which, search, onOpen, writes }: ViewProps & { writes: boolean }) {
  const found = useInfiniteQuery(rowsQuery(which, { ...search, version: search.v }));
  const rows = useMemo(() => found.data?.pages.flatMap((page) => page.items) ?? [], [found.data]);
  const at = rows.findIndex((row) => row.id === search.row);
  const step = (by: number) => {
    const next = rows[at < 0 ? 0 : at + by];
    if (next) onOpen({ row: next.id });
  };
  useShortcuts([
    { keys: "j", label: "Next row", group: "Data sets", run: () => step(1) },
    { keys: "k", label: "Previous row", group: "Data sets", run: () => step(-1) },
    {
      keys: "Escape",
      label: "Close the row",
      group: "Data sets",
      run: () => onOpen({ row: undefined }),
    },
  ]);
  if (found.error && !found.data) {
    if (found.error instanceof ApiError && found.error.status === 404 && !search.slice)
      return <NoRows onOpen={onOpen} writes={writes} />;
    return <Failure error={found.error} onRetry={found.refetch} className="m-4" />;
  }
  if (found.isPending) return <Lines />;
  const chosen = rows[at];
  return (
    <div className="flex h-full min-h-0 max-wide:flex-col">
      <div className={cx("flex min-h-0 min-w-0 flex-1 flex-col", chosen && "max-wide:max-h-[38%]")}>
        <div className="flex items-center gap-3 px-4 py-2">
          <Input
            aria-label="Find in inputs"
            placeholder="Find in inputs"
            className="max-w-[280px]"
            defaultValue={search.q}
            onKeyDown={(event) => {
              if (event.key === "Enter") onOpen({ q: event.currentTarget.value || undefined });
            }}
          />
          <span className="text-xs text-ink-3">
            {plural(found.data.pages[0]?.total ?? 0, "row")}
            {search.slice && ` in the slice ${search.slice}`}
          </span>
          {search.slice && (
            <Button tone="ghost" onClick={() => onOpen({ slice: undefined })}>
              Show all
            </Button>
          )}
        </div>
        {rows.length === 0 ? (
          <Empty title="No row matches">
            <p>Clear the search or the split to see the others.</p>
          </Empty>
        ) : (
          <Grid
            rows={rows}
            at={at}
            more={found.hasNextPage && !found.isFetchingNextPage}
            onMore={found.fetchNextPage}
            onChoose={(row) => onOpen({ row: row.id })}
          />
        )}
      </div>
      {chosen && (
        <RowPane
          key={`${chosen.id} ${chosen.hash}`}
          which={which}
          row={chosen}
          writes={writes && search.v === undefined}
          onClose={() => onOpen({ row: undefined })}
        />
      )}
    </div>
  );
}

interface GridProps {
  rows: readonly DatasetRow[];
  at: number;
  more: boolean;
  onMore: () => void;
  onChoose: (row: DatasetRow) => void;
}

function Grid({ rows, at, more, onMore, onChoose }: GridProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 20,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && last >= rows.length - 40) onMore();
  }, [more, last, rows.length, onMore]);
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: "auto" });
  }, [at, virtual]);
  return (
    <div
      ref={scroller}
      className="min-h-[200px] flex-1 overflow-auto"
      role="table"
      aria-label="Rows"
    >
      <div
        role="row"
        className={cx(
          GRID,
          "sticky top-0 z-10 h-7 border-y bg-page text-xs font-medium text-ink-3",
        )}
      >
        <span role="columnheader">Input</span>
        <span role="columnheader">Expected</span>
        <span role="columnheader">Split</span>
        <span role="columnheader">From</span>
      </div>
      <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {items.map((item) => {
          const row = rows[item.index];
          if (!row) return null;
          return (
            <div
              key={row.id}
              role="row"
              className={cx(
                GRID,
                "absolute inset-x-0 border-b hover:bg-hover",
                item.index === at && "bg-accent-wash",
              )}
              style={{ height: ROW_PX, transform: `translateY(${item.start}px)` }}
            >
              <span role="cell" className="min-w-0">
                <button
                  type="button"
                  className="block w-full truncate text-left"
                  onClick={() => onChoose(row)}
                >
                  {row.erased ? "(erased)" : oneLine(row.input) || "(empty)"}
                </button>
              </span>
              <span role="cell" className="truncate text-ink-2">
                {row.expected === null ? "" : oneLine(row.expected)}
              </span>
              <span role="cell">{row.split && <Badge>{row.split}</Badge>}</span>
              <span role="cell" className="text-xs text-ink-3">
                {row.source_trace ? "trace" : ""}
              </span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

function NoRows({ onOpen, writes }: Pick<ViewProps, "onOpen"> & { writes: boolean }) {
  return (
    <Empty
      title="No rows yet"
      action={
        writes && (
          <span className="flex gap-2">
            <Button tone="primary" onClick={() => onOpen({ add: "traces" })}>
              Take them from traces
            </Button>
            <Button onClick={() => onOpen({ add: "file" })}>Import a file</Button>
          </span>
        )
      }
    >
      <p>
        A row is what goes in and what should come out. Traces bring both; where somebody corrected
        an answer, the correction is what is expected.
      </p>
    </Empty>
  );
}
