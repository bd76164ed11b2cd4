// Makes a project, or changes what a known one says of itself, may cost and may ask for.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import { modelsQuery } from "../api/queries";
import type { Project } from "../api/types";
import { Apart } from "../keys/apart-fields";
import { Field, Input } from "../ui/field";
import { FormDialog } from "../ui/form-dialog";
import { money } from "../ui/format";
import { type Choice, LabelledSelect } from "../ui/select";
import { toast } from "../ui/toast";
import {
  emptyProject,
  newProject,
  type ProjectDraft,
  type ProjectProblems,
  projectChanges,
  projectDraft,
  projectProblems,
} from "./project-draft";

const same = (values: readonly string[]) => values.map((value) => ({ value, label: value }));

const PERIODS = [
  { value: "day", label: "a day" },
  { value: "week", label: "a week" },
  { value: "month", label: "a month" },
  { value: "total", label: "in total" },
];
const AWAY = [
  { value: "closed", label: "refuse calls" },
  { value: "continue", label: "lend once more" },
];
const SHARED = [
  { value: "key", label: "by nobody else: only calls of one key" },
  { value: "project", label: "by all keys of the project" },
];
const USUAL = { value: "", label: "As this instance usually does" };
const PAYLOADS = [
  { value: "full", label: "In full" },
  { value: "masked", label: "With personal data and secrets masked" },
  { value: "none", label: "Not at all: only figures and cost" },
];

export default function ProjectDialog({
  known,
  onClose,
}: {
  known?: Project;
  onClose: () => void;
}) {
  const [draft, setDraft] = useState<ProjectDraft>(() =>
    known ? projectDraft(known) : emptyProject,
  );
  const [shown, setShown] = useState(false);
  const wrong = projectProblems(draft);
  const save = useSave(draft, known, onClose);
  const submit = () => {
    setShown(true);
    if (Object.keys(wrong).length === 0) save.mutate();
  };
  return (
    <FormDialog
      onClose={onClose}
      width={640}
      title={known ? `Change ${known.name}` : "Create a project"}
      description={
        known
          ? undefined
          : "A project is a use case: its keys, prompts, traces and budget stand together."
      }
      action={known ? "Save" : "Create"}
      busy={save.isPending}
      error={save.error}
      onSubmit={submit}
      className="flex flex-col gap-4"
    >
      <Fields
        draft={draft}
        problems={shown ? wrong : {}}
        known={known}
        onChange={(next) => setDraft({ ...draft, ...next })}
      />
    </FormDialog>
  );
}

function useSave(draft: ProjectDraft, known: Project | undefined, onSaved: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      if (!known)
        return call<Project>("/api/v1/projects", { method: "POST", body: newProject(draft) });
      const path = `/api/v1/projects/${encodeURIComponent(known.name)}`;
      const { settings, uncapped } = projectChanges(draft, known);
      if (Object.keys(settings).length > 0) await call(path, { method: "PATCH", body: settings });
      if (uncapped) await call(`${path}/budget`, { method: "DELETE" });
      return known;
    },
    onSuccess: ({ name }) => {
      toast({
        text: known ? `${name} is changed. Workers follow within a second.` : `${name} is there.`,
      });
      for (const key of ["projects", "readiness"]) client.invalidateQueries({ queryKey: [key] });
      onSaved();
    },
  });
}

type Said = Exclude<keyof ProjectDraft, "user" | "apart">;

interface FieldsProps {
  draft: ProjectDraft;
  problems: ProjectProblems;
  known?: Project;
  onChange: (next: Partial<ProjectDraft>) => void;
}

function Fields({ draft, problems, known, onChange }: FieldsProps) {
  const { data: models = [] } = useQuery(modelsQuery);
  const text = (field: Said, label: string, more = {}, hint?: string) => (
    <Field label={label} error={problems[field]} hint={hint}>
      {(props) => (
        <Input
          value={draft[field]}
          onChange={(event) => onChange({ [field]: event.target.value })}
          {...more}
          {...props}
        />
      )}
    </Field>
  );
  const choice = (field: Said, label: string, choices: readonly Choice[]) => (
    <LabelledSelect
      label={label}
      value={draft[field]}
      onChange={(value) => onChange({ [field]: value })}
      choices={choices}
    />
  );
  const spent = known?.budget
    ? `${money(known.budget.spent_nano)} of it is spent in this period.`
    : undefined;
  return (
    <>
      <div className="grid grid-cols-2 gap-3">
        {text("name", "Name", { disabled: Boolean(known), placeholder: "menu-desk" })}
        {text("owner", "Owner", { placeholder: "who answers for it" })}
      </div>
      {text("description", "What it is for", { maxLength: 2000 })}
      <div className="grid grid-cols-3 gap-3">
        {choice("archetype", "Kind", same(["prompt", "rag", "fine-tune", "agent"]))}
        {choice("stage", "Stage", same(["crawl", "walk", "run"]))}
        {choice("risk_tier", "Risk", same(["low", "medium", "high"]))}
      </div>
      {text("target_metric", "Metric that it is to move", { placeholder: "satisfied guests" })}
      <div className="grid grid-cols-3 gap-3">
        {text("budget", "Budget, dollars", { placeholder: "no cap", inputMode: "decimal" }, spent)}
        {choice("period", "Budget counts", PERIODS)}
        {choice("whenAway", "If the control plane is away", AWAY)}
      </div>
      <div className="grid grid-cols-3 gap-3">
        {text("rpm", "Calls a minute", { placeholder: "no limit", inputMode: "numeric" })}
        {text("tpm", "Tokens a minute", { placeholder: "no limit", inputMode: "numeric" })}
        {text("concurrency", "Calls at once", { placeholder: "no limit", inputMode: "numeric" })}
      </div>
      <Apart draft={draft} error={problems.apart} models={models} onChange={onChange} />
      <div className="grid grid-cols-[1fr_2fr] gap-3">
        {text(
          "cache",
          "Repeat an answer for, seconds",
          { placeholder: "never", inputMode: "numeric" },
          "Unless a key says otherwise.",
        )}
        {choice("cacheScope", "Repeated answers are shared", SHARED)}
      </div>
      {choice(
        "payloads",
        "Log requests and answers of new keys",
        known ? PAYLOADS : [USUAL, ...PAYLOADS],
      )}
    </>
  );
}
