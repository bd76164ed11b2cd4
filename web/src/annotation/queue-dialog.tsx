// A new queue: what is annotated, what is asked, of how many.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import { projectsQuery } from "../api/queries";
import type { AnnotationQueue } from "../api/types";
import { datasetsQuery } from "../datasets/queries";
import { Field, Input, TextArea } from "../ui/field";
import { FormDialog } from "../ui/form-dialog";
import { Select } from "../ui/select";

interface Props {
  project: string;
  onClose: () => void;
  onMade: (queue: AnnotationQueue) => void;
}

const KINDS = [
  { value: "categorical", label: "One of some labels" },
  { value: "bool", label: "Yes or no" },
  { value: "numeric", label: "A number from 1 to 5" },
  { value: "text", label: "A text" },
];
const TRACES = "";

export function QueueDialog({ project, onClose, onMade }: Props) {
  const client = useQueryClient();
  const { data: projects = [] } = useQuery(projectsQuery);
  const [draft, setDraft] = useState({
    name: "",
    project,
    dataset: TRACES,
    limit: "200",
    annotators: "1",
    blind: true,
    question: "verdict",
    kind: "categorical",
    labels: "good, bad",
    instructions: "",
    assignees: "",
  });
  const { data: sets = [] } = useQuery(datasetsQuery(draft.project));
  const set = (next: Partial<typeof draft>) => setDraft({ ...draft, ...next });
  const send = useMutation({
    mutationFn: () =>
      call<AnnotationQueue>("/api/v1/annotation/queues", {
        method: "POST",
        query: { project: draft.project },
        body: bodyOf(draft),
      }),
    onSuccess: (queue) => {
      client.invalidateQueries({ queryKey: ["queues"] });
      onMade(queue);
    },
  });
  const submit = () => {
    send.mutate();
  };
  const input = (
    name: "name" | "limit" | "annotators" | "question" | "labels" | "assignees",
    label: string,
    hint?: string,
  ) => (
    <Field label={label} hint={hint}>
      {(props) => (
        <Input
          value={draft[name]}
          onChange={(event) => set({ [name]: event.target.value })}
          {...props}
        />
      )}
    </Field>
  );
  const select = (
    name: "project" | "dataset" | "kind",
    label: string,
    choices: readonly { value: string; label: string }[],
  ) => (
    <Field label={label}>
      {({ id }) => (
        <Select
          id={id}
          label={label}
          className="w-full"
          value={draft[name]}
          choices={choices}
          onChange={(value) => set({ [name]: value })}
        />
      )}
    </Field>
  );
  return (
    <FormDialog
      onClose={onClose}
      width={620}
      title="New annotation queue"
      description="Answers become scores of the traces or rows, each with its author."
      action="Create"
      busy={send.isPending}
      disabled={!draft.name.trim() || !draft.question.trim()}
      error={send.error}
      onSubmit={submit}
      className="grid grid-cols-2 gap-3"
    >
      {input("name", "Name")}
      {select(
        "project",
        "Project",
        projects.map((one) => ({ value: one.name, label: one.name })),
      )}
      {select("dataset", "Annotate", [
        { value: TRACES, label: "The newest traces" },
        ...sets.map((one) => ({ value: one.name, label: `Rows of ${one.name}` })),
      ])}
      {input("limit", "At most")}
      {input("question", "Question", "The name of the score.")}
      {select("kind", "Answer", KINDS)}
      {draft.kind === "categorical" && input("labels", "Labels", "With commas between them.")}
      {input("annotators", "People for each item")}
      {input("assignees", "Only for", "Addresses with commas; every editor when left out.")}
      <label className="flex items-center gap-2 self-center">
        <input
          type="checkbox"
          checked={draft.blind}
          onChange={(event) => set({ blind: event.target.checked })}
        />
        Nobody sees others' answers before all have answered
      </label>
      <Field label="Instructions" className="col-span-2">
        {(props) => (
          <TextArea
            rows={3}
            value={draft.instructions}
            onChange={(event) => set({ instructions: event.target.value })}
            {...props}
          />
        )}
      </Field>
    </FormDialog>
  );
}

const listed = (text: string) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);

function bodyOf(draft: {
  name: string;
  dataset: string;
  limit: string;
  annotators: string;
  blind: boolean;
  question: string;
  kind: string;
  labels: string;
  instructions: string;
  assignees: string;
}) {
  const bounds = draft.kind === "numeric" ? { least: 1, most: 5 } : {};
  const labels = draft.kind === "categorical" ? { labels: listed(draft.labels) } : {};
  return {
    name: draft.name.trim(),
    instructions: draft.instructions,
    rubric: [{ name: draft.question.trim(), kind: draft.kind, ...bounds, ...labels }],
    annotators: Number(draft.annotators),
    blind: draft.blind,
    assignees: listed(draft.assignees),
    source: { limit: Number(draft.limit), ...(draft.dataset ? { dataset: draft.dataset } : {}) },
  };
}
