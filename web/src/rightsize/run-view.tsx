// One run: how far it is, the verdict on each candidate, and what follows from it.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api/client";
import { needs, useMay } from "../api/may";
import { Certificate } from "../judges/certificate";
import { Badge, State } from "../ui/badge";
import { Button } from "../ui/button";
import { duration, fullTime, money, plural } from "../ui/format";
import { Icon } from "../ui/icons";
import { Failure, Lines } from "../ui/states";
import { Cell, Table } from "../ui/table";
import { toastError } from "../ui/toast";
import { ApplyDialog, PlanDialog } from "./change-dialogs";
import { Forest } from "./forest";
import { API, goesOn, SIZES, sizeQuery } from "./queries";
import { SavingsStrip } from "./savings";
import type { ArmFigures, Candidate, SizeReport, SizeRun } from "./types";
import { share, signed, TONES, verdictText } from "./words";

export function RunView({ id }: { id: string }) {
  const { data: run, error, refetch } = useQuery(sizeQuery(id));
  if (error && !run) return <Failure error={error} onRetry={refetch} className="m-4" />;
  if (!run) return <Lines className="p-6" />;
  return (
    <div className="pb-10">
      <Head run={run} />
      {run.error && (
        <p role="status" className="px-4 pb-2 text-warn">
          {run.error}
        </p>
      )}
      {run.notes.map((note) => (
        <p key={note} className="px-4 text-ink-2">
          {note}
        </p>
      ))}
      {(goesOn(run) || !run.report) && <Arms run={run} />}
      {run.report && <Report run={run} report={run.report} />}
      {run.experiment && <SavingsStrip project={run.project} />}
    </div>
  );
}

function Head({ run }: { run: SizeRun }) {
  const client = useQueryClient();
  const may = useMay();
  const [shown, setShown] = useState<"plan" | "apply">();
  const act = useMutation({
    mutationFn: (verb: "cancel" | "resume") =>
      call<SizeRun>(`${API}/runs/${run.id}/${verb}`, {
        method: "POST",
        body: verb === "resume" ? { budget_nano: more(run) } : undefined,
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: [SIZES] }),
    onError: toastError,
  });
  const editor = may.project("editor", run.project);
  const passing = run.report?.recommended ?? "";
  const why = editor ? undefined : needs("editor", run.project);
  const judged = run.arms.reduce((sum, arm) => sum + arm.judges_nano, 0);
  return (
    <header className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-3">
      <Link to="/rightsize" className="text-ink-2 underline">
        Right-sizing
      </Link>
      <h1 className="text-base font-semibold" title={run.id}>
        {run.asked.baseline} in {run.project}
      </h1>
      <StateOf run={run} />
      <span className="mr-auto text-ink-2" title={fullTime(run.created_ms)}>
        {run.source}, spent {money(run.spent_nano)}
        {run.asked.budget_nano !== null && ` of ${money(run.asked.budget_nano)}`}
        {judged > 0 && `, ${money(judged)} of it for judges`}
      </span>
      {goesOn(run) ? (
        <Button icon="stop" disabled={!editor} title={why} onClick={() => act.mutate("cancel")}>
          Cancel
        </Button>
      ) : (
        run.state !== "done" && (
          <Button icon="play" disabled={!editor} title={why} onClick={() => act.mutate("resume")}>
            {run.state === "stopped" ? `Resume with ${money(more(run))}` : "Resume"}
          </Button>
        )
      )}
      {run.experiment ? (
        <Link to="/experiments" search={{ project: run.project }} className="underline">
          {run.applied} is in the experiment {run.experiment}
        </Link>
      ) : (
        passing && (
          <>
            <Button
              icon="revisions"
              disabled={!editor}
              title={why}
              onClick={() => setShown("plan")}
            >
              Plan
            </Button>
            <Button
              tone="primary"
              icon="split"
              disabled={!editor}
              title={why}
              onClick={() => setShown("apply")}
            >
              Apply
            </Button>
          </>
        )
      )}
      {shown === "plan" && <PlanDialog run={run} onClose={() => setShown(undefined)} />}
      {shown === "apply" && <ApplyDialog run={run} onClose={() => setShown(undefined)} />}
    </header>
  );
}

/** Twice the budget that was not enough. */
function more(run: SizeRun): number | null {
  return run.asked.budget_nano === null ? null : Math.max(2 * run.asked.budget_nano, 1_000_000);
}

function StateOf({ run }: { run: SizeRun }) {
  const tone = { done: "ok", failed: "bad", stopped: "warn" } as Record<
    string,
    "ok" | "bad" | "warn"
  >;
  return <State tone={tone[run.state] ?? (goesOn(run) ? "accent" : "mute")}>{run.state}</State>;
}

