// Rows out of a file: choose it, say what its columns are, see what is wrong with which line.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ChangeEvent, useState } from "react";
import type { RowsImported } from "../api/types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { plural } from "../ui/format";
import { Failure } from "../ui/states";
import { toast } from "../ui/toast";
import { change, type Which } from "./queries";
import { columnsOf, guess, whatBecame } from "./words";

interface Chosen {
  name: string;
  kind: "csv" | "jsonl";
  text: string;
  columns: string[];
}

export function ImportDialog({ which, onClose }: { which: Which; onClose: () => void }) {
  const client = useQueryClient();
  const [file, setFile] = useState<Chosen | null>(null);
  const [places, setPlaces] = useState<Record<string, string>>({});
  const send = useMutation({
    mutationFn: (dry: boolean) =>
      change<RowsImported>(client, which, "/import", {
        format: file?.kind,
        text: file?.text,
        columns: Object.fromEntries(Object.entries(places).filter(([, place]) => place)),
        message: `imported ${file?.name}`,
        dry_run: dry,
      }),
    onSuccess: (done) => {
      if (!done.added) return;
      toast({ text: whatBecame(done.added) });
      onClose();
    },
  });
  const choose = async (event: ChangeEvent<HTMLInputElement>) => {
    const input = event.target;
    const picked = input.files?.[0];
    if (!picked) return;
    const text = await picked.text();
    input.value = ""; // so that the same file, mended, can be chosen again
    const kind = /\.csv$/i.test(picked.name) ? "csv" : "jsonl";
    const columns = columnsOf(kind, text);
    setFile({ name: picked.name, kind, text, columns });
    setPlaces((old) =>
      Object.fromEntries(Object.entries(old).filter(([column]) => columns.includes(column))),
    );
    send.reset();
  };
  const checked = send.data;
  return (
    <Dialog
      open
      onClose={onClose}
      width={640}
      title={`Import rows into ${which.name}`}
      description="CSV with a first line of names, or JSON lines. All of the file is taken, or nothing."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button disabled={!file} busy={send.isPending} onClick={() => send.mutate(true)}>
            Check
          </Button>
          <Button
            tone="primary"
            disabled={!file}
            busy={send.isPending}
            onClick={() => send.mutate(false)}
          >
            Import
          </Button>
        </>
      }
    >
      <label className="mb-4 block">
        <span className="mb-1 block text-xs font-medium text-ink-2">File</span>
        <input type="file" accept=".csv,.jsonl,.ndjson,.json" onChange={choose} />
        {file && <span className="mt-1 block font-medium">{file.name}</span>}
      </label>
      {file && file.columns.length > 0 && (
        <fieldset className="grid grid-cols-2 gap-x-3 gap-y-2">
          <legend className="mb-1 text-xs text-ink-3">
            What each column is: input, input.NAME, expected, metadata.NAME, split, id, or - to
            leave it out.
          </legend>
          {file.columns.map((column) => (
            <Field key={column} label={column}>
              {(props) => (
                <Input
                  placeholder={guess(file.kind, column, file.columns)}
                  value={places[column] ?? ""}
                  onChange={(event) => setPlaces({ ...places, [column]: event.target.value })}
                  {...props}
                />
              )}
            </Field>
          ))}
        </fieldset>
      )}
      {checked && checked.faults.length > 0 && (
        <div role="alert" className="mt-4">
          <p className="font-medium text-bad">Nothing was imported.</p>
          <ul className="mt-1 max-h-[180px] overflow-y-auto font-mono text-xs">
            {checked.faults.map((fault) => (
              <li key={`${fault.line} ${fault.message}`}>
                line {fault.line}: {fault.message}
              </li>
            ))}
          </ul>
        </div>
      )}
      {checked && checked.faults.length === 0 && (
        <p role="status" className="mt-4 text-ok">
          {plural(checked.rows, "row")} can be imported.
        </p>
      )}
      {send.error && <Failure error={send.error} className="mt-4" />}
    </Dialog>
  );
}
