import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import { useMay } from "../api/may";
import { keysQuery, modelsQuery, projectsQuery } from "../api/queries";
import type { AccessRequest } from "../api/types";
import { Field, Input, TextArea } from "../ui/field";
import { FormDialog } from "../ui/form-dialog";
import { money } from "../ui/format";
import { Segments } from "../ui/segments";
import { Select } from "../ui/select";
import { toast } from "../ui/toast";
import { capOf, type Draft, newRequest, problems, targets } from "./asking";

/** Asks for a model or for more budget; somebody else decides. */
export function AskDialog({ keyId, onClose }: { keyId?: string; onClose: () => void }) {
  const client = useQueryClient();
  const may = useMay();
  const { data: keys = [] } = useQuery(keysQuery);
  const { data: projects = [] } = useQuery(projectsQuery);
  const { data: models = [] } = useQuery(modelsQuery);
  const [draft, setDraft] = useState<Draft>({
    kind: keys.some((key) => key.id === keyId && key.budget) ? "budget" : "model",
    target: keyId ? `key:${keyId}` : "",
    model: "",
    dollars: "",
    reason: "",
  });
  const [shown, setShown] = useState(false);
  const change = (next: Partial<Draft>) => setDraft({ ...draft, ...next });
  const choices = targets(draft.kind, keys, projects, may);
  const target = choices.some((one) => one.value === draft.target) ? draft.target : "";
  const cap = capOf(target, keys, projects);
  const allowed = keys.find((key) => `key:${key.id}` === target)?.models ?? [];
  const wrong = problems({ ...draft, target }, cap);
  const send = useMutation({
    mutationFn: () =>
      call<AccessRequest>("/api/v1/requests", {
        method: "POST",
        body: newRequest({ ...draft, target }),
      }),
    onSuccess: (request) => {
      client.invalidateQueries({ queryKey: ["requests"] });
      toast({ text: `Asked. An admin of ${request.project} decides.` });
      onClose();
    },
  });
  const submit = () => {
    setShown(true);
    if (Object.keys(wrong).length === 0) send.mutate();
  };
  return (
    <FormDialog
      onClose={onClose}
      title="Ask for access"
      description="An approval takes effect at once; you see here what was decided, and why."
      action="Ask"
      busy={send.isPending}
      disabled={choices.length === 0}
      error={send.error}
      onSubmit={submit}
      className="flex flex-col gap-4"
    >
      <Segments
        label="What to ask for"
        value={draft.kind}
        choices={[
          { value: "model", label: "A model" },
          { value: "budget", label: "More budget" },
        ]}
        onChange={(kind) => change({ kind })}
      />
      {choices.length === 0 ? (
        <p className="text-ink-2">
          {draft.kind === "model"
            ? "None of your keys is bounded to certain models: each may use all."
            : "None of your keys and projects has a cap that could be raised."}
        </p>
      ) : (
        <>
          <div className="grid grid-cols-2 gap-3">
            <Field
              label={draft.kind === "model" ? "For the key" : "For"}
              error={shown ? wrong.target : undefined}
            >
              {({ id }) => (
                <Select
                  id={id}
                  label={draft.kind === "model" ? "For the key" : "For"}
                  className="w-full"
                  value={target}
                  placeholder="Choose"
                  onChange={(value) => change({ target: value })}
                  choices={choices}
                />
              )}
            </Field>
            {draft.kind === "model" ? (
              <Field label="Model" error={shown ? wrong.model : undefined}>
                {({ id }) => (
                  <Select
                    id={id}
                    label="Model"
                    className="w-full"
                    value={draft.model}
                    placeholder="Choose"
                    onChange={(model) => change({ model })}
                    choices={models
                      .filter((model) => !allowed.includes(model.name))
                      .map((model) => ({ value: model.name, label: model.name }))}
                  />
                )}
              </Field>
            ) : (
              <Field
                label="New cap, dollars"
                error={shown ? wrong.dollars : undefined}
                hint={cap === undefined ? undefined : `${money(cap)} now; its period stays.`}
              >
                {(props) => (
                  <Input
                    inputMode="decimal"
                    value={draft.dollars}
                    onChange={(event) => change({ dollars: event.target.value })}
                    {...props}
                  />
                )}
              </Field>
            )}
          </div>
          <Field label="Reason" error={shown ? wrong.reason : undefined}>
            {(props) => (
              <TextArea
                rows={3}
                maxLength={2000}
                value={draft.reason}
                onChange={(event) => change({ reason: event.target.value })}
                {...props}
              />
            )}
          </Field>
        </>
      )}
    </FormDialog>
  );
}