function Arms({ run }: { run: SizeRun }) {
  return (
    <ul aria-label="Progress" className="flex flex-col gap-2 px-4 py-3">
      {run.arms.map((arm) => (
        <li key={arm.model} className="grid grid-cols-[180px_1fr_auto] items-center gap-3">
          <Link to="/evals" search={{ run: arm.run }} className="truncate underline">
            {arm.model}
          </Link>
          <div
            role="progressbar"
            aria-label={`${arm.model}: rows done`}
            aria-valuemin={0}
            aria-valuemax={arm.rows}
            aria-valuenow={arm.done}
            className="h-1.5 overflow-hidden rounded-sm bg-mute-wash"
          >
            <div
              className={`h-full ${arm.failed > 0 ? "bg-warn" : "bg-accent"}`}
              style={{ width: `${arm.rows ? (arm.done / arm.rows) * 100 : 0}%` }}
            />
          </div>
          <span className="num text-ink-2">
            {arm.done} of {arm.rows}
            {arm.cached > 0 && `, ${arm.cached} known`}
            {arm.failed > 0 && `, ${arm.failed} failed`}, {money(arm.cost_nano)}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Report({ run, report }: { run: SizeRun; report: SizeReport }) {
  return (
    <>
      {report.warnings.length > 0 && (
        <ul aria-label="Warnings" className="mx-4 mb-3 rounded-lg border bg-warn-wash px-3 py-2">
          {report.warnings.map((warning) => (
            <li key={warning} className="flex gap-2">
              <Icon name="warn" className="mt-0.5 shrink-0 text-warn" />
              <span>{warning}</span>
            </li>
          ))}
        </ul>
      )}
      <Forest report={report} />
      <Table
        label="Candidates"
        min={820}
        head={[
          { title: "Model" },
          { title: "Verdict" },
          { title: report.metric, num: true },
          { title: "Difference", num: true },
          { title: "Rows", num: true },
          { title: "Per 1,000 calls", num: true },
          { title: "Per month", num: true },
          { title: "Saves", num: true },
          { title: "p50", num: true, wide: true },
          { title: "p95", num: true },
        ]}
      >
        <tr className="border-b bg-panel align-top">
          <NameCell arm={report.baseline} />
          <Cell className="py-1.5 text-ink-2">baseline</Cell>
          <Figures arm={report.baseline} rows={report.baseline.scored} />
        </tr>
        {report.candidates.map((one) => (
          <tr key={one.figures.model} className="border-b align-top hover:bg-hover">
            <NameCell arm={one.figures} base={report.baseline.run} />
            <Cell className="max-w-[260px] py-1.5">
              <Badge tone={TONES[one.verdict]}>{one.verdict}</Badge>
              <span className="block text-xs text-ink-2">{verdictText(one)}</span>
            </Cell>
            <Figures arm={one.figures} rows={one.n} one={one} />
          </tr>
        ))}
      </Table>
      <p className="px-4 pt-2 text-xs text-ink-2">
        {report.badge && (
          <>
            Judged by {report.judge} <Certificate badge={report.badge} />{" "}
          </>
        )}
        Margin {report.margin}, {report.confidence * 100} % intervals: {report.method}.
        {run.traffic && run.traffic.calls > 0 && (
          <>
            {" "}
            Per month: {plural(Math.round(run.traffic.calls_per_month), "call")} at the rate of the
            last {duration(run.traffic.days * 86_400_000)}
            {run.traffic.route ? ` of ${run.traffic.route}` : " of the project"}.
          </>
        )}
      </p>
    </>
  );
}

function NameCell({ arm, base }: { arm: ArmFigures; base?: string }) {
  return (
    <Cell className="py-1.5">
      <Link
        to="/evals"
        search={base ? { run: arm.run, base } : { run: arm.run }}
        title="Its answers, row by row, with their traces"
        className="font-medium underline"
      >
        {arm.model}
      </Link>
    </Cell>
  );
}

function Figures({ arm, rows, one }: { arm: ArmFigures; rows: number; one?: Candidate }) {
  const cost = (value: number | null) => (value === null ? "unknown" : money(Math.round(value)));
  return (
    <>
      <Cell num className="py-1.5">
        {arm.quality === null ? "–" : arm.quality.toFixed(3)}
      </Cell>
      <Cell num className="py-1.5 whitespace-nowrap">
        {one ? (
          <>
            {signed(one.difference)}
            <span className="block text-xs text-ink-3">
              {one.difference === null ? "" : `${signed(one.low)} to ${signed(one.high)}`}
            </span>
          </>
        ) : null}
      </Cell>
      <Cell num className="py-1.5">
        {rows}
        {one && one.clusters < one.n && (
          <span className="block text-xs text-ink-3">{one.clusters} groups</span>
        )}
      </Cell>
      <Cell num className="py-1.5">
        {cost(arm.cost_per_1000_nano)}
      </Cell>
      <Cell num className="py-1.5">
        {arm.cost_per_month_nano === null ? "–" : cost(arm.cost_per_month_nano)}
      </Cell>
      <Cell num className="py-1.5">
        {one ? share(one.saved_share) : null}
      </Cell>
      <Cell num wide className="py-1.5">
        {duration(arm.p50_ms)}
      </Cell>
      <Cell num className="py-1.5">
        {duration(arm.p95_ms)}
      </Cell>
    </>
  );
}
