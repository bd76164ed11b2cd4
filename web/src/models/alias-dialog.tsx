import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { call } from "../api/client";
import { modelsQuery, providersQuery } from "../api/queries";
import type { Model, Provider, RouteSettings } from "../api/types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { Select } from "../ui/select";
import { Failure, Lines } from "../ui/states";
import { toast } from "../ui/toast";

const RETRIES = [
  { value: "connect", label: "no connection" },
  { value: "timeout", label: "timeout" },
  { value: "rate_limit", label: "rate limit" },
  { value: "server", label: "server error" },
  { value: "stream", label: "broken stream" },
] as const;
type RetryOn = (typeof RETRIES)[number]["value"];

const TIMEOUTS = [
  { name: "connect_s", label: "Connect, s", usual: 5 },
  { name: "first_byte_s", label: "First byte, s", usual: 120 },
  { name: "idle_s", label: "Silence, s", usual: 60 },
  { name: "total_s", label: "Total, s", usual: 600 },
] as const;
type Timeouts = Model["timeouts"];
const USUAL = Object.fromEntries(TIMEOUTS.map(({ name, usual }) => [name, usual])) as Timeouts;

interface Line {
  id: number;
  provider: string;
  model: string;
  weight: number;
  tier: number;
}

/** Defines an alias; with the name of a known one, changes it. */
export function AliasDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const models = useQuery(modelsQuery);
  const providers = useQuery(providersQuery);
  if (!models.data || !providers.data) {
    const error = models.error ?? providers.error;
    return (
      <Dialog open onClose={onClose} title="Define an alias">
        {error ? <Failure error={error} /> : <Lines rows={5} />}
      </Dialog>
    );
  }
  const known = models.data.find((model) => model.name === name && model.origin === "alias");
  return <Form known={known} providers={providers.data} onClose={onClose} />;
}

let lastLine = 0;
const newLine = (providers: readonly Provider[], tier = 0): Line => ({
  id: ++lastLine,
  provider: providers[0]?.name ?? "",
  model: providers[0]?.models[0] ?? "",
  weight: 1,
  tier,
});

