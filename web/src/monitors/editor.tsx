// A monitor's form, with what its rule would have done drawn above it as it is written.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { call } from "../api/client";
import { useMay } from "../api/may";
import { projectsQuery } from "../api/queries";
import type { Monitor, MonitorTrial } from "../api/types";
import { Field, Input, TextArea } from "../ui/field";
import { FormDialog } from "../ui/form-dialog";
import { Segments } from "../ui/segments";
import { Select } from "../ui/select";
import { Failure } from "../ui/states";
import { toast } from "../ui/toast";
import {
  type Draft,
  draftOf,
  emptyDraft,
  problems,
  ruleOf,
  settingsOf,
  sliceOfDraft,
} from "./draft";
import { HistoryChart } from "./history-chart";
import { channelsQuery, historyQuery, MONITORS } from "./queries";
import { BurnFields, SliceFields, ThresholdFields } from "./rule-fields";
import type { Rule } from "./words";

type Hours = "6" | "24" | "168";

export function Editor({
  monitor,
  project,
  onClose,
}: {
  monitor?: Monitor;
  project?: string;
  onClose: () => void;
}) {
  const client = useQueryClient();
  const may = useMay();
  const { data: projects = [] } = useQuery(projectsQuery);
  const mine = projects.filter((one) => may.project("editor", one.name));
  const first = project ?? mine[0]?.name ?? "";
  const [draft, setDraft] = useState<Draft>(monitor ? draftOf(monitor) : emptyDraft(first));
  const [shown, setShown] = useState(false);
  const change = (next: Partial<Draft>) => setDraft((old) => ({ ...old, ...next }));
  const wrong = problems(draft);
  const errors = shown ? wrong : { ...wrong, name: undefined };
  const save = useMutation({
    mutationFn: () => {
      const body = settingsOf(draft, monitor);
      return monitor
        ? call<Monitor>(`/api/v1/monitors/${monitor.id}`, { method: "PUT", body })
        : call<Monitor>("/api/v1/monitors", {
            method: "POST",
            body: { ...body, project: draft.project },
          });
    },
    onSuccess: (saved) => {
      client.invalidateQueries({ queryKey: [MONITORS] });
      toast({ text: monitor ? `${saved.name} is changed.` : `${saved.name} watches from now on.` });
      onClose();
    },
  });
  const submit = () => {
    setShown(true);
    if (Object.keys(wrong).length === 0) save.mutate();
  };
  return (
    <FormDialog
      onClose={onClose}
      width={880}
      title={monitor ? `Change ${monitor.name}` : "New monitor"}
      action={monitor ? "Save" : "Create"}
      busy={save.isPending}
      error={save.error}
      onSubmit={submit}
      className="flex flex-col gap-4"
    >
      <div className="grid grid-cols-3 gap-3">
        <Field label="Name" error={errors.name} className="col-span-2">
          {(props) => (
            <Input
              value={draft.name}
              maxLength={100}
              placeholder="slow answers"
              onChange={(event) => change({ name: event.target.value })}
              {...props}
            />
          )}
        </Field>
        <Field label="Project">
          {({ id }) => (
            <Select
              id={id}
              label="Project"
              className="w-full"
              disabled={monitor !== undefined}
              value={draft.project}
              placeholder="all projects"
              onChange={(value) => change({ project: value, channels: [] })}
              choices={[
                ...mine.map((one) => ({ value: one.name, label: one.name })),
                ...(may.instance("editor") ? [{ value: "", label: "all projects" }] : []),
              ]}
            />
          )}
        </Field>
      </div>
      <Segments<Draft["kind"]>
        label="Kind of rule"
        value={draft.kind}
        choices={[
          { value: "threshold", label: "A value beyond a threshold" },
          { value: "burn_rate", label: "An error budget that burns too fast" },
        ]}
        onChange={(kind) => change({ kind, minSamples: kind === "burn_rate" ? "100" : "20" })}
      />
      {draft.kind === "threshold" ? (
        <ThresholdFields draft={draft} errors={errors} onChange={change} />
      ) : (
        <BurnFields draft={draft} errors={errors} onChange={change} />
      )}
      <SliceFields draft={draft} onChange={change} />
      <Preview draft={draft} sound={Object.keys(wrong).every((field) => field === "name")} />
      <Telling draft={draft} onChange={change} />
    </FormDialog>
  );
}

