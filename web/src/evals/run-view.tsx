// One run: how far it is, its metrics with intervals, its gate, its rows.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { call } from "../api/client";
import { useMay } from "../api/may";
import { Certificate } from "../judges/certificate";
import { estimated, tallyText, unreadText } from "../judges/words";
import { State } from "../ui/badge";
import { Button } from "../ui/button";
import { ago, count, duration, fullTime, money } from "../ui/format";
import { NativeSelect } from "../ui/native-select";
import { Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { toastError } from "../ui/toast";
import { GateView } from "./gate-view";
import { Interval, scaleOf } from "./interval";
import { EVALS, runQuery, runsQuery } from "./queries";
import { ResultList } from "./result-list";
import { Progress } from "./runs-table";
import type { GateResult, Measured, Run } from "./types";
import { amount, armOf, intervalOf, isOver, remaining, rowsText, STATE_TONE } from "./words";

export function RunView({ id, part }: { id: string; part?: string }) {
  const { data: run, error, refetch } = useQuery(runQuery(id));
  if (error && !run) return <Failure error={error} onRetry={refetch} className="m-4" />;
  if (!run) return <Lines className="p-6" />;
  return (
    <div className="flex min-h-full flex-col pb-6">
      <Head run={run} />
      <Facts run={run} />
      {!isOver(run) && <Going run={run} />}
      {run.error && (
        <p role="alert" className="mx-4 mt-3 rounded-lg border bg-bad-wash px-3 py-2 text-bad">
          {run.error}
        </p>
      )}
      {run.metrics.length > 0 && <Metrics run={run} />}
      {run.judges.length > 0 && <Judges run={run} />}
      {run.gate && <GateView gate={run.gate} />}
      <ResultList run={run} part={part} />
    </div>
  );
}

function Head({ run }: { run: Run }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const may = useMay();
  const editor = may.project("editor", run.project);
  const { data: others = [] } = useQuery(runsQuery(run.project, run.suite));
  const path = `/api/v1/evals/runs/${encodeURIComponent(run.id)}`;
  const again = () => client.invalidateQueries({ queryKey: [EVALS] });
  const act = useMutation({
    mutationFn: (verb: "cancel" | "resume") => call<Run>(`${path}/${verb}`, { method: "POST" }),
    onSuccess: again,
    onError: toastError,
  });
  const gate = useMutation({
    mutationFn: () => call<GateResult>(`${path}/gate`, { method: "POST" }),
    onSuccess: again,
    onError: toastError,
  });
  const bases = others.filter((one) => one.id !== run.id && one.state === "done");
  return (
    <div className="flex flex-wrap items-center gap-2 px-4 py-2">
      <Link to="/evals" search={{}} className="text-ink-2 hover:underline">
        Evaluations
      </Link>
      <span className="text-ink-3">/</span>
      <h2 className="mr-auto truncate text-base font-semibold">
        {run.suite}
        {run.message && <span className="pl-2 font-normal text-ink-2">{run.message}</span>}
      </h2>
      {bases.length > 0 && run.state === "done" && (
        <NativeSelect
          label="Compare with"
          value=""
          onChange={(base) => base && navigate({ to: "/evals", search: { run: run.id, base } })}
          choices={[
            { value: "", label: "Compare with…" },
            ...bases.map((one) => ({
              value: one.id,
              label: `${armOf(one)}, ${ago(one.created_ms)}`,
            })),
          ]}
        />
      )}
      {run.state === "done" && (
        <Button icon="check" disabled={!editor} busy={gate.isPending} onClick={() => gate.mutate()}>
          {run.gate ? "Decide again" : "Decide the gate"}
        </Button>
      )}
      {!isOver(run) && (
        <Button
          icon="stop"
          disabled={!editor}
          busy={act.isPending}
          onClick={() => act.mutate("cancel")}
        >
          Cancel
        </Button>
      )}
      {(run.state === "cancelled" || run.state === "failed") && run.runner === "instance" && (
        <Button
          icon="play"
          disabled={!editor}
          busy={act.isPending}
          onClick={() => act.mutate("resume")}
        >
          Go on
        </Button>
      )}
    </div>
  );
}

function Facts({ run }: { run: Run }) {
  const { progress } = run;
  return (
    <dl className="flex flex-wrap gap-x-6 gap-y-1 border-y px-4 py-2">
      <Fact term="State">
        <State tone={STATE_TONE[run.state]}>{run.state}</State>
      </Fact>
      <Fact term="Target">{armOf(run)}</Fact>
      <Fact term="Data set">
        {run.dataset || "rows of a file"}
        {run.dataset_version !== null && ` @${run.dataset_version}`}
      </Fact>
      <Fact term="Rows">{rowsText(run)}</Fact>
      <Fact term="Cost">
        {money(progress.cost_nano)}
        <span className="pl-1 text-xs text-ink-3">
          {run.estimate_nano !== null && `of ${money(run.estimate_nano)} expected`}
        </span>
      </Fact>
      <Fact term="Cached">
        {count(progress.cached)}
        {progress.saved_nano > 0 && (
          <span className="pl-1 text-xs text-ink-3">saved {money(progress.saved_nano)}</span>
        )}
      </Fact>
      <Fact term="Took">{duration(progress.seconds * 1000)}</Fact>
      <Fact term="Started">
        <span title={fullTime(run.created_ms)}>{ago(run.created_ms)}</span> by {run.created_by}
      </Fact>
    </dl>
  );
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-ink-3">{term}</dt>
      <dd className="break-words">{children}</dd>
    </div>
  );
}

