import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api/client";
import { modelsQuery, projectsQuery } from "../api/queries";
import type { CreatedKey, VirtualKey } from "../api/types";
import { FormDialog } from "../ui/form-dialog";
import { toast } from "../ui/toast";
import { changes, type Draft, draftOf, emptyDraft, newKey, problems } from "./draft";
import { KeyFields } from "./key-fields";

interface Props {
  known?: VirtualKey;
  onClose: () => void;
  onCreated?: (created: CreatedKey) => void;
}

/** Creates a key; with a known one, changes it. */
export function KeyDialog({ known, onClose, onCreated }: Props) {
  const client = useQueryClient();
  const scope = useSearch({ from: "/frame/keys" });
  const { data: projects = [] } = useQuery(projectsQuery);
  const { data: models = [] } = useQuery(modelsQuery);
  const [draft, setDraft] = useState<Draft>(() =>
    known
      ? draftOf(known)
      : {
          ...emptyDraft,
          project: scope.project ?? "default",
          environment: scope.environment ?? "",
        },
  );
  const [shown, setShown] = useState(false);
  const wrong = problems(draft);
  const save = useMutation({
    mutationFn: async () => {
      if (!known) return call<CreatedKey>("/api/v1/keys", { method: "POST", body: newKey(draft) });
      const path = `/api/v1/keys/${encodeURIComponent(known.id)}`;
      if (known.budget && !draft.budget.trim()) await call(`${path}/budget`, { method: "DELETE" });
      return call<VirtualKey>(path, { method: "PATCH", body: changes(draft, known) });
    },
    onSuccess: (saved) => {
      client.invalidateQueries({ queryKey: ["keys"] });
      if ("record" in saved) onCreated?.(saved);
      else {
        toast({ text: `Key ${saved.name} is changed. Workers follow within a second.` });
        onClose();
      }
    },
  });
  const submit = () => {
    setShown(true);
    if (Object.keys(wrong).length === 0) save.mutate();
  };
  return (
    <FormDialog
      onClose={onClose}
      width={640}
      title={known ? `Change ${known.name}` : "Create a key"}
      action={known ? "Save" : "Create"}
      busy={save.isPending}
      error={save.error}
      onSubmit={submit}
    >
      <KeyFields
        draft={draft}
        problems={shown ? wrong : {}}
        onChange={(next) => setDraft({ ...draft, ...next })}
        projects={projects}
        models={models}
        fixed={Boolean(known)}
      />
    </FormDialog>
  );
}
