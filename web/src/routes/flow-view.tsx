// The drawing of a route: what is asked, how it is decided, where it goes.
import { Link } from "@tanstack/react-router";
import type { Model, TargetGroup, Totals } from "../api/types";
import { price } from "../models/health";
import { Badge, State, type Tone } from "../ui/badge";
import { cx } from "../ui/cx";
import { ago, compact, count, duration, NONE, percent, spend } from "../ui/format";
import {
  curve,
  type Flow,
  flowOf,
  type Line,
  POLICY_ROW,
  type Stop,
  TARGET_ROW,
  TIER_HEAD,
  type Tier,
  toneOf,
} from "./flow";

const GAP = 64;

interface Props {
  route: Model;
  totals: Totals | undefined;
  groups: readonly TargetGroup[];
}

export function FlowView({ route, totals, groups }: Props) {
  const flow = flowOf(route, groups);
  return (
    <figure
      aria-label={`How ${route.name} is routed`}
      className="grid grid-cols-[minmax(180px,0.8fr)_64px_minmax(0,2.4fr)] wide:grid-cols-[148px_28px_196px_64px_minmax(0,1fr)]"
    >
      <Asked route={route} totals={totals} />
      <svg
        width={28}
        height={POLICY_ROW}
        className="text-line-strong max-wide:hidden"
        aria-hidden="true"
      >
        <path
          d={`M0 ${POLICY_ROW / 2}h22m-5 -4l5 4l-5 4`}
          fill="none"
          stroke="currentColor"
          strokeWidth={1.5}
        />
      </svg>
      <Policy flow={flow} />
      <Lines flow={flow} />
      <Targets flow={flow} name={route.name} />
    </figure>
  );
}

function Asked({ route, totals }: { route: Model; totals: Totals | undefined }) {
  const search = { requested_model: route.name };
  const facts: { label: string; value: string; failed?: true; bad?: boolean }[] = totals
    ? [
        { label: "Calls", value: compact(totals.calls) },
        {
          label: "Failed",
          value: `${compact(totals.errors)} (${percent(totals.errors, totals.calls)})`,
          failed: true,
          bad: totals.errors > 0,
        },
        { label: "p50", value: duration(totals.latency_ms.p50) },
        { label: "p95", value: duration(totals.latency_ms.p95) },
        { label: "TTFT p50", value: duration(totals.ttft_ms.p50) },
        { label: "Spend", value: spend(totals) },
      ]
    : [];
  return (
    <section
      aria-label="Asked"
      className="h-fit rounded-lg border bg-panel px-3 py-2 max-wide:col-span-full max-wide:mb-3"
    >
      <p className="text-xs text-ink-3">Applications ask for</p>
      <p className="font-medium break-words">{route.name}</p>
      {totals ? (
        <dl className="mt-1.5 flex flex-wrap gap-x-6 wide:flex-col">
          {facts.map((fact) => (
            <div
              key={fact.label}
              className="flex justify-between gap-3 leading-6 whitespace-nowrap"
            >
              <dt className="text-xs leading-6 text-ink-2">{fact.label}</dt>
              <dd className={fact.bad ? "text-bad" : ""}>
                <Link
                  to="/traces"
                  search={fact.failed ? { ...search, failed: true } : search}
                  className="hover:underline"
                >
                  {fact.value}
                </Link>
              </dd>
            </div>
          ))}
        </dl>
      ) : (
        <p className="mt-1 text-xs text-ink-2">No call in this window.</p>
      )}
    </section>
  );
}

