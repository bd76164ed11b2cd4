// One experiment: arms, the band that narrows, metrics with their intervals, what was decided.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRef } from "react";
import { call } from "../api/client";
import { needs, useMay } from "../api/may";
import type { Experiment, ExperimentLook, ExperimentReport, MetricReport } from "../api/types";
import { Certificates } from "../judges/certificate";
import { Badge, State } from "../ui/badge";
import { Button } from "../ui/button";
import { Confirm } from "../ui/dialog";
import { ago, count, fullTime, NONE, percent, plural } from "../ui/format";
import { NativeSelect } from "../ui/native-select";
import { Failure, Lines } from "../ui/states";
import { Cell, Table } from "../ui/table";
import { toast, toastError } from "../ui/toast";
import { Band } from "./band";
import { Decisions } from "./decisions";
import { MoveDialog } from "./move-dialog";
import { PlanDialog } from "./plan-dialog";
import { EXPERIMENTS, reportQuery } from "./queries";
import { ReleaseDialog } from "./release-dialog";
import type { ExperimentSearch } from "./search";
import {
  bandKey,
  changeText,
  days,
  intervalText,
  metricName,
  narrowed,
  relativeText,
  STATE,
  share,
  subjectOf,
  VERDICT,
  valueText,
} from "./words";

interface Props {
  experiment: Experiment;
  search: ExperimentSearch;
  go: (next: ExperimentSearch) => void;
}

export function ExperimentView({ experiment, search, go }: Props) {
  const client = useQueryClient();
  const report = useQuery(reportQuery(experiment));
  const removed = useRef(false);
  const at = `/api/v1/experiments/${experiment.name}`;
  const query = { project: experiment.project };
  return (
    <div className="pb-10">
      <Head experiment={experiment} go={go} />
      {report.error && !report.data ? (
        <Failure error={report.error} onRetry={report.refetch} className="m-4" />
      ) : report.data ? (
        <Known report={report.data} search={search} go={go} />
      ) : (
        <Lines className="p-4" />
      )}
      {(search.form === "ramp" || search.form === "stop" || search.form === "lift") && (
        <MoveDialog experiment={experiment} move={search.form} onClose={() => go({})} />
      )}
      {search.form === "release" && (
        <ReleaseDialog experiment={experiment} onClose={() => go({})} />
      )}
      {search.form === "plan" && <PlanDialog onClose={() => go({})} />}
      <Confirm
        open={search.form === "remove"}
        title={`Remove ${experiment.name}?`}
        action="Remove"
        onClose={() => go(removed.current ? { experiment: undefined } : {})}
        onConfirm={async () => {
          await call(at, { method: "DELETE", query });
          removed.current = true;
          go({ experiment: undefined });
          await client.invalidateQueries({ queryKey: [EXPERIMENTS] });
        }}
      >
        Its decisions go with it. The traces of its calls stay.
      </Confirm>
    </div>
  );
}

