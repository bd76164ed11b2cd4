// One check: its settings, its runs, and what one of them found.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api/client";
import { needs, useMay } from "../api/may";
import { Badge, State } from "../ui/badge";
import { Button } from "../ui/button";
import { cx } from "../ui/cx";
import { ago, duration, fullTime, money } from "../ui/format";
import { Failure, Lines } from "../ui/states";
import { Cell, Table } from "../ui/table";
import { toastError } from "../ui/toast";
import { CHECKS, type Check, type CheckRun, runsQuery } from "./queries";
import { RebaseDialog } from "./rebase-dialog";
import { RunFound } from "./run-found";
import { costOf, KIND, scheduleOf, standing } from "./words";

export function CheckView({ check, runId }: { check: Check; runId?: string }) {
  const may = useMay();
  const client = useQueryClient();
  const navigate = useNavigate();
  const runs = useQuery(runsQuery(check.id));
  const [rebasing, setRebasing] = useState(false);
  const start = useMutation({
    mutationFn: () => call<CheckRun>(`/api/v1/checks/${check.id}/runs`, { method: "POST" }),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: [CHECKS] });
      await navigate({ to: "/pipelines", search: (old) => ({ ...old, run: made.id }) });
    },
    onError: (error) => toastError(error),
  });
  const editor = may.project("editor", check.project);
  const shown = runs.data?.find((one) => one.id === runId) ?? runs.data?.[0];
  return (
    <article aria-label={check.name} className="pb-10">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2">
        <Link to="/pipelines" search={(old) => ({ project: old.project, which: old.which })}>
          <span className="text-ink-2 underline">All</span>
        </Link>
        <h2 className="text-lg font-semibold">{check.name}</h2>
        <Badge>{KIND[check.kind].one}</Badge>
        <span className="text-ink-2">
          {check.project}, {scheduleOf(check)}
          {check.next_ms && check.enabled && `, next ${fullTime(check.next_ms, "min")}`}
        </span>
        <span className="ml-auto" />
        {check.kind === "canary" && runs.data?.some((one) => one.state === "done") && (
          <Button
            disabled={!editor}
            title={editor ? undefined : needs("editor", check.project)}
            onClick={() => setRebasing(true)}
          >
            Accept as baseline
          </Button>
        )}
        <Button
          tone="primary"
          disabled={!editor}
          busy={start.isPending}
          title={editor ? undefined : needs("editor", check.project)}
          onClick={() => start.mutate()}
        >
          Run now
        </Button>
      </header>
      {rebasing && <RebaseDialog check={check} onClose={() => setRebasing(false)} />}
      {runs.error && !runs.data ? (
        <Failure error={runs.error} onRetry={runs.refetch} className="m-4" />
      ) : !runs.data ? (
        <Lines />
      ) : !shown ? (
        <p className="px-4 py-2 text-ink-2">It has not run yet.</p>
      ) : (
        <>
          <RunFound run={shown} check={check} />
          <Runs runs={runs.data} shown={shown.id} />
        </>
      )}
    </article>
  );
}

function Runs({ runs, shown }: { runs: readonly CheckRun[]; shown: string }) {
  return (
    <section className="mt-4">
      <h3 className="px-4 pb-1 font-medium">Runs</h3>
      <Table
        label="Runs"
        head={[
          { title: "State" },
          { title: "When" },
          { title: "Why", wide: true },
          { title: "What it found" },
          { title: "Cost", num: true, wide: true },
          { title: "Took", num: true },
        ]}
      >
        {runs.map((run) => {
          const { tone, word } = standing(run);
          const took = run.finished_ms && run.started_ms ? run.finished_ms - run.started_ms : null;
          return (
            <tr
              key={run.id}
              aria-current={run.id === shown || undefined}
              className={cx("border-b hover:bg-hover", run.id === shown && "bg-hover")}
            >
              <Cell className="py-1.5">
                <State tone={tone}>{word}</State>
              </Cell>
              <Cell className="py-1.5 whitespace-nowrap" title={fullTime(run.created_ms)}>
                <Link
                  to="/pipelines"
                  search={(old) => ({ ...old, run: run.id })}
                  className="hover:underline"
                >
                  {ago(run.created_ms)}
                </Link>
              </Cell>
              <Cell wide className="max-w-[220px] truncate py-1.5 text-ink-2">
                {run.cause}
              </Cell>
              <Cell className="max-w-[420px] truncate py-1.5 text-ink-2" title={run.words}>
                {run.words || run.error}
              </Cell>
              <Cell num wide className="py-1.5" title={costOf(run)}>
                {run.result.cost ? money(run.result.cost.nano) : costOf(run)}
              </Cell>
              <Cell num className="py-1.5">
                {duration(took)}
              </Cell>
            </tr>
          );
        })}
      </Table>
    </section>
  );
}
