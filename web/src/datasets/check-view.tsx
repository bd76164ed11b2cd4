// Near-duplicates, and rows of one split that stand in another; and telling rows apart into splits.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { DatasetCheck, RowsAdded } from "../api/types";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { count, plural } from "../ui/format";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, Table } from "../ui/table";
import { toast, toastError } from "../ui/toast";
import type { ViewProps } from "./dataset-view";
import { change, checkQuery } from "./queries";
import { whatBecame } from "./words";

export function CheckView({ which, search, onOpen, writes }: ViewProps & { writes: boolean }) {
  const client = useQueryClient();
  const found = useQuery({ ...checkQuery(which, search.v, 0.8), retry: false });
  const split = useMutation({
    mutationFn: () => change<RowsAdded>(client, which, "/split", {}),
    onSuccess: (done) => toast({ text: whatBecame(done) }),
    onError: toastError,
  });
  if (found.error) return <Failure error={found.error} onRetry={found.refetch} className="m-4" />;
  if (!found.data) return <Lines />;
  const check = found.data;
  return (
    <div className="overflow-y-auto pb-8">
      <div className="flex flex-wrap items-center gap-3 px-4 py-3">
        <p>
          <b className="font-medium">{plural(check.pairs_count, "near-duplicate")}</b> among{" "}
          {plural(check.rows, "row")},{" "}
          <b className={check.contaminated_count > 0 ? "font-medium text-bad" : "font-medium"}>
            {count(check.contaminated_count)} over splits
          </b>
        </p>
        {writes && search.v === undefined && (
          <Button className="ml-auto" busy={split.isPending} onClick={() => split.mutate()}>
            Split 80 to 20
          </Button>
        )}
      </div>
      {check.pairs_count === 0 ? (
        <Empty title="No two rows are nearly the same" />
      ) : (
        <Pairs check={check} onOpen={onOpen} />
      )}
      <p className="px-4 pt-3 text-xs text-ink-3">
        {check.method}. Pairs of at least {Math.round(check.threshold * 100)}% are told.
      </p>
    </div>
  );
}

function Pairs({ check, onOpen }: { check: DatasetCheck; onOpen: ViewProps["onOpen"] }) {
  return (
    <Table
      label="Near-duplicates"
      min={680}
      head={[{ title: "Alike", num: true }, { title: "One" }, { title: "Other" }]}
    >
      {check.pairs.map((pair) => (
        <tr key={`${pair.one} ${pair.other}`} className="border-b align-top hover:bg-hover">
          <Cell num className="py-1.5">
            {Math.round(pair.similarity * 100)}%
          </Cell>
          {(["one", "other"] as const).map((side) => (
            <Cell key={side} className="max-w-[420px] py-1.5">
              <button
                type="button"
                className="block w-full truncate text-left hover:underline"
                onClick={() => onOpen({ side: undefined, row: pair[side] })}
              >
                {pair[`${side}_preview`] || pair[side]}
              </button>
              {pair[`${side}_split`] && (
                <Badge tone={pair.one_split === pair.other_split ? "mute" : "bad"}>
                  {pair[`${side}_split`]}
                </Badge>
              )}
            </Cell>
          ))}
        </tr>
      ))}
    </Table>
  );
}
