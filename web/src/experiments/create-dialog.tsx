// Defining an experiment: what is split, by what it is decided, and how long that takes.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import { useMay } from "../api/may";
import { modelsQuery, projectsQuery } from "../api/queries";
import type { Experiment } from "../api/types";
import { promptsQuery } from "../prompts/queries";
import { Field } from "../ui/field";
import { FormDialog } from "../ui/form-dialog";
import { NativeSelect } from "../ui/native-select";
import { Segments } from "../ui/segments";
import { Failure } from "../ui/states";
import { type ArmDraft, type Draft, FIRST, newOf, placeOf, planOf, UNITS } from "./draft";
import { Row, Rows, Text } from "./form-rows";
import { Metrics } from "./metric-rows";
import { Told } from "./plan-dialog";
import { EXPERIMENTS, planQuery } from "./queries";

interface Props {
  project?: string;
  onClose: () => void;
  onMade: (made: Experiment) => void;
}

type Set = <K extends keyof Draft>(name: K, value: Draft[K]) => void;

export function CreateDialog({ project, onClose, onMade }: Props) {
  const client = useQueryClient();
  const may = useMay();
  const { data: projects = [] } = useQuery(projectsQuery);
  const mine = projects.map((one) => one.name).filter((name) => may.project("editor", name));
  const [within, setWithin] = useState(project ?? "");
  const chosen = within || mine[0] || "default";
  const [draft, setDraft] = useState(FIRST);
  const set: Set = (name, value) => setDraft((was) => ({ ...was, [name]: value }));
  const make = useMutation({
    mutationFn: () =>
      call<Experiment>("/api/v1/experiments", {
        method: "POST",
        query: { project: chosen },
        body: newOf(draft),
      }),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: [EXPERIMENTS] });
      onMade(made);
    },
  });
  const place = placeOf(make.error);
  const wrong = (part: string) => (place === part ? make.error?.message : undefined);
  const submit = () => {
    make.mutate();
  };
  return (
    <FormDialog
      onClose={onClose}
      width={760}
      title="Define an experiment"
      description="A draft: nothing is split until it is started."
      action="Create the draft"
      busy={make.isPending}
      error={place === "" ? make.error : null}
      onSubmit={submit}
      className="flex flex-col gap-4"
    >
      <div className="grid grid-cols-2 gap-3">
        <Text label="Name" value={draft.name} on={(v) => set("name", v)} error={wrong("name")} />
        <Field label="Project">
          {() => (
            <NativeSelect
              label="Project"
              value={chosen}
              choices={mine.map((value) => ({ value, label: value }))}
              onChange={setWithin}
            />
          )}
        </Field>
      </div>
      <Text
        label="Hypothesis"
        value={draft.hypothesis}
        on={(v) => set("hypothesis", v)}
        error={wrong("hypothesis")}
      />
      <Split draft={draft} set={set} project={chosen} wrong={wrong} />
      <Metrics draft={draft} set={set} error={wrong("metrics")} />
      <div className="grid grid-cols-3 gap-3">
        <Text
          label="Taking part at first, in %"
          value={draft.share}
          on={(v) => set("share", v)}
          error={wrong("share")}
        />
        <Text
          label="Ramp, in %"
          hint="Such as 25, 50, 100; empty: it stays"
          value={draft.ramp}
          on={(v) => set("ramp", v)}
          error={wrong("ramp")}
        />
        <Text label="Hours before each step" value={draft.hours} on={(v) => set("hours", v)} />
      </div>
      <Expected draft={draft} set={set} />
    </FormDialog>
  );
}