function Policy({ flow }: { flow: Flow }) {
  return (
    <section aria-label="Policy">
      <dl className="divide-y rounded-lg border bg-panel">
        {flow.steps.map((step, row) => (
          <div
            key={step.id}
            title={step.title ?? step.value}
            className="min-w-0 px-2.5 py-[2px]"
            style={{ height: row === 0 ? POLICY_ROW - 1 : POLICY_ROW }}
          >
            <dt className="truncate text-2xs leading-4 text-ink-3">{step.label}</dt>
            <dd className="truncate leading-[17px]">{step.value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const STROKE: Record<Tone, string> = {
  ok: "var(--series-4)",
  warn: "var(--warn)",
  bad: "var(--bad)",
  mute: "var(--line-strong)",
  accent: "var(--accent)",
};

function Lines({ flow }: { flow: Flow }) {
  return (
    <svg width={GAP} height={flow.height} aria-hidden="true" className="block">
      {flow.lines.map((line) => (
        <path
          key={line.id}
          d={curve(line, GAP)}
          fill="none"
          stroke={strokeOf(line)}
          strokeWidth={line.width}
          strokeDasharray={line.kind === "share" && !broken(line) ? undefined : "4 3"}
          opacity={line.idle && !broken(line) ? 0.8 : 1}
        />
      ))}
    </svg>
  );
}

const broken = (line: Line) => line.tone === "bad";
const strokeOf = (line: Line) =>
  line.idle && !broken(line) ? "var(--line-strong)" : STROKE[line.tone];

function Targets({ flow, name }: { flow: Flow; name: string }) {
  return (
    <section aria-label="Targets" className="@container min-w-0">
      {flow.tiers.map((tier, place) => (
        <TierView key={tier.tier} tier={tier} last={place === flow.tiers.length - 1} name={name} />
      ))}
    </section>
  );
}

function TierView({ tier, last, name }: { tier: Tier; last: boolean; name: string }) {
  return (
    <div className={last ? "" : "mb-2.5"}>
      <h3
        className="flex items-baseline gap-2 px-1 text-xs leading-[26px] font-medium text-ink-2"
        style={{ height: TIER_HEAD }}
      >
        {tier.label} <span className="font-normal text-ink-3">tier {tier.tier}</span>
      </h3>
      <ul className="divide-y rounded-lg border">
        {tier.stops.map((stop, row) => (
          <StopRow
            key={stop.id}
            stop={stop}
            first={row === 0}
            alone={tier.stops.length === 1}
            name={name}
          />
        ))}
      </ul>
    </div>
  );
}

function stateWord({ health }: Stop): string {
  if (!health) return "not connected";
  if (health.breaker === "open") return "breaker open";
  if (health.breaker === "half_open") return "probing";
  if (health.limited_until_ms !== null && health.limited_until_ms > Date.now())
    return "rate limit used up";
  return health.state === "unknown" ? "not called yet" : health.state;
}

function StopRow({
  stop,
  first,
  alone,
  name,
}: {
  stop: Stop;
  first: boolean;
  alone: boolean;
  name: string;
}) {
  const { health, totals, served } = stop;
  const search = { requested_model: name, model: stop.model, provider: stop.provider };
  const error = health?.state !== "healthy" ? health?.last_error : "";
  return (
    <li
      className="relative grid grid-cols-[minmax(0,1fr)_80px_104px] items-center gap-x-3 overflow-hidden px-3 hover:bg-hover @min-[440px]:grid-cols-[minmax(0,1fr)_84px_108px_64px] @min-[600px]:grid-cols-[minmax(0,1fr)_84px_108px_64px_96px_64px]"
      style={{ height: first ? TARGET_ROW - 1 : TARGET_ROW }}
    >
      <span
        aria-hidden="true"
        className="absolute bottom-0 left-0 h-[3px] rounded-r bg-series-4"
        style={{ width: `${(served ?? 0) * 100}%` }}
      />
      <div className="min-w-0">
        <p className="truncate">
          <span className="font-medium">{stop.provider}</span>
          <span className="text-ink-3"> / </span>
          {stop.model}
        </p>
        <p className="flex gap-2 truncate text-xs leading-5 text-ink-2" title={error || undefined}>
          <State tone={toneOf(health)}>{stateWord(stop)}</State>
          {error && <span className="truncate text-bad">{error}</span>}
          {!error && health?.last_ok_ms && (
            <span className="truncate text-ink-3">{ago(health.last_ok_ms)}</span>
          )}
          {totals && totals.errors > 0 && !error && (
            <span className="truncate text-bad @min-[600px]:hidden">
              {percent(totals.errors, totals.calls)} of {compact(totals.calls)} failed
            </span>
          )}
          {health && health.in_flight > 0 && <Badge>{count(health.in_flight)} in flight</Badge>}
        </p>
      </div>
      <Fact label="served" title="Of the calls that were answered">
        {served === null ? NONE : percent(served, 1)}
        {!alone && (
          <span className="text-ink-3" title={`Weight ${stop.weight}`}>
            {" "}
            of {percent(stop.meant, 1)}
          </span>
        )}
      </Fact>
      <Fact label="p50 / p95">
        {duration(totals?.latency_ms.p50)} / {duration(totals?.latency_ms.p95)}
      </Fact>
      <Fact
        label="first byte"
        title="How long streams take to begin, as the workers see it now"
        from="middle"
      >
        {duration(health?.first_byte_ms ?? totals?.ttft_ms.p50)}
      </Fact>
      <Fact label={health?.free ? "" : "in / out Mtok"} title={health?.price_source} from="wide">
        {health?.free
          ? "free"
          : health
            ? `${price(health, "input")} / ${price(health, "output")}`
            : NONE}
      </Fact>
      <Fact
        label={totals?.errors ? `${percent(totals.errors, totals.calls)} failed` : "asked"}
        bad={Boolean(totals?.errors)}
        from="wide"
      >
        {totals ? (
          <Link to="/traces" search={search} className="hover:underline">
            {compact(totals.calls)}
          </Link>
        ) : (
          "0"
        )}
      </Fact>
    </li>
  );
}

const ROOM = {
  middle: "hidden @min-[440px]:block",
  wide: "hidden @min-[600px]:block",
} as const;

function Fact({
  label,
  title,
  from,
  bad,
  children,
}: {
  label: string;
  title?: string;
  /** How much room it takes to be shown. */
  from?: "middle" | "wide";
  bad?: boolean;
  children: React.ReactNode;
}) {
  return (
    <div className={cx("num min-w-0", from && ROOM[from])} title={title}>
      <p className="truncate">{children}</p>
      <p className={cx("truncate text-2xs", bad ? "text-bad" : "text-ink-3")}>
        {label || "\u00a0"}
      </p>
    </div>
  );
}
