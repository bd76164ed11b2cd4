// What was decided, by whom, and the figures that justified it.
import { useState } from "react";
import type { Experiment, ExperimentDecision } from "../api/types";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { count, fullTime } from "../ui/format";
import { changeText, DECISION, intervalText, metricName, share } from "./words";

interface Figure {
  metric: string;
  role: string;
  arm: string;
  difference: number | null;
  low: number | null;
  high: number | null;
  verdict: string;
}
interface Figures {
  arms?: { arm: string; units: number; calls: number }[];
  metrics?: Figure[];
}

export function Decisions({
  decisions,
  experiment,
}: {
  decisions: readonly ExperimentDecision[];
  experiment: Experiment;
}) {
  if (decisions.length === 0)
    return <p className="px-4 text-ink-2">Nothing yet: it has not been started.</p>;
  return (
    <ol aria-label="Decisions" className="border-t">
      {decisions.map((one) => (
        <Row key={one.id} decision={one} experiment={experiment} />
      ))}
    </ol>
  );
}

function Row({ decision, experiment }: { decision: ExperimentDecision; experiment: Experiment }) {
  const [open, setOpen] = useState(decision.kind === "rolled_back");
  const figures = decision.figures as Figures;
  const told = (figures.metrics?.length ?? 0) > 0;
  const moved = decision.share_before !== decision.share_after;
  return (
    <li className="border-b px-4 py-1.5">
      <div className="flex flex-wrap items-baseline gap-x-2">
        <span className="text-xs text-ink-3">{fullTime(decision.at_ms, "s")}</span>
        <Badge tone={DECISION[decision.kind].tone}>{DECISION[decision.kind].word}</Badge>
        <span className="text-ink-2">by {decision.actor}</span>
        {moved && (
          <span className="text-ink-2">
            {share(decision.share_before)} → {share(decision.share_after)}
          </span>
        )}
        <span className="min-w-0 flex-1 break-words">{decision.reason}</span>
        {told && (
          <Button tone="ghost" aria-expanded={open} onClick={() => setOpen(!open)}>
            Figures
          </Button>
        )}
      </div>
      {told && open && <FiguresOf figures={figures} experiment={experiment} />}
    </li>
  );
}

function FiguresOf({ figures, experiment }: { figures: Figures; experiment: Experiment }) {
  const kind = (name: string) =>
    experiment.metrics.find((metric) => metric.name === name)?.kind ?? "mean";
  return (
    <div className="mt-1 mb-1 rounded-md bg-panel px-3 py-2 text-xs">
      <p className="text-ink-2">
        {figures.arms
          ?.map((arm) => `${arm.arm}: ${count(arm.units)} units, ${count(arm.calls)} calls`)
          .join("; ")}
      </p>
      <ul className="mt-1">
        {figures.metrics?.map((one) => {
          const metric = { name: one.metric, kind: kind(one.metric) };
          return (
            <li key={`${one.role} ${one.metric} ${one.arm}`}>
              <b className="font-medium">{metricName(one.metric)}</b>{" "}
              <span className="text-ink-3">{one.role}</span> {one.arm}{" "}
              {changeText(metric, one.difference)}{" "}
              <span className="text-ink-2">{intervalText(metric, one.low, one.high)}</span>{" "}
              {one.verdict.replace("_", " ")}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
