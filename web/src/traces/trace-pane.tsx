// One trace: what was asked, what came back, what it took. Has an address of its own.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { isMissing, keysQuery, payloadQuery, traceQuery } from "../api/queries";
import type { Span, Trace, TreePage } from "../api/types";
import { TraceFeedback } from "../feedback/trace-feedback";
import { useShortcuts } from "../frame/shortcuts";
import { Badge, STATUS_TONE } from "../ui/badge";
import { Button, buttonClass } from "../ui/button";
import { CopyText } from "../ui/copy";
import { cx } from "../ui/cx";
import { count, duration, fullTime, moment, money, NONE } from "../ui/format";
import { Icon } from "../ui/icons";
import { Failure, Lines } from "../ui/states";
import { Tabs } from "../ui/tabs";
import { ConversationView, RawView } from "./bodies";
import { CostView } from "./cost-view";
import { DetailsView } from "./details-view";
import { kept } from "./search";
import { StageBar } from "./stage-bar";
import { Timeline } from "./timeline";
import { treeQuery, Waterfall } from "./waterfall-view";

const TraceDiffView = lazy(() => import("./trace-diff"));
const CompareDialog = lazy(() => import("./compare-dialog"));

export function TracePane() {
  const { traceId } = useParams({ from: "/frame/traces/$traceId" });
  const { versus } = useSearch({ from: "/frame/traces/$traceId" });
  if (!versus) return <OneTrace traceId={traceId} />;
  return (
    <Suspense fallback={<Lines rows={12} className="flex-1" />}>
      <TraceDiffView before={versus} after={traceId} />
    </Suspense>
  );
}

function OneTrace({ traceId }: { traceId: string }) {
  const { wide } = useSearch({ from: "/frame/traces/$traceId" });
  const tree = useQuery(treeQuery(traceId));
  const giant = (tree.data?.total ?? 0) > GIANT;
  const trace = useQuery({
    ...traceQuery(traceId),
    enabled: tree.isError || (tree.isSuccess && !giant),
  });
  const { data, refetch } = trace;
  // A trace that is not there is said so at once; a record that is on its way still takes its place.
  const early = [trace.failureReason, tree.error].find((one) => isMissing(one ?? null));
  const error = trace.error ?? early ?? null;
  return (
    <aside
      aria-label="Trace"
      className={cx(
        "flex min-w-0 flex-col overflow-y-auto border-l bg-page",
        wide
          ? "flex-1 border-l-0"
          : "w-[54%] max-w-[980px] shrink-0 max-wide:w-full max-wide:max-w-none max-wide:border-l-0",
      )}
    >
      {error && !data ? (
        <>
          <Header traceId={traceId} />
          <Failure error={error} onRetry={() => refetch()} className="m-4" />
        </>
      ) : giant && tree.data ? (
        <Giant first={tree.data} />
      ) : !data ? (
        <>
          <Header traceId={traceId} />
          <Lines rows={12} />
        </>
      ) : (
        <Loaded trace={data} />
      )}
    </aside>
  );
}

/** The root tells the trace's story; an empty trace cannot be, but its first span would do. */
function rootOf(trace: Trace): Span | undefined {
  return trace.spans.find((span) => span.is_root) ?? trace.spans[0];
}

/** Spans from which on a trace is read page by page. */
const GIANT = 300;

function Giant({ first }: { first: TreePage }) {
  const search = useSearch({ from: "/frame/traces/$traceId" });
  const navigate = useNavigate();
  const [picked, setPicked] = useState<Span | undefined>(first.rows[0]?.span);
  const span = picked;
  if (!span) return <Header traceId={first.trace_id} />;
  const trace: Trace = { trace_id: first.trace_id, spans: [span] };
  return (
    <>
      <Header traceId={first.trace_id} root={first.rows[0]?.span} span={span} />
      <Waterfall first={first} chosen={span.span_id} onChoose={setPicked} />
      {span.status !== "ok" && <Fault span={span} />}
      <Strip span={span} trace={trace} />
      <SpanTabs
        span={span}
        tab={search.tab}
        onTab={(tab) => navigate({ to: ".", search: (old) => ({ ...old, tab }), replace: true })}
      />
    </>
  );
}

