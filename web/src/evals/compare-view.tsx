// Two runs on the rows that both have: paired differences with intervals, cases, and the front.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Certificate } from "../judges/certificate";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { ago, count } from "../ui/format";
import { Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { Cases } from "./cases";
import { Interval, scaleOf } from "./interval";
import { Pareto } from "./pareto";
import { comparisonQuery } from "./queries";
import { GateBadge } from "./runs-table";
import type { Compared, Run, RunComparison } from "./types";
import { amount, armOf, difference, pValue, VERDICT_TONE } from "./words";

export function CompareView({
  base,
  candidate,
  part,
}: {
  base: string;
  candidate: string;
  part?: string;
}) {
  const { data, error, refetch } = useQuery(comparisonQuery(base, candidate));
  if (error && !data) return <Failure error={error} onRetry={refetch} className="m-4" />;
  if (!data) return <Lines className="p-6" />;
  return (
    <div className="pb-10">
      <div className="flex items-center gap-2 px-4 py-2">
        <Link to="/evals" search={{}} className="text-ink-2 hover:underline">
          Evaluations
        </Link>
        <span className="text-ink-3">/</span>
        <h2 className="mr-auto truncate text-base font-semibold">
          {data.candidate.suite}: two runs compared
        </h2>
        <Link to="/evals" search={{ run: base, base: candidate }} className="text-accent underline">
          Swap
        </Link>
      </div>
      <div className="grid grid-cols-2 border-y">
        <Arm title="Base" run={data.base} />
        <Arm title="Candidate" run={data.candidate} />
      </div>
      <p className="px-4 pt-2 text-ink-2">
        {count(data.paired)} rows stand in both.{" "}
        {data.differs.length > 0
          ? `They differ in: ${data.differs.join(", ")}.`
          : "Both ran the same thing: what differs is chance."}
      </p>
      {data.warnings.map((warning) => (
        <p
          key={warning}
          role="alert"
          className="mx-4 mt-2 rounded-lg border bg-warn-wash px-3 py-1.5 text-warn"
        >
          {warning}
        </p>
      ))}
      <Differences comparison={data} part={part} />
      <div className="grid grid-cols-1 gap-6 px-4 pt-5 wide:grid-cols-[1fr_420px]">
        <Cases comparison={data} />
        <section aria-label="Quality, cost, latency">
          <h3 className="pb-1 font-semibold">Quality, cost, latency</h3>
          <Pareto points={data.pareto} base={data.base.id} candidate={data.candidate.id} />
        </section>
      </div>
    </div>
  );
}

function Arm({ title, run }: { title: string; run: Run }) {
  return (
    <div className="min-w-0 border-r px-4 py-2 last:border-r-0">
      <p className="text-xs text-ink-3">{title}</p>
      <p className="flex items-center gap-2">
        <Link to="/evals" search={{ run: run.id }} className="truncate font-medium hover:underline">
          {armOf(run)}
        </Link>
        <GateBadge run={run} />
      </p>
      <p className="truncate text-xs text-ink-2">
        {run.dataset || "rows of a file"}
        {run.dataset_version !== null && ` @${run.dataset_version}`}, {ago(run.created_ms)} by{" "}
        {run.created_by} {run.message}
      </p>
    </div>
  );
}

function Differences({ comparison, part }: { comparison: RunComparison; part?: string }) {
  const [sliced, setSliced] = useState(Boolean(part));
  const { metrics } = comparison;
  const slices = metrics.some((one) => one.slice !== "");
  const rows = metrics.filter(
    (one) => one.slice === "" || (sliced && (!part || one.slice === part)),
  );
  if (rows.length === 0)
    return <p className="px-4 pt-3 text-ink-2">No metric was scored on rows of both runs.</p>;
  return (
    <section aria-label="Differences" className="pt-3">
      <div className="flex items-center px-4 pb-1">
        <h3 className="mr-auto font-semibold">Differences</h3>
        {slices && (
          <Button aria-pressed={sliced} onClick={() => setSliced(!sliced)}>
            {sliced ? "All rows only" : "Show slices"}
          </Button>
        )}
      </div>
      <Table
        label="Differences"
        min={800}
        head={[
          { title: "Metric" },
          { title: "Base", num: true },
          { title: "Candidate", num: true },
          { title: "Difference", num: true },
          { title: "Interval" },
          { title: "p, adjusted", num: true },
          { title: "Verdict" },
          { title: "Rows", num: true },
          { title: "Could show", num: true, wide: true },
        ]}
      >
        {rows.map((one) => (
          <DifferenceRow key={`${one.metric} ${one.slice}`} one={one} all={rows} />
        ))}
      </Table>
      <p className="px-4 pt-1 text-xs text-ink-3">
        Paired by row; p is adjusted for all {metrics.length} comparisons of this table. “Could
        show” is the smallest true difference that rows like these show 8 times in 10.
      </p>
    </section>
  );
}

const COLOR: Record<Compared["verdict"], string> = {
  better: "var(--ok)",
  worse: "var(--bad)",
  "not worse": "var(--accent)",
  "no difference shown": "var(--ink-3)",
};

function DifferenceRow({ one, all }: { one: Compared; all: readonly Compared[] }) {
  const same = all.filter((other) => other.metric === one.metric);
  const margin = one.margin === null ? null : one.direction === "higher" ? -one.margin : one.margin;
  const scale = scaleOf(
    [...same.flatMap((other) => [other.low, other.difference, other.high]), margin],
    true,
  );
  const marks = [{ at: 0 }, ...(margin === null ? [] : [{ at: margin, dashed: true }])];
  const told = `${difference(one.difference, one.unit)}, from ${difference(one.low, one.unit)} to ${difference(one.high, one.unit)}`;
  return (
    <tr className={ROW}>
      <Cell>
        {one.slice ? (
          <span className="pl-4 text-ink-2">{one.slice}</span>
        ) : (
          <span className="font-medium">{one.metric}</span>
        )}
        <span className="pl-2 text-xs text-ink-3">
          {one.direction === "lower" && "less is better"}
        </span>
        <Certificate badge={one.badge} />
      </Cell>
      <Cell num>{amount(one.base, one.unit)}</Cell>
      <Cell num>{amount(one.candidate, one.unit)}</Cell>
      <Cell num title={told}>
        <b className="font-medium">{difference(one.difference, one.unit)}</b>
      </Cell>
      <Cell>
        <Interval
          value={one.difference}
          low={one.low}
          high={one.high}
          scale={scale}
          marks={marks}
          color={COLOR[one.verdict]}
          label={told}
        />
      </Cell>
      <Cell num title={`${one.test}, p = ${pValue(one.p)} before`}>
        {pValue(one.p_adjusted)}
      </Cell>
      <Cell>
        <Badge tone={VERDICT_TONE[one.verdict]}>{one.verdict}</Badge>
      </Cell>
      <Cell num title={`${count(one.better)} better, ${count(one.worse)} worse`}>
        {count(one.n)}
        <span className="block text-xs text-ink-3">
          +{count(one.better)} −{count(one.worse)}
        </span>
      </Cell>
      <Cell num wide>
        {one.detectable === null ? "" : difference(one.detectable, one.unit).slice(1)}
      </Cell>
    </tr>
  );
}
