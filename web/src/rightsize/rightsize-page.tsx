import { useQueries, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { needs, useMay } from "../api/may";
import { projectsQuery } from "../api/queries";
import { useShortcuts } from "../frame/shortcuts";
import { Certificate } from "../judges/certificate";
import { Badge, State } from "../ui/badge";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { ago, fullTime, money } from "../ui/format";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, Table } from "../ui/table";
import { goesOn, sizesQuery } from "./queries";
import { RunView } from "./run-view";
import { SavingsStrip } from "./savings";
import type { SizeSearch } from "./search";
import { StartDialog } from "./start-dialog";
import type { SizeRun } from "./types";

export function RightsizePage() {
  const search = useSearch({ from: "/frame/rightsize" });
  const navigate = useNavigate();
  const may = useMay();
  const go = (next: SizeSearch) => navigate({ to: "/rightsize", search: next });
  const begin = () => go({ ...search, begin: true });
  useShortcuts([{ keys: "n", label: "Start a run", group: "Right-sizing", run: begin }]);
  const editor = may.somewhere("editor");
  return (
    <>
      {search.size ? (
        <RunView id={search.size} />
      ) : (
        <Runs
          project={search.project}
          start={
            <Button
              tone="primary"
              icon="play"
              disabled={!editor}
              title={editor ? undefined : needs("editor", "a project")}
              onClick={begin}
            >
              Start a run
            </Button>
          }
        />
      )}
      {search.begin && (
        <StartDialog
          project={search.project}
          onClose={() => go({ ...search, begin: undefined })}
          onStarted={(run) => go({ size: run.id })}
        />
      )}
    </>
  );
}

function Runs({ project, start }: { project?: string; start: React.ReactNode }) {
  const projects = useQuery(projectsQuery);
  const names = project ? [project] : (projects.data ?? []).map((one) => one.name);
  const found = useQueries({ queries: names.map((name) => sizesQuery(name)) });
  const failed = found.find((one) => one.error && !one.data) ?? (projects.error ? projects : null);
  if (failed?.error)
    return <Failure error={failed.error} onRetry={failed.refetch} className="m-4" />;
  if (projects.isPending || found.some((one) => one.isPending)) return <Lines className="p-6" />;
  const runs = found
    .flatMap((one) => one.data ?? [])
    .sort((one, other) => other.created_ms - one.created_ms);
  const applied = [...new Set(runs.filter((run) => run.experiment).map((run) => run.project))];
  return (
    <div className="pb-10">
      <div className="flex items-center gap-2 px-4 py-2">
        <p className="mr-auto text-ink-2">Which is the cheapest model that still passes?</p>
        {start}
      </div>
      {applied.map((name) => (
        <SavingsStrip key={name} project={name} />
      ))}
      {runs.length === 0 ? <NoRuns project={project} /> : <RunsTable runs={runs} />}
    </div>
  );
}

function RunsTable({ runs }: { runs: readonly SizeRun[] }) {
  return (
    <Table
      label="Runs"
      head={[
        { title: "Run" },
        { title: "Asked" },
        { title: "Baseline" },
        { title: "Verdicts" },
        { title: "Spent", num: true },
        { title: "Experiment", wide: true },
      ]}
    >
      {runs.map((run) => (
        <tr key={run.id} className="border-b align-top hover:bg-hover">
          <Cell className="py-1.5" title={fullTime(run.created_ms)}>
            <Link to="/rightsize" search={{ size: run.id }} className="font-medium hover:underline">
              {ago(run.created_ms)}
            </Link>
            <span className="block text-xs text-ink-3">{run.project}</span>
          </Cell>
          <Cell className="max-w-[260px] py-1.5 break-words text-ink-2">{run.source}</Cell>
          <Cell className="py-1.5">{run.asked.baseline}</Cell>
          <Cell className="py-1.5">
            <Verdicts run={run} />
          </Cell>
          <Cell num className="py-1.5">
            {money(run.spent_nano)}
          </Cell>
          <Cell wide className="py-1.5">
            {run.experiment && (
              <Link to="/experiments" search={{ experiment: run.experiment }}>
                <Badge tone="accent">{run.experiment}</Badge>
              </Link>
            )}
          </Cell>
        </tr>
      ))}
    </Table>
  );
}

function Verdicts({ run }: { run: SizeRun }) {
  if (goesOn(run)) {
    const done = run.arms.reduce((sum, arm) => sum + arm.done, 0);
    const rows = run.arms.reduce((sum, arm) => sum + arm.rows, 0);
    return <State tone="accent">{`${run.state}, ${done} of ${rows} answers`}</State>;
  }
  if (!run.report) return <State tone={run.state === "failed" ? "bad" : "mute"}>{run.state}</State>;
  return (
    <span className="flex flex-wrap gap-x-3 gap-y-0.5">
      {run.report.candidates.map((one) => (
        <State
          key={one.figures.model}
          tone={one.verdict === "passes" ? "ok" : one.verdict === "refused" ? "bad" : "warn"}
        >
          {`${one.figures.model} ${one.verdict}`}
        </State>
      ))}
      <Certificate badge={run.report.badge} />
    </span>
  );
}

function NoRuns({ project = "default" }: { project?: string }) {
  return (
    <Empty title="Nothing was held against a cheaper model yet">
      <p className="mb-3">
        A run asks candidates and what is served now the same questions, out of a data set or of
        logged calls, within a budget. It says of each candidate whether it is shown not to be worse
        by more than the margin, what it costs, and moves a tenth of the traffic to the one that
        passes.
      </p>
      <CodeBlock
        label="Copy the command"
        text={`stockpot rightsize ${project} --candidates CHEAP,CHEAPER --baseline NOW \\
  --dataset questions --scorer mentions --margin 0.05 --budget 5`}
      />
    </Empty>
  );
}
