import type { ReactNode } from "react";
import type { Model, Project } from "../api/types";
import { cx } from "../ui/cx";
import { Field, Input } from "../ui/field";
import { Select } from "../ui/select";
import { Apart } from "./apart-fields";
import type { Draft, Problems } from "./draft";

interface Props {
  draft: Draft;
  problems: Problems;
  onChange: (next: Partial<Draft>) => void;
  projects: readonly Project[];
  models: readonly Model[];
  /** A known key keeps its name, project and environment. */
  fixed: boolean;
}

const PERIODS = [
  { value: "day", label: "a day" },
  { value: "week", label: "a week" },
  { value: "month", label: "a month" },
  { value: "total", label: "in total" },
] as const;

export function KeyFields({ draft, problems, onChange, projects, models, fixed }: Props) {
  const input =
    (
      field: "name" | "rpm" | "tpm" | "concurrency" | "budget" | "networks" | "expires" | "cache",
      more = {},
    ) =>
    (props: object) => (
      <Input
        value={draft[field]}
        onChange={(event) => onChange({ [field]: event.target.value })}
        {...more}
        {...props}
      />
    );
  const project = projects.find((one) => one.name === draft.project);
  const policy = project?.payloads ?? "full";
  return (
    <div className="flex flex-col gap-4">
      <div className="grid grid-cols-[1fr_160px_160px] gap-3">
        <Field label="Name" error={problems.name}>
          {input("name", {
            autoFocus: !fixed,
            disabled: fixed,
            placeholder: "checkout-service",
            maxLength: 100,
          })}
        </Field>
        <Labelled label="Project">
          <Select
            label="Project"
            className="w-full"
            disabled={fixed}
            value={draft.project}
            onChange={(value) => onChange({ project: value, environment: "" })}
            choices={projects.map((one) => ({ value: one.name, label: one.name }))}
          />
        </Labelled>
        <Labelled label="Environment">
          <Select
            label="Environment"
            className="w-full"
            disabled={fixed}
            value={draft.environment}
            onChange={(environment) => onChange({ environment })}
            choices={[
              ...(fixed ? [] : [{ value: "", label: "the project's usual" }]),
              ...(project?.environments ?? []).map((name) => ({ value: name, label: name })),
            ]}
          />
        </Labelled>
      </div>
      <Models draft={draft} models={models} onChange={onChange} />
      <div className="grid grid-cols-3 gap-3">
        <Field label="Calls a minute" error={problems.rpm}>
          {input("rpm", { placeholder: "no limit", inputMode: "numeric" })}
        </Field>
        <Field label="Tokens a minute" error={problems.tpm}>
          {input("tpm", { placeholder: "no limit", inputMode: "numeric" })}
        </Field>
        <Field label="Calls at once" error={problems.concurrency}>
          {input("concurrency", { placeholder: "no limit", inputMode: "numeric" })}
        </Field>
      </div>
      <div className="grid grid-cols-3 gap-3">
        <Field label="Budget, dollars" error={problems.budget}>
          {input("budget", { placeholder: "no cap", inputMode: "decimal" })}
        </Field>
        <Labelled label="Budget counts">
          <Select
            label="Budget counts"
            className="w-full"
            value={draft.period}
            onChange={(period) => onChange({ period: period as Draft["period"] })}
            choices={PERIODS}
          />
        </Labelled>
        <Labelled label="If the control plane is away">
          <Select
            label="If the control plane is away"
            className="w-full"
            value={draft.whenAway}
            onChange={(value) => onChange({ whenAway: value as Draft["whenAway"] })}
            choices={[
              { value: "closed", label: "refuse calls" },
              { value: "continue", label: "lend once more" },
            ]}
          />
        </Labelled>
      </div>
      <div className="grid grid-cols-3 gap-3">
        <Field
          label="Expires"
          error={problems.expires}
          hint={draft.expires ? undefined : "Never, when left empty."}
        >
          {input("expires", { type: "date" })}
        </Field>
        <Labelled label="Log requests and answers" className="col-span-2">
          <Select
            label="Log requests and answers"
            className="w-full"
            value={draft.payloads}
            onChange={(value) => onChange({ payloads: value as Draft["payloads"] })}
            choices={[
              ...(fixed ? [] : [{ value: "", label: `As the project says (${policy})` }]),
              { value: "full", label: "In full" },
              { value: "masked", label: "With personal data and secrets masked" },
              { value: "none", label: "Not at all: only figures and cost" },
            ]}
          />
        </Labelled>
      </div>
      <Apart draft={draft} error={problems.apart} models={models} onChange={onChange} />
      <div className="grid grid-cols-3 gap-3">
        <Field
          label="Repeat an answer for, seconds"
          error={problems.cache}
          hint={draft.cache.trim() === "0" ? "Never." : undefined}
        >
          {input("cache", {
            placeholder: project?.cache?.ttl_s ? `${project.cache.ttl_s}, the project's` : "never",
            inputMode: "numeric",
          })}
        </Field>
        <Labelled label="Repeated answers are shared" className="col-span-2">
          <Select
            label="Repeated answers are shared"
            className="w-full"
            disabled={!draft.cache.trim()}
            value={draft.cacheScope}
            onChange={(value) => onChange({ cacheScope: value as Draft["cacheScope"] })}
            choices={[
              { value: "key", label: "by nobody else: only calls of this key" },
              { value: "project", label: "by every such key of the project" },
            ]}
          />
        </Labelled>
      </div>
      <div className="grid grid-cols-2 gap-3">
        <Labelled label="When a client leaves">
          <Select
            label="When a client leaves"
            className="w-full"
            value={draft.onDisconnect}
            onChange={(value) => onChange({ onDisconnect: value as Draft["onDisconnect"] })}
            choices={[
              { value: "cancel", label: "stop the call, bill nothing" },
              { value: "partial", label: "stop the call, bill what came" },
              { value: "drain", label: "take the whole answer, bill it" },
            ]}
          />
        </Labelled>
        <Labelled label="With no disk left to record calls">
          <Select
            label="With no disk left to record calls"
            className="w-full"
            value={draft.onLedgerFull}
            onChange={(value) => onChange({ onLedgerFull: value as Draft["onLedgerFull"] })}
            choices={[
              { value: "refuse", label: "refuse calls" },
              { value: "pass", label: "let them pass unrecorded" },
            ]}
          />
        </Labelled>
      </div>
      <Field
        label="Allowed addresses"
        hint="Networks such as 10.0.0.0/8, separated by commas; empty allows all."
      >
        {input("networks")}
      </Field>
    </div>
  );
}

