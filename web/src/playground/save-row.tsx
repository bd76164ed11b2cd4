// A question and its answer as a row of a data set.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { parseJson } from "../api/chat";
import { ApiError, call } from "../api/client";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input, TextArea } from "../ui/field";
import { Failure } from "../ui/states";
import { toast } from "../ui/toast";
import { type Column, messageOf, typed } from "./board";
import { current } from "./board-store";

interface Props {
  column: Column;
  project: string | undefined;
  onClose: () => void;
}

/** The variables where there are some, else the messages up to the last question. */
export function inputOf(column: Column, variables: Record<string, string>): object {
  const named = Object.entries(variables).filter(([, value]) => value !== "");
  if (named.length > 0)
    return Object.fromEntries(named.map(([name, value]) => [name, typed(value)]));
  const at = column.turns.findLastIndex(({ role }) => role !== "assistant" && role !== "tool");
  return { messages: column.turns.slice(0, at + 1).map((turn) => messageOf(turn, variables)) };
}

export default function SaveRow({ column, project = "default", onClose }: Props) {
  const client = useQueryClient();
  const { data: sets = [] } = useQuery({
    queryKey: ["datasets", project],
    queryFn: () => call<{ name: string }[]>("/api/v1/datasets", { query: { project } }),
  });
  const answer = column.turns.findLast(({ role }) => role === "assistant");
  const [name, setName] = useState(sets[0]?.name ?? "");
  const [input, setInput] = useState(() =>
    JSON.stringify(inputOf(column, current().variables), null, 2),
  );
  const [expected, setExpected] = useState(answer?.text ?? "");
  const bad = typeof parseJson(input) !== "object";
  const save = useMutation({
    mutationFn: async () => {
      const rows = [
        {
          input: parseJson(input),
          expected: expected || null,
          source_trace: answer?.result?.traceId ?? "",
        },
      ];
      const path = `/api/v1/datasets/${encodeURIComponent(name)}/rows`;
      const add = () =>
        call(path, {
          method: "POST",
          query: { project },
          body: { rows, message: "from the playground" },
        });
      try {
        await add();
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 404) throw error;
        await call("/api/v1/datasets", { method: "POST", query: { project }, body: { name } });
        await add();
      }
    },
    onSuccess: () => {
      toast({ text: `The row is in ${name}.` });
      client.invalidateQueries({ queryKey: ["datasets"] });
      client.invalidateQueries({ queryKey: ["dataset-rows"] });
      onClose();
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title="Save as a data set row"
      description="The row keeps the trace that it comes from."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            tone="primary"
            busy={save.isPending}
            disabled={!name || bad}
            onClick={() => save.mutate()}
          >
            Save the row
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {save.error && <Failure error={save.error} />}
        <Field label="Data set" hint="A name that is not there yet makes a new data set.">
          {(props) => (
            <Input
              list="known-datasets"
              value={name}
              placeholder="menu-golden"
              onChange={(event) => setName(event.target.value.trim())}
              {...props}
            />
          )}
        </Field>
        <datalist id="known-datasets">
          {sets.map((one) => (
            <option key={one.name} value={one.name} />
          ))}
        </datalist>
        <Field label="Input" error={bad ? "This is no JSON object." : undefined}>
          {(props) => (
            <TextArea
              rows={8}
              className="font-mono text-xs"
              value={input}
              onChange={(event) => setInput(event.target.value)}
              {...props}
            />
          )}
        </Field>
        <Field label="Expected answer" hint="Edit it to what the answer should have been.">
          {(props) => (
            <TextArea
              rows={6}
              value={expected}
              onChange={(event) => setExpected(event.target.value)}
              {...props}
            />
          )}
        </Field>
      </div>
    </Dialog>
  );
}