function Going({ run }: { run: Run }) {
  const left = remaining(run);
  return (
    <div className="px-4 pt-3">
      <Progress run={run} />
      <p className="mt-1 text-xs text-ink-2">
        {rowsText(run)}
        {run.progress.concurrency > 0 && `, ${run.progress.concurrency} at once`}
        {left !== undefined && `, about ${duration(left * 1000)} to go`}
      </p>
    </div>
  );
}

function Metrics({ run }: { run: Run }) {
  const [sliced, setSliced] = useState(false);
  const slices = run.metrics.some((one) => one.slice !== "");
  const rows = run.metrics.filter((one) => sliced || one.slice === "");
  return (
    <section aria-label="Metrics" className="pt-3">
      <div className="flex items-center px-4 pb-1">
        <h3 className="mr-auto font-semibold">Metrics</h3>
        {slices && (
          <Button aria-pressed={sliced} onClick={() => setSliced(!sliced)}>
            {sliced ? "All rows only" : "Show slices"}
          </Button>
        )}
      </div>
      <Table
        label="Metrics"
        head={[
          { title: "Metric" },
          { title: "Value", num: true },
          { title: "Interval" },
          { title: "From, to", wide: true },
          { title: "Rows", num: true },
          { title: "Method", wide: true },
        ]}
      >
        {rows.map((one) => (
          <MetricRow key={`${one.metric} ${one.slice}`} one={one} all={run.metrics} />
        ))}
      </Table>
    </section>
  );
}

/** How the judges of a run fared: what they did not say is missing, and is said here. */
function Judges({ run }: { run: Run }) {
  return (
    <section aria-label="Judges" className="px-4 pt-3">
      <h3 className="pb-1 font-semibold">Judges</h3>
      <ul className="flex flex-col gap-1">
        {run.judges.map((one) => (
          <li key={one.metric}>
            <Link
              to="/judges"
              search={{ judge: one.judge.replace(/^judge:|@\d+$/g, ""), of: run.project }}
              className="text-accent underline"
            >
              {one.judge}
            </Link>{" "}
            <Certificate badge={one.badge} />{" "}
            <span className="text-ink-2">
              {tallyText(one.tally)}; could not be read: {unreadText(one.tally)}.
              {one.corrected &&
                ` The judge’s mean is ${one.corrected.naive.toFixed(3)}; people would say ${estimated(one.corrected.estimate)}.`}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function MetricRow({ one, all }: { one: Measured; all: readonly Measured[] }) {
  const same = all.filter((other) => other.metric === one.metric);
  const scale =
    one.unit === "share"
      ? { from: 0, to: 1 }
      : scaleOf(same.flatMap((other) => [other.low, other.value, other.high]));
  return (
    <tr className={ROW}>
      <Cell>
        {one.slice ? (
          <Link
            to="/evals"
            search={(old) => ({ run: old.run, slice: one.slice })}
            className="pl-4 text-ink-2 hover:underline"
          >
            {one.slice}
          </Link>
        ) : (
          <span className="font-medium">{one.metric}</span>
        )}
        <span className="pl-2 text-xs text-ink-3">
          {one.better === "lower" && "less is better"}
        </span>
        <Certificate badge={one.badge} />
      </Cell>
      <Cell num>{amount(one.value, one.unit)}</Cell>
      <Cell>
        <Interval
          value={one.value}
          low={one.low}
          high={one.high}
          scale={scale}
          label={`${amount(one.value, one.unit)}, ${intervalOf(one)}`}
        />
      </Cell>
      <Cell wide className="text-ink-2">
        {intervalOf(one)}
      </Cell>
      <Cell num>
        {count(one.n)}
        {one.clusters < one.n && (
          <span className="pl-1 text-xs text-ink-3">in {count(one.clusters)}</span>
        )}
      </Cell>
      <Cell wide className="text-xs text-ink-3">
        {one.method}
      </Cell>
    </tr>
  );
}
