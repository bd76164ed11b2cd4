// Two traces side by side: spans that answer each other stand in one row, with what is different.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { call } from "../api/client";
import type { PairRow, Span, TraceDiff, TraceDifference } from "../api/types";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { cx } from "../ui/cx";
import { count, duration, money, plural } from "../ui/format";
import { Failure, Lines } from "../ui/states";
import { changeOf, differs, isText, titleOf, told } from "./difference";

const AT_ONCE = 200;

const diffQuery = (before: string, after: string) =>
  queryOptions({
    queryKey: ["trace-diff", before, after],
    queryFn: ({ signal }) =>
      call<TraceDiff>("/api/v1/traces/diff", { query: { before, after }, signal }),
    retry: false,
  });

export default function TraceDiffView({ before, after }: { before: string; after: string }) {
  const { data, error, refetch } = useQuery(diffQuery(before, after));
  return (
    <aside aria-label="Trace" className="flex min-w-0 flex-1 flex-col overflow-y-auto bg-page">
      <Header before={before} after={after} />
      {error && !data ? (
        <Failure error={error} onRetry={refetch} className="m-4" />
      ) : !data ? (
        <Lines rows={12} />
      ) : (
        <Compared diff={data} />
      )}
    </aside>
  );
}

function Header({ before, after }: { before: string; after: string }) {
  const navigate = useNavigate();
  const open = (traceId: string, versus?: string) =>
    navigate({
      to: "/traces/$traceId",
      params: { traceId },
      search: (old) => ({ ...old, release: undefined, span: undefined, versus }),
    });
  return (
    <header className="sticky top-0 z-20 flex min-h-11 shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-b bg-page px-4 py-1.5">
      <h2 className="font-semibold">Two traces compared</h2>
      <span className="mr-auto flex min-w-0 flex-wrap gap-x-3 font-mono text-xs">
        <TraceLink traceId={before} label="before" />
        <TraceLink traceId={after} label="after" />
      </span>
      <Button onClick={() => open(before, after)}>Swap</Button>
      <Button
        tone="ghost"
        icon="close"
        aria-label="Close the comparison"
        title="Back to the trace"
        onClick={() => open(after)}
      />
    </header>
  );
}

function TraceLink({ traceId, label }: { traceId: string; label: string }) {
  return (
    <span className="whitespace-nowrap text-ink-3">
      {label}{" "}
      <Link
        to="/traces/$traceId"
        params={{ traceId }}
        className="text-accent underline underline-offset-2"
      >
        {traceId.slice(0, 12)}
      </Link>
    </span>
  );
}

function Compared({ diff }: { diff: TraceDiff }) {
  const [all, setAll] = useState(false);
  const [shown, setShown] = useState(AT_ONCE);
  const rows = all
    ? diff.rows
    : diff.rows.filter((row) => !row.before || !row.after || differs(row.differences));
  return (
    <>
      <Totals totals={diff.totals} />
      <div className="flex flex-wrap items-center gap-3 border-b px-4 py-2 text-xs text-ink-2">
        <span>
          {plural(diff.rows.length, "pair")} of spans, {count(diff.same)} alike in all but time
        </span>
        {diff.cut && <span className="text-warn">Only the first 2,000 spans are compared.</span>}
        <label className="ml-auto flex items-center gap-1.5">
          <input type="checkbox" checked={all} onChange={() => setAll(!all)} />
          Show pairs that are alike too
        </label>
      </div>
      {rows.length === 0 && (
        <p className="px-4 py-4 text-ink-2">These traces differ in nothing but their times.</p>
      )}
      <ol aria-label="Pairs of spans" className="pb-8">
        {rows.slice(0, shown).map((row) => (
          <li
            key={`${row.before?.span_id ?? ""} ${row.after?.span_id ?? ""}`}
            className="border-b py-2 pr-4"
            style={{ paddingLeft: 16 + Math.min(row.depth, 12) * 14 }}
          >
            <Pair row={row} />
          </li>
        ))}
      </ol>
      {rows.length > shown && (
        <div className="px-4 pb-8">
          <Button onClick={() => setShown(shown + AT_ONCE)}>
            Show more of {count(rows.length)}
          </Button>
        </div>
      )}
    </>
  );
}

function Totals({ totals }: { totals: readonly TraceDifference[] }) {
  return (
    <dl aria-label="Sums" className="flex shrink-0 flex-wrap gap-x-7 gap-y-1 border-b px-4 py-2.5">
      {totals.map((total) => (
        <div key={total.what}>
          <dt className="text-2xs text-ink-3 capitalize">{titleOf(total.what)}</dt>
          <dd className="font-medium">
            {told(total.what, total.before)} → {told(total.what, total.after)}{" "}
            <span className="font-normal text-ink-2">{changeOf(total)}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Pair({ row }: { row: PairRow }) {
  const { before, after, differences } = row;
  const span = after ?? before;
  if (!span) return null;
  return (
    <>
      <p className="flex flex-wrap items-center gap-x-2">
        <b className="font-semibold">{nameOf(span)}</b>
        <span className="text-xs text-ink-3">{span.kind}</span>
        {!before && <Badge tone="accent">only after</Badge>}
        {!after && <Badge tone="warn">only before</Badge>}
        {!(before && after) && (
          <span className="text-xs text-ink-2">
            {money(span.cost_nano)}, {duration(span.duration_ms)}
          </span>
        )}
      </p>
      {differences.length > 0 && (
        <dl
          className="mt-1 grid gap-x-4 gap-y-1"
          style={{ gridTemplateColumns: "minmax(86px, 128px) minmax(0, 1fr) minmax(0, 1fr)" }}
        >
          {differences.map((one) => (
            <One key={one.what} difference={one} />
          ))}
        </dl>
      )}
    </>
  );
}

function nameOf(span: Span): string {
  return span.prompt_name || span.requested_model || span.model || span.name;
}

function One({ difference }: { difference: TraceDifference }) {
  const { what, before, after } = difference;
  const change = changeOf(difference);
  return (
    <>
      <dt className="text-xs leading-5 text-ink-3">{titleOf(what)}</dt>
      <Side text={isText(what)}>{told(what, before)}</Side>
      <Side text={isText(what)}>
        {told(what, after)} {change && <span className="text-xs text-ink-2">{change}</span>}
      </Side>
    </>
  );
}

function Side({ text, children }: { text: boolean; children: ReactNode }) {
  return (
    <dd
      className={cx(
        "min-w-0 break-words",
        text && "overflow-y-auto rounded-md bg-panel px-2 py-1 whitespace-pre-wrap",
      )}
      style={text ? { maxHeight: 224 } : undefined}
    >
      {children}
    </dd>
  );
}
