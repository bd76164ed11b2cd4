import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { keysQuery, overviewQuery } from "../api/queries";
import type { Overview } from "../api/types";
import { type Scope, windowOf } from "../frame/search";
import { Chart } from "../ui/chart";
import { compact, duration, money } from "../ui/format";
import { Failure, Slow } from "../ui/states";
import { Breakdown } from "./breakdown";
import { Figures } from "./figures";
import { FirstCall } from "./first-call";
import { columns, counted, measured } from "./series";

export function OverviewPage() {
  const scope = useSearch({ from: "/frame/overview" });
  const ask = { project: scope.project, environment: scope.environment, ...windowOf(scope) };
  const { data, error, refetch, isPlaceholderData } = useQuery(overviewQuery(ask));
  if (error && !data) return <Failure error={error} onRetry={refetch} className="m-4" />;
  if (!data) return <Skeleton />;
  if (data.totals.calls === 0 && !isPlaceholderData) return <FirstCall scope={scope} />;
  return (
    <div className="pb-8" aria-busy={isPlaceholderData}>
      <Figures totals={data.totals} windowMs={data.to_ms - data.from_ms} />
      <Charts overview={data} />
      <Tables overview={data} />
    </div>
  );
}

function Charts({ overview }: { overview: Overview }) {
  const navigate = useNavigate();
  const { times, totals } = useMemo(() => columns(overview), [overview]);
  const series = useMemo(
    () => ({
      traffic: [
        {
          label: "calls",
          values: counted(totals, (one) => one.calls),
          color: "--series-1",
          bars: true,
        },
        {
          label: "errors",
          values: counted(totals, (one) => one.errors),
          color: "--bad",
          bars: true,
        },
      ],
      spend: [
        {
          label: "spend",
          values: counted(totals, (one) => one.cost_nano),
          color: "--series-4",
          bars: true,
        },
      ],
      latency: [
        {
          label: "p50",
          values: measured(totals, (one) => one.latency_ms.p50),
          color: "--series-1",
        },
        {
          label: "p95",
          values: measured(totals, (one) => one.latency_ms.p95),
          color: "--series-2",
        },
        {
          label: "p99",
          values: measured(totals, (one) => one.latency_ms.p99),
          color: "--series-3",
        },
      ],
      first: [
        {
          label: "p50",
          values: measured(totals, (one) => one.ttft_ms.p50),
          color: "--series-1",
        },
        {
          label: "p95",
          values: measured(totals, (one) => one.ttft_ms.p95),
          color: "--series-2",
        },
      ],
      pace: [
        {
          label: "p50",
          values: measured(totals, (one) => one.tpot_ms.p50),
          color: "--series-1",
        },
        {
          label: "p95",
          values: measured(totals, (one) => one.tpot_ms.p95),
          color: "--series-2",
        },
      ],
      tokens: [
        {
          label: "input",
          values: counted(totals, (one) => one.input_tokens),
          drawn: counted(totals, (one) => one.input_tokens + one.output_tokens),
          color: "--series-1",
          bars: true,
        },
        {
          label: "output",
          values: counted(totals, (one) => one.output_tokens),
          color: "--series-2",
          bars: true,
        },
      ],
    }),
    [totals],
  );
  const zoom = useCallback(
    (from_ms: number, to_ms: number) =>
      navigate({
        to: "/overview",
        search: (old) => ({ ...old, range: undefined, from_ms, to_ms }),
      }),
    [navigate],
  );
  const pick = useCallback(
    (from_ms: number, to_ms: number) =>
      navigate({
        to: "/traces",
        search: (old: Scope) => ({ ...scopeOnly(old), range: undefined, from_ms, to_ms }),
      }),
    [navigate],
  );
  const shared = {
    times,
    fromMs: overview.from_ms,
    toMs: overview.to_ms,
    bucketMs: overview.bucket_ms,
    onZoom: zoom,
    onPick: pick,
  };
  return (
    <section
      aria-label="Over time"
      className="grid grid-cols-2 border-b wide:grid-cols-3 [&>*]:border-b [&>*]:border-r [&>*]:-mb-px [&>*]:-mr-px"
    >
      <Chart title="Traffic" series={series.traffic} format={compact} {...shared} />
      <Chart title="Spend" series={series.spend} format={money} {...shared} />
      <Chart title="Tokens" series={series.tokens} format={compact} {...shared} />
      <Chart title="Latency" series={series.latency} format={duration} {...shared} />
      <Chart
        title="Time to first token"
        series={series.first}
        format={duration}
        nothing="No call was streamed in this window"
        {...shared}
      />
      <Chart
        title="Time per output token"
        series={series.pace}
        format={duration}
        nothing="No call was streamed in this window"
        {...shared}
      />
    </section>
  );
}

function scopeOnly({ project, environment }: Scope): Scope {
  return { project, environment };
}

function Tables({ overview }: { overview: Overview }) {
  const { data: keys = [] } = useQuery(keysQuery);
  const keyName = (id: string) => keys.find((key) => key.id === id)?.name ?? id;
  return (
    <div className="flex flex-col gap-5 px-4 pt-4">
      <Breakdown title="Models" groups={overview.by_model} filter={(model) => ({ model })} />
      <Breakdown
        title="Keys"
        groups={overview.by_key}
        filter={(key_id) => ({ key_id })}
        nameOf={keyName}
      />
      <Breakdown
        title="Providers"
        groups={overview.by_provider}
        filter={(provider) => ({ provider })}
      />
      <Breakdown title="Errors" groups={overview.by_error} filter={(error) => ({ error })} errors />
    </div>
  );
}

function Skeleton() {
  return (
    <div role="status" aria-label="Loading" aria-busy="true">
      <div className="flex gap-10 border-b px-4 py-4">
        {["a", "b", "c", "d", "e", "f"].map((name) => (
          <div key={name} className="flex flex-col gap-2">
            <div className="skeleton h-3 w-16" />
            <div className="skeleton h-6 w-24" />
          </div>
        ))}
      </div>
      <div className="grid grid-cols-3 gap-6 p-4">
        {["a", "b", "c", "d", "e", "f"].map((name) => (
          <div key={name} className="skeleton h-40" />
        ))}
        <Slow />
      </div>
    </div>
  );
}
