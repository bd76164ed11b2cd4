// Making the winner permanent: the change it means, and the figures that stand as its reason.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { call } from "../api/client";
import type { components } from "../api/schema";
import type { Experiment } from "../api/types";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { Failure, Lines } from "../ui/states";
import { toast } from "../ui/toast";
import { EXPERIMENTS } from "./queries";

type Plan = components["schemas"]["ReleasePlan"];
type Released = components["schemas"]["Released"];

const WAYS: Record<Plan["way"], string> = {
  apply: "A revision of the definitions, which one worker tries first.",
  move: "The label moves at once.",
  propose: "The label is protected: the move is proposed, and somebody else approves it.",
  nothing: "It is so already: nothing would change.",
};

export function ReleaseDialog({
  experiment,
  onClose,
}: {
  experiment: Experiment;
  onClose: () => void;
}) {
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const path = `/api/v1/experiments/${experiment.name}/release`;
  const query = { project: experiment.project };
  const plan = useQuery({
    queryKey: [EXPERIMENTS, "release", experiment.project, experiment.name],
    queryFn: ({ signal }) => call<Plan>(path, { query, signal }),
    staleTime: 0,
    retry: false,
  });
  const send = useMutation({
    mutationFn: () =>
      call<Released>(path, {
        method: "POST",
        query,
        body: { expect: plan.data?.expect, reason: reason.trim() },
      }),
    onSuccess: (made) => {
      client.invalidateQueries({ queryKey: [EXPERIMENTS] });
      toast({ text: `${made.text}.`, tone: "ok" });
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  const idle = !plan.data || plan.data.way === "nothing";
  return (
    <Dialog
      open
      onClose={onClose}
      width={640}
      title={`Make ${experiment.winner} permanent`}
      description={plan.data ? WAYS[plan.data.way] : "What it would change."}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" type="submit" form="release" busy={send.isPending} disabled={idle}>
            {plan.data?.way === "propose" ? "Propose it" : "Make it permanent"}
          </Button>
        </>
      }
    >
      {plan.error ? (
        <Failure error={plan.error} />
      ) : plan.data ? (
        <form id="release" onSubmit={submit} className="space-y-3">
          <CodeBlock label="Copy the change" text={plan.data.text} />
          {plan.data.conflicts.map((conflict) => (
            <p key={conflict} className="text-warn">
              {conflict}
            </p>
          ))}
          <p className="text-ink-2">{plan.data.reason}</p>
          <Field label="Reason" hint="Kept with these figures">
            {(props) => (
              <Input
                {...props}
                value={reason}
                onChange={(event) => setReason(event.target.value)}
              />
            )}
          </Field>
          {send.error && <Failure error={send.error} />}
        </form>
      ) : (
        <Lines rows={4} />
      )}
    </Dialog>
  );
}
