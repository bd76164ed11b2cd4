// The parts of a route's form: how it chooses, its targets and its rules.
import type { ReactNode } from "react";
import type { Provider } from "../api/types";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";
import { LabelledSelect, Select } from "../ui/select";
import {
  type Kind,
  newRule,
  newTarget,
  type RouteDraft,
  type RuleLine,
  type TargetLine,
} from "./draft";

export interface Props {
  draft: RouteDraft;
  onChange: (next: Partial<RouteDraft>) => void;
}

const KINDS: readonly Kind[] = ["chat", "embedding", "image", "audio", "moderation", "rerank"];
const STRATEGIES = [
  { value: "weighted", label: "by weight" },
  { value: "priority", label: "in order" },
  { value: "least_latency", label: "least latency" },
  { value: "least_cost", label: "least cost" },
  { value: "least_busy", label: "least busy" },
];
const STICKY = [
  { value: "never", label: "never" },
  { value: "session", label: "by session" },
  { value: "user", label: "by user" },
];
const DEGRADE = [
  { value: "never", label: "refuse the call" },
  { value: "hints", label: "drop hints, refuse content" },
  { value: "all", label: "drop it" },
];

/** A number with its unit behind it. */
export function Part({
  label,
  value,
  unit,
  disabled,
  step = 1,
  min = 0,
  onChange,
}: {
  label: string;
  value: number;
  unit: string;
  disabled?: boolean;
  step?: number;
  min?: number;
  onChange: (value: number) => void;
}) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <Input
        type="number"
        aria-label={label}
        min={min}
        step={step === 1 ? 1 : "any"}
        disabled={disabled}
        value={value}
        onChange={(event) => onChange(Number(event.target.value))}
        className="!w-[68px] text-right"
      />
      <span className="text-ink-2">{unit}</span>
    </span>
  );
}

export function Block({
  title,
  note,
  children,
}: {
  title: string;
  note?: string;
  children: ReactNode;
}) {
  return (
    <section aria-label={title}>
      <h3 className="mb-1.5 font-medium">
        {title} {note && <span className="pl-1 font-normal text-ink-3">{note}</span>}
      </h3>
      {children}
    </section>
  );
}

export function ChoiceFields({ draft, named, onChange }: Props & { named: boolean }) {
  return (
    <div className="grid grid-cols-3 gap-3 wide:grid-cols-6">
      <Field label="Name" className="wide:col-span-2">
        {(props) => (
          <Input
            disabled={named}
            placeholder="support-chat"
            value={draft.name}
            onChange={(event) => onChange({ name: event.target.value })}
            {...props}
          />
        )}
      </Field>
      <LabelledSelect
        label="Kind"
        value={draft.kind}
        choices={KINDS.map((kind) => ({ value: kind, label: kind }))}
        onChange={(kind) => onChange({ kind })}
      />
      <LabelledSelect
        label="Choice within a tier"
        value={draft.strategy}
        choices={STRATEGIES}
        onChange={(strategy) => onChange({ strategy })}
      />
      <LabelledSelect
        label="Sticky"
        value={draft.sticky}
        choices={STICKY}
        onChange={(sticky) => onChange({ sticky })}
      />
      <LabelledSelect
        label="What a target cannot say"
        value={draft.degrade}
        choices={DEGRADE}
        onChange={(degrade) => onChange({ degrade })}
      />
    </div>
  );
}

const TARGET_GRID = "grid grid-cols-[minmax(0,150px)_minmax(0,1fr)_76px_64px_28px] gap-2";

