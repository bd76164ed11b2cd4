// Every version, with what it changed and why.
import { useQuery } from "@tanstack/react-query";
import { Button } from "../ui/button";
import { ago, count, fullTime } from "../ui/format";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import type { ViewProps } from "./dataset-view";
import { versionsQuery } from "./queries";

export function VersionsView({ which, onOpen }: ViewProps) {
  const found = useQuery(versionsQuery(which));
  if (found.error && !found.data)
    return <Failure error={found.error} onRetry={found.refetch} className="m-4" />;
  if (!found.data) return <Lines />;
  if (found.data.length === 0) return <Empty title="No versions yet: it has no rows" />;
  return (
    <div className="overflow-y-auto">
      <Table
        label="Versions"
        min={700}
        head={[
          { title: "Version" },
          { title: "Rows", num: true },
          { title: "Changes" },
          { title: "Why" },
          { title: "By" },
          { title: "When", num: true },
          { title: "Content", wide: true },
          { title: "Actions", hidden: true },
        ]}
      >
        {found.data.map((one, index) => (
          <tr key={one.id} className={ROW}>
            <Cell>
              <button
                type="button"
                className="font-medium hover:underline"
                onClick={() => onOpen({ side: undefined, v: index === 0 ? undefined : one.number })}
              >
                v{one.number}
              </button>
            </Cell>
            <Cell num>{count(one.rows)}</Cell>
            <Cell className="whitespace-nowrap">
              <span className="text-ok">+{one.added}</span>{" "}
              <span className="text-warn">~{one.changed}</span>{" "}
              <span className="text-bad">-{one.removed}</span>
            </Cell>
            <Cell className="max-w-[340px] truncate" title={one.message}>
              {one.message}
            </Cell>
            <Cell className="max-w-[160px] truncate text-ink-2">{one.author}</Cell>
            <Cell num className="whitespace-nowrap text-ink-2" title={fullTime(one.created_ms)}>
              {ago(one.created_ms)}
            </Cell>
            <Cell wide className="font-mono text-xs text-ink-3" title={one.content_hash}>
              {one.content_hash.slice(0, 10)}
            </Cell>
            <Cell className="text-right">
              {one.number > 1 && (
                <Button
                  tone="ghost"
                  onClick={() =>
                    onOpen({
                      side: "diff",
                      since: found.data[index + 1]?.number,
                      v: index === 0 ? undefined : one.number,
                    })
                  }
                >
                  What changed
                </Button>
              )}
            </Cell>
          </tr>
        ))}
      </Table>
    </div>
  );
}