/** The history of what is being written, half a second after the last key. */
function Preview({ draft, sound }: { draft: Draft; sound: boolean }) {
  const [hours, setHours] = useState<Hours>("24");
  const trial: MonitorTrial | undefined = sound
    ? {
        project: draft.project,
        slice: sliceOfDraft(draft),
        rule: ruleOf(draft),
        no_data: draft.noData,
        hours: Number(hours),
      }
    : undefined;
  const text = JSON.stringify(trial);
  const [settled, setSettled] = useState<string | undefined>(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 500);
    return () => clearTimeout(timer);
  }, [text]);
  const asked: MonitorTrial | undefined = settled ? JSON.parse(settled) : undefined;
  const { data, error } = useQuery(historyQuery(asked));
  return (
    <section aria-label="Preview" className="rounded-lg border bg-panel px-3 pt-2 pb-1">
      <div className="mb-1 flex items-center">
        <h3 className="mr-auto font-medium">What it would have done</h3>
        <Segments<Hours>
          label="How far back"
          value={hours}
          choices={[
            { value: "6", label: "6 h" },
            { value: "24", label: "24 h" },
            { value: "168", label: "7 d" },
          ]}
          onChange={setHours}
        />
      </div>
      {error ? (
        <Failure error={error} className="mb-2" />
      ) : !asked || !data ? (
        <p className="h-[170px] text-ink-3">{sound ? "Looking back…" : "Complete the rule."}</p>
      ) : (
        <HistoryChart rule={asked.rule as Rule} history={data} />
      )}
    </section>
  );
}

const REMINDERS = [
  { value: "0", label: "never" },
  { value: "3600", label: "every hour" },
  { value: "14400", label: "every 4 hours" },
  { value: "86400", label: "every day" },
];
const SILENCE = [
  { value: "keep", label: "leaves the state as it was" },
  { value: "resolve", label: "ends an alert" },
  { value: "alert", label: "is an alert itself" },
];

function Telling({ draft, onChange }: { draft: Draft; onChange: (next: Partial<Draft>) => void }) {
  const { data: channels = [] } = useQuery(channelsQuery);
  const usable = channels.filter((one) => one.project === "" || one.project === draft.project);
  const toggle = (id: string) =>
    onChange({
      channels: draft.channels.includes(id)
        ? draft.channels.filter((one) => one !== id)
        : [...draft.channels, id],
    });
  return (
    <div className="grid grid-cols-2 gap-3">
      <fieldset className="min-w-0">
        <legend className="mb-1 text-xs font-medium text-ink-2">Tell</legend>
        {usable.length === 0 ? (
          <p className="text-ink-3">No channels yet: alerts are shown here alone.</p>
        ) : (
          <div className="flex flex-wrap gap-x-4 gap-y-1">
            {usable.map((channel) => (
              <label key={channel.id} className="inline-flex items-center gap-1.5">
                <input
                  type="checkbox"
                  checked={draft.channels.includes(channel.id)}
                  onChange={() => toggle(channel.id)}
                />
                {channel.name}
                <span className="text-xs text-ink-3">{channel.kind}</span>
              </label>
            ))}
          </div>
        )}
        <label className="mt-3 inline-flex items-center gap-1.5">
          <input
            type="checkbox"
            checked={draft.enabled}
            onChange={(event) => onChange({ enabled: event.target.checked })}
          />
          Enabled
        </label>
      </fieldset>
      <div className="grid grid-cols-2 gap-3">
        <Field label="Tell again">
          {({ id }) => (
            <Select
              id={id}
              label="Tell again"
              className="w-full"
              value={String(draft.remind)}
              choices={REMINDERS}
              onChange={(value) => onChange({ remind: Number(value) })}
            />
          )}
        </Field>
        <Field label="No data">
          {({ id }) => (
            <Select
              id={id}
              label="No data"
              className="w-full"
              value={draft.noData}
              choices={SILENCE}
              onChange={(value) => onChange({ noData: value as Draft["noData"] })}
            />
          )}
        </Field>
      </div>
      <Field label="What to do when it fires" className="col-span-2">
        {(props) => (
          <TextArea
            rows={2}
            maxLength={2000}
            value={draft.description}
            onChange={(event) => onChange({ description: event.target.value })}
            {...props}
          />
        )}
      </Field>
    </div>
  );
}
