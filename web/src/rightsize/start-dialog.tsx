// Starting a run: candidates, what is served now, on what, and for how much money.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import { useMay } from "../api/may";
import { modelsQuery, projectsQuery } from "../api/queries";
import { suitesQuery } from "../evals/queries";
import { Field, Input } from "../ui/field";
import { FormDialog } from "../ui/form-dialog";
import { parseDollars } from "../ui/format";
import { Select } from "../ui/select";
import { API, SIZES } from "./queries";
import type { NewSizeRun, SizeRun } from "./types";

interface Props {
  project?: string;
  onClose: () => void;
  onStarted: (run: SizeRun) => void;
}

export function StartDialog({ project, onClose, onStarted }: Props) {
  const client = useQueryClient();
  const may = useMay();
  const { data: projects = [] } = useQuery(projectsQuery);
  const mine = projects.filter((one) => may.project("editor", one.name));
  const [within, setWithin] = useState(project ?? "");
  const chosen = within || mine[0]?.name || "";
  const { data: models = [] } = useQuery(modelsQuery);
  const suites = useQuery({ ...suitesQuery(chosen), enabled: chosen !== "" });
  const chats = models.filter((one) => one.kind === "chat").map((one) => one.name);
  const [baseline, setBaseline] = useState("");
  const [candidates, setCandidates] = useState<readonly string[]>([]);
  const [suite, setSuite] = useState("");
  const [scorer, setScorer] = useState("mentions");
  const [dataset, setDataset] = useState("");
  const [days, setDays] = useState("");
  const [margin, setMargin] = useState("0.05");
  const [budget, setBudget] = useState("5");
  const dollars = budget.trim() ? parseDollars(budget) : undefined;
  const wanted: NewSizeRun = {
    baseline,
    candidates: candidates.filter((name) => name !== baseline),
    margin: Number(margin),
    suite,
    scorers: suite ? [] : [{ use: scorer.trim() }],
    dataset: days ? "" : dataset.trim(),
    traffic_hours: days ? Number(days) * 24 : null,
    budget_nano: dollars ?? null,
  };
  const whole =
    baseline !== "" && wanted.candidates.length > 0 && margin !== "" && Number(margin) >= 0;
  const start = useMutation({
    mutationFn: () =>
      call<SizeRun>(`${API}/runs`, { method: "POST", query: { project: chosen }, body: wanted }),
    onSuccess: (run) => {
      client.invalidateQueries({ queryKey: [SIZES] });
      onStarted(run);
    },
  });
  const submit = () => {
    if (whole) start.mutate();
  };
  return (
    <FormDialog
      onClose={onClose}
      width={680}
      title="Find the cheapest model that still passes"
      description="Each model answers the same rows; answers that were paid for before cost nothing."
      action="Start"
      busy={start.isPending}
      disabled={!whole}
      error={start.error}
      onSubmit={submit}
      className="flex flex-col gap-4"
    >
      <div className="grid grid-cols-2 gap-3">
        <Chosen label="Project" value={chosen} of={mine.map((one) => one.name)} on={setWithin} />
        <Chosen label="Baseline: what is served now" value={baseline} of={chats} on={setBaseline} />
      </div>
      <Candidates
        of={chats.filter((name) => name !== baseline)}
        value={candidates}
        on={setCandidates}
      />
      <div className="grid grid-cols-2 gap-3">
        <Chosen
          label="Suite, whose scorers decide"
          value={suite}
          of={["", ...(suites.data ?? []).map((one) => one.spec.name)]}
          on={setSuite}
          none="none: a scorer alone"
        />
        <Text label="Scorer, without a suite" value={scorer} on={setScorer} />
        <Text label="Data set" value={dataset} on={setDataset} hint="The suite's, if empty" />
        <Text label="Or days of logged calls" value={days} on={setDays} hint="Of the baseline" />
        <Text label="Margin" value={margin} on={setMargin} hint="How much worse is accepted" />
        <Text
          label="Budget in dollars"
          value={budget}
          on={setBudget}
          hint="Judges' calls count too; empty: no bound"
        />
      </div>
    </FormDialog>
  );
}

function Candidates({
  of,
  value,
  on,
}: {
  of: readonly string[];
  value: readonly string[];
  on: (next: readonly string[]) => void;
}) {
  return (
    <fieldset>
      <legend className="mb-1 text-xs font-medium text-ink-2">Candidates</legend>
      <div className="grid max-h-[150px] grid-cols-2 gap-x-3 gap-y-1 overflow-y-auto rounded-lg border px-3 py-2">
        {of.length === 0 && <span className="text-ink-3">No other chat model is connected.</span>}
        {of.map((name) => (
          <label key={name} className="inline-flex min-w-0 items-center gap-1.5">
            <input
              type="checkbox"
              checked={value.includes(name)}
              onChange={(event) =>
                on(event.target.checked ? [...value, name] : value.filter((one) => one !== name))
              }
            />
            <span className="truncate">{name}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Chosen({
  label,
  value,
  of,
  on,
  none,
}: {
  label: string;
  value: string;
  of: readonly string[];
  on: (next: string) => void;
  none?: string;
}) {
  return (
    <Field label={label}>
      {({ id }) => (
        <Select
          id={id}
          label={label}
          className="w-full"
          value={value}
          placeholder={none ?? "choose"}
          choices={of.map((name) => ({ value: name, label: name || (none ?? "none") }))}
          onChange={on}
        />
      )}
    </Field>
  );
}

function Text({
  label,
  value,
  on,
  hint,
}: {
  label: string;
  value: string;
  on: (next: string) => void;
  hint?: string;
}) {
  return (
    <Field label={label} hint={hint}>
      {(props) => <Input value={value} onChange={(event) => on(event.target.value)} {...props} />}
    </Field>
  );
}
