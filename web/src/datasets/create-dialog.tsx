import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import { projectsQuery } from "../api/queries";
import type { Dataset } from "../api/types";
import { Field, Input, TextArea } from "../ui/field";
import { FormDialog } from "../ui/form-dialog";
import { Select } from "../ui/select";

interface Props {
  project: string;
  onClose: () => void;
  onMade: (set: Dataset) => void;
}

export function CreateDialog({ project, onClose, onMade }: Props) {
  const client = useQueryClient();
  const { data: projects = [] } = useQuery(projectsQuery);
  const [draft, setDraft] = useState({ name: "", description: "", project });
  const send = useMutation({
    mutationFn: () =>
      call<Dataset>("/api/v1/datasets", {
        method: "POST",
        query: { project: draft.project },
        body: { name: draft.name.trim(), description: draft.description },
      }),
    onSuccess: (set) => {
      client.invalidateQueries({ queryKey: ["datasets"] });
      onMade(set);
    },
  });
  const submit = () => {
    send.mutate();
  };
  return (
    <FormDialog
      onClose={onClose}
      title="New data set"
      description="It is empty at first; rows come from traces, feedback or a file."
      action="Create"
      busy={send.isPending}
      disabled={!draft.name.trim()}
      error={send.error}
      onSubmit={submit}
      className="grid grid-cols-2 gap-3"
    >
      <Field label="Name" hint="Letters, digits and . _ -">
        {(props) => (
          <Input
            value={draft.name}
            maxLength={100}
            onChange={(event) => setDraft({ ...draft, name: event.target.value })}
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
            value={draft.project}
            onChange={(value) => setDraft({ ...draft, project: value })}
            choices={projects.map((one) => ({ value: one.name, label: one.name }))}
          />
        )}
      </Field>
      <Field label="What is in it" className="col-span-2">
        {(props) => (
          <TextArea
            rows={2}
            value={draft.description}
            onChange={(event) => setDraft({ ...draft, description: event.target.value })}
            {...props}
          />
        )}
      </Field>
    </FormDialog>
  );
}
