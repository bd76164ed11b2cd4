// One data set: which version and part of it, ways to put rows in, and its tabs.
import { useQuery } from "@tanstack/react-query";
import { withQuery } from "../api/client";
import { useMay } from "../api/may";
import type { Dataset } from "../api/types";
import { Button, buttonClass } from "../ui/button";
import { count, plural } from "../ui/format";
import { NativeSelect } from "../ui/native-select";
import { Failure, Lines } from "../ui/states";
import { Tabs } from "../ui/tabs";
import { AddRowsDialog } from "./add-rows-dialog";
import { CheckView } from "./check-view";
import { DiffView } from "./diff-view";
import { ImportDialog } from "./import-dialog";
import { LineageView } from "./lineage-view";
import { datasetQuery, pathOf, splitsQuery, versionsQuery, type Which } from "./queries";
import { RowsView } from "./rows-view";
import type { DatasetSearch, Tab } from "./search";
import { VersionsView } from "./versions-view";

export interface ViewProps {
  which: Which;
  search: DatasetSearch;
  onOpen: (next: DatasetSearch) => void;
}

export function DatasetView({ which, search, onOpen }: ViewProps) {
  const found = useQuery(datasetQuery(which));
  if (found.error && !found.data) {
    return (
      <div className="p-4">
        <Back onOpen={onOpen} />
        <Failure error={found.error} onRetry={found.refetch} className="mt-3" />
      </div>
    );
  }
  if (!found.data) return <Lines />;
  return <Loaded which={which} search={search} onOpen={onOpen} set={found.data} />;
}

function Back({ onOpen }: Pick<ViewProps, "onOpen">) {
  return (
    <Button
      tone="ghost"
      onClick={() =>
        onOpen({
          set: undefined,
          side: undefined,
          v: undefined,
          row: undefined,
          since: undefined,
          split: undefined,
          slice: undefined,
          q: undefined,
        })
      }
    >
      All data sets
    </Button>
  );
}

function Loaded({ which, search, onOpen, set }: ViewProps & { set: Dataset }) {
  const may = useMay();
  const writes = may.project("editor", which.project);
  const newest = set.version?.number;
  const version = search.v ?? newest;
  const props = { which, search, onOpen };
  return (
    <div className="flex h-full min-h-0 flex-col">
      <header className="flex flex-wrap items-center gap-2 px-4 py-2">
        <Back onOpen={onOpen} />
        <h2 className="truncate font-semibold">{set.name}</h2>
        {version && <VersionSelect {...props} newest={newest ?? 1} />}
        {version && <SplitSelect {...props} />}
        <span className="mr-auto truncate text-ink-3">
          {set.version ? plural(set.version.rows, "row") : "no rows yet"}
        </span>
        {version && (
          <a
            className={buttonClass()}
            href={withQuery(pathOf(which, "/export"), {
              project: which.project,
              version,
              split: search.split,
              slice: search.slice,
            })}
          >
            Export
          </a>
        )}
        {writes && (
          <>
            <Button icon="plus" onClick={() => onOpen({ add: "file" })}>
              Import
            </Button>
            <Button icon="plus" onClick={() => onOpen({ add: "traces" })}>
              From traces
            </Button>
            <Button icon="plus" onClick={() => onOpen({ add: "feedback" })}>
              From feedback
            </Button>
          </>
        )}
      </header>
      <div className="flex min-h-0 flex-1 flex-col [&>*]:min-h-0 [&>*]:flex-1 [&_[role=tabpanel]]:min-h-0 [&_[role=tabpanel]]:flex-1 [&_[role=tabpanel]]:overflow-y-auto">
        <Tabs
          label="Parts of this data set"
          value={search.side ?? "rows"}
          onChange={(tab) =>
            onOpen({ side: tab === "rows" ? undefined : (tab as Exclude<Tab, "rows">) })
          }
          tabs={[
            { id: "rows", label: "Rows", content: <RowsView {...props} writes={writes} /> },
            { id: "versions", label: "Versions", content: <VersionsView {...props} /> },
            { id: "diff", label: "Difference", content: <DiffView {...props} newest={newest} /> },
            { id: "check", label: "Checks", content: <CheckView {...props} writes={writes} /> },
            { id: "lineage", label: "Uses and slices", content: <LineageView {...props} /> },
          ]}
        />
      </div>
      {search.add === "file" && (
        <ImportDialog which={which} onClose={() => onOpen({ add: undefined })} />
      )}
      {(search.add === "traces" || search.add === "feedback") && (
        <AddRowsDialog which={which} from={search.add} onClose={() => onOpen({ add: undefined })} />
      )}
    </div>
  );
}

function VersionSelect({ which, search, onOpen, newest }: ViewProps & { newest: number }) {
  const { data = [] } = useQuery(versionsQuery(which));
  const choices = data.map((one) => ({
    value: String(one.number),
    label: one.number === newest ? `v${one.number}, newest` : `v${one.number}`,
  }));
  return (
    <NativeSelect
      label="Version"
      value={String(search.v ?? newest)}
      choices={choices.length > 0 ? choices : [{ value: String(newest), label: `v${newest}` }]}
      onChange={(value) =>
        onOpen({ v: Number(value) === newest ? undefined : Number(value), row: undefined })
      }
    />
  );
}

function SplitSelect({ which, search, onOpen }: ViewProps) {
  const { data = {} } = useQuery(splitsQuery(which, search.v));
  const splits = Object.entries(data).filter(([name]) => name);
  if (splits.length === 0) return null;
  return (
    <NativeSelect
      label="Split"
      value={search.split ?? ""}
      choices={[
        { value: "", label: "All splits" },
        ...splits.map(([name, rows]) => ({ value: name, label: `${name}, ${count(rows)}` })),
      ]}
      onChange={(value) => onOpen({ split: value || undefined })}
    />
  );
}
