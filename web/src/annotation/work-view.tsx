// The keyboard-first screen: digits answer, Enter goes on, k looks back, u leaves an item to others.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { call } from "../api/client";
import { needs, useMay } from "../api/may";
import type { AnnotationTask } from "../api/types";
import { useShortcuts } from "../frame/shortcuts";
import { Button } from "../ui/button";
import { Field, TextArea } from "../ui/field";
import { Kbd } from "../ui/kbd";
import { Empty, Failure, Lines } from "../ui/states";
import { toast, toastError } from "../ui/toast";
import { type Answers, current, missing, typed } from "./answering";
import { Content } from "./content";
import { pathOf } from "./queries";
import type { QueueProps } from "./queue-view";
import { RubricForm } from "./rubric-form";

export function WorkView({ queue, search, onOpen }: QueueProps) {
  const may = useMay();
  const client = useQueryClient();
  const [task, setTask] = useState<AnnotationTask | null | undefined>(undefined);
  const [answers, setAnswers] = useState<Answers>({});
  const [comment, setComment] = useState("");
  const [seen, setSeen] = useState<string[]>([]);
  const started = useRef(false);
  const show = (found: AnnotationTask | null) => {
    setTask(found);
    setAnswers(found?.mine?.answers ?? {});
    setComment(found?.mine?.comment ?? "");
    if (found) {
      const { id } = found.item;
      setSeen((old) => (old.includes(id) ? old : [...old, id]));
    }
  };
  const take = useMutation({
    mutationFn: () => call<AnnotationTask | null>(pathOf(queue.id, "/next"), { method: "POST" }),
    onSuccess: show,
  });
  const look = useMutation({
    mutationFn: (item: string) =>
      call<AnnotationTask>(pathOf(queue.id, `/items/${encodeURIComponent(item)}`)),
    onSuccess: show,
  });
  const itemPath = (more: string) =>
    pathOf(queue.id, `/items/${encodeURIComponent(task?.item.id ?? "")}${more}`);
  const goOn = () => {
    client.invalidateQueries({ queryKey: ["queue", queue.id] });
    if (search.item) onOpen({ item: undefined });
    take.mutate();
  };
  const save = useMutation({
    mutationFn: () => call(itemPath("/answers"), { method: "PUT", body: { answers, comment } }),
    onSuccess: goOn,
    onError: toastError,
  });
  const skip = useMutation({
    mutationFn: () => call(itemPath("/skip"), { method: "POST" }),
    onSuccess: goOn,
    onError: toastError,
  });
  const allowed = may.project("editor", queue.project) && queue.state === "open";
  useEffect(() => {
    if (started.current || !allowed) return;
    started.current = true;
    if (search.item) look.mutate(search.item);
    else take.mutate();
  });
  const lacking = missing(queue.rubric, answers);
  const finished = task !== undefined && task !== null && task.item.state !== "open";
  const submit = () => {
    if (!task || finished || save.isPending) return;
    if (lacking.length > 0) toast({ tone: "warn", text: `${lacking[0]} needs an answer.` });
    else save.mutate();
  };
  const at = current(queue.rubric, answers);
  const back = (by: number) => {
    const next = seen[seen.indexOf(task?.item.id ?? "") + by];
    if (next) look.mutate(next);
  };
  const group = "Annotation";
  useShortcuts([
    ...Array.from({ length: 9 }, (_, digit) => ({
      keys: String(digit + 1),
      label: "Answer",
      group,
      hidden: digit > 0,
      run: () =>
        setAnswers((old) => typed(queue.rubric[current(queue.rubric, old)], old, digit + 1)),
    })),
    { keys: "Enter", label: "Save and go on", group, run: submit },
    {
      keys: "u",
      label: "Leave it to others",
      group,
      run: () => task && !finished && skip.mutate(),
    },
    { keys: "j", label: "Forward among those I saw", group, run: () => back(1) },
    { keys: "k", label: "Back among those I saw", group, run: () => back(-1) },
    { keys: "x", label: "Clear my answers", group, run: () => setAnswers({}) },
  ]);
  if (queue.state === "closed")
    return <Empty title="This queue is closed">Nothing is handed out any more.</Empty>;
  if (!allowed)
    return (
      <Empty title="You may look, not answer">
        {needs("editor", `the project ${queue.project}`)}
      </Empty>
    );
  const failed = take.error ?? look.error;
  if (failed) return <Failure error={failed} onRetry={() => take.mutate()} className="m-4" />;
  if (task === undefined) return <Lines />;
  if (task === null) return <NothingLeft queue={queue} onOpen={onOpen} />;
  return (
    <div className="flex h-full min-h-0 max-wide:flex-col">
      <section aria-label="Item" className="min-h-0 min-w-0 flex-1 overflow-y-auto px-4 py-4">
        <p className="mb-3 flex items-center gap-3 text-xs text-ink-3">
          Item {task.item.position + 1} of {queue.progress.items}
          {task.item.trace_id && (
            <Link
              to="/traces/$traceId"
              params={{ traceId: task.item.trace_id }}
              search={{ span: task.item.span_id || undefined }}
              className="text-accent underline underline-offset-2"
            >
              Its trace
            </Link>
          )}
        </p>
        <Content task={task} />
      </section>
      <aside
        aria-label="Answers"
        className="flex w-[380px] shrink-0 flex-col gap-4 overflow-y-auto border-l bg-panel px-4 py-4 max-wide:w-full max-wide:border-t max-wide:border-l-0"
      >
        {queue.instructions && (
          <p className="text-sm break-words whitespace-pre-wrap text-ink-2">{queue.instructions}</p>
        )}
        <RubricForm
          rubric={queue.rubric}
          answers={answers}
          at={at}
          onAnswer={(name, value) => setAnswers((old) => ({ ...old, [name]: value }))}
        />
        <Field label="Comment">
          {(props) => (
            <TextArea
              rows={2}
              value={comment}
              onChange={(event) => setComment(event.target.value)}
              {...props}
            />
          )}
        </Field>
        {finished ? (
          <div className="flex items-center gap-2">
            <span className="text-ink-2">All have answered this one.</span>
            <Button onClick={() => take.mutate()}>Go on</Button>
          </div>
        ) : (
          <div className="flex gap-2">
            <Button tone="primary" busy={save.isPending} onClick={submit}>
              Save and go on
            </Button>
            <Button busy={skip.isPending} onClick={() => skip.mutate()}>
              Leave to others
            </Button>
          </div>
        )}
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-ink-3">
          <span>
            <Kbd>1</Kbd> to <Kbd>9</Kbd> answer
          </span>
          <span>
            <Kbd>Enter</Kbd> go on
          </span>
          <span>
            <Kbd>u</Kbd> leave
          </span>
          <span>
            <Kbd>k</Kbd> <Kbd>j</Kbd> back, forward
          </span>
          <span>
            <Kbd>x</Kbd> clear
          </span>
        </p>
      </aside>
    </div>
  );
}

function NothingLeft({ queue, onOpen }: Pick<QueueProps, "queue" | "onOpen">) {
  const { disputed, open } = queue.progress;
  return (
    <Empty
      title={open > 0 ? "Nothing waits for you" : "All of it is answered"}
      action={
        <Button onClick={() => onOpen({ step: disputed > 0 ? "items" : "agreement" })}>
          {disputed > 0 ? `Settle ${disputed} disputed` : "See how far annotators agree"}
        </Button>
      }
    >
      {open > 0 && <p>{open} still wait for other people, or are at somebody now.</p>}
    </Empty>
  );
}
