// What an experiment is decided by, one metric a row, each with a sentence that says what it does.
import { NativeSelect } from "../ui/native-select";
import { type Draft, METRICS, type MetricDraft, meaningOf, SECONDARY, usualOf } from "./draft";
import { Row, Rows, Text } from "./form-rows";

type Set = <K extends keyof Draft>(name: K, value: Draft[K]) => void;

const ROLES: readonly { value: MetricDraft["role"]; label: string }[] = [
  { value: "primary", label: "primary" },
  { value: "guardrail", label: "guardrail" },
  { value: "secondary", label: "secondary" },
];
const WAYS = [
  { value: "up", label: "more is better" },
  { value: "down", label: "less is better" },
];

const KINDS = [
  { value: "mean", label: "counts as a mean" },
  { value: "proportion", label: "counts as a share" },
];
const MARGINS = [
  { value: "own", label: "margin in its own unit" },
  { value: "relative", label: "margin of the control's mean" },
];

export function Metrics({ draft, set, error }: { draft: Draft; set: Set; error?: string }) {
  const change = (id: number, next: Partial<MetricDraft>) =>
    set(
      "metrics",
      draft.metrics.map((one) => (one.id === id ? { ...one, ...next } : one)),
    );
  const named = (id: number, name: string) => change(id, { name, ...usualOf(name) });
  return (
    <Rows
      title="Metrics: primary ones decide, guardrails roll back, secondary ones are told"
      error={error}
      add="Add a metric"
      onAdd={() => set("metrics", [...draft.metrics, { ...SECONDARY, id: Date.now() }])}
    >
      {draft.metrics.map((one, number) => (
        <Row
          key={one.id}
          what={`metric ${number + 1}`}
          onRemove={
            draft.metrics.length > 1
              ? () =>
                  set(
                    "metrics",
                    draft.metrics.filter((other) => other.id !== one.id),
                  )
              : undefined
          }
          below={
            <Meaning number={number + 1} metric={one} change={(next) => change(one.id, next)} />
          }
        >
          <Text
            label="Metric"
            value={one.name}
            on={(name) => named(one.id, name)}
            of={[...METRICS, "feedback:thumbs", "score:quality"]}
          />
          <div className="flex min-w-0 items-end gap-1.5">
            <NativeSelect
              label={`Role of metric ${number + 1}`}
              value={one.role}
              choices={ROLES}
              onChange={(role) => change(one.id, { role: role as MetricDraft["role"] })}
            />
            <NativeSelect
              label={`Direction of metric ${number + 1}`}
              value={one.direction}
              choices={WAYS}
              onChange={(way) => change(one.id, { direction: way === "up" ? "up" : "down" })}
            />
          </div>
          <Text label="Margin" value={one.margin} on={(margin) => change(one.id, { margin })} />
        </Row>
      ))}
    </Rows>
  );
}

/** How the values count and what the margin is a part of, with a sentence that says what follows. */
function Meaning({
  number,
  metric,
  change,
}: {
  number: number;
  metric: MetricDraft;
  change: (next: Partial<MetricDraft>) => void;
}) {
  return (
    <div className="col-span-full flex flex-wrap items-center gap-x-1.5 gap-y-1">
      {!METRICS.includes(metric.name) && (
        <NativeSelect
          label={`Kind of metric ${number}`}
          value={metric.kind}
          choices={KINDS}
          onChange={(kind) => change({ kind: kind === "mean" ? "mean" : "proportion" })}
        />
      )}
      <NativeSelect
        label={`Margin of metric ${number} is`}
        value={metric.relative ? "relative" : "own"}
        choices={MARGINS}
        onChange={(of) => change({ relative: of === "relative" })}
      />
      <p className="min-w-0 basis-full text-xs text-ink-2" aria-live="polite">
        {meaningOf(metric)}
      </p>
    </div>
  );
}
