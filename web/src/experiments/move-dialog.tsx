// Ramp, stop, or lift a rollback: with a reason, which stands with the decision.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import type { Experiment } from "../api/types";
import { Field, Input } from "../ui/field";
import { FormDialog } from "../ui/form-dialog";
import { toast } from "../ui/toast";
import { EXPERIMENTS } from "./queries";
import { share } from "./words";

type Move = "ramp" | "stop" | "lift";

const SAID: Record<Move, { title: string; action: string; description: string }> = {
  ramp: {
    title: "Ramp",
    action: "Ramp",
    description: "Another share of the units takes part; nobody changes the arm.",
  },
  stop: {
    title: "Stop",
    action: "Stop",
    description: "Everybody is served as if there were no experiment. It can be started again.",
  },
  lift: {
    title: "Lift the rollback of",
    action: "Lift",
    description: "It was rolled back because a guardrail was broken. Afterwards it can be started.",
  },
};

interface Props {
  experiment: Experiment;
  move: Move;
  onClose: () => void;
}

export function MoveDialog({ experiment, move, onClose }: Props) {
  const client = useQueryClient();
  const next = experiment.ramp.find((stage) => stage.share > experiment.share);
  const [part, setPart] = useState(String((next?.share ?? 10_000) / 100));
  const [reason, setReason] = useState("");
  const wanted = Math.round(Number(part) * 100);
  const wrong = move === "ramp" && !(wanted >= 1 && wanted <= 10_000);
  const send = useMutation({
    mutationFn: () =>
      call<Experiment>(`/api/v1/experiments/${experiment.name}/${move}`, {
        method: "POST",
        query: { project: experiment.project },
        body: { reason: reason.trim(), ...(move === "ramp" ? { share: wanted } : {}) },
      }),
    onSuccess: (made) => {
      client.invalidateQueries({ queryKey: [EXPERIMENTS] });
      toast({
        text:
          move === "ramp"
            ? `${share(made.share)} of the units take part in ${made.name}.`
            : move === "stop"
              ? `${made.name} is stopped.`
              : `${made.name} may be started again.`,
      });
      onClose();
    },
  });
  const submit = () => {
    if (!wrong) send.mutate();
  };
  const said = SAID[move];
  return (
    <FormDialog
      onClose={onClose}
      title={`${said.title} ${experiment.name}`}
      description={said.description}
      width={460}
      action={said.action}
      tone={move === "stop" ? "danger" : "primary"}
      busy={send.isPending}
      error={send.error}
      onSubmit={submit}
      className="space-y-3"
    >
      {move === "ramp" && (
        <Field
          label="Taking part, in %"
          hint={`Now ${share(experiment.share)}`}
          error={wrong ? "A share lies between 0.01 and 100 %." : undefined}
        >
          {(props) => (
            <Input
              {...props}
              inputMode="decimal"
              value={part}
              onChange={(event) => setPart(event.target.value)}
            />
          )}
        </Field>
      )}
      <Field label="Reason" hint="Kept with the decision">
        {(props) => (
          <Input {...props} value={reason} onChange={(event) => setReason(event.target.value)} />
        )}
      </Field>
    </FormDialog>
  );
}
