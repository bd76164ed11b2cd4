// The parts of a monitor's form that say what is watched and when that alerts.
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { keysQuery } from "../api/queries";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";
import { Select } from "../ui/select";
import { CUTS, type Cut, type Draft, type Problems } from "./draft";
import { INDICATORS, METRICS, seconds, unitOf } from "./words";

interface Props {
  draft: Draft;
  errors: Problems;
  onChange: (next: Partial<Draft>) => void;
}

const WINDOWS = [60, 300, 600, 1_800, 3_600, 21_600, 86_400];
const LASTING = [0, 60, 300, 600, 1_800, 3_600];

export function ThresholdFields({ draft, errors, onChange }: Props) {
  const unit = unitOf(draft.metric);
  const scored = draft.metric === "score_mean";
  return (
    <div className="grid grid-cols-4 gap-3">
      <Pick
        label="Metric"
        value={draft.metric}
        choices={METRICS}
        onChange={(metric) => onChange({ metric })}
      />
      {scored && (
        <Write
          label="Score"
          error={errors.score}
          value={draft.score}
          onChange={(score) => onChange({ score })}
        />
      )}
      <Pick
        label="Alerts when it is"
        value={draft.op}
        choices={[
          { value: "above", label: "above" },
          { value: "below", label: "below" },
        ]}
        onChange={(op) => onChange({ op })}
      />
      <Write
        label={unit ? `Threshold, ${unit}` : "Threshold"}
        error={errors.threshold}
        value={draft.threshold}
        onChange={(threshold) => onChange({ threshold })}
      />
      <Write
        label="Good again at"
        error={errors.backAt}
        value={draft.backAt}
        placeholder={draft.threshold}
        onChange={(backAt) => onChange({ backAt })}
      />
      <Spans
        label="Over the last"
        value={draft.window}
        choices={WINDOWS}
        onChange={(window) => onChange({ window })}
      />
      <Spans
        label="For at least"
        value={draft.lasting}
        choices={LASTING}
        onChange={(lasting) => onChange({ lasting })}
      />
      <Write
        label={scored ? "Least scores" : "Least calls"}
        error={errors.minSamples}
        value={draft.minSamples}
        onChange={(minSamples) => onChange({ minSamples })}
      />
      <Pick
        label="Severity"
        value={draft.severity}
        choices={[
          { value: "page", label: "page" },
          { value: "ticket", label: "ticket" },
        ]}
        onChange={(severity) => onChange({ severity })}
      />
    </div>
  );
}

export function BurnFields({ draft, errors, onChange }: Props) {
  const { indicator } = draft;
  return (
    <div>
      <div className="grid grid-cols-4 gap-3">
        <Write
          label="Good calls, percent"
          error={errors.objective}
          value={draft.objective}
          onChange={(objective) => onChange({ objective })}
        />
        <Pick
          label="Bad are"
          value={indicator}
          choices={INDICATORS}
          onChange={(next) => onChange({ indicator: next })}
        />
        {indicator === "score" && (
          <Write
            label="Score"
            error={errors.score}
            value={draft.score}
            onChange={(score) => onChange({ score })}
          />
        )}
        {indicator !== "errors" && (
          <Write
            label={indicator === "score" ? "Bound" : "Bound, ms"}
            error={errors.bound}
            value={draft.bound}
            onChange={(bound) => onChange({ bound })}
          />
        )}
        <Write
          label="Least calls"
          error={errors.minSamples}
          value={draft.minSamples}
          onChange={(minSamples) => onChange({ minSamples })}
        />
      </div>
      <p className="mt-2 text-xs text-ink-3">
        Pages when 2% of the month's error budget burns within an hour or 5% within six, makes a
        ticket at 10% within three days; each only while it still burns.
      </p>
    </div>
  );
}

/** Whose calls are watched: each value that is given must hold. */
export function SliceFields({ draft, onChange }: Omit<Props, "errors">) {
  const { data: keys = [] } = useQuery(keysQuery);
  const given = CUTS.filter((cut) => draft.cuts[cut] !== undefined);
  const rest = CUTS.filter((cut) => draft.cuts[cut] === undefined);
  const set = (cut: Cut, value: string | undefined) => {
    const cuts = { ...draft.cuts };
    if (value === undefined) delete cuts[cut];
    else cuts[cut] = value;
    onChange({ cuts });
  };
  return (
    <section aria-label="Slice" className="flex flex-wrap items-end gap-2">
      {given.map((cut) => (
        <div key={cut} className="flex items-end gap-0.5">
          {cut === "key_id" && keys.length > 0 ? (
            <Pick
              label="Key"
              value={draft.cuts.key_id ?? ""}
              choices={keys.map((key) => ({ value: key.id, label: key.name }))}
              onChange={(value) => set("key_id", value)}
            />
          ) : (
            <Write
              label={titleOf(cut)}
              value={draft.cuts[cut] ?? ""}
              className="w-[150px]"
              onChange={(value) => set(cut, value)}
            />
          )}
          <Button
            tone="ghost"
            icon="close"
            aria-label={`Take ${titleOf(cut)} away`}
            onClick={() => set(cut, undefined)}
          />
        </div>
      ))}
      <Select
        label="Only calls with"
        value=""
        placeholder={given.length ? "and with…" : "Only calls with…"}
        choices={rest.map((cut) => ({ value: cut, label: titleOf(cut) }))}
        onChange={(cut) => set(cut as Cut, "")}
      />
    </section>
  );
}

const TITLES: Partial<Record<Cut, string>> = { key_id: "key", route: "requested model" };
const titleOf = (cut: Cut) => {
  const title = TITLES[cut] ?? cut.replace("_", " ");
  return title.charAt(0).toUpperCase() + title.slice(1);
};

function Pick<T extends string>({
  label,
  value,
  choices,
  onChange,
}: {
  label: string;
  value: T;
  choices: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
}) {
  return (
    <Field label={label}>
      {({ id }): ReactNode => (
        <Select
          id={id}
          label={label}
          className="w-full"
          value={value}
          choices={choices}
          onChange={(next) => onChange(next as T)}
        />
      )}
    </Field>
  );
}

function Spans({
  label,
  value,
  choices,
  onChange,
}: {
  label: string;
  value: number;
  choices: readonly number[];
  onChange: (value: number) => void;
}) {
  const known = choices.includes(value) ? choices : [...choices, value].sort((a, b) => a - b);
  return (
    <Pick
      label={label}
      value={String(value)}
      choices={known.map((one) => ({
        value: String(one),
        label: one === 0 ? "an instant" : seconds(one),
      }))}
      onChange={(next) => onChange(Number(next))}
    />
  );
}

function Write({
  label,
  value,
  error,
  placeholder,
  className,
  onChange,
}: {
  label: string;
  value: string;
  error?: string;
  placeholder?: string;
  className?: string;
  onChange: (value: string) => void;
}) {
  return (
    <Field label={label} error={error} className={className}>
      {(props) => (
        <Input
          value={value}
          placeholder={placeholder}
          onChange={(event) => onChange(event.target.value)}
          {...props}
        />
      )}
    </Field>
  );
}