function Head({ experiment, go }: Pick<Props, "experiment" | "go">) {
  const client = useQueryClient();
  const may = useMay();
  const editor = may.project("editor", experiment.project);
  const why = editor ? undefined : needs("editor", experiment.project);
  const { state, winner } = experiment;
  const challenger = winner && winner !== (experiment.control || experiment.arms[0]?.name);
  const start = async () => {
    try {
      await call(`/api/v1/experiments/${experiment.name}/start`, {
        method: "POST",
        query: { project: experiment.project },
        body: { reason: "started in the console" },
      });
      toast({ text: `${experiment.name} runs.` });
      await client.invalidateQueries({ queryKey: [EXPERIMENTS] });
    } catch (error) {
      toastError(error);
    }
  };
  return (
    <>
      <div className="flex items-center gap-2 px-4 py-2">
        <Link to="/experiments" search={{}} className="text-ink-2 hover:underline">
          Experiments
        </Link>
        <span className="text-ink-3">/</span>
        <h2 className="mr-auto truncate text-base font-semibold">{experiment.name}</h2>
        {state === "running" ? (
          <>
            <Button disabled={!editor} title={why} onClick={() => go({ form: "ramp" })}>
              Ramp
            </Button>
            <Button icon="stop" disabled={!editor} title={why} onClick={() => go({ form: "stop" })}>
              Stop
            </Button>
          </>
        ) : experiment.held ? (
          <Button disabled={!editor} title={why} onClick={() => go({ form: "lift" })}>
            Lift the rollback
          </Button>
        ) : state !== "concluded" ? (
          <Button tone="primary" icon="play" disabled={!editor} title={why} onClick={start}>
            Start
          </Button>
        ) : (
          challenger && (
            <Button
              tone="primary"
              icon="revisions"
              disabled={!editor}
              title={why}
              onClick={() => go({ form: "release" })}
            >
              Make it permanent
            </Button>
          )
        )}
        {state !== "running" && (
          <Button
            tone="ghost"
            icon="trash"
            disabled={!editor}
            title={why}
            aria-label="Remove this experiment"
            onClick={() => go({ form: "remove" })}
          />
        )}
      </div>
      <dl className="flex flex-wrap gap-x-6 gap-y-1 border-y px-4 py-2">
        <Fact term="State">
          <State tone={STATE[state].tone}>{STATE[state].word}</State>
          {experiment.started_ms && (
            <span className="pl-1 text-ink-3" title={fullTime(experiment.started_ms)}>
              begun {ago(experiment.started_ms)}
            </span>
          )}
        </Fact>
        <Fact term="Splits">
          <span className="font-mono text-xs">{subjectOf(experiment)}</span> by {experiment.unit}
        </Fact>
        <Fact term="Takes part">
          {share(experiment.share)}
          {experiment.ramp.length > 0 && (
            <span className="text-ink-3">
              {" "}
              then {experiment.ramp.map((stage) => share(stage.share)).join(", ")}
            </span>
          )}
        </Fact>
        <Fact term="Owner">{experiment.owner}</Fact>
      </dl>
      {experiment.hypothesis && <p className="px-4 pt-2 text-ink-2">{experiment.hypothesis}</p>}
      {experiment.held && (
        <p role="alert" className="mx-4 mt-3 rounded-lg bg-bad-wash px-3 py-2 text-bad">
          Rolled back by stockpot: {experiment.held}. It starts again when somebody lifts that.
        </p>
      )}
    </>
  );
}

function Fact({ term, children }: { term: string; children: React.ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-ink-3">{term}</dt>
      <dd className="break-words">{children}</dd>
    </div>
  );
}

function Known({
  report,
  search,
  go,
}: {
  report: ExperimentReport;
  search: ExperimentSearch;
  go: Props["go"];
}) {
  const { advice } = report;
  const bad = advice.verdict === "roll_back" || advice.verdict === "mismatch";
  return (
    <>
      {advice.verdict !== "draft" && (
        <p className="flex flex-wrap items-center gap-x-2 px-4 pt-3">
          <Badge tone={bad ? "bad" : advice.verdict === "ship" ? "ok" : "mute"}>
            {advice.verdict.replace("_", " ")}
          </Badge>
          <span>{advice.text}</span>
          {advice.days_left !== null && (
            <span className="text-ink-3">({days(advice.days_left)} at this pace)</span>
          )}
        </p>
      )}
      <Arms report={report} />
      {report.experiment.started_ms === null ? (
        <Before report={report} go={go} />
      ) : (
        <>
          <BandOf report={report} search={search} go={go} />
          <Metrics report={report} />
        </>
      )}
      <h3 className="px-4 pt-5 pb-1 font-semibold">Decisions</h3>
      <Decisions decisions={report.decisions} experiment={report.experiment} />
    </>
  );
}

/** What a draft will be decided on. */
function Before({ report, go }: { report: ExperimentReport; go: Props["go"] }) {
  return (
    <section aria-label="Decides on" className="px-4 pt-4">
      <h3 className="pb-1 font-semibold">Decides on</h3>
      <ul className="space-y-0.5">
        {report.metrics.map(({ metric, badges }) => (
          <li key={`${metric.role} ${metric.name}`}>
            <span className="font-medium">{metricName(metric.name)}</span>{" "}
            <span className="text-ink-2">
              <Certificates badges={badges} /> {metric.role},{" "}
              {metric.direction === "up" ? "more" : "less"} is better
              {metric.margin > 0 &&
                `, margin ${metric.relative ? `${metric.margin * 100}% of the control` : valueText(metric, metric.margin)}`}
            </span>
          </li>
        ))}
      </ul>
      <Button className="mt-2" onClick={() => go({ form: "plan" })}>
        How long will it take?
      </Button>
    </section>
  );
}

