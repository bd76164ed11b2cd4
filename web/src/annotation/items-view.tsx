// Items with what was answered; those on which annotators differ can be settled.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import { useMay } from "../api/may";
import type { AnnotationItem } from "../api/types";
import { State, type Tone } from "../ui/badge";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { Failure, Lines } from "../ui/states";
import { Cell, Table } from "../ui/table";
import { type Answers, missing } from "./answering";
import { Content } from "./content";
import { itemsQuery, pathOf, taskQuery } from "./queries";
import type { QueueProps } from "./queue-view";
import { RubricForm } from "./rubric-form";

const TONE: Record<AnnotationItem["state"], Tone> = {
  open: "mute",
  done: "ok",
  disputed: "warn",
  settled: "accent",
};

export function ItemsView({ queue }: QueueProps) {
  const may = useMay();
  const found = useQuery(itemsQuery(queue.id));
  const [settling, setSettling] = useState<AnnotationItem | null>(null);
  if (found.error && !found.data)
    return <Failure error={found.error} onRetry={found.refetch} className="m-4" />;
  if (!found.data) return <Lines />;
  const items = [...found.data.items].sort(
    (one, other) => Number(other.state === "disputed") - Number(one.state === "disputed"),
  );
  return (
    <div className="overflow-y-auto pb-8">
      <Table
        label="Items"
        min={640}
        head={[
          { title: "Item" },
          { title: "State" },
          { title: "Answers" },
          { title: "Settled" },
          { title: "Actions", hidden: true },
        ]}
      >
        {items.map((item) => (
          <tr key={item.id} className="border-b align-top hover:bg-hover">
            <Cell className="max-w-[200px] truncate py-1.5 font-mono text-xs">{item.id}</Cell>
            <Cell className="py-1.5">
              <State tone={TONE[item.state]}>{item.state}</State>
            </Cell>
            <Cell className="max-w-[420px] py-1.5">
              {item.answered.map((one) => (
                <p key={one.annotator} className="truncate">
                  <span className="text-ink-3">{one.annotator}</span> {told(one.answers)}
                </p>
              ))}
            </Cell>
            <Cell className="max-w-[260px] truncate py-1.5">
              {item.settled && (
                <>
                  {told(item.settled)} <span className="text-ink-3">{item.settled_by}</span>
                </>
              )}
            </Cell>
            <Cell className="py-1 text-right">
              {item.state !== "open" && may.project("editor", queue.project) && (
                <Button tone="ghost" onClick={() => setSettling(item)}>
                  {item.state === "disputed" ? "Settle" : "Change"}
                </Button>
              )}
            </Cell>
          </tr>
        ))}
      </Table>
      {settling && <SettleDialog queue={queue} item={settling} onClose={() => setSettling(null)} />}
    </div>
  );
}

function told(answers: Record<string, unknown>): string {
  return Object.entries(answers)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join(", ");
}

interface SettleProps {
  queue: QueueProps["queue"];
  item: AnnotationItem;
  onClose: () => void;
}

function SettleDialog({ queue, item, onClose }: SettleProps) {
  const client = useQueryClient();
  const task = useQuery(taskQuery(queue.id, item.id));
  const agreed = Object.fromEntries(
    Object.entries(item.settled ?? item.answered[0]?.answers ?? {}).filter(
      ([name]) => item.settled !== null || !item.disputed.includes(name),
    ),
  );
  const [answers, setAnswers] = useState<Answers>(agreed);
  const [note, setNote] = useState(item.note);
  const send = useMutation({
    mutationFn: () =>
      call(pathOf(queue.id, `/items/${encodeURIComponent(item.id)}/settlement`), {
        method: "PUT",
        body: { answers, note },
      }),
    onSuccess: () => {
      client.invalidateQueries({ queryKey: ["queue", queue.id] });
      onClose();
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      width={680}
      title="Settle"
      description="What you say stands beside what each annotator said."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            tone="primary"
            busy={send.isPending}
            disabled={missing(queue.rubric, answers).length > 0}
            onClick={() => send.mutate()}
          >
            Settle
          </Button>
        </>
      }
    >
      {task.data ? <Content task={task.data} /> : <Lines rows={3} />}
      <ul className="my-4 border-y py-2" aria-label="What annotators said">
        {item.answered.map((one) => (
          <li key={one.annotator}>
            <span className="text-ink-3">{one.annotator}</span> {told(one.answers)}
            {one.comment && <span className="text-ink-2"> {one.comment}</span>}
          </li>
        ))}
      </ul>
      <RubricForm
        rubric={queue.rubric}
        answers={answers}
        at={-1}
        onAnswer={(name, value) => setAnswers((old) => ({ ...old, [name]: value }))}
      />
      <Field label="Why" className="mt-4">
        {(props) => (
          <Input value={note} onChange={(event) => setNote(event.target.value)} {...props} />
        )}
      </Field>
      {send.error && <Failure error={send.error} className="mt-4" />}
    </Dialog>
  );
}
