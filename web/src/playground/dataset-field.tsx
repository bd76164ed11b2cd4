// Variables out of a data set: step from row to row, or run every column over many of them.
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { call } from "../api/client";
import { Button } from "../ui/button";
import { Input } from "../ui/field";
import { NativeSelect } from "../ui/native-select";
import { setVariables, useBoard } from "./board-store";
import { runGrid, stopGrid, useGrid } from "./grid-store";
import { type Row, wordsOf } from "./rows";

interface Dataset {
  name: string;
  version: { number: number; rows: number } | null;
}

const PAGE = 100;

export default function DatasetField({
  project = "default",
  dataset,
}: {
  project: string | undefined;
  dataset: string | undefined;
}) {
  const navigate = useNavigate();
  const { data: sets } = useQuery({
    queryKey: ["datasets", project],
    queryFn: ({ signal }) => call<Dataset[]>("/api/v1/datasets", { query: { project }, signal }),
    staleTime: 10_000,
  });
  if (!sets || (sets.length === 0 && !dataset)) return null;
  return (
    <div>
      <p className="mb-1 text-xs font-medium text-ink-2">Variables from a data set</p>
      <NativeSelect
        label="Data set"
        value={dataset ?? ""}
        choices={[
          { value: "", label: "none" },
          ...sets.map((one) => ({
            value: one.name,
            label: `${one.name} (${one.version?.rows ?? 0})`,
          })),
        ]}
        onChange={(name) =>
          navigate({
            to: "/playground",
            search: (old) => ({ ...old, dataset: name || undefined }),
            replace: true,
          })
        }
      />
      {dataset && <Rows key={dataset} project={project} dataset={dataset} />}
    </div>
  );
}

function Rows({ project, dataset }: { project: string; dataset: string }) {
  const [at, setAt] = useState(0);
  const [many, setMany] = useState(10);
  const running = useGrid().running;
  const { columns } = useBoard();
  const offset = Math.floor(at / PAGE) * PAGE;
  const { data } = useQuery(rowsQuery(project, dataset, offset));
  const row = data?.items[at - offset];
  useEffect(() => {
    if (row) setVariables(wordsOf(row.input));
  }, [row]);
  const total = data?.total ?? 0;
  const start = async () => {
    const query = { project, offset: 0, limit: Math.min(many, 1000) };
    const path = `/api/v1/datasets/${encodeURIComponent(dataset)}/rows`;
    const page = await call<{ items: Row[] }>(path, { query });
    runGrid(dataset, page.items, project);
  };
  return (
    <div className="mt-1.5 flex flex-col gap-1.5">
      <div className="flex items-center gap-1">
        <Button
          aria-label="Row before"
          className="w-7 !px-0"
          disabled={at === 0}
          onClick={() => setAt(at - 1)}
        >
          ‹
        </Button>
        <span className="num flex-1 text-center text-xs">
          {total ? `row ${at + 1} of ${total}` : "no rows"}
        </span>
        <Button
          aria-label="Next row"
          className="w-7 !px-0"
          disabled={at + 1 >= total}
          onClick={() => setAt(at + 1)}
        >
          ›
        </Button>
      </div>
      {row?.expected !== null && row?.expected !== undefined && (
        <p className="line-clamp-3 text-xs text-ink-3">
          Expected: {typeof row.expected === "string" ? row.expected : JSON.stringify(row.expected)}
        </p>
      )}
      <div className="flex items-center gap-1">
        {running ? (
          <Button icon="stop" className="flex-1" onClick={stopGrid}>
            Stop the run
          </Button>
        ) : (
          <Button
            icon="play"
            className="flex-1"
            disabled={total === 0}
            onClick={start}
            title={`Run ${columns.length > 1 ? "every column" : "this column"} over the first rows`}
          >
            Run over rows
          </Button>
        )}
        <Input
          type="number"
          min={1}
          max={1000}
          aria-label="How many rows"
          className="!w-16"
          value={many}
          onChange={(event) => setMany(Math.max(1, Number(event.target.value) || 1))}
        />
      </div>
    </div>
  );
}

const rowsQuery = (project: string, dataset: string, offset: number) => ({
  queryKey: ["dataset-rows", project, dataset, offset],
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    call<{ items: Row[]; total: number }>(`/api/v1/datasets/${encodeURIComponent(dataset)}/rows`, {
      query: { project, offset, limit: PAGE },
      signal,
    }),
  staleTime: 30_000,
});