function Arms({ report }: { report: ExperimentReport }) {
  const units = report.arms.reduce((sum, arm) => sum + arm.units, 0);
  const { ratio } = report;
  return (
    <section aria-label="Arms" className="pt-3">
      <h3 className="px-4 pb-1 font-semibold">Arms</h3>
      <Table
        label="Arms"
        min={520}
        head={[
          { title: "Arm" },
          { title: "Serves" },
          { title: "Units", num: true },
          { title: "Of all", num: true },
          { title: "Weight", num: true, wide: true },
          { title: "Calls", num: true },
        ]}
      >
        {report.arms.map((arm) => (
          <tr key={arm.name} className="h-[34px] border-b">
            <Cell className="font-medium">
              {arm.name} {arm.control && <Badge>control</Badge>}{" "}
              {report.experiment.winner === arm.name && <Badge tone="ok">won</Badge>}
            </Cell>
            <Cell className="font-mono text-xs">{arm.target}</Cell>
            <Cell num>{count(arm.units)}</Cell>
            <Cell num>{percent(arm.units, units)}</Cell>
            <Cell num wide>
              {share(arm.expected * 10_000)}
            </Cell>
            <Cell num>
              <Traces report={report} arm={arm.name}>
                {count(arm.calls)}
              </Traces>
            </Cell>
          </tr>
        ))}
      </Table>
      <p className="px-4 pt-1 text-xs text-ink-3">
        {ratio === null ? (
          "Nobody was exposed yet."
        ) : ratio.alarm ? (
          <span className="text-bad">
            Units do not come by the weights (p {ratio.p.toPrecision(2)}): trust none of the figures
            until that is explained.
          </span>
        ) : (
          `Units come by the weights (p ${ratio.p.toFixed(2)}, at every look).`
        )}
        {report.crossed > 0 &&
          ` ${plural(report.crossed, "unit")} seen in two arms ${report.crossed === 1 ? "is" : "are"} left out.`}
      </p>
    </section>
  );
}

/** A number that leads to the calls behind it. */
function Traces({
  report,
  arm,
  failed,
  children,
}: {
  report: ExperimentReport;
  arm: string;
  failed?: true;
  children: React.ReactNode;
}) {
  const { name, project } = report.experiment;
  return (
    <Link
      to="/traces"
      search={{ experiment: name, variant: arm, project, failed, range: "30d" }}
      className="underline decoration-line-strong hover:decoration-current"
    >
      {children}
    </Link>
  );
}

function BandOf({
  report,
  search,
  go,
}: {
  report: ExperimentReport;
  search: ExperimentSearch;
  go: Props["go"];
}) {
  const roles = (name: string) => report.metrics.filter((one) => one.metric.name === name).length;
  const key = (look: ExperimentLook) => bandKey(look, roles(look.metric));
  const choices = report.metrics.flatMap(({ metric, differences }) =>
    differences.map((d) => ({
      value: bandKey({ metric: metric.name, arm: d.arm, role: metric.role }, roles(metric.name)),
      label: `${metricName(metric.name)}${roles(metric.name) > 1 ? ` as ${metric.role}` : ""}, ${d.arm}`,
      metric,
      margin: d.margin,
      verdict: d.verdict,
    })),
  );
  const seen = new Set(report.band.map(key));
  const harmed = choices.find((one) => one.verdict === "harmed" && seen.has(one.value));
  const known = choices.filter((one) => seen.has(one.value));
  const primary = (known.length ? known : choices).find((one) => one.metric.role === "primary");
  const first = harmed ?? primary ?? known[0] ?? choices[0];
  const shown = choices.find((one) => one.value === search.band) ?? first;
  if (!shown) return null;
  const looks = withNow(
    report.band.filter((look) => key(look) === shown.value),
    report,
    shown.metric.role,
  );
  const gone = narrowed(looks);
  return (
    <section aria-label="Difference over time" className="px-4 pt-5">
      <div className="flex items-center gap-2 pb-1">
        <h3 className="font-semibold">Difference to the control</h3>
        <p className="mr-auto truncate text-xs text-ink-3">
          holds at every look
          {gone !== undefined &&
            gone > 0.005 &&
            `; ${Math.round(gone * 100)}% narrower than at first`}
        </p>
        <NativeSelect
          label="Metric and arm"
          value={shown.value}
          choices={choices}
          onChange={(band) => go({ band })}
        />
      </div>
      <Band metric={shown.metric} looks={looks} margin={shown.margin} />
    </section>
  );
}

