import { useQueries, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { needs, useMay } from "../api/may";
import { projectsQuery } from "../api/queries";
import { useShortcuts } from "../frame/shortcuts";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { plural } from "../ui/format";
import { NativeSelect } from "../ui/native-select";
import { Empty, Failure, Lines } from "../ui/states";
import { CompareView } from "./compare-view";
import { runsQuery } from "./queries";
import { RunView } from "./run-view";
import { RunsTable } from "./runs-table";
import type { EvalSearch } from "./search";
import { StartDialog } from "./start-dialog";
import type { Run } from "./types";
import { useLiveRuns } from "./use-live-runs";
import { VelocityStrip } from "./velocity";

export function EvalsPage() {
  const search = useSearch({ from: "/frame/evals" });
  const navigate = useNavigate();
  const may = useMay();
  const go = (next: EvalSearch) => navigate({ to: "/evals", search: next });
  useShortcuts([
    {
      keys: "n",
      label: "Start a run",
      group: "Evaluations",
      run: () => go({ ...search, begin: true }),
    },
  ]);
  const editor = may.somewhere("editor");
  useLiveRuns(search.run ? undefined : search.project);
  return (
    <>
      {search.run && search.base ? (
        <CompareView base={search.base} candidate={search.run} part={search.slice} />
      ) : search.run ? (
        <RunView id={search.run} part={search.slice} />
      ) : (
        <Runs
          search={search}
          start={
            <Button
              tone="primary"
              icon="play"
              disabled={!editor}
              title={editor ? undefined : needs("editor", "a project")}
              onClick={() => go({ ...search, begin: true })}
            >
              Start a run
            </Button>
          }
        />
      )}
      {search.begin && (
        <StartDialog
          project={search.project}
          suite={search.suite}
          onClose={() => go({ ...search, begin: undefined })}
          onStarted={(run) => go({ run: run.id })}
        />
      )}
    </>
  );
}

type Search = EvalSearch & { project?: string };

function Runs({ search, start }: { search: Search; start: React.ReactNode }) {
  const navigate = useNavigate();
  const projects = useQuery(projectsQuery);
  const names = search.project ? [search.project] : (projects.data ?? []).map((one) => one.name);
  const found = useQueries({ queries: names.map((name) => runsQuery(name)) });
  const failed = found.find((one) => one.error && !one.data) ?? (projects.error ? projects : null);
  const loading = projects.isPending || found.some((one) => one.isPending);
  if (failed?.error)
    return <Failure error={failed.error} onRetry={failed.refetch} className="m-4" />;
  if (loading) return <Lines className="p-6" />;
  const runs: Run[] = found
    .flatMap((one) => one.data ?? [])
    .sort((one, other) => other.created_ms - one.created_ms);
  const suites = [...new Set(runs.map((run) => run.suite))].sort();
  const shown = search.suite ? runs.filter((run) => run.suite === search.suite) : runs;
  return (
    <div className="pb-10">
      <div className="flex items-center gap-2 px-4 py-2">
        {suites.length > 1 && (
          <NativeSelect
            label="Suite"
            value={search.suite ?? ""}
            onChange={(suite) => navigate({ to: "/evals", search: { suite: suite || undefined } })}
            choices={[
              { value: "", label: "All suites" },
              ...suites.map((name) => ({ value: name, label: name })),
            ]}
          />
        )}
        <p className="mr-auto text-ink-2">{shown.length > 0 && plural(shown.length, "run")}</p>
        {start}
      </div>
      {names.length === 1 && <VelocityStrip project={names[0] ?? ""} />}
      {shown.length === 0 ? <NoRuns any={runs.length > 0} /> : <RunsTable runs={shown} />}
    </div>
  );
}

const FIRST = `cat > soups.jsonl <<'END'
{"input": {"text": "leek soup"}, "expected": "leek soup"}
{"input": {"text": "pea soup"}, "expected": "pea soup"}
END
cat > soups.toml <<'END'
rows = "soups.jsonl"
[target]
kind = "model"
model = "echo"
[[scorers]]
use = "exact"
END
stockpot eval run soups.toml`;

function NoRuns({ any }: { any: boolean }) {
  if (any) return <Empty title="This suite has no runs here" />;
  return (
    <Empty title="Nothing was evaluated yet">
      <p className="mb-3">
        A suite is a data set, a target (a prompt's version, a model, an endpoint, a function) and
        scorers. A run of it tells each metric with its interval; two runs are compared row by row,
        and a gate says whether the newer one may be released.
      </p>
      <CodeBlock label="Copy the commands" text={FIRST} />
    </Empty>
  );
}
