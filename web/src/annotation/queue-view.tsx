// One queue: work through it, see its items, see how far annotators agree.
import { useQuery } from "@tanstack/react-query";
import type { AnnotationQueue } from "../api/types";
import { Button } from "../ui/button";
import { Failure, Lines } from "../ui/states";
import { Tabs } from "../ui/tabs";
import { AgreementView } from "./agreement-view";
import { ItemsView } from "./items-view";
import { queueQuery } from "./queries";
import type { AnnotationSearch } from "./search";
import { WorkView } from "./work-view";

export interface QueueProps {
  queue: AnnotationQueue;
  search: AnnotationSearch;
  onOpen: (next: AnnotationSearch) => void;
}

interface Props {
  id: string;
  search: AnnotationSearch;
  onOpen: (next: AnnotationSearch) => void;
}

export function QueueView({ id, search, onOpen }: Props) {
  const found = useQuery(queueQuery(id));
  const back = (
    <Button
      tone="ghost"
      onClick={() => onOpen({ queue: undefined, step: undefined, item: undefined })}
    >
      All queues
    </Button>
  );
  if (found.error && !found.data)
    return (
      <div className="p-4">
        {back}
        <Failure error={found.error} onRetry={found.refetch} className="mt-3" />
      </div>
    );
  if (!found.data) return <Lines />;
  const queue = found.data;
  const { progress } = queue;
  const props = { queue, search, onOpen };
  return (
    <div className="flex h-full min-h-0 flex-col">
      <header className="flex flex-wrap items-center gap-3 px-4 py-2">
        {back}
        <h2 className="truncate font-semibold">{queue.name}</h2>
        <span className="text-ink-2">
          {progress.items - progress.open} of {progress.items} answered
          {progress.disputed > 0 && `, ${progress.disputed} disputed`}
        </span>
      </header>
      <div className="flex min-h-0 flex-1 flex-col [&>*]:min-h-0 [&>*]:flex-1 [&_[role=tabpanel]]:min-h-0 [&_[role=tabpanel]]:flex-1 [&_[role=tabpanel]]:overflow-y-auto">
        <Tabs
          label="Parts of this queue"
          value={search.step ?? "work"}
          onChange={(tab) =>
            onOpen({ step: tab === "work" ? undefined : (tab as "items"), item: undefined })
          }
          tabs={[
            { id: "work", label: "Annotate", content: <WorkView {...props} /> },
            { id: "items", label: "Items", content: <ItemsView {...props} /> },
            { id: "agreement", label: "Agreement", content: <AgreementView {...props} /> },
          ]}
        />
      </div>
    </div>
  );
}
