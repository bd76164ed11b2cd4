// The left column: which model, told what, with which parameters.
import { lazy, Suspense, useEffect, useState } from "react";
import type { Model } from "../api/types";
import { Button } from "../ui/button";
import { Field, Input, TextArea } from "../ui/field";
import { Icon } from "../ui/icons";
import { Select } from "../ui/select";
import { type Column, type Settings, slots, type Tool, variablesOf } from "./board";
import {
  changeColumn,
  changeSettings,
  setVariable,
  takePromptItself,
  useBoard,
} from "./board-store";

const PromptField = lazy(() => import("./prompt-field"));
const DatasetField = lazy(() => import("./dataset-field"));
const ToolsDialog = lazy(() => import("./tools-dialog"));
const SchemaDialog = lazy(() => import("./schema-dialog"));

interface Props {
  models: readonly Model[];
  column: Column;
  number: number;
  project: string | undefined;
  dataset: string | undefined;
}

const NUMBERS = [
  { name: "temperature", label: "Temperature", hint: "0 to 2", step: 0.1, max: 2 },
  { name: "top_p", label: "Top p", hint: "0 to 1", step: 0.05, max: 1 },
  { name: "max_tokens", label: "Max tokens", hint: "automatic", step: 16, max: 1_000_000 },
  { name: "seed", label: "Seed", hint: "random", step: 1, max: 2 ** 31 },
] as const;

export function SettingsPanel({ models, column, number, project, dataset }: Props) {
  const { settings, extra } = column;
  const several = useBoard().columns.length > 1;
  const onChange = (change: Settings) => changeSettings(column.id, change);
  const chosen = models.find((model) => model.name === settings.model);
  return (
    <section
      aria-label="Settings"
      className="flex w-[272px] shrink-0 flex-col gap-4 overflow-y-auto border-r px-4 py-4 max-wide:w-[232px]"
    >
      {several && <h2 className="-mb-2 text-xs font-semibold text-accent">Column {number}</h2>}
      <div>
        <p className="mb-1 text-xs font-medium text-ink-2">Model</p>
        <Select
          label="Model"
          value={settings.model ?? ""}
          choices={[
            ...(settings.prompt ? [{ value: "", label: "the prompt's own" }] : []),
            ...models.map(choiceOf),
          ]}
          onChange={(model) => onChange({ model: model || undefined })}
          className="w-full"
          placeholder="Choose a model"
        />
        {chosen?.smoke && (
          <p className="mt-1.5 text-xs text-warn">Small smoke model: do not judge quality by it.</p>
        )}
      </div>
      <Suspense fallback={null}>
        <PromptField settings={settings} project={project} onChange={onChange} />
      </Suspense>
      {(!settings.prompt || settings.system) && (
        <System
          value={settings.system ?? ""}
          onChange={(system) => onChange({ system: system || undefined })}
        />
      )}
      <Variables columns={useBoard().columns} />
      <Suspense fallback={null}>
        <DatasetField project={project} dataset={dataset} />
      </Suspense>
      <Numbers settings={settings} onChange={onChange} />
      <Stop
        value={settings.stop ?? ""}
        onChange={(stop) => onChange({ stop: stop || undefined })}
      />
      <Answer settings={settings} onChange={onChange} />
      <Tools column={column} />
      {Object.keys(extra).length > 0 && <Extra column={column} />}
      {column.filledBy && <FilledBy column={column} />}
      {column.lost && column.lost.length > 0 && <Lost lost={column.lost} />}
    </section>
  );
}

function choiceOf(model: Model) {
  const note = model.smoke
    ? "smoke model"
    : model.targets.length > 1
      ? `${model.targets.length} targets`
      : model.origin;
  return { value: model.name, label: model.name, note };
}

interface Part {
  settings: Settings;
  onChange: (change: Settings) => void;
}

function Numbers({ settings, onChange }: Part) {
  return (
    <div className="grid grid-cols-2 gap-3">
      {NUMBERS.map(({ name, label, hint, step, max }) => (
        <Field key={name} label={label}>
          {(props) => (
            <Input
              type="number"
              min={0}
              max={max}
              step={step}
              placeholder={hint}
              value={settings[name] ?? ""}
              onChange={(event) =>
                onChange({
                  [name]: event.target.value === "" ? undefined : Number(event.target.value),
                })
              }
              {...props}
            />
          )}
        </Field>
      ))}
    </div>
  );
}

