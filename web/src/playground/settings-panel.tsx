// The left column: which model, told what, with which parameters.
import { useEffect, useState } from "react";
import type { Model } from "../api/types";
import { cx } from "../ui/cx";
import { Field, Input, TextArea } from "../ui/field";
import { Icon } from "../ui/icons";
import { Select } from "../ui/select";
import { dropExtra } from "./chat-store";
import type { Settings } from "./turns";

interface Props {
  models: readonly Model[];
  settings: Settings;
  extra: Record<string, unknown>;
  onChange: (change: Settings) => void;
}

const NUMBERS = [
  { name: "temperature", label: "Temperature", hint: "0 to 2", step: 0.1, max: 2 },
  { name: "top_p", label: "Top p", hint: "0 to 1", step: 0.05, max: 1 },
  { name: "max_tokens", label: "Max tokens", hint: "model's own", step: 16, max: 1_000_000 },
  { name: "seed", label: "Seed", hint: "random", step: 1, max: 2 ** 31 },
] as const;

export function SettingsPanel({ models, settings, extra, onChange }: Props) {
  const chosen = models.find((model) => model.name === settings.model);
  const choices = models.map((model) => ({
    value: model.name,
    label: model.name,
    note: model.smoke
      ? "smoke model"
      : model.targets.length > 1
        ? `${model.targets.length} targets`
        : model.origin,
  }));
  return (
    <section
      aria-label="Settings"
      className="flex w-[272px] shrink-0 flex-col gap-4 overflow-y-auto border-r px-4 py-4 max-wide:w-[232px]"
    >
      <div>
        <p className="mb-1 text-xs font-medium text-ink-2">Model</p>
        <Select
          label="Model"
          value={settings.model ?? ""}
          choices={choices}
          onChange={(model) => onChange({ model })}
          className="w-full"
          placeholder="Choose a model"
        />
        {chosen?.smoke && (
          <p className="mt-1.5 text-xs text-warn">Small smoke model: do not judge quality by it.</p>
        )}
      </div>
      <System
        value={settings.system ?? ""}
        onChange={(system) => onChange({ system: system || undefined })}
      />
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
      <Stop
        value={settings.stop ?? ""}
        onChange={(stop) => onChange({ stop: stop || undefined })}
      />
      <label className="flex items-center gap-2">
        <input
          type="checkbox"
          className="size-3.5 accent-accent"
          checked={Boolean(settings.json)}
          onChange={(event) => onChange({ json: event.target.checked || undefined })}
        />
        Answer in JSON
      </label>
      {Object.keys(extra).length > 0 && <Extra extra={extra} />}
    </section>
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

function Extra({ extra }: { extra: Record<string, unknown> }) {
  return (
    <div>
      <p className="mb-1 text-xs font-medium text-ink-2">Also sent, as in the trace</p>
      <ul className="flex flex-wrap gap-1.5">
        {Object.entries(extra).map(([name, value]) => (
          <li
            key={name}
            title={JSON.stringify(value).slice(0, 400)}
            className="inline-flex h-6 items-center rounded-md bg-mute-wash pl-2 text-xs"
          >
            {name}
            <button
              type="button"
              aria-label={`Do not send ${name}`}
              className={cx(
                "flex size-6 items-center justify-center rounded-md text-ink-3 hover:text-ink",
              )}
              onClick={() => dropExtra(name)}
            >
              <Icon name="close" size={11} />
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