interface SpanTabsProps {
  span: Span;
  tab?: string;
  onTab: (tab: string | undefined) => void;
}

function SpanTabs({ span, tab, onTab }: SpanTabsProps) {
  return (
    <Tabs
      label="Parts of this call"
      value={tab ?? "chat"}
      onChange={(next) => onTab(next === "chat" ? undefined : next)}
      tabs={[
        { id: "chat", label: "Conversation", content: <Body span={span} view="chat" /> },
        { id: "request", label: "Request", content: <Body span={span} view="request" /> },
        { id: "response", label: "Response", content: <Body span={span} view="response" /> },
        { id: "cost", label: "Cost", content: <CostView span={span} /> },
        { id: "details", label: "Details", content: <DetailsView span={span} /> },
      ]}
    />
  );
}

function Loaded({ trace }: { trace: Trace }) {
  const search = useSearch({ from: "/frame/traces/$traceId" });
  const navigate = useNavigate();
  const root = rootOf(trace);
  const span = trace.spans.find((one) => one.span_id === search.span) ?? root;
  if (!root || !span) return <Header traceId={trace.trace_id} />;
  const open = (next: { tab?: string; span?: string }) =>
    navigate({ to: ".", search: (old) => ({ ...old, ...next }), replace: true });
  return (
    <>
      <Header traceId={trace.trace_id} root={root} span={span} />
      {span.status !== "ok" && <Fault span={span} />}
      <Strip span={span} trace={trace} />
      <Timeline
        trace={trace}
        chosen={span.span_id}
        onChoose={(id) => open({ span: id === root.span_id ? undefined : id })}
      />
      <StageBar span={span} />
      <TraceFeedback span={span} />
      <SpanTabs span={span} tab={search.tab} onTab={(tab) => open({ tab })} />
    </>
  );
}

function Header({ traceId, root, span }: { traceId: string; root?: Span; span?: Span }) {
  const navigate = useNavigate();
  const [comparing, setComparing] = useState(false);
  const { wide } = useSearch({ from: "/frame/traces/$traceId" });
  const close = () =>
    navigate({
      to: "/traces",
      search: (old) => ({ ...kept(old), span: undefined, wide: undefined }),
    });
  const playable =
    span &&
    (span.endpoint === "chat" || span.kind === "llm") &&
    (span.payload === "full" || span.payload === "masked");
  const tried = {
    trace: traceId,
    span: span?.is_root ? undefined : span?.span_id,
    model: undefined,
  };
  useShortcuts([
    {
      keys: "p",
      label: "Open in the playground",
      group: "Trace",
      run: () => playable && navigate({ to: "/playground", search: tried }),
    },
  ]);
  return (
    <header className="sticky top-0 z-20 flex min-h-11 shrink-0 items-center gap-2 border-b bg-page px-4 py-1.5">
      <div className="min-w-0 flex-1">
        <div className="flex items-center gap-2">
          {root && <Badge tone={STATUS_TONE[root.status]}>{root.status}</Badge>}
          <h2 className="truncate font-semibold">
            {root ? root.requested_model || root.model || root.name : "Trace"}
          </h2>
        </div>
        <CopyText text={traceId} className="max-w-full text-ink-3" />
      </div>
      {playable && (
        <Link
          to="/playground"
          search={tried}
          title="Open in playground (p)"
          className={buttonClass()}
        >
          <Icon name="playground" size={14} />
          Open in playground
        </Link>
      )}
      {root && <Button onClick={() => setComparing(true)}>Compare with…</Button>}
      {root && comparing && (
        <Suspense fallback={null}>
          <CompareDialog root={root} onClose={() => setComparing(false)} />
        </Suspense>
      )}
      <Button
        tone="ghost"
        icon="expand"
        aria-label={wide ? "Show the list again" : "Use the whole width"}
        title={wide ? "Show the list again" : "Use the whole width"}
        className="max-wide:hidden"
        onClick={() =>
          navigate({
            to: ".",
            search: (old) => ({ ...old, wide: wide ? undefined : true }),
            replace: true,
          })
        }
      />
      <Button
        tone="ghost"
        icon="close"
        aria-label="Close the trace"
        title="Close (Esc)"
        onClick={close}
      />
    </header>
  );
}

