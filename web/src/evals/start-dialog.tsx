// Starting a run: what it would cost and what it could show, before any money is spent.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { call } from "../api/client";
import { useMay } from "../api/may";
import { modelsQuery, projectsQuery } from "../api/queries";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { compact, count, money } from "../ui/format";
import { Select } from "../ui/select";
import { Failure } from "../ui/states";
import { EVALS, forecastQuery, runsQuery, suitesQuery } from "./queries";
import type { Forecast, NewRun, Run, Suite } from "./types";

interface Props {
  project?: string;
  suite?: string;
  onClose: () => void;
  onStarted: (run: Run) => void;
}

export function StartDialog({ project, suite, onClose, onStarted }: Props) {
  const client = useQueryClient();
  const may = useMay();
  const { data: projects = [] } = useQuery(projectsQuery);
  const mine = projects.filter((one) => may.project("editor", one.name));
  const [within, setWithin] = useState(project ?? "");
  const chosen = within || mine[0]?.name || "";
  const suites = useQuery({ ...suitesQuery(chosen), enabled: chosen !== "" });
  const [name, setName] = useState(suite ?? "");
  const [prompt, setPrompt] = useState("");
  const [model, setModel] = useState("");
  const [message, setMessage] = useState("");
  const [again, setAgain] = useState(false);
  const picked = suites.data?.find((one) => one.spec.name === name) ?? suites.data?.[0];
  // A suite out of a file has no data set: its rows are those of its last run.
  const runs = useQuery({
    ...runsQuery(chosen, picked?.spec.name),
    enabled: picked !== undefined && !picked.spec.dataset,
  });
  const rowset = picked?.spec.dataset ? "" : (runs.data?.[0]?.dataset_hash ?? "");
  const ready = picked && (picked.spec.dataset !== "" || runs.data !== undefined);
  const wanted = ready ? wantedOf(picked, { prompt, model, message, again, rowset }) : undefined;
  const settled = useSettled(wanted);
  const forecast = useQuery(forecastQuery(chosen, settled));
  const start = useMutation({
    mutationFn: () =>
      call<Run>("/api/v1/evals/runs", { method: "POST", query: { project: chosen }, body: wanted }),
    onSuccess: (run) => {
      client.invalidateQueries({ queryKey: [EVALS] });
      onStarted(run);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (wanted) start.mutate();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      width={680}
      title="Start a run"
      description="The instance does the work; you see here how far it is."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            tone="primary"
            type="submit"
            form="start"
            busy={start.isPending}
            disabled={!wanted || forecast.isError}
          >
            Start
          </Button>
        </>
      }
    >
      {suites.data?.length === 0 ? (
        <NoSuites project={chosen} />
      ) : (
        <form id="start" onSubmit={submit} noValidate className="flex flex-col gap-4">
          <div className="grid grid-cols-2 gap-3">
            <Field label="Project">
              {({ id }) => (
                <Select
                  id={id}
                  label="Project"
                  className="w-full"
                  value={chosen}
                  choices={mine.map((one) => ({ value: one.name, label: one.name }))}
                  onChange={setWithin}
                />
              )}
            </Field>
            <Field label="Suite" hint={picked && suiteText(picked)}>
              {({ id }) => (
                <Select
                  id={id}
                  label="Suite"
                  className="w-full"
                  value={picked?.spec.name ?? ""}
                  choices={(suites.data ?? []).map((one) => ({
                    value: one.spec.name,
                    label: one.spec.name,
                  }))}
                  onChange={setName}
                />
              )}
            </Field>
          </div>
          <TargetFields
            suite={picked}
            prompt={prompt}
            model={model}
            onPrompt={setPrompt}
            onModel={setModel}
          />
          <Field label="Why this run">
            {(props) => (
              <Input
                value={message}
                maxLength={500}
                placeholder="shorter system message"
                onChange={(event) => setMessage(event.target.value)}
                {...props}
              />
            )}
          </Field>
          <label className="inline-flex items-center gap-1.5">
            <input
              type="checkbox"
              checked={again}
              onChange={(event) => setAgain(event.target.checked)}
            />
            Ask again what is known from earlier runs
          </label>
          {forecast.error ? (
            <Failure error={forecast.error} />
          ) : (
            <Expected forecast={forecast.data} metrics={picked} />
          )}
        </form>
      )}
      {start.error && <Failure error={start.error} className="mt-4" />}
    </Dialog>
  );
}

interface Chosen {
  prompt: string;
  model: string;
  message: string;
  again: boolean;
  rowset: string;
}

/** The run of a suite, with its target replaced where something else is named. */
function wantedOf(suite: Suite, { prompt, model, message, again, rowset }: Chosen): NewRun {
  const target = { ...suite.spec.target };
  if (prompt.trim()) Object.assign(target, { kind: "prompt", prompt: prompt.trim() });
  if (model) Object.assign(target, { model });
  if (model && target.kind !== "prompt") target.kind = "model";
  return { suite: suite.spec.name, target, rowset, message: message.trim(), repeat_calls: again };
}

function suiteText({ spec }: Suite): string {
  const scorers = spec.scorers.map((one) => one.name || one.use).join(", ");
  return `${spec.dataset || "the rows of its last run"} × ${scorers}`;
}

function TargetFields({
  suite,
  prompt,
  model,
  onPrompt,
  onModel,
}: {
  suite?: Suite;
  prompt: string;
  model: string;
  onPrompt: (value: string) => void;
  onModel: (value: string) => void;
}) {
  const { data: models = [] } = useQuery(modelsQuery);
  const target = suite?.spec.target;
  return (
    <div className="grid grid-cols-2 gap-3">
      <Field label="Prompt, instead of the suite's">
        {(props) => (
          <Input
            value={prompt}
            placeholder={target?.prompt || "menu-description@7"}
            onChange={(event) => onPrompt(event.target.value)}
            {...props}
          />
        )}
      </Field>
      <Field label="Model, instead of the suite's">
        {({ id }) => (
          <Select
            id={id}
            label="Model"
            className="w-full"
            value={model}
            placeholder={target?.model || "as the prompt says"}
            choices={[
              { value: "", label: target?.model || "as the prompt says" },
              ...models
                .filter((one) => one.kind === "chat")
                .map((one) => ({ value: one.name, label: one.name })),
            ]}
            onChange={onModel}
          />
        )}
      </Field>
    </div>
  );
}

function Expected({ forecast, metrics }: { forecast?: Forecast; metrics?: Suite }) {
  if (!metrics) return null;
  if (!forecast)
    return <p className="rounded-lg border bg-panel px-3 py-2 text-ink-3">Estimating…</p>;
  const { rows, calls, cached, cost_nano, input_tokens, output_tokens, detectable } = forecast;
  return (
    <section aria-label="Estimate" className="rounded-lg border bg-panel px-3 py-2">
      <p>
        <b className="font-semibold">{cost_nano === null ? "Cost unknown" : money(cost_nano)}</b>{" "}
        for {count(calls)} calls over {count(rows)} rows
        {cached > 0 && `; ${count(cached)} are known already`}.{" "}
        <span className="text-ink-2">
          {compact(input_tokens)} tokens in, {compact(output_tokens)} out.
        </span>
      </p>
      {detectable.length > 0 && (
        <>
          <h4 className="mt-2 text-xs font-medium text-ink-2">
            The smallest true difference that it would show 8 times in 10
          </h4>
          <ul>
            {detectable.map((one) => (
              <li key={one.metric} className="flex gap-2">
                <span className="w-[160px] truncate">{one.metric}</span>
                <span>{one.effect.toPrecision(2)}</span>
                {one.assumed && <span className="text-ink-3">assumed: no run tells yet</span>}
              </li>
            ))}
          </ul>
        </>
      )}
      {forecast.notes.map((note) => (
        <p key={note} className="mt-1 text-ink-2">
          {note}
        </p>
      ))}
    </section>
  );
}

function NoSuites({ project }: { project: string }) {
  return (
    <p className="text-ink-2">
      The project {project} has no suites yet. Make one of a file known:{" "}
      <code className="rounded bg-mute-wash px-1 font-mono text-xs select-all">
        stockpot eval push evals/menu.toml
      </code>
    </p>
  );
}

/** What was wanted half a second ago and still is: a forecast for each key would be too many. */
function useSettled(wanted: NewRun | undefined): NewRun | undefined {
  const text = wanted && JSON.stringify({ ...wanted, message: "" });
  const [settled, setSettled] = useState<string | undefined>(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 500);
    return () => clearTimeout(timer);
  }, [text]);
  return settled ? JSON.parse(settled) : undefined;
}
