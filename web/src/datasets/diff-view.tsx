// What turns one version into another: rows that came, went, and say something else.
import { useQuery } from "@tanstack/react-query";
import type { DatasetRow } from "../api/types";
import { cx } from "../ui/cx";
import { count, plural } from "../ui/format";
import { NativeSelect } from "../ui/native-select";
import { Empty, Failure, Lines } from "../ui/states";
import type { ViewProps } from "./dataset-view";
import { diffQuery, versionsQuery } from "./queries";
import { oneLine } from "./words";

export function DiffView({ which, search, onOpen, newest }: ViewProps & { newest?: number }) {
  const version = search.v ?? newest ?? 1;
  const base = search.since ?? Math.max(1, version - 1);
  const { data: versions = [] } = useQuery(versionsQuery(which));
  const found = useQuery({ ...diffQuery(which, base, version), enabled: (newest ?? 0) > 0 });
  if (!newest) return <Empty title="No versions yet: it has no rows" />;
  const diff = found.data;
  return (
    <div className="overflow-y-auto pb-8">
      <div className="flex flex-wrap items-center gap-2 px-4 py-2">
        <span className="text-ink-2">From</span>
        <NativeSelect
          label="From version"
          value={String(base)}
          choices={versions.map((one) => ({ value: String(one.number), label: `v${one.number}` }))}
          onChange={(value) => onOpen({ since: Number(value) })}
        />
        <span className="text-ink-2">to v{version}</span>
        {diff && (
          <span className="ml-2 text-ink-2">
            {count(diff.added_count)} came, {count(diff.removed_count)} went,{" "}
            {count(diff.changed_count)} changed, {plural(diff.unchanged_count, "stayed", "stayed")}
          </span>
        )}
      </div>
      {found.error ? (
        <Failure error={found.error} onRetry={found.refetch} className="m-4" />
      ) : !diff ? (
        <Lines />
      ) : diff.added_count + diff.removed_count + diff.changed_count === 0 ? (
        <Empty title="These versions hold the same rows" />
      ) : (
        <ul aria-label="Differences">
          {diff.changed.map((one) => (
            <li key={one.id} className="border-b px-4 py-2">
              <p className="truncate">{oneLine(one.after.input)}</p>
              <Side sign="-" row={one.before} what="expected" />
              <Side sign="+" row={one.after} what="expected" />
            </li>
          ))}
          {diff.added.map((row) => (
            <li key={row.id} className="border-b px-4 py-1.5">
              <Side sign="+" row={row} what="input" />
            </li>
          ))}
          {diff.removed.map((row) => (
            <li key={row.id} className="border-b px-4 py-1.5">
              <Side sign="-" row={row} what="input" />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Side({
  sign,
  row,
  what,
}: {
  sign: "+" | "-";
  row: DatasetRow;
  what: "input" | "expected";
}) {
  const told = oneLine(row[what]) || "(nothing)";
  return (
    <p
      className={cx(
        "flex gap-2 font-mono text-xs break-words",
        sign === "+" ? "text-ok" : "text-bad",
      )}
    >
      <span>{sign}</span>
      <span className="min-w-0">
        {told}
        {what === "expected" && row.split && ` (${row.split})`}
      </span>
    </p>
  );
}