function Fault({ span }: { span: Span }) {
  const bad = span.status === "error";
  return (
    <div
      role="alert"
      className={cx("flex gap-2.5 border-b px-4 py-2", bad ? "bg-bad-wash" : "bg-warn-wash")}
    >
      <Icon name="warn" className={cx("mt-0.5 shrink-0", bad ? "text-bad" : "text-warn")} />
      <div className="min-w-0">
        <p className={cx("font-medium break-words", bad ? "text-bad" : "text-warn")}>
          {span.error_message || span.error || span.status}
        </p>
        <p className="text-xs text-ink-2">
          {[span.error, span.status_code ? `HTTP ${span.status_code}` : "", span.provider]
            .filter(Boolean)
            .join(" · ")}
        </p>
      </div>
    </div>
  );
}

function Strip({ span, trace }: { span: Span; trace: Trace }) {
  const { tokens } = span;
  const attempts = trace.spans.filter((one) => one.attempt > 0 && one.kind === span.kind).length;
  const pace = span.tpot_ms ? `${Math.round(1000 / span.tpot_ms)}/s` : NONE;
  const estimated = tokens.source === "estimated" ? "≈ " : "";
  const items: [string, string, string?][] = [
    ["Started", moment(span.start_ms), fullTime(span.start_ms)],
    ["Duration", duration(span.duration_ms)],
    ["First token", duration(span.ttft_ms)],
    ["Pace", pace, "output tokens per second after the first"],
    ["In", estimated + count(tokens.input)],
    ["Out", estimated + count(tokens.output)],
    ["Cost", money(span.cost_nano)],
    ["Attempts", String(Math.max(1, attempts))],
  ];
  return (
    <dl className="flex shrink-0 flex-wrap gap-x-7 gap-y-1 border-b px-4 py-2.5">
      {items.map(([label, value, title]) => (
        <div key={label} title={title}>
          <dt className="text-2xs text-ink-3">{label}</dt>
          <dd className="font-medium">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Body({ span, view }: { span: Span; view: "chat" | "request" | "response" }) {
  const { data, error, refetch } = useQuery(payloadQuery(span.trace_id, span.span_id));
  const { data: keys = [] } = useQuery(keysQuery);
  if (error && !data) return <Failure error={error} onRetry={refetch} className="m-4" />;
  if (!data) return <Lines rows={6} />;
  if (data.state !== "full" && data.state !== "masked") {
    const key = keys.find((one) => one.id === span.key_id);
    return <Unlogged state={data.state} span={span} keyName={key?.name} />;
  }
  return (
    <>
      {data.state === "masked" && (
        <p className="border-b bg-mute-wash px-4 py-1.5 text-xs text-ink-2">
          Personal data was masked before this was written; the original is not stored.
        </p>
      )}
      {view === "chat" ? (
        <ConversationView payload={data} span={span} />
      ) : (
        <RawView text={view === "request" ? data.request : data.response} what={view} />
      )}
    </>
  );
}

const STATES = {
  none: { title: "This call's content was not logged.", why: "" },
  shed: {
    title: "This call's content was dropped to save disk space.",
    why: "The spool was short of room, and payloads go first; figures and cost are complete. Free disk space or raise spool_payload_mb.",
  },
  expired: {
    title: "This call's content has expired.",
    why: "The project's policy of retention or sampling let it go; figures and cost are complete.",
  },
  erased: {
    title: "This call's content was erased.",
    why: "An end user asked to be forgotten; figures and cost are complete.",
  },
} as const;

function Unlogged({
  state,
  span,
  keyName,
}: {
  state: "none" | "shed" | "expired" | "erased";
  span: Span;
  keyName?: string;
}) {
  return (
    <div className="px-4 py-5">
      <p className="font-medium">{STATES[state].title}</p>
      <p className="mt-0.5 text-ink-2">
        {state === "none"
          ? `The payload policy of key ${keyName ? `'${keyName}'` : span.key_id || "(none)"} or of its project says so. Figures and cost are complete.`
          : STATES[state].why}
      </p>
      {state === "none" && (
        <Link to="/keys" search={{ key: span.key_id }} className={buttonClass("plain", "mt-3")}>
          Open the key
        </Link>
      )}
    </div>
  );
}