function Split({
  draft,
  set,
  project,
  wrong,
}: {
  draft: Draft;
  set: Set;
  project: string;
  wrong: (part: string) => string | undefined;
}) {
  const { data: models = [] } = useQuery(modelsQuery);
  const prompts = useQuery({ ...promptsQuery({ project }), enabled: draft.kind === "label" });
  const labels = (prompts.data ?? []).flatMap((one) =>
    one.labels.map((label) => `${one.name}@${label.label}`),
  );
  const aliases = models.filter((one) => one.origin === "alias").map((one) => one.name);
  const names = models.map((one) => one.name);
  const subjects = { label: labels, alias: aliases, route: names }[draft.kind];
  const chosen = (prompts.data ?? []).find((one) => draft.subject.startsWith(`${one.name}@`));
  const versions = Array.from(
    { length: chosen?.latest ?? 0 },
    (_, n) => `${chosen?.name}@${n + 1}`,
  );
  const change = (id: number, next: Partial<ArmDraft>) =>
    set(
      "arms",
      draft.arms.map((arm) => (arm.id === id ? { ...arm, ...next } : arm)),
    );
  return (
    <>
      <Segments
        label="What is split"
        value={draft.kind}
        choices={[
          { value: "label", label: "A prompt's label" },
          { value: "alias", label: "An alias" },
          { value: "route", label: "A model name" },
        ]}
        onChange={(kind) => set("kind", kind)}
      />
      <div className="grid grid-cols-2 gap-3">
        <Text
          label="Subject"
          hint={draft.kind === "label" ? "NAME@LABEL" : "The name that calls ask for"}
          value={draft.subject}
          on={(v) => set("subject", v)}
          error={wrong("subject")}
          of={subjects}
        />
        <Text
          label="Unit: whose calls stay together"
          value={draft.unit}
          on={(v) => set("unit", v)}
          error={wrong("unit")}
          of={UNITS}
        />
      </div>
      <Rows
        title="Arms, the first is the control"
        error={wrong("arms")}
        add="Add an arm"
        onAdd={() =>
          set("arms", [
            ...draft.arms,
            { id: Date.now(), name: `new-${draft.arms.length}`, weight: "0", target: "" },
          ])
        }
      >
        {draft.arms.map((arm, number) => (
          <Row
            key={arm.id}
            what={`arm ${number + 1}`}
            onRemove={
              draft.arms.length > 2
                ? () =>
                    set(
                      "arms",
                      draft.arms.filter((one) => one.id !== arm.id),
                    )
                : undefined
            }
          >
            <Text label="Arm" value={arm.name} on={(name) => change(arm.id, { name })} />
            <Text
              label="Weight, in %"
              value={arm.weight}
              on={(weight) => change(arm.id, { weight })}
            />
            <Text
              label="Serves"
              placeholder={number === 0 ? "the subject as it is" : undefined}
              value={arm.target}
              on={(target) => change(arm.id, { target })}
              of={draft.kind === "label" ? [...versions, ...labels] : names}
            />
          </Row>
        ))}
      </Rows>
    </>
  );
}

/** What it will be able to see, before it starts. */
function Expected({ draft, set }: { draft: Draft; set: Set }) {
  const asked = planOf(draft);
  const plan = useQuery(planQuery(asked));
  const primary = draft.metrics.find((one) => one.role === "primary");
  const proportion = primary?.kind === "proportion";
  return (
    <fieldset className="rounded-lg border px-3 py-2">
      <legend className="px-1 text-xs font-medium text-ink-2">
        How long it takes{primary ? `, decided on ${primary.name}` : ""}
      </legend>
      <div className="grid grid-cols-5 gap-3">
        <Text
          label={proportion ? "Share now, 0 to 1" : "Mean now"}
          value={draft.baseline}
          on={(v) => set("baseline", v)}
        />
        <Text
          label="Spread of units"
          disabled={proportion}
          value={proportion ? "" : draft.spread}
          on={(v) => set("spread", v)}
        />
        <Text label="Worth seeing" value={draft.effect} on={(v) => set("effect", v)} />
        <Text label="Units a day" value={draft.units} on={(v) => set("units", v)} />
        <Text label="Days at most" value={draft.days} on={(v) => set("days", v)} />
      </div>
      <div className="mt-2 text-sm" aria-live="polite">
        {plan.error ? (
          <Failure error={plan.error} />
        ) : !asked ? (
          <p className="text-ink-3">Fill these in to see what it can show, and when.</p>
        ) : plan.data ? (
          <Told
            plan={plan.data}
            draft={{ kind: "mean", effect: draft.effect, length: draft.days }}
            unit="the metric's unit"
          />
        ) : (
          <p className="text-ink-3">Computing …</p>
        )}
      </div>
    </fieldset>
  );
}
