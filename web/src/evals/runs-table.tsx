// Runs, the newest first; those that go on are drawn as they go.
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Certificate } from "../judges/certificate";
import { Badge, State } from "../ui/badge";
import { Button } from "../ui/button";
import { ago, duration, fullTime, money, plural } from "../ui/format";
import { Cell, Table } from "../ui/table";
import { Interval } from "./interval";
import type { Measured, Run } from "./types";
import { amount, armOf, intervalOf, isOver, rowsText, STATE_TONE } from "./words";

export function RunsTable({ runs }: { runs: readonly Run[] }) {
  const navigate = useNavigate();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const toggle = (id: string) =>
    setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen.slice(-1), id]);
  const picked = runs.filter((run) => chosen.includes(run.id));
  const [newer, older] = picked;
  const compare = () => {
    if (newer && older) navigate({ to: "/evals", search: { run: newer.id, base: older.id } });
  };
  return (
    <>
      {picked.length > 0 && (
        <div className="flex items-center gap-2 border-t bg-panel px-4 py-1.5">
          <p className="mr-auto text-ink-2">
            {picked.length === 1
              ? "Choose a second run to compare with."
              : "The older one is the base."}
          </p>
          <Button onClick={() => setChosen([])}>Clear</Button>
          <Button tone="primary" disabled={picked.length < 2} onClick={compare}>
            Compare
          </Button>
        </div>
      )}
      <Table
        label="Runs"
        min={760}
        head={[
          { title: "Choose", hidden: true },
          { title: "Run" },
          { title: "State" },
          { title: "Main metric" },
          { title: "Rows", num: true },
          { title: "Cost", num: true, wide: true },
          { title: "Gate" },
          { title: "Started" },
        ]}
      >
        {runs.map((run) => (
          <tr key={run.id} className="border-b hover:bg-hover">
            <Cell className="w-8 py-1.5">
              <input
                type="checkbox"
                aria-label={`Choose the run of ${run.suite} of ${fullTime(run.created_ms)}`}
                checked={chosen.includes(run.id)}
                onChange={() => toggle(run.id)}
              />
            </Cell>
            <Cell className="max-w-[320px] py-1.5">
              <Link to="/evals" search={{ run: run.id }} className="font-medium hover:underline">
                {run.suite}
              </Link>
              {run.message && <span className="pl-2 text-ink-2">{run.message}</span>}
              <span className="block truncate text-xs text-ink-3">{armOf(run)}</span>
            </Cell>
            <Cell className="py-1.5">
              <State tone={STATE_TONE[run.state]}>{run.state}</State>
              {!isOver(run) && <Progress run={run} className="mt-1 w-[90px]" />}
            </Cell>
            <Cell className="py-1.5">
              <Main run={run} />
            </Cell>
            <Cell num className="py-1.5 whitespace-nowrap">
              {rowsText(run)}
            </Cell>
            <Cell num wide className="py-1.5">
              {money(run.progress.cost_nano)}
            </Cell>
            <Cell className="py-1.5">
              <GateBadge run={run} />
            </Cell>
            <Cell className="py-1.5 whitespace-nowrap" title={fullTime(run.created_ms)}>
              {ago(run.created_ms)}
              <span className="block text-xs text-ink-3">
                {duration(run.progress.seconds * 1000)}
              </span>
            </Cell>
          </tr>
        ))}
      </Table>
    </>
  );
}

/** The metric that a suite names first, on all rows. */
export function mainMetric(run: Run): Measured | undefined {
  return run.metrics.find((one) => one.slice === "");
}

function Main({ run }: { run: Run }) {
  const main = mainMetric(run);
  if (!main) return null;
  const scale = main.unit === "share" ? { from: 0, to: 1 } : undefined;
  return (
    <span className="flex items-center gap-2">
      <span className="min-w-[92px]">
        <b className="font-medium">{amount(main.value, main.unit)}</b>
        <span className="block text-xs text-ink-3">{main.metric}</span>
        <Certificate badge={main.badge} />
      </span>
      {scale && (
        <Interval
          value={main.value}
          low={main.low}
          high={main.high}
          scale={scale}
          label={`${main.metric} ${amount(main.value, main.unit)}, ${intervalOf(main)}`}
        />
      )}
    </span>
  );
}

export function GateBadge({ run }: { run: Run }) {
  if (!run.gate) return <span className="text-xs text-ink-3">not decided</span>;
  const failed = run.gate.checks.filter((check) => !check.passed).length;
  return run.gate.passed ? (
    <Badge tone="ok">passed</Badge>
  ) : (
    <Badge tone="bad" title={plural(failed, "rule")}>
      failed
    </Badge>
  );
}

export function Progress({ run, className }: { run: Run; className?: string }) {
  const { rows, done, failed } = run.progress;
  const share = rows ? done / rows : 0;
  return (
    <div
      role="progressbar"
      aria-label="Rows done"
      aria-valuemin={0}
      aria-valuemax={rows}
      aria-valuenow={done}
      className={`h-1.5 overflow-hidden rounded-sm bg-mute-wash ${className ?? ""}`}
    >
      <div
        className={`h-full ${failed > 0 ? "bg-warn" : "bg-accent"}`}
        style={{ width: `${share * 100}%` }}
      />
    </div>
  );
}
