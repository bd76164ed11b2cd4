// What used which version, and the named parts of a data set.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useMay } from "../api/may";
import type { DatasetSlice } from "../api/types";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";
import { ago } from "../ui/format";
import { Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { toast } from "../ui/toast";
import type { ViewProps } from "./dataset-view";
import { change, slicesQuery, usesQuery } from "./queries";
import { typedValue } from "./words";

export function LineageView(props: ViewProps) {
  return (
    <div className="grid grid-cols-2 gap-8 overflow-y-auto px-4 py-4 max-wide:grid-cols-1">
      <Uses {...props} />
      <Slices {...props} />
    </div>
  );
}

function Uses({ which }: ViewProps) {
  const found = useQuery(usesQuery(which));
  return (
    <section>
      <h3 className="mb-2 font-semibold">Used by</h3>
      {found.error ? (
        <Failure error={found.error} onRetry={found.refetch} />
      ) : !found.data ? (
        <Lines rows={3} />
      ) : found.data.length === 0 ? (
        <p className="text-ink-2">
          Nothing yet. Evaluation runs and annotation queues stand here, with the version they used.
        </p>
      ) : (
        <Table
          label="Uses"
          min={320}
          head={[{ title: "What" }, { title: "Version", num: true }, { title: "When", num: true }]}
        >
          {found.data.map((use) => (
            <tr key={`${use.kind} ${use.ref} ${use.number}`} className={ROW}>
              <Cell>
                {use.kind === "annotation" ? (
                  <Link
                    to="/annotation"
                    search={{ queue: use.ref }}
                    className="font-medium hover:underline"
                  >
                    {use.label || use.ref}
                  </Link>
                ) : use.kind === "run" ? (
                  <Link
                    to="/evals"
                    search={{ run: use.ref }}
                    className="font-medium hover:underline"
                  >
                    {use.label || use.ref}
                  </Link>
                ) : (
                  <span className="font-medium">{use.label || use.ref}</span>
                )}{" "}
                <span className="text-ink-3">{use.kind}</span>
              </Cell>
              <Cell num>v{use.number}</Cell>
              <Cell num className="text-ink-2">
                {ago(use.created_ms)}
              </Cell>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}

function Slices({ which, onOpen }: ViewProps) {
  const client = useQueryClient();
  const may = useMay();
  const writes = may.project("editor", which.project);
  const found = useQuery(slicesQuery(which));
  const [draft, setDraft] = useState({ name: "", field: "metadata.", value: "" });
  const save = useMutation({
    mutationFn: () => {
      const condition = { field: draft.field, op: "eq", value: typedValue(draft.value) };
      const path = `/slices/${encodeURIComponent(draft.name)}`;
      return change<DatasetSlice>(client, which, path, { conditions: [condition] }, "PUT");
    },
    onSuccess: (made) => {
      setDraft({ name: "", field: "metadata.", value: "" });
      toast({ text: `The slice ${made.name} is kept.` });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <section>
      <h3 className="mb-2 font-semibold">Slices</h3>
      {found.error && <Failure error={found.error} onRetry={found.refetch} />}
      {found.data?.length === 0 && (
        <p className="mb-3 text-ink-2">
          A slice is a named part, such as all rows in one language; figures are told for each.
        </p>
      )}
      <ul aria-label="Slices" className="mb-3">
        {found.data?.map((slice) => (
          <li key={slice.name} className="flex items-center gap-2 border-b py-1.5">
            <button
              type="button"
              className="font-medium hover:underline"
              onClick={() => onOpen({ side: undefined, slice: slice.name })}
            >
              {slice.name}
            </button>
            <span className="truncate font-mono text-xs text-ink-2">
              {slice.conditions
                .map((one) => `${one.field} ${one.op} ${JSON.stringify(one.value)}`)
                .join(" and ")}
            </span>
          </li>
        ))}
      </ul>
      {writes && (
        <form onSubmit={submit} className="grid grid-cols-[1fr_1fr_1fr_auto] items-end gap-2">
          <Field label="Name">
            {(props) => (
              <Input
                value={draft.name}
                onChange={(event) => setDraft({ ...draft, name: event.target.value })}
                {...props}
              />
            )}
          </Field>
          <Field label="Field">
            {(props) => (
              <Input
                value={draft.field}
                onChange={(event) => setDraft({ ...draft, field: event.target.value })}
                {...props}
              />
            )}
          </Field>
          <Field label="Is">
            {(props) => (
              <Input
                value={draft.value}
                onChange={(event) => setDraft({ ...draft, value: event.target.value })}
                {...props}
              />
            )}
          </Field>
          <Button type="submit" busy={save.isPending} disabled={!draft.name || !draft.value}>
            Keep
          </Button>
        </form>
      )}
      {save.error && <Failure error={save.error} className="mt-2" />}
    </section>
  );
}
