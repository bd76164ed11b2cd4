// What one run found: steps, tests with their p-values and effects, answers that changed.
import { Link } from "@tanstack/react-router";
import { Certificates } from "../judges/certificate";
import { Badge, State } from "../ui/badge";
import { duration, NONE } from "../ui/format";
import { Cell, Table } from "../ui/table";
import type { Check, CheckRun, Feature, Step } from "./queries";
import { costOf, pText, STEP, standing } from "./words";

export function RunFound({ run, check }: { run: CheckRun; check: Check }) {
  const { tone, word } = standing(run);
  const { steps, features, changed, identity } = run.result;
  const cost = costOf(run);
  return (
    <section aria-label="What it found" className="flex flex-col gap-3">
      <p className="px-4">
        <State tone={tone}>
          <span className="font-medium">{word}</span>
        </State>{" "}
        <span className="text-ink-2">{run.words || run.error}</span>
        {check.badges.length > 0 && (
          <span className="pl-2">
            <Certificates badges={check.badges} />
          </span>
        )}
        <span className="block text-ink-3">
          {run.cause}
          {cost && `; cost ${cost}`}
        </span>
      </p>
      {steps && <Steps steps={steps} />}
      {run.kind === "online" && <Sampled run={run} check={check} />}
      {features && <Features features={features} />}
      {identity && identity.length > 0 && (
        <ul className="px-4">
          {identity.map((one) => (
            <li key={one.what}>
              <Badge tone="bad">{one.what}</Badge> {one.now}{" "}
              <span className="text-ink-3">was {one.reference}</span>
            </li>
          ))}
        </ul>
      )}
      {changed && changed.length > 0 && <Changed changed={changed} />}
    </section>
  );
}

function Steps({ steps }: { steps: readonly Step[] }) {
  return (
    <Table
      label="Steps"
      head={[
        { title: "State" },
        { title: "Step" },
        { title: "Does" },
        { title: "What came of it" },
        { title: "Took", num: true },
      ]}
    >
      {steps.map((step) => (
        <tr key={step.id} className="border-b">
          <Cell className="py-1.5">
            <State tone={STEP[step.state]}>{step.state}</State>
          </Cell>
          <Cell className="py-1.5 font-medium">{step.id}</Cell>
          <Cell className="py-1.5">
            <Badge>{step.use}</Badge>
          </Cell>
          <Cell className="max-w-[420px] py-1.5 text-ink-2">
            {step.link ? (
              <a href={step.link} className="text-accent underline">
                {step.words || "see"}
              </a>
            ) : (
              step.words
            )}
          </Cell>
          <Cell num className="py-1.5">
            {duration(
              step.finished_ms && step.started_ms ? step.finished_ms - step.started_ms : null,
            )}
          </Cell>
        </tr>
      ))}
    </Table>
  );
}

function Features({ features }: { features: Record<string, Feature> }) {
  return (
    <Table
      label="Tests"
      head={[
        { title: "Feature" },
        { title: "Moved" },
        { title: "p, adjusted", num: true },
        { title: "Effect", num: true },
        { title: "Test", wide: true },
      ]}
    >
      {Object.entries(features).map(([name, one]) => (
        <tr key={name} className="border-b">
          <Cell className="py-1.5 font-medium">{name}</Cell>
          <Cell className="py-1.5">
            <State tone={one.moved ? "bad" : "ok"}>{one.moved ? "yes" : "no"}</State>
          </Cell>
          <Cell num className="py-1.5" title={`unadjusted ${pText(one.p)}`}>
            {pText(one.p_adjusted)}
          </Cell>
          <Cell num className="py-1.5">
            {one.effect === null ? NONE : one.effect.toFixed(3)}
          </Cell>
          <Cell wide className="py-1.5 text-ink-2">
            {one.test}
          </Cell>
        </tr>
      ))}
    </Table>
  );
}

function Sampled({ run, check }: { run: CheckRun; check: Check }) {
  const { seen = 0, drawn = 0, uncovered = 0, unkept = 0, estimate } = run.result;
  const facts = [
    ["spans", seen],
    ["drawn", drawn],
    ["not covered", uncovered],
    ["without payload", unkept],
  ] as const;
  return (
    <div className="flex flex-wrap items-baseline gap-x-6 gap-y-1 px-4">
      {estimate && (
        <p>
          <span className="text-lg font-semibold">{estimate.mean.toFixed(3)}</span>{" "}
          <span className="text-ink-2">
            {estimate.low !== null && estimate.high !== null
              ? `[${estimate.low.toFixed(3)}, ${estimate.high.toFixed(3)}] over all spans, 95 %`
              : "from one span"}
          </span>
        </p>
      )}
      {facts.map(([word, number]) => (
        <p key={word} className="text-ink-2">
          <span className="font-medium text-ink">{number}</span> {word}
        </p>
      ))}
      <Link to="/traces" search={{ project: check.project }} className="text-accent underline">
        The spans behind it
      </Link>
    </div>
  );
}

function Changed({
  changed,
}: {
  changed: readonly { prompt: string; before: string; now: string; trace?: string }[];
}) {
  return (
    <Table
      label="Answers that changed"
      min={720}
      head={[{ title: "Asked" }, { title: "Answered before" }, { title: "Answers now" }]}
    >
      {changed.map((one) => (
        <tr key={one.prompt} className="border-b align-top">
          <Cell className="max-w-[220px] py-1.5">
            {one.trace ? (
              <Link
                to="/traces/$traceId"
                params={{ traceId: one.trace }}
                className="text-accent underline"
              >
                {one.prompt}
              </Link>
            ) : (
              one.prompt
            )}
          </Cell>
          <Cell className="max-w-[360px] py-1.5 text-ink-2">{one.before}</Cell>
          <Cell className="max-w-[360px] py-1.5">{one.now}</Cell>
        </tr>
      ))}
    </Table>
  );
}