/** What `{{name}}` stands for in every column. */
function Variables({ columns }: { columns: readonly Column[] }) {
  const { variables, typing } = useBoard();
  const names = [
    ...new Set([...variablesOf(columns), ...slots(typing), ...Object.keys(variables)]),
  ];
  if (names.length === 0) return null;
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-1 text-xs font-medium text-ink-2">Variables of all columns</legend>
      {names.map((name) => (
        <Field key={name} label={name}>
          {(props) => (
            <TextArea
              rows={Math.min(5, Math.max(1, (variables[name] ?? "").split("\n").length))}
              value={variables[name] ?? ""}
              onChange={(event) => setVariable(name, event.target.value)}
              {...props}
            />
          )}
        </Field>
      ))}
    </fieldset>
  );
}

function Answer({ settings, onChange }: Part) {
  const [editing, setEditing] = useState(false);
  return (
    <div>
      <label className="flex items-center gap-2">
        <input
          type="checkbox"
          className="size-3.5 accent-accent"
          checked={Boolean(settings.json)}
          disabled={Boolean(settings.schema)}
          onChange={(event) => onChange({ json: event.target.checked || undefined })}
        />
        Answer in JSON
      </label>
      <Button tone="ghost" icon="edit" className="-ml-2.5" onClick={() => setEditing(true)}>
        {settings.schema ? "Answer schema (set)" : "Answer schema"}
      </Button>
      {editing && (
        <Suspense fallback={null}>
          <SchemaDialog
            value={settings.schema ?? ""}
            onSave={(schema) => onChange({ schema: schema || undefined })}
            onClose={() => setEditing(false)}
          />
        </Suspense>
      )}
    </div>
  );
}

function Tools({ column }: { column: Column }) {
  const [editing, setEditing] = useState(false);
  const save = (tools: readonly Tool[]) => changeColumn(column.id, (one) => ({ ...one, tools }));
  return (
    <div className="-mt-3">
      <Button tone="ghost" icon="settings" className="-ml-2.5" onClick={() => setEditing(true)}>
        {column.tools.length > 0 ? `Tools (${column.tools.length})` : "Tools"}
      </Button>
      {editing && (
        <Suspense fallback={null}>
          <ToolsDialog tools={column.tools} onSave={save} onClose={() => setEditing(false)} />
        </Suspense>
      )}
    </div>
  );
}

/** Typed text goes into the URL when the typing pauses, not with every key. */
function useTyped(
  value: string,
  onChange: (value: string) => void,
): [string, (next: string) => void, () => void] {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  const commit = () => {
    if (typed.trim() !== value.trim()) onChange(typed.trim());
  };
  return [typed, setTyped, commit];
}

function System({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [typed, setTyped, commit] = useTyped(value, onChange);
  return (
    <Field label="System prompt">
      {(props) => (
        <TextArea
          rows={5}
          placeholder="You are a helpful assistant."
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={commit}
          {...props}
        />
      )}
    </Field>
  );
}

function Stop({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [typed, setTyped, commit] = useTyped(value, onChange);
  return (
    <Field label="Stop at" hint="Separate several by commas; \n is a new line.">
      {(props) => (
        <Input
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={commit}
          {...props}
        />
      )}
    </Field>
  );
}

function Extra({ column }: { column: Column }) {
  const drop = (name: string) =>
    changeColumn(column.id, (one) => {
      const { [name]: _, ...extra } = one.extra;
      return { ...one, extra };
    });
  return (
    <div>
      <p className="mb-1 text-xs font-medium text-ink-2">Also sent, as in the trace</p>
      <ul className="flex flex-wrap gap-1.5">
        {Object.entries(column.extra).map(([name, value]) => (
          <li
            key={name}
            title={JSON.stringify(value).slice(0, 400)}
            className="inline-flex h-6 items-center rounded-md bg-mute-wash pl-2 text-xs"
          >
            {name}
            <button
              type="button"
              aria-label={`Do not send ${name}`}
              className="flex size-6 items-center justify-center rounded-md text-ink-3 hover:text-ink"
              onClick={() => drop(name)}
            >
              <Icon name="close" size={11} />
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The messages are those that the model saw; the prompt that made them can stand there again. */
function FilledBy({ column }: { column: Column }) {
  return (
    <div className="rounded-md bg-accent-wash px-2.5 py-2 text-xs">
      <p>
        Filled in by the prompt <code className="font-mono">{column.filledBy?.prompt}</code>.
      </p>
      <Button className="mt-1.5" onClick={() => takePromptItself(column.id)}>
        Use the prompt itself
      </Button>
    </div>
  );
}

/** A call of another dialect is run in OpenAI's form; what that cannot say is told. */
function Lost({ lost }: { lost: NonNullable<Column["lost"]> }) {
  return (
    <div className="rounded-md bg-warn-wash px-2.5 py-2 text-xs">
      <p className="font-medium text-warn">Not as it ran</p>
      <ul className="mt-1 flex flex-col gap-1">
        {lost.map((one) => (
          <li key={one.field}>
            <code className="font-mono">{one.field}</code>: {one.why}
          </li>
        ))}
      </ul>
    </div>
  );
}