function Form({
  known,
  providers,
  onClose,
}: {
  known?: Model;
  providers: readonly Provider[];
  onClose: () => void;
}) {
  const client = useQueryClient();
  const [name, setName] = useState(known?.name ?? "");
  const [kind, setKind] = useState<Model["kind"]>(known?.kind ?? "chat");
  const [attempts, setAttempts] = useState(known?.attempts ?? 3);
  const [retryOn, setRetryOn] = useState<readonly RetryOn[]>(
    known
      ? RETRIES.map((one) => one.value).filter((value) => known.retry_on.includes(value))
      : ["connect", "timeout", "rate_limit", "server"],
  );
  const [lines, setLines] = useState<readonly Line[]>(
    known?.targets.map(({ provider, model, weight, tier }) => ({
      id: ++lastLine,
      provider,
      model,
      weight,
      tier,
    })) ?? [newLine(providers)],
  );
  const [timeouts, setTimeouts] = useState<Timeouts>(known?.timeouts ?? USUAL);
  const change = (id: number, next: Partial<Line>) =>
    setLines(lines.map((line) => (line.id === id ? { ...line, ...next } : line)));
  const save = useMutation({
    mutationFn: () => {
      const body: RouteSettings = {
        kind,
        attempts,
        retry_on: [...retryOn],
        timeouts,
        ...(known ? { timeouts: known.timeouts } : {}),
        targets: lines.map(({ provider, model, weight, tier }) => ({
          provider,
          model: model.trim(),
          weight,
          tier,
        })),
      };
      return call<Model>(`/api/v1/models/${encodeURIComponent(name.trim())}`, {
        method: "PUT",
        body,
      });
    },
    onSuccess: (model) => {
      client.invalidateQueries({ queryKey: ["models"] });
      toast({ text: `Applications can ask for ${model.name} now.` });
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      width={680}
      title={known ? `Change ${known.name}` : "Define an alias"}
      description="A name of your own for one or more models. Weights share the calls of a tier; the next tier takes over when all of one fail."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" type="submit" form="alias" busy={save.isPending}>
            Save
          </Button>
        </>
      }
    >
      <form id="alias" onSubmit={submit}>
        <div className="grid grid-cols-[1fr_140px_110px] gap-3">
          <Field label="Name">
            {(props) => (
              <Input
                required
                disabled={Boolean(known)}
                placeholder="support-chat"
                value={name}
                onChange={(event) => setName(event.target.value)}
                {...props}
              />
            )}
          </Field>
          <div>
            <p className="mb-1 text-xs font-medium text-ink-2">Kind</p>
            <Select
              label="Kind"
              className="w-full"
              value={kind}
              onChange={(value) => setKind(value as Model["kind"])}
              choices={[
                { value: "chat", label: "chat" },
                { value: "embedding", label: "embedding" },
              ]}
            />
          </div>
          <Field label="Attempts">
            {(props) => (
              <Input
                type="number"
                min={1}
                max={10}
                required
                value={attempts}
                onChange={(event) => setAttempts(Number(event.target.value))}
                {...props}
              />
            )}
          </Field>
        </div>
        <Targets
          lines={lines}
          providers={providers}
          onChange={change}
          onRemove={(id) => setLines(lines.filter((line) => line.id !== id))}
        />
        <Button
          icon="plus"
          className="mt-2"
          onClick={() => setLines([...lines, newLine(providers, lines.at(-1)?.tier)])}
        >
          Add a target
        </Button>
        <div className="mt-4 grid grid-cols-4 gap-3">
          {TIMEOUTS.map(({ name, label }) => (
            <Field key={name} label={label}>
              {(props) => (
                <Input
                  type="number"
                  min={0.1}
                  step="any"
                  required
                  value={timeouts[name]}
                  onChange={(event) =>
                    setTimeouts({ ...timeouts, [name]: Number(event.target.value) })
                  }
                  {...props}
                />
              )}
            </Field>
          ))}
        </div>
        <fieldset className="mt-4">
          <legend className="mb-1 text-xs font-medium text-ink-2">Try the next target after</legend>
          <div className="flex flex-wrap gap-x-4 gap-y-1">
            {RETRIES.map(({ value, label }) => (
              <label key={value} className="flex items-center gap-1.5">
                <input
                  type="checkbox"
                  className="size-3.5 accent-accent"
                  checked={retryOn.includes(value)}
                  onChange={(event) =>
                    setRetryOn(
                      event.target.checked
                        ? [...retryOn, value]
                        : retryOn.filter((one) => one !== value),
                    )
                  }
                />
                {label}
              </label>
            ))}
          </div>
        </fieldset>
      </form>
      {save.error && <Failure error={save.error} className="mt-4" />}
    </Dialog>
  );
}

interface TargetsProps {
  lines: readonly Line[];
  providers: readonly Provider[];
  onChange: (id: number, next: Partial<Line>) => void;
  onRemove: (id: number) => void;
}

function Targets({ lines, providers, onChange, onRemove }: TargetsProps) {
  return (
    <div className="mt-4">
      <div
        aria-hidden="true"
        className="grid grid-cols-[150px_1fr_76px_64px_28px] gap-2 text-xs font-medium text-ink-2"
      >
        <span>Provider</span>
        <span>Model there</span>
        <span>Weight</span>
        <span>Tier</span>
      </div>
      {lines.map((line) => {
        const offered = providers.find((provider) => provider.name === line.provider)?.models ?? [];
        return (
          <div key={line.id} className="mt-1.5 grid grid-cols-[150px_1fr_76px_64px_28px] gap-2">
            <Select
              label="Provider"
              value={line.provider}
              onChange={(provider) =>
                onChange(line.id, {
                  provider,
                  model: providers.find((one) => one.name === provider)?.models[0] ?? "",
                })
              }
              choices={providers.map((provider) => ({
                value: provider.name,
                label: provider.name,
              }))}
              placeholder="Provider"
            />
            <Input
              aria-label="Model at the provider"
              required
              list={`models-${line.id}`}
              value={line.model}
              onChange={(event) => onChange(line.id, { model: event.target.value })}
            />
            <datalist id={`models-${line.id}`}>
              {offered.slice(0, 500).map((model) => (
                <option key={model} value={model} />
              ))}
            </datalist>
            <Input
              aria-label="Weight"
              type="number"
              min={0}
              max={1_000_000}
              required
              value={line.weight}
              onChange={(event) => onChange(line.id, { weight: Number(event.target.value) })}
            />
            <Input
              aria-label="Tier"
              type="number"
              min={0}
              max={100}
              required
              value={line.tier}
              onChange={(event) => onChange(line.id, { tier: Number(event.target.value) })}
            />
            <Button
              tone="ghost"
              icon="close"
              aria-label="Remove this target"
              disabled={lines.length === 1}
              onClick={() => onRemove(line.id)}
            />
          </div>
        );
      })}
    </div>
  );
}
