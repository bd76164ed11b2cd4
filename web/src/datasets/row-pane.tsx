// One row, whole: what goes in, what should come out, where it came from. Changing it makes a version.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { DatasetRow, RowsAdded } from "../api/types";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { CopyText } from "../ui/copy";
import { Field, TextArea } from "../ui/field";
import { Failure } from "../ui/states";
import { toast } from "../ui/toast";
import { change, type Which } from "./queries";
import { pretty, typedValue, whatBecame } from "./words";

interface Props {
  which: Which;
  row: DatasetRow;
  writes: boolean;
  onClose: () => void;
}

export function RowPane({ which, row, writes, onClose }: Props) {
  const client = useQueryClient();
  const before = row.expected === null ? "" : pretty(row.expected);
  const [expected, setExpected] = useState(before);
  const save = useMutation({
    mutationFn: () => {
      const { hash: _hash, erased: _erased, ...rest } = row;
      const rows = [{ ...rest, expected: typedValue(expected) }];
      return change<RowsAdded>(client, which, "/rows", { rows, message: `changed ${row.id}` });
    },
    onSuccess: (done) => toast({ text: whatBecame(done) }),
  });
  const remove = useMutation({
    mutationFn: () =>
      change<RowsAdded>(client, which, "/rows/remove", {
        ids: [row.id],
        message: `removed ${row.id}`,
      }),
    onSuccess: () => {
      toast({ text: "Taken out; older versions keep it." });
      onClose();
    },
  });
  return (
    <aside
      aria-label="Row"
      className="flex w-[46%] max-w-[720px] min-w-0 shrink-0 flex-col overflow-y-auto border-l max-wide:w-full max-wide:max-w-none max-wide:flex-1 max-wide:border-t max-wide:border-l-0"
    >
      <header className="sticky top-0 z-10 flex items-center gap-2 border-b bg-page px-4 py-2">
        <CopyText text={row.id} className="min-w-0 text-ink-2" />
        {row.split && <Badge>{row.split}</Badge>}
        <span className="ml-auto" />
        {row.source_trace && (
          <Link
            to="/traces/$traceId"
            params={{ traceId: row.source_trace }}
            search={{ span: undefined }}
            className="text-accent underline underline-offset-2"
          >
            Its trace
          </Link>
        )}
        <Button tone="ghost" icon="close" aria-label="Close the row" onClick={onClose} />
      </header>
      <div className="flex flex-col gap-4 px-4 py-3">
        {row.erased && (
          <p className="py-2 text-ink-2">
            An end user asked to be forgotten: what this row said was erased, its hash stays.
          </p>
        )}
        <Part title="Input" value={row.input} />
        {writes ? (
          <Field label="Expected" hint="Text or JSON. Saving makes a version.">
            {(props) => (
              <TextArea
                rows={Math.min(16, Math.max(3, before.split("\n").length + 1))}
                className="font-mono text-xs"
                value={expected}
                onChange={(event) => setExpected(event.target.value)}
                {...props}
              />
            )}
          </Field>
        ) : (
          <Part title="Expected" value={row.expected} />
        )}
        {writes && (
          <div className="flex gap-2">
            <Button
              tone="primary"
              busy={save.isPending}
              disabled={expected === before}
              onClick={() => save.mutate()}
            >
              Save
            </Button>
            <Button busy={remove.isPending} onClick={() => remove.mutate()}>
              Take out
            </Button>
          </div>
        )}
        {(save.error ?? remove.error) && <Failure error={save.error ?? remove.error} />}
        {Object.keys(row.metadata).length > 0 && <Part title="Metadata" value={row.metadata} />}
      </div>
    </aside>
  );
}

function Part({ title, value }: { title: string; value: unknown }) {
  return (
    <section>
      <h3 className="mb-1 text-xs font-medium text-ink-2">{title}</h3>
      {value === null ? (
        <p className="text-ink-3">Nothing is expected.</p>
      ) : (
        <CodeBlock
          text={pretty(value)}
          json={typeof value !== "string"}
          className="max-h-[320px]"
        />
      )}
    </section>
  );
}
