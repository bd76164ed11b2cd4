// Choosing the data set that some traces become rows of.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import type { RowsAdded } from "../api/types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { Select } from "../ui/select";
import { Failure, Lines } from "../ui/states";
import { toast } from "../ui/toast";
import { change, datasetsQuery } from "./queries";
import { whatBecame } from "./words";

interface Props {
  project: string;
  traceIds: readonly string[];
  onClose: () => void;
}

const NEW = "";

export function AddToDataset({ project, traceIds, onClose }: Props) {
  const client = useQueryClient();
  const sets = useQuery(datasetsQuery(project));
  const [chosen, setChosen] = useState<string | null>(null);
  const [name, setName] = useState("");
  const [split, setSplit] = useState("");
  const first = sets.data?.[0]?.name ?? NEW;
  const target = chosen ?? first;
  const send = useMutation({
    mutationFn: async () => {
      if (target === NEW) {
        const body = { name: name.trim() };
        await call("/api/v1/datasets", { method: "POST", query: { project }, body });
      }
      const which = { project, name: target === NEW ? name.trim() : target };
      const body = { trace_ids: traceIds, split };
      return change<RowsAdded>(client, which, "/from-traces", body);
    },
    onSuccess: (done) => {
      toast({ tone: done.version ? "ok" : "warn", text: whatBecame(done) });
      onClose();
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      width={440}
      title="Add to data set"
      description="Its input, and what is expected: the correction where there is one, else the output."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            tone="primary"
            busy={send.isPending}
            disabled={!sets.data || (target === NEW && !name.trim())}
            onClick={() => send.mutate()}
          >
            Add
          </Button>
        </>
      }
    >
      {sets.error ? (
        <Failure error={sets.error} onRetry={sets.refetch} />
      ) : !sets.data ? (
        <Lines rows={2} />
      ) : (
        <div className="grid grid-cols-2 gap-3">
          <Field label="Data set">
            {({ id }) => (
              <Select
                id={id}
                label="Data set"
                className="w-full"
                value={target}
                onChange={setChosen}
                choices={[
                  ...sets.data.map((one) => ({ value: one.name, label: one.name })),
                  { value: NEW, label: "A new one" },
                ]}
              />
            )}
          </Field>
          {target === NEW && (
            <Field label="Its name">
              {(props) => (
                <Input value={name} onChange={(event) => setName(event.target.value)} {...props} />
              )}
            </Field>
          )}
          <Field label="Split" hint="Such as test; none when left out.">
            {(props) => (
              <Input value={split} onChange={(event) => setSplit(event.target.value)} {...props} />
            )}
          </Field>
        </div>
      )}
      {send.error && <Failure error={send.error} className="mt-4" />}
    </Dialog>
  );
}
