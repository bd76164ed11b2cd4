import type { Model, Project } from "../api/types";
import { cx } from "../ui/cx";
import { Field, Input } from "../ui/field";
import { LabelledSelect } from "../ui/select";
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
        <LabelledSelect
          label="Project"
          disabled={fixed}
          value={draft.project}
          onChange={(value) => onChange({ project: value, environment: "" })}
          choices={projects.map((one) => ({ value: one.name, label: one.name }))}
        />
        <LabelledSelect
          label="Environment"
          disabled={fixed}
          value={draft.environment}
          onChange={(environment) => onChange({ environment })}
          choices={[
            ...(fixed ? [] : [{ value: "", label: "the project's usual" }]),
            ...(project?.environments ?? []).map((name) => ({ value: name, label: name })),
          ]}
        />
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
        <LabelledSelect
          label="Budget counts"
          value={draft.period}
          onChange={(period) => onChange({ period })}
          choices={PERIODS}
        />
        <LabelledSelect
          label="If the control plane is away"
          value={draft.whenAway}
          onChange={(value) => onChange({ whenAway: value })}
          choices={[
            { value: "closed", label: "refuse calls" },
            { value: "continue", label: "lend once more" },
          ]}
        />
      </div>
      <div className="grid grid-cols-3 gap-3">
        <Field
          label="Expires"
          error={problems.expires}
          hint={draft.expires ? undefined : "Never, when left empty."}
        >
          {input("expires", { type: "date" })}
        </Field>
        <LabelledSelect
          label="Log requests and answers"
          className="col-span-2"
          value={draft.payloads}
          onChange={(value) => onChange({ payloads: value })}
          choices={[
            ...(fixed ? [] : [{ value: "", label: `As the project says (${policy})` }]),
            { value: "full", label: "In full" },
            { value: "masked", label: "With personal data and secrets masked" },
            { value: "none", label: "Not at all: only figures and cost" },
          ]}
        />
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
        <LabelledSelect
          label="Repeated answers are shared"
          className="col-span-2"
          disabled={!draft.cache.trim()}
          value={draft.cacheScope}
          onChange={(value) => onChange({ cacheScope: value })}
          choices={[
            { value: "key", label: "by nobody else: only calls of this key" },
            { value: "project", label: "by every such key of the project" },
          ]}
        />
      </div>
      <div className="grid grid-cols-2 gap-3">
        <LabelledSelect
          label="When a client leaves"
          value={draft.onDisconnect}
          onChange={(value) => onChange({ onDisconnect: value })}
          choices={[
            { value: "cancel", label: "stop the call, bill nothing" },
            { value: "partial", label: "stop the call, bill what came" },
            { value: "drain", label: "take the whole answer, bill it" },
          ]}
        />
        <LabelledSelect
          label="With no disk left to record calls"
          value={draft.onLedgerFull}
          onChange={(value) => onChange({ onLedgerFull: value })}
          choices={[
            { value: "refuse", label: "refuse calls" },
            { value: "pass", label: "let them pass unrecorded" },
          ]}
        />
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
