import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api/client";
import { Field, Input } from "../ui/field";
import { FormDialog } from "../ui/form-dialog";
import { toast } from "../ui/toast";
import { CHECKS, type Check, type CheckRun } from "./queries";

/** What the model says now is what it is held against from now on. */
export function RebaseDialog({ check, onClose }: { check: Check; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [reason, setReason] = useState("");
  const [shown, setShown] = useState(false);
  const send = useMutation({
    mutationFn: () =>
      call<CheckRun>(`/api/v1/canaries/${check.id}/rebase`, {
        method: "POST",
        body: { reason: reason.trim() },
      }),
    onSuccess: async (run) => {
      await client.invalidateQueries({ queryKey: [CHECKS] });
      toast({ text: `${check.name} has a new baseline.` });
      onClose();
      await navigate({ to: "/pipelines", search: (old) => ({ ...old, run: run.id }) });
    },
  });
  const submit = () => {
    setShown(true);
    if (reason.trim()) send.mutate();
  };
  return (
    <FormDialog
      onClose={onClose}
      title={`Accept what ${check.name} answers now`}
      description="The newest answers become the baseline in the place of the old ones, and the alarm ends. It is kept in the history and in the audit log."
      width={460}
      action="Accept"
      busy={send.isPending}
      error={send.error}
      onSubmit={submit}
    >
      <Field label="Reason" error={shown && !reason.trim() ? "Others will ask: why?" : undefined}>
        {(props) => (
          <Input
            value={reason}
            maxLength={500}
            placeholder="the vendor announced it"
            onChange={(event) => setReason(event.target.value)}
            {...props}
          />
        )}
      </Field>
    </FormDialog>
  );
}
