// All annotation queues, and one of them to work through.
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMay } from "../api/may";
import { useShortcuts } from "../frame/shortcuts";
import { State } from "../ui/badge";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { ago, fullTime, plural } from "../ui/format";
import { Meter } from "../ui/meter";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { queuesQuery } from "./queries";
import { QueueDialog } from "./queue-dialog";
import { QueueView } from "./queue-view";
import type { AnnotationSearch } from "./search";

export function AnnotationPage() {
  const search = useSearch({ from: "/frame/annotation" });
  const navigate = useNavigate();
  const may = useMay();
  const open = (next: AnnotationSearch) =>
    navigate({ to: "/annotation", search: (old) => ({ ...old, ...next }) });
  const queues = useQuery(queuesQuery(search.project));
  const writes = may.somewhere("editor");
  useShortcuts([
    {
      keys: "n",
      label: "New queue",
      group: "Annotation",
      run: () => writes && open({ create: true }),
    },
  ]);
  if (search.queue)
    return <QueueView key={search.queue} id={search.queue} search={search} onOpen={open} />;
  const create = writes && (
    <Button tone="primary" icon="plus" onClick={() => open({ create: true })}>
      New queue
    </Button>
  );
  return (
    <div className="pb-10">
      {queues.error && !queues.data ? (
        <Failure error={queues.error} onRetry={queues.refetch} className="m-4" />
      ) : !queues.data ? (
        <Lines />
      ) : queues.data.length === 0 ? (
        <Empty title="No annotation queues yet" action={create}>
          <p>
            People answer the same questions about rows of a data set or about traces, two of them
            blind if you like; how far they agree is told with an interval, and who differs settles.
          </p>
          <CodeBlock
            className="mt-3"
            text="stockpot annotate create tasting --dataset menu --annotators 2"
          />
        </Empty>
      ) : (
        <>
          <div className="flex items-center px-4 py-2">
            <p className="mr-auto text-ink-2">{plural(queues.data.length, "queue")}</p>
            {create}
          </div>
          <Table
            label="Annotation queues"
            min={680}
            head={[
              { title: "Name" },
              { title: "Of" },
              { title: "Answered" },
              { title: "Disputed", num: true },
              { title: "State" },
              { title: "Made", num: true },
            ]}
          >
            {queues.data.map((queue) => {
              const { progress } = queue;
              const done = progress.items - progress.open;
              return (
                <tr key={queue.id} className={ROW}>
                  <Cell className="max-w-[240px] truncate">
                    <button
                      type="button"
                      className="font-medium hover:underline"
                      onClick={() => open({ queue: queue.id })}
                    >
                      {queue.name}
                    </button>{" "}
                    <span className="text-ink-3">{queue.project}</span>
                  </Cell>
                  <Cell className="max-w-[180px] truncate text-ink-2">
                    {queue.dataset ? `${queue.dataset} v${queue.dataset_version}` : "traces"}
                  </Cell>
                  <Cell className="whitespace-nowrap">
                    <span className="inline-flex items-center gap-2">
                      <span className="inline-block w-20">
                        <Meter label={`Answered of ${queue.name}`} share={done / progress.items} />
                      </span>
                      {done} of {progress.items}
                    </span>
                  </Cell>
                  <Cell num>{progress.disputed}</Cell>
                  <Cell>
                    <State tone={queue.state === "open" ? "accent" : "mute"}>{queue.state}</State>
                  </Cell>
                  <Cell num className="text-ink-2" title={fullTime(queue.created_ms)}>
                    {ago(queue.created_ms)}
                  </Cell>
                </tr>
              );
            })}
          </Table>
        </>
      )}
      {search.create && (
        <QueueDialog
          project={search.project ?? "default"}
          onClose={() => open({ create: undefined })}
          onMade={(queue) => open({ create: undefined, queue: queue.id })}
        />
      )}
    </div>
  );
}