function Labelled({
  label,
  className,
  children,
}: {
  label: string;
  className?: string;
  children: ReactNode;
}) {
  return (
    <div className={cx("min-w-0", className)}>
      <p className="mb-1 truncate text-xs font-medium text-ink-2">{label}</p>
      {children}
    </div>
  );
}

function Models({ draft, models, onChange }: Pick<Props, "draft" | "models" | "onChange">) {
  const names = [...new Set([...models.map((model) => model.name), ...draft.models])];
  const toggle = (name: string) =>
    onChange({
      models: draft.models.includes(name)
        ? draft.models.filter((one) => one !== name)
        : [...draft.models, name],
    });
  return (
    <fieldset>
      <legend className="mb-1 text-xs font-medium text-ink-2">
        Models{" "}
        <span className="font-normal text-ink-3">
          {draft.models.length === 0
            ? "all, also those of later"
            : `only ${draft.models.length} of ${names.length}`}
        </span>
      </legend>
      <div className="flex max-h-[92px] flex-wrap gap-1.5 overflow-y-auto">
        {names.map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={draft.models.includes(name)}
            onClick={() => toggle(name)}
            className={cx(
              "h-6 rounded-md border px-2 text-xs",
              draft.models.includes(name)
                ? "border-transparent bg-accent-wash font-medium text-accent"
                : "border-line-strong text-ink-2 hover:bg-hover",
            )}
          >
            {name}
          </button>
        ))}
      </div>
    </fieldset>
  );
}
