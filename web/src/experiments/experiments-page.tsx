import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { needs, useMay } from "../api/may";
import type { Experiment } from "../api/types";
import { useShortcuts } from "../frame/shortcuts";
import { State } from "../ui/badge";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { ago, fullTime, plural } from "../ui/format";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, Table } from "../ui/table";
import { ExperimentView } from "./experiment-view";
import { PlanDialog } from "./plan-dialog";
import { experimentsQuery } from "./queries";
import type { ExperimentSearch } from "./search";
import { byUrgency, metricName, STATE, share, subjectOf } from "./words";

const CreateDialog = lazy(() =>
  import("./create-dialog").then((found) => ({ default: found.CreateDialog })),
);

export function ExperimentsPage() {
  const search = useSearch({ from: "/frame/experiments" });
  const editor = useMay().somewhere("editor");
  const navigate = useNavigate();
  const experiments = useQuery(experimentsQuery);
  const go = (next: ExperimentSearch) =>
    navigate({ to: "/experiments", search: { experiment: search.experiment, ...next } });
  const define = () => editor && go({ form: "new" });
  useShortcuts([{ keys: "n", label: "Define an experiment", group: "Experiments", run: define }]);
  if (experiments.error && !experiments.data)
    return <Failure error={experiments.error} onRetry={experiments.refetch} className="m-4" />;
  if (!experiments.data) return <Lines className="p-6" />;
  const shown = experiments.data.find((one) => one.id === search.experiment);
  const rows = experiments.data
    .filter((one) => !search.project || one.project === search.project)
    .sort(byUrgency);
  if (search.experiment && !shown) return <Gone />;
  if (shown) return <ExperimentView experiment={shown} search={search} go={go} />;
  return (
    <div className="pb-10">
      <div className="flex items-center gap-2 px-4 py-2">
        <p className="mr-auto truncate text-ink-2">{summary(rows)}</p>
        <Link
          to="/experiments"
          search={{ form: "plan" }}
          className="text-ink-2 underline hover:text-ink"
        >
          How long would one take?
        </Link>
        <Button
          tone="primary"
          icon="plus"
          disabled={!editor}
          title={editor ? undefined : needs("editor", "a project")}
          onClick={define}
        >
          Define an experiment
        </Button>
      </div>
      {rows.length === 0 ? (
        <NoExperiments any={experiments.data.length > 0} />
      ) : (
        <ExperimentTable experiments={rows} />
      )}
      {search.form === "new" && (
        <Suspense>
          <CreateDialog
            project={search.project}
            onClose={() => go({})}
            onMade={(made) => go({ experiment: made.id })}
          />
        </Suspense>
      )}
      {search.form === "plan" && <PlanDialog onClose={() => go({})} />}
    </div>
  );
}

function summary(experiments: readonly Experiment[]): string {
  if (experiments.length === 0) return "";
  const running = experiments.filter((one) => one.state === "running").length;
  return `${plural(experiments.length, "experiment")}, ${running === 0 ? "none running" : `${running} running`}`;
}

function ExperimentTable({ experiments }: { experiments: readonly Experiment[] }) {
  return (
    <Table
      label="Experiments"
      min={680}
      head={[
        { title: "State" },
        { title: "Experiment" },
        { title: "Splits" },
        { title: "Arms", wide: true },
        { title: "Decides on", wide: true },
        { title: "Takes part", num: true },
      ]}
    >
      {experiments.map((one) => (
        <tr key={one.id} className="border-b hover:bg-hover">
          <Cell className="py-1.5 whitespace-nowrap">
            <State tone={STATE[one.state].tone}>{STATE[one.state].word}</State>
            <span className="block pl-[13px] text-xs text-ink-3">
              <span title={fullTime(one.changed_ms)}>{ago(one.changed_ms)}</span>
            </span>
          </Cell>
          <Cell className="max-w-[300px] py-1.5">
            <Link
              to="/experiments"
              search={{ experiment: one.id }}
              className="font-medium hover:underline"
            >
              {one.name}
            </Link>
            <span className="block truncate text-xs text-ink-3">
              {one.hypothesis || one.project}
            </span>
          </Cell>
          <Cell className="max-w-[220px] truncate py-1.5 font-mono text-xs">{subjectOf(one)}</Cell>
          <Cell wide className="py-1.5 text-ink-2">
            {one.arms.map((arm) => `${arm.name} ${share(arm.weight)}`).join(", ")}
            {one.winner && <span className="block text-xs text-ok">{one.winner} won</span>}
          </Cell>
          <Cell wide className="py-1.5 text-ink-2">
            {decidesOn(one)}
          </Cell>
          <Cell num className="py-1.5">
            {share(one.share)}
          </Cell>
        </tr>
      ))}
    </Table>
  );
}

/** One metric may both decide and guard; it is named once. */
function decidesOn({ metrics }: Experiment): string {
  const names = metrics.filter((one) => one.role !== "secondary").map((one) => one.name);
  return [...new Set(names)].map(metricName).join(", ");
}

const EXAMPLE = `cat > tone.toml <<'END'
subject = "menu@production"
unit = "user"
arms = [
  { name = "now", weight = 5000 },
  { name = "warm", weight = 5000, target = "menu@2" },
]
metrics = [
  { name = "feedback:thumbs", role = "primary" },
  { name = "error", role = "guardrail", margin = 0.02 },
]
END
stockpot experiments create tone.toml --start`;

function NoExperiments({ any }: { any: boolean }) {
  return (
    <Empty title={any ? "No experiment in this project" : "Nothing is tried on live traffic yet"}>
      <p className="mb-3">
        An experiment splits a prompt's label, an alias or a route between arms. Whoever is in one
        stays there; you may look at the figures as often as you like, and what does harm is rolled
        back by itself.
      </p>
      <CodeBlock label="Copy the commands" text={EXAMPLE} />
      <p className="mt-3">
        <Link to="/experiments" search={{ form: "plan" }} className="underline">
          See first how long it takes
        </Link>
      </p>
    </Empty>
  );
}

function Gone() {
  return (
    <Empty title="There is no such experiment">
      <Link to="/experiments" search={{}} className="text-accent underline">
        See those that there are
      </Link>
    </Empty>
  );
}
