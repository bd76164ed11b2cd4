// Which trace to compare with: one whose id is known, or one of the last that asked the same.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { tracesQuery } from "../api/queries";
import type { Span } from "../api/types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { duration, fullTime, money } from "../ui/format";
import { Failure, Lines } from "../ui/states";

const TRACE = /^[0-9a-f]{32}$/;
const SHOWN = 10;

export default function CompareDialog({ root, onClose }: { root: Span; onClose: () => void }) {
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const [fault, setFault] = useState("");
  const compare = (versus: string) =>
    navigate({
      to: "/traces/$traceId",
      params: { traceId: root.trace_id },
      search: (old) => ({ ...old, release: undefined, span: undefined, versus }),
    });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const id = typed.trim().toLowerCase();
    if (!TRACE.test(id)) setFault("A trace's id has 32 letters and digits, 0 to 9 and a to f.");
    else if (id === root.trace_id) setFault("That is this trace itself.");
    else compare(id);
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title="Compare with another trace"
      description="The other one is the earlier: what this trace does differently is shown."
      width={640}
    >
      <form onSubmit={submit}>
        <Field label="Trace id" error={fault}>
          {(props) => (
            <div className="flex gap-2">
              <Input
                value={typed}
                placeholder="32 letters and digits"
                className="font-mono"
                onChange={(event) => {
                  setTyped(event.target.value);
                  setFault("");
                }}
                {...props}
              />
              <Button type="submit" tone="primary" disabled={!typed.trim()}>
                Compare
              </Button>
            </div>
          )}
        </Field>
      </form>
      <Alike root={root} onChoose={compare} />
    </Dialog>
  );
}

function Alike({ root, onChoose }: { root: Span; onChoose: (traceId: string) => void }) {
  const filter = root.prompt_name
    ? { project: root.project, prompt_name: root.prompt_name }
    : root.requested_model
      ? { project: root.project, requested_model: root.requested_model }
      : { project: root.project };
  const what = root.prompt_name || root.requested_model || root.project;
  const found = useInfiniteQuery(tracesQuery(filter, { range: "30d" }));
  if (found.error && !found.data)
    return <Failure error={found.error} onRetry={found.refetch} className="mt-4" />;
  if (!found.data) return <Lines rows={5} className="px-0" />;
  const rows = found.data.pages
    .flatMap((page) => page.items)
    .filter((row) => row.trace_id !== root.trace_id)
    .slice(0, SHOWN);
  if (rows.length === 0)
    return <p className="mt-4 text-ink-2">No other trace of {what} in the last 30 days.</p>;
  return (
    <section className="mt-4">
      <h3 className="mb-1 text-xs font-medium text-ink-2">The last ones of {what}</h3>
      <ul aria-label="Traces alike">
        {rows.map((row) => (
          <li key={row.trace_id}>
            <button
              type="button"
              style={{ gridTemplateColumns: "150px 1fr 70px 70px" }}
              className="grid h-[30px] w-full items-center gap-2 rounded-md px-2 text-left hover:bg-hover"
              onClick={() => onChoose(row.trace_id)}
            >
              <span className="text-ink-2">{fullTime(row.root.start_ms, "s")}</span>
              <span className="truncate">{row.root.input_preview || row.root.name}</span>
              <span className="num text-ink-2">{money(row.total_cost_nano)}</span>
              <span className="num text-ink-2">{duration(row.root.duration_ms)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
