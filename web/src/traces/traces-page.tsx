import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate, useParams, useRouter, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useMemo } from "react";
import { keysQuery, tracesQuery } from "../api/queries";
import type { TraceFilter, TraceRow } from "../api/types";
import { windowOf } from "../frame/search";
import { useShortcuts } from "../frame/shortcuts";
import { FirstCall } from "../overview/first-call";
import { cx } from "../ui/cx";
import { Empty, Failure, Lines } from "../ui/states";
import { FilterBar } from "./filter-bar";
import { conditionsOf, kept } from "./search";
import { TraceList } from "./trace-list";
import { useTail } from "./use-tail";

const WhatChanged = lazy(() => import("./what-changed"));

export function TracesPage() {
  const search = useSearch({ from: "/frame/traces" });
  const { traceId } = useParams({ strict: false });
  const { wide, versus } = useSearch({ strict: false });
  return (
    <div className="relative flex h-full min-h-0">
      <section
        aria-label="Trace list"
        className={cx(
          "@container/list flex min-w-0 flex-1 flex-col",
          traceId && (wide || versus ? "hidden" : "max-wide:hidden"),
        )}
      >
        <FilterBar search={search} />
        {search.changed ? (
          <Suspense fallback={<Lines rows={10} />}>
            <WhatChanged />
          </Suspense>
        ) : (
          <Results />
        )}
      </section>
      <Outlet />
    </div>
  );
}

function Results() {
  const search = useSearch({ from: "/frame/traces" });
  const { project, environment, live } = search;
  const conditions = conditionsOf(search);
  const filter: TraceFilter = { project, environment, ...conditions };
  const query = useInfiniteQuery(tracesQuery(filter, windowOf(search)));
  const tail = useTail(filter, Boolean(live));
  const rows = useMemo(
    () => merge(tail.rows, query.data?.pages.flatMap((page) => page.items) ?? []),
    [tail.rows, query.data],
  );
  const { data: keys = [] } = useQuery(keysQuery);
  const keyName = useMemo(() => {
    const names = new Map(keys.map((key) => [key.id, key.name]));
    return (id: string) => names.get(id) ?? id;
  }, [keys]);
  useRowKeys(rows);

  if (query.error && !query.data)
    return <Failure error={query.error} onRetry={query.refetch} className="m-4" />;
  if (query.isPending) return <Lines rows={14} />;
  if (rows.length === 0) {
    const filtered = Object.values(conditions).some((value) => value !== undefined);
    if (live) return <Waiting />;
    return filtered ? <NoMatch /> : <FirstCall scope={search} what="No traces in this window" />;
  }
  return (
    <TraceList
      rows={rows}
      keyName={keyName}
      more={query.hasNextPage}
      loading={query.isFetchingNextPage}
      failed={query.isFetchNextPageError ? query.error : null}
      onMore={query.fetchNextPage}
      fresh={tail.rows.length}
    />
  );
}

/** Tailed rows first; a row that both the tail and the list hold is shown once, as the tail has it. */
export function merge(tailed: readonly TraceRow[], listed: readonly TraceRow[]): TraceRow[] {
  if (tailed.length === 0) return [...listed];
  const seen = new Set(tailed.map((row) => row.trace_id));
  return [...tailed, ...listed.filter((row) => !seen.has(row.trace_id))];
}

/** j and k step through the list, opening each trace; Escape closes it. */
function useRowKeys(rows: readonly TraceRow[]) {
  const navigate = useNavigate();
  const router = useRouter();
  // The address is ahead of what is drawn while a trace loads; fast typing must not lose a step.
  const opened = () => /^\/traces\/([^/]+)/.exec(router.latestLocation.pathname)?.[1];
  const step = (by: number) => {
    const traceId = opened();
    const at = rows.findIndex((row) => row.trace_id === traceId);
    const next = rows[at < 0 ? 0 : at + by];
    if (next) {
      navigate({
        to: "/traces/$traceId",
        params: { traceId: next.trace_id },
        search: (old) => ({ ...kept(old), span: undefined }),
        replace: Boolean(traceId),
      });
    }
  };
  const group = "Traces";
  useShortcuts([
    { keys: "j", label: "Next trace", group, run: () => step(1) },
    { keys: "k", label: "Previous trace", group, run: () => step(-1) },
    {
      keys: "l",
      label: "Live tail on or off",
      group,
      run: () =>
        navigate({ to: ".", search: (old) => ({ ...old, live: old.live ? undefined : true }) }),
    },
    {
      keys: "Escape",
      label: "Close the trace",
      group,
      run: () =>
        opened() &&
        navigate({
          to: "/traces",
          search: (old) => ({ ...kept(old), span: undefined, wide: undefined }),
        }),
    },
  ]);
}

function NoMatch() {
  const navigate = useNavigate();
  return (
    <Empty title="No trace matches these filters">
      <p>
        Widen the time range at the top right, or{" "}
        <button
          type="button"
          className="text-accent underline underline-offset-2"
          onClick={() =>
            navigate({
              to: "/traces",
              search: ({ project, environment, range }) => ({ project, environment, range }),
            })
          }
        >
          clear all filters
        </button>
        . Text is searched in whole words of requests and answers; a key that logs no payloads
        leaves nothing to search.
      </p>
    </Empty>
  );
}

function Waiting() {
  return (
    <Empty title="Listening">
      <p role="status">
        Calls appear here the moment they are recorded. Make one, or run a prompt in the playground.
      </p>
    </Empty>
  );
}