/** The looks that are kept, and what is known now where that is newer. */
function withNow(looks: readonly ExperimentLook[], report: ExperimentReport, role: string) {
  const last = looks.at(-1);
  const d = report.metrics
    .find(({ metric }) => metric.name === last?.metric && metric.role === role)
    ?.differences.find(({ arm }) => arm === last?.arm);
  if (!last || !d || d.difference === null || d.low === null || d.high === null) return looks;
  const units = report.arms.find((arm) => arm.name === last.arm)?.units ?? last.units;
  const { difference, low, high } = d;
  if (last.low === low && last.high === high) return looks;
  return [...looks, { ...last, at_ms: report.at_ms, units, difference, low, high }];
}

function Metrics({ report }: { report: ExperimentReport }) {
  return (
    <section aria-label="Metrics" className="pt-4">
      <h3 className="px-4 pb-1 font-semibold">Metrics</h3>
      <Table
        label="Metrics"
        min={720}
        head={[
          { title: "Metric" },
          { title: "Arm" },
          { title: "Mean", num: true },
          { title: "Units", num: true, wide: true },
          { title: "To the control", num: true },
          { title: "Interval", num: true },
          { title: "p", num: true, wide: true },
          { title: "Verdict" },
        ]}
      >
        {report.metrics.map((one) => (
          <MetricRows key={`${one.metric.role} ${one.metric.name}`} of={one} report={report} />
        ))}
      </Table>
    </section>
  );
}

function MetricRows({ of, report }: { of: MetricReport; report: ExperimentReport }) {
  const { metric } = of;
  const errors = metric.name === "error";
  return of.arms.map((arm, index) => {
    const d = of.differences.find((one) => one.arm === arm.arm);
    const p = d?.p_adjusted ?? d?.p ?? null;
    return (
      <tr key={arm.arm} className="h-[34px] border-b">
        <Cell>
          {index === 0 && (
            <>
              <span className="font-medium">{metricName(metric.name)}</span>{" "}
              <Certificates badges={of.badges} />{" "}
              <span
                className="text-xs whitespace-nowrap text-ink-3"
                title={metric.direction === "up" ? "More is better" : "Less is better"}
              >
                {metric.role} {metric.direction === "up" ? "↑" : "↓"}
              </span>
            </>
          )}
        </Cell>
        <Cell>{arm.arm}</Cell>
        <Cell num title={intervalText(metric, arm.low, arm.high)}>
          {arm.mean === null ? (
            NONE
          ) : (
            <Traces report={report} arm={arm.arm} failed={errors ? true : undefined}>
              {valueText(metric, arm.mean)}
            </Traces>
          )}
        </Cell>
        <Cell num wide>
          {count(arm.n)}
        </Cell>
        <Cell num>
          {d && (
            <>
              {changeText(metric, d.difference)}{" "}
              <span className="text-xs text-ink-3">{relativeText(d.relative)}</span>
            </>
          )}
        </Cell>
        <Cell num className="text-ink-2">
          {d && intervalText(metric, d.low, d.high)}
        </Cell>
        <Cell num wide className="text-ink-2">
          {d && (p === null ? NONE : p < 0.001 ? "<0.001" : p.toFixed(3))}
        </Cell>
        <Cell>
          {d && (
            <State tone={VERDICT[d.verdict].tone}>
              {VERDICT[d.verdict].word}
              {d.margin > 0 && (
                <span className="text-xs text-ink-3">margin {valueText(metric, d.margin)}</span>
              )}
            </State>
          )}
        </Cell>
      </tr>
    );
  });
}
