// All data sets, and one of them: its rows, versions, differences, checks and lineage.
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMay } from "../api/may";
import type { Dataset } from "../api/types";
import { useShortcuts } from "../frame/shortcuts";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { ago, compact, fullTime, NONE, plural } from "../ui/format";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { CreateDialog } from "./create-dialog";
import { DatasetView } from "./dataset-view";
import { datasetsQuery } from "./queries";
import type { DatasetSearch } from "./search";

export function DatasetsPage() {
  const search = useSearch({ from: "/frame/datasets" });
  const navigate = useNavigate();
  const open = (next: DatasetSearch & { project?: string }) =>
    navigate({ to: "/datasets", search: (old) => ({ ...old, ...next }) });
  if (search.set) {
    const which = { project: search.project ?? "default", name: search.set };
    return (
      <DatasetView
        key={`${which.project}/${which.name}`}
        which={which}
        search={search}
        onOpen={open}
      />
    );
  }
  return <All search={search} onOpen={open} />;
}

interface AllProps {
  search: DatasetSearch & { project?: string };
  onOpen: (next: DatasetSearch & { project?: string }) => void;
}

function All({ search, onOpen }: AllProps) {
  const may = useMay();
  const sets = useQuery(datasetsQuery(search.project));
  const writes = may.somewhere("editor");
  useShortcuts([
    {
      keys: "n",
      label: "New data set",
      group: "Data sets",
      run: () => writes && onOpen({ create: true }),
    },
  ]);
  const create = writes && (
    <Button tone="primary" icon="plus" onClick={() => onOpen({ create: true })}>
      New data set
    </Button>
  );
  return (
    <div className="pb-10">
      {sets.error && !sets.data ? (
        <Failure error={sets.error} onRetry={sets.refetch} className="m-4" />
      ) : !sets.data ? (
        <Lines />
      ) : sets.data.length === 0 ? (
        <Empty title="No data sets yet" action={create}>
          <p>
            Rows of what goes in and what should come out: made from traces, from what users
            corrected, or from a file. Each change makes a version that stays what it is.
          </p>
          <CodeBlock
            className="mt-3"
            text={
              "stockpot datasets create menu\nstockpot datasets from-traces menu --last 7d --limit 50"
            }
          />
        </Empty>
      ) : (
        <>
          <div className="flex items-center px-4 py-2">
            <p className="mr-auto text-ink-2">{plural(sets.data.length, "data set")}</p>
            {create}
          </div>
          <Table
            label="Data sets"
            min={640}
            head={[
              { title: "Name" },
              { title: "Description", wide: true },
              { title: "Rows", num: true },
              { title: "Version", num: true },
              { title: "Changed", num: true },
            ]}
          >
            {sets.data.map((set) => (
              <Row
                key={set.id}
                set={set}
                onOpen={() => onOpen({ set: set.name, project: set.project })}
              />
            ))}
          </Table>
        </>
      )}
      {search.create && (
        <CreateDialog
          project={search.project ?? "default"}
          onClose={() => onOpen({ create: undefined })}
          onMade={(set) => onOpen({ create: undefined, set: set.name, project: set.project })}
        />
      )}
    </div>
  );
}

function Row({ set, onOpen }: { set: Dataset; onOpen: () => void }) {
  const { version } = set;
  const at = version?.created_ms ?? set.created_ms;
  return (
    <tr className={ROW}>
      <Cell className="max-w-[260px] truncate">
        <button type="button" className="font-medium hover:underline" onClick={onOpen}>
          {set.name}
        </button>{" "}
        <span className="text-ink-3">{set.project}</span>
      </Cell>
      <Cell wide className="max-w-[420px] truncate text-ink-2">
        {set.description}
      </Cell>
      <Cell num>{version ? compact(version.rows) : 0}</Cell>
      <Cell num>{version ? `v${version.number}` : NONE}</Cell>
      <Cell num className="whitespace-nowrap text-ink-2" title={fullTime(at)}>
        {ago(at)}
      </Cell>
    </tr>
  );
}
