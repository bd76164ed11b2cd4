// What moving to the candidate would change, and the experiment that begins it.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { call } from "../api/client";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { Failure, Lines } from "../ui/states";
import { toast } from "../ui/toast";
import { API, SIZES } from "./queries";
import type { Proposal, SizeRun, Started } from "./types";

export function PlanDialog({ run, onClose }: { run: SizeRun; onClose: () => void }) {
  const plan = useQuery({
    queryKey: [SIZES, "plan", run.id],
    queryFn: () => call<Proposal>(`${API}/runs/${run.id}/plan`, { method: "POST", body: {} }),
    staleTime: 0,
  });
  return (
    <Dialog
      open
      onClose={onClose}
      width={680}
      title={`Move ${run.asked.alias || run.asked.baseline} to ${run.report?.recommended}`}
      description="What it would change in the definitions. Nothing is changed by looking."
      footer={<Button onClick={onClose}>Close</Button>}
    >
      {plan.error ? (
        <Failure error={plan.error} />
      ) : plan.data ? (
        <>
          <CodeBlock label="Copy the plan" text={plan.data.text} />
          {plan.data.conflicts.map((conflict) => (
            <p key={conflict} className="mt-2 text-warn">
              {conflict}
            </p>
          ))}
          <p className="mt-3 text-ink-2">
            Apply begins with a share of the traffic, as an experiment; this plan is what its end
            would make lasting.
          </p>
        </>
      ) : (
        <Lines rows={4} />
      )}
    </Dialog>
  );
}

export function ApplyDialog({ run, onClose }: { run: SizeRun; onClose: () => void }) {
  const client = useQueryClient();
  const [percent, setPercent] = useState("10");
  const [unit, setUnit] = useState("");
  const [override, setOverride] = useState("");
  const judged = run.report?.judge ?? "";
  const start = useMutation({
    mutationFn: () =>
      call<Started>(`${API}/runs/${run.id}/apply`, {
        method: "POST",
        body: { share: Number(percent) / 100, unit: unit.trim(), override: override.trim() },
      }),
    onSuccess: (made) => {
      client.invalidateQueries({ queryKey: [SIZES] });
      toast({ text: `${made.candidate} takes ${percent}% of ${made.alias}`, tone: "ok" });
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate();
  };
  const valid = Number(percent) > 0 && Number(percent) < 100;
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Give ${run.report?.recommended} a share of the traffic`}
      description="An experiment: errors and latency that are surely worse roll it back by themselves."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            tone="primary"
            type="submit"
            form="apply"
            busy={start.isPending}
            disabled={!valid}
          >
            Start the experiment
          </Button>
        </>
      }
    >
      <form id="apply" onSubmit={submit} noValidate className="flex flex-col gap-4">
        <div className="grid grid-cols-2 gap-3">
          <Field label="Percent of the traffic" error={valid ? undefined : "Between 0 and 100"}>
            {(props) => (
              <Input
                value={percent}
                inputMode="decimal"
                onChange={(event) => setPercent(event.target.value)}
                {...props}
              />
            )}
          </Field>
          <Field
            label="Whose calls stay together"
            hint="session, user or key; told by the log if empty"
          >
            {(props) => (
              <Input
                value={unit}
                placeholder="user"
                onChange={(event) => setUnit(event.target.value)}
                {...props}
              />
            )}
          </Field>
        </div>
        {judged && (
          <Field
            label="Why it may go on without a certified judge"
            hint={`The verdict rests on the judge ${judged}.`}
          >
            {(props) => (
              <Input
                value={override}
                maxLength={500}
                placeholder="fifty answers were read by hand"
                onChange={(event) => setOverride(event.target.value)}
                {...props}
              />
            )}
          </Field>
        )}
        {start.error && <Failure error={start.error} />}
      </form>
    </Dialog>
  );
}
