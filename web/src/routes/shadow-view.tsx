// Shadow traffic of a route: its candidate against what served the same calls, and the pairs
// themselves. Every figure is of pairs; every side leads to its span.
import {
  infiniteQueryOptions,
  queryOptions,
  useInfiniteQuery,
  useQuery,
} from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { call, type Query } from "../api/client";
import type {
  Model,
  ShadowComparison,
  ShadowFigure,
  ShadowPair,
  ShadowPairs,
  ShadowSide,
} from "../api/types";
import { resolveWindow, type Window } from "../api/window";
import { windowOf } from "../frame/search";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { cx } from "../ui/cx";
import { count, duration, fullTime, money } from "../ui/format";
import { NativeSelect } from "../ui/native-select";
import { Segments } from "../ui/segments";
import { Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import type { Pairs } from "./search";
import {
  basisOf,
  intervalOf,
  namesOf,
  share,
  signedOf,
  spanOf,
  titleOf,
  told,
  verdictOf,
} from "./shadow";

const times = (window: Window) => {
  const { from_ms, to_ms } = resolveWindow(window);
  return { from_ms, to_ms };
};

const shadowQuery = (where: Query, window: Window) =>
  queryOptions({
    queryKey: ["shadow", where, window],
    queryFn: ({ signal }) =>
      call<ShadowComparison>("/api/v1/traces/shadow", {
        query: { ...where, ...times(window) },
        signal,
      }),
    staleTime: 30_000,
  });

const pairsQuery = (where: Query, window: Window, only: Pairs) =>
  infiniteQueryOptions({
    queryKey: ["shadow-pairs", where, window, only],
    queryFn: ({ pageParam, signal }) =>
      call<ShadowPairs>("/api/v1/traces/shadow/pairs", {
        query: { ...where, ...times(window), only, cursor: pageParam, limit: 10 },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    staleTime: 30_000,
  });

export default function ShadowView({ route, onEdit }: { route: Model; onEdit: () => void }) {
  const search = useSearch({ from: "/frame/routes" });
  const navigate = useNavigate();
  const { project, environment } = search;
  const where = { route: route.name, project, environment, ...namesOf(search.candidate) };
  const { data, error, refetch } = useQuery(shadowQuery(where, windowOf(search)));
  const candidate = data?.candidate;
  const named = candidate && `${candidate.provider}/${candidate.model}`;
  return (
    <section aria-labelledby="shadow-title" className="mt-6">
      <div className="flex min-h-7 flex-wrap items-center gap-x-3 gap-y-1 pb-2">
        <h3 id="shadow-title" className="font-semibold">
          Shadow traffic
        </h3>
        {data && data.candidates.length > 1 ? (
          <NativeSelect
            label="Candidate"
            value={named ?? ""}
            choices={data.candidates.map(({ provider, model, copies }) => ({
              value: `${provider}/${model}`,
              label: `${provider} / ${model} (${count(copies)})`,
            }))}
            onChange={(candidate) =>
              navigate({ to: ".", search: (old) => ({ ...old, candidate }) })
            }
          />
        ) : (
          named && <Badge>{named}</Badge>
        )}
        {data && <span className="text-xs text-ink-2">{basisOf(data)}</span>}
      </div>
      {error && !data ? (
        <Failure error={error} onRetry={refetch} />
      ) : !data ? (
        <Lines rows={6} className="px-0" />
      ) : !candidate ? (
        <None route={route} onEdit={onEdit} />
      ) : (
        <>
          <Figures found={data} />
          <PairList
            where={{ ...where, provider: candidate.provider, model: candidate.model }}
            key={named}
          />
        </>
      )}
    </section>
  );
}

function None({ route, onEdit }: { route: Model; onEdit: () => void }) {
  if (route.shadow)
    return (
      <p className="max-w-[680px] text-ink-2">
        {share(route.shadow.share)} of the calls that are answered are copied to{" "}
        {route.shadow.provider} / {route.shadow.model}, but none was in this time. Widen the time
        range at the top right, or wait for calls.
      </p>
    );
  return (
    <div className="max-w-[680px] text-ink-2">
      <p>
        No call was copied in this time. Shadow traffic sends copies of a share of calls to a
        candidate once clients have their answers: nobody notices, and here you see what it would
        have said, how fast and for how much.
      </p>
      <div className="mt-2 flex flex-wrap items-center gap-2">
        <Button icon="edit" onClick={onEdit}>
          Turn on shadow traffic
        </Button>
        <span>
          or give{" "}
          <code className="rounded bg-mute-wash px-1 font-mono text-xs select-all">
            --shadow PROVIDER/MODEL=0.1
          </code>{" "}
          to <code className="font-mono text-xs">stockpot aliases set {route.name}</code>
        </span>
      </div>
    </div>
  );
}

function Figures({ found }: { found: ShadowComparison }) {
  const other = found.finishes.filter((one) => one.base !== one.candidate);
  return (
    <>
      <Table
        label="Candidate against what served"
        min={520}
        head={[
          { title: "Of pairs" },
          { title: "Served", num: true },
          { title: "Candidate", num: true },
          { title: "Difference", num: true },
          { title: "95% interval" },
          { title: "Interval drawn", hidden: true, wide: true },
          { title: "Pairs", num: true, wide: true },
        ]}
      >
        {found.figures.map((figure) => (
          <FigureRow key={figure.what} figure={figure} />
        ))}
      </Table>
      {found.figures.length === 0 && (
        <p className="py-2 text-ink-2">
          None of these copies has its call in the log: there is nothing to compare them with.
        </p>
      )}
      <p className="py-2 text-ink-2">
        {found.shares.map((one) => (
          <span
            key={one.what}
            className="mr-4 inline-block"
            title={`Wilson's interval, n=${one.n}`}
          >
            {one.what === "identical" ? "Same answer" : "Other finish reason"}:{" "}
            <span className="font-medium text-ink">{share(one.value)}</span> of {count(one.n)} (
            {share(one.low)} to {share(one.high)})
          </span>
        ))}
        {other.map((one) => (
          <span key={`${one.base}>${one.candidate}`} className="mr-4 inline-block">
            {one.base || "(none)"} → {one.candidate || "(none)"}: {count(one.pairs)}
          </span>
        ))}
      </p>
    </>
  );
}

const TONE = { better: "text-ok", worse: "text-bad" } as const;

function FigureRow({ figure }: { figure: ShadowFigure }) {
  const verdict = verdictOf(figure);
  const { unit } = figure;
  return (
    <tr className={ROW}>
      <Cell className="whitespace-nowrap">{titleOf(figure)}</Cell>
      <Cell num>{told(unit, figure.base)}</Cell>
      <Cell num>{told(unit, figure.candidate)}</Cell>
      <Cell num className={verdict ? TONE[verdict] : undefined}>
        {signedOf(unit, figure.difference)}
        {verdict && <span className="sr-only"> ({verdict})</span>}
      </Cell>
      <Cell className="whitespace-nowrap text-ink-2" title={figure.method}>
        {intervalOf(figure)}
      </Cell>
      <Cell wide>
        <Drawn figure={figure} />
      </Cell>
      <Cell num wide>
        {count(figure.n)}
      </Cell>
    </tr>
  );
}

const FILLS = { better: "var(--ok)", worse: "var(--bad)" } as const;

/** Left of the line is less than what served, right of it more; each row has its own scale. */
function Drawn({ figure }: { figure: ShadowFigure }) {
  const span = spanOf(figure);
  if (!span) return null;
  const x = (value: number) => 60 + value * 54;
  const verdict = verdictOf(figure);
  const color = verdict ? FILLS[verdict] : "var(--ink-3)";
  return (
    <svg viewBox="0 0 120 12" width={120} height={12} aria-hidden="true" className="block">
      <line x1={60} x2={60} y1={0} y2={12} stroke="var(--line-strong)" />
      <line
        x1={x(span.low)}
        x2={Math.max(x(span.high), x(span.low) + 1)}
        y1={6}
        y2={6}
        stroke={color}
        strokeWidth={3}
        strokeLinecap="round"
        opacity={0.5}
      />
      <circle cx={x(span.at)} cy={6} r={3} fill={color} />
    </svg>
  );
}

function PairList({ where }: { where: Query }) {
  const search = useSearch({ from: "/frame/routes" });
  const navigate = useNavigate();
  const only = search.pairs ?? "different";
  const found = useInfiniteQuery(pairsQuery(where, windowOf(search), only));
  const items = found.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section aria-label="Pairs" className="mt-2">
      <div className="flex items-center gap-2 pb-2">
        <h4 className="text-xs font-medium text-ink-2">Pairs, newest first</h4>
        <Segments<Pairs>
          label="Which pairs"
          value={only}
          choices={[
            { value: "different", label: "Different" },
            { value: "failed", label: "Failed" },
            { value: "all", label: "All" },
          ]}
          onChange={(pairs) =>
            navigate({ to: ".", replace: true, search: (old) => ({ ...old, pairs }) })
          }
        />
      </div>
      {found.error && !found.data ? (
        <Failure error={found.error} onRetry={found.refetch} />
      ) : !found.data ? (
        <Lines rows={5} className="px-0" />
      ) : (
        <ul className="flex flex-col gap-2">
          {items.map((pair) => (
            <PairItem key={pair.candidate.span_id} pair={pair} />
          ))}
          {items.length === 0 && !found.hasNextPage && (
            <li className="text-ink-2">
              {only === "failed"
                ? "No copy failed in this time."
                : only === "different"
                  ? "No copy failed, and of no pair both answers were kept and differ."
                  : "No copy has its call in the log."}
            </li>
          )}
        </ul>
      )}
      {found.hasNextPage && (
        <Button
          className="mt-2"
          busy={found.isFetchingNextPage}
          onClick={() => found.fetchNextPage()}
        >
          More pairs
        </Button>
      )}
    </section>
  );
}

function PairItem({ pair }: { pair: ShadowPair }) {
  return (
    <li className="rounded-lg border bg-panel">
      <p className="flex items-baseline gap-2 border-b px-3 py-1.5">
        <span className="min-w-0 flex-1 truncate" title={pair.asked}>
          {pair.asked || <span className="text-ink-3">question not kept</span>}
        </span>
        {pair.identical && <Badge tone="ok">same answer</Badge>}
        <span className="shrink-0 text-xs text-ink-3">{fullTime(pair.start_ms, "s")}</span>
      </p>
      <div className="grid grid-cols-1 wide:grid-cols-2">
        <Side title="Served" side={pair.base} />
        <Side title="Candidate" side={pair.candidate} second />
      </div>
    </li>
  );
}

const KEPT: Record<string, string> = {
  none: "The key’s policy keeps no answers.",
  shed: "The answer was not kept: the disk was short of room.",
  expired: "The answer is past its retention.",
  erased: "The answer was erased.",
};

function Side({ title, side, second }: { title: string; side: ShadowSide; second?: boolean }) {
  const failed = side.status !== "ok";
  return (
    <div className={cx("min-w-0 px-3 py-2", second && "border-t wide:border-t-0 wide:border-l")}>
      <p className="flex flex-wrap items-center gap-x-2 text-xs text-ink-2">
        <Link
          to="/traces/$traceId"
          params={{ traceId: side.trace_id }}
          search={({ project, environment }) => ({ project, environment, span: side.span_id })}
          className="font-medium text-ink hover:underline"
        >
          {title}
        </Link>
        <span className="min-w-0 truncate">
          {side.provider} / {side.model}
        </span>
        {failed && <Badge tone="bad">{side.error || side.status}</Badge>}
        {side.refused && <Badge tone="warn">refusal</Badge>}
      </p>
      <p className="text-xs text-ink-3">
        {duration(side.duration_ms)} · {count(side.output_tokens)} tokens · {money(side.cost_nano)}
        {side.finish_reason && ` · ${side.finish_reason}`}
      </p>
      {failed ? (
        <p className="mt-1 break-words text-bad">{side.error_message || side.error}</p>
      ) : side.answer === null ? (
        <p className="mt-1 text-ink-3">{KEPT[side.payload] ?? "The answer was not kept."}</p>
      ) : (
        <p className="mt-1 line-clamp-6 break-words whitespace-pre-wrap" title={side.answer}>
          {side.answer || <span className="text-ink-3">an empty answer</span>}
        </p>
      )}
    </div>
  );
}
