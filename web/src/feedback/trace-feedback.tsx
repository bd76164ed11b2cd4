// What was said of a trace, and a way to say it: thumbs, a comment, a correction, and a row of a
// data set out of it.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api/client";
import { needs, useMay } from "../api/may";
import type { RowOfTrace, Span } from "../api/types";
import { AddToDataset } from "../datasets/add-to-dataset";
import { Certificate } from "../judges/certificate";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Field, TextArea } from "../ui/field";
import { Failure } from "../ui/states";
import { toast } from "../ui/toast";
import { scoresOfTrace } from "./queries";
import { saidIn, share } from "./words";

export function TraceFeedback({ span }: { span: Span }) {
  const may = useMay();
  const client = useQueryClient();
  const { project, trace_id } = span;
  const scores = useQuery(scoresOfTrace(project, trace_id));
  const rows = useQuery({
    queryKey: ["rows-of-trace", project, trace_id],
    queryFn: ({ signal }) =>
      call<RowOfTrace[]>(`/api/v1/traces/${trace_id}/rows`, { query: { project }, signal }),
  });
  const [words, setWords] = useState({ comment: "", correction: "" });
  const [open, setOpen] = useState(false);
  const [adding, setAdding] = useState(false);
  const allowed = may.project("editor", project);
  const give = useMutation({
    mutationFn: (item: object) =>
      call("/api/v1/feedback", {
        method: "POST",
        body: { project, trace_id, span_id: span.is_root ? undefined : span.span_id, ...item },
      }),
    onSuccess: () => {
      for (const key of ["scores", "feedback", "satisfaction"])
        client.invalidateQueries({ queryKey: [key] });
      setWords({ comment: "", correction: "" });
      setOpen(false);
      toast({ text: "Written down." });
    },
  });
  const mine = scores.data?.find((one) => one.name === "thumbs" && one.source === "human");
  const thumb = (side: "up" | "down") => (
    <Button
      aria-pressed={mine?.label === side}
      title={allowed ? undefined : needs("editor", `the project ${project}`)}
      disabled={!allowed || give.isPending}
      className={mine?.label === side ? "!bg-accent-wash !text-accent" : undefined}
      onClick={() => give.mutate({ thumb: mine?.label === side ? "none" : side })}
    >
      Thumb {side}
    </Button>
  );
  return (
    <section aria-label="Feedback" className="border-b px-4 py-2">
      <div className="flex flex-wrap items-center gap-2">
        {thumb("up")}
        {thumb("down")}
        <Button
          tone="ghost"
          icon="edit"
          aria-expanded={open}
          disabled={!allowed}
          onClick={() => setOpen(!open)}
        >
          Comment or correct
        </Button>
        <Button tone="ghost" icon="plus" disabled={!allowed} onClick={() => setAdding(true)}>
          Add to data set
        </Button>
        <span className="ml-auto flex flex-wrap gap-1.5">
          {scores.data
            ?.filter((one) => one !== mine)
            .slice(0, 12)
            .map((one) => (
              <span key={one.id} className="inline-flex gap-0.5">
                <Badge
                  tone={one.name === "thumbs" ? (one.value === 1 ? "ok" : "bad") : "mute"}
                  title={[one.source, one.author, one.comment].filter(Boolean).join(": ")}
                >
                  {saidIn(one)}
                  {one.edit_share !== null && ` ${share(one.edit_share)}`}
                </Badge>
                <Certificate badge={one.badge} />
              </span>
            ))}
          {rows.data
            ?.filter((row) => row.until === null)
            .map((row) => (
              <Link
                key={`${row.dataset} ${row.row_id}`}
                to="/datasets"
                search={{ project, set: row.dataset, row: row.row_id }}
                className="text-xs text-accent underline underline-offset-2"
              >
                {row.dataset}
              </Link>
            ))}
        </span>
      </div>
      {scores.data
        ?.filter((one) => one.comment || one.correction !== null)
        .slice(0, 6)
        .map((one) => (
          <p
            key={one.id}
            className="mt-1.5 border-l-2 border-line-strong pl-2 text-sm break-words whitespace-pre-wrap text-ink-2"
          >
            {[one.comment, one.correction].filter(Boolean).join("\n")}{" "}
            <span className="text-xs text-ink-3">{one.author || one.source}</span>
          </p>
        ))}
      {open && (
        <form
          className="mt-2 grid grid-cols-2 gap-3 max-wide:grid-cols-1"
          onSubmit={(event) => {
            event.preventDefault();
            give.mutate({
              comment: words.comment,
              correction: words.correction || undefined,
            });
          }}
        >
          <Field label="Comment">
            {(props) => (
              <TextArea
                rows={2}
                value={words.comment}
                onChange={(event) => setWords({ ...words, comment: event.target.value })}
                {...props}
              />
            )}
          </Field>
          <Field label="What the answer should have been">
            {(props) => (
              <TextArea
                rows={2}
                value={words.correction}
                onChange={(event) => setWords({ ...words, correction: event.target.value })}
                {...props}
              />
            )}
          </Field>
          <div>
            <Button
              tone="primary"
              type="submit"
              busy={give.isPending}
              disabled={!words.comment && !words.correction}
            >
              Write down
            </Button>
          </div>
        </form>
      )}
      {give.error && <Failure error={give.error} className="mt-2" />}
      {adding && (
        <AddToDataset project={project} traceIds={[trace_id]} onClose={() => setAdding(false)} />
      )}
    </section>
  );
}