export function TargetFields({
  draft,
  providers,
  onChange,
}: Props & { providers: readonly Provider[] }) {
  const { targets } = draft;
  const change = (id: number, next: Partial<TargetLine>) =>
    onChange({ targets: targets.map((one) => (one.id === id ? { ...one, ...next } : one)) });
  return (
    <Block title="Targets" note="a tier is tried when all of the tiers before it fail">
      <div aria-hidden="true" className={`${TARGET_GRID} text-xs text-ink-3`}>
        <span>Provider</span>
        <span>Model there</span>
        <span>Weight</span>
        <span>Tier</span>
      </div>
      {targets.map((line) => {
        const provider = providers.find((one) => one.name === line.provider);
        const names = providers.map((one) => ({ value: one.name, label: one.name }));
        if (!provider && line.provider)
          names.push({ value: line.provider, label: `${line.provider} (not connected)` });
        return (
          <div key={line.id} className={`mt-1.5 ${TARGET_GRID}`}>
            <Select
              label="Provider"
              placeholder="Provider"
              value={line.provider}
              choices={names}
              onChange={(name) =>
                change(line.id, {
                  provider: name,
                  model: providers.find((one) => one.name === name)?.models[0] ?? line.model,
                })
              }
            />
            <span className="relative">
              <Input
                aria-label="Model at the provider"
                list={`models-${line.id}`}
                value={line.model}
                onChange={(event) => change(line.id, { model: event.target.value })}
              />
              {!provider && line.provider && (
                <span className="absolute top-[5px] right-1.5">
                  <Badge tone="warn" title="It stays in the route and serves again once connected.">
                    not connected
                  </Badge>
                </span>
              )}
            </span>
            <datalist id={`models-${line.id}`}>
              {(provider?.models ?? []).slice(0, 500).map((model) => (
                <option key={model} value={model} />
              ))}
            </datalist>
            <Input
              aria-label="Weight"
              type="number"
              min={0}
              value={line.weight}
              onChange={(event) => change(line.id, { weight: Number(event.target.value) })}
            />
            <Input
              aria-label="Tier"
              type="number"
              min={0}
              max={100}
              value={line.tier}
              onChange={(event) => change(line.id, { tier: Number(event.target.value) })}
            />
            <Button
              tone="ghost"
              icon="close"
              aria-label={`Remove the target ${line.provider}/${line.model}`}
              disabled={targets.length === 1}
              onClick={() => onChange({ targets: targets.filter((one) => one.id !== line.id) })}
            />
          </div>
        );
      })}
      <Button
        icon="plus"
        className="mt-2"
        onClick={() =>
          onChange({ targets: [...targets, newTarget(providers, targets.at(-1)?.tier)] })
        }
      >
        Add a target
      </Button>
    </Block>
  );
}

const SOURCES = ["header", "metadata", "tag", "project"].map((value) => ({ value, label: value }));
const RULE_GRID =
  "grid grid-cols-[minmax(0,100px)_96px_minmax(0,120px)_minmax(0,1fr)_minmax(0,1.4fr)_52px_28px] gap-2";

export function RuleFields({ draft, onChange }: Props) {
  const { rules } = draft;
  const change = (id: number, next: Partial<RuleLine>) =>
    onChange({ rules: rules.map((one) => (one.id === id ? { ...one, ...next } : one)) });
  return (
    <Block title="Rules" note="the first that fits decides, before stickiness and choice">
      {rules.length > 0 && (
        <div aria-hidden="true" className={`${RULE_GRID} text-xs text-ink-3`}>
          <span>Name</span>
          <span>Where</span>
          <span>Field</span>
          <span>Is one of</span>
          <span className="truncate">Targets, or “tier 1”</span>
          <span>Only</span>
        </div>
      )}
      {rules.map((line) => {
        const field = line.source === "header" || line.source === "metadata";
        return (
          <div key={line.id} className={`mt-1.5 items-center ${RULE_GRID}`}>
            <Input
              aria-label="Name of the rule"
              value={line.name}
              onChange={(event) => change(line.id, { name: event.target.value })}
            />
            <Select
              label="Where the rule looks"
              value={line.source}
              choices={SOURCES}
              onChange={(source) => change(line.id, { source: source as RuleLine["source"] })}
            />
            <Input
              aria-label="Header or metadata field"
              disabled={!field}
              placeholder={field ? "x-tier" : ""}
              value={field ? line.field : ""}
              onChange={(event) => change(line.id, { field: event.target.value })}
            />
            <Input
              aria-label="Values, separated by commas"
              placeholder="gold, vip"
              value={line.values}
              onChange={(event) => change(line.id, { values: event.target.value })}
            />
            <Input
              aria-label="Targets or a tier"
              placeholder={`${draft.targets[0]?.provider}/${draft.targets[0]?.model}`}
              value={line.to}
              onChange={(event) => change(line.id, { to: event.target.value })}
            />
            <input
              type="checkbox"
              aria-label="Nowhere else"
              title="Nowhere else: a call that fits fails when these targets do"
              className="size-3.5 accent-accent"
              checked={line.only}
              onChange={(event) => change(line.id, { only: event.target.checked })}
            />
            <Button
              tone="ghost"
              icon="close"
              aria-label={`Remove the rule ${line.name}`}
              onClick={() => onChange({ rules: rules.filter((one) => one.id !== line.id) })}
            />
          </div>
        );
      })}
      <Button
        icon="plus"
        className="mt-2"
        onClick={() => onChange({ rules: [...rules, newRule()] })}
      >
        Add a rule
      </Button>
    </Block>
  );
}
