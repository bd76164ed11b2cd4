// Rows out of traces by filter, or out of what users rated and corrected.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { modelsQuery } from "../api/queries";
import type { RowsAdded } from "../api/types";
import { rangeMs } from "../api/window";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { Select } from "../ui/select";
import { Failure } from "../ui/states";
import { toast } from "../ui/toast";
import { change, type Which } from "./queries";
import { whatBecame } from "./words";

interface Props {
  which: Which;
  from: "traces" | "feedback";
  onClose: () => void;
}

const EXPECTED = [
  { value: "output", label: "The correction, else the output" },
  { value: "correction", label: "Corrections alone" },
  { value: "none", label: "Nothing yet" },
];
const RATED = [
  { value: "corrected", label: "Down, and corrected" },
  { value: "down", label: "Down" },
  { value: "up", label: "Up" },
];
const RANGES = ["1h", "24h", "7d", "30d"];

export function AddRowsDialog({ which, from, onClose }: Props) {
  const client = useQueryClient();
  const { data: models = [] } = useQuery(modelsQuery);
  const [draft, setDraft] = useState({
    model: "",
    q: "",
    tag: "",
    range: "7d",
    expected: "output",
    rated: "corrected",
    limit: "100",
    split: "",
  });
  const set = (next: Partial<typeof draft>) => setDraft({ ...draft, ...next });
  const send = useMutation({
    mutationFn: () => {
      const from_ms = Date.now() - (rangeMs(draft.range) ?? 0);
      const more = { limit: Number(draft.limit), split: draft.split };
      if (from === "feedback") {
        const rated = draft.rated === "corrected";
        const body = { thumb: rated ? "down" : draft.rated, corrected: rated, from_ms, ...more };
        return change<RowsAdded>(client, which, "/from-feedback", body);
      }
      const filter = {
        requested_model: draft.model || undefined,
        q: draft.q || undefined,
        tag: draft.tag || undefined,
        from_ms,
      };
      const body = { filter, expected: draft.expected, ...more };
      return change<RowsAdded>(client, which, "/from-traces", body);
    },
    onSuccess: (done) => {
      if (!done.version) return;
      toast({ text: whatBecame(done) });
      onClose();
    },
  });
  const text = (name: "q" | "tag" | "limit" | "split", label: string, hint?: string) => (
    <Field label={label} hint={hint}>
      {(props) => (
        <Input
          value={draft[name]}
          onChange={(event) => set({ [name]: event.target.value })}
          {...props}
        />
      )}
    </Field>
  );
  const choice = (
    name: "model" | "range" | "expected" | "rated",
    label: string,
    choices: readonly { value: string; label: string }[],
  ) => (
    <Field label={label}>
      {({ id }) => (
        <Select
          id={id}
          label={label}
          className="w-full"
          value={draft[name]}
          choices={choices}
          onChange={(value) => set({ [name]: value })}
        />
      )}
    </Field>
  );
  return (
    <Dialog
      open
      onClose={onClose}
      title={from === "traces" ? "Rows from traces" : "Rows from feedback"}
      description="The newest first. A row that is there already is not put in twice."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" busy={send.isPending} onClick={() => send.mutate()}>
            Add rows
          </Button>
        </>
      }
    >
      <div className="grid grid-cols-2 gap-3">
        {from === "traces" ? (
          <>
            {choice("model", "Model asked for", [
              { value: "", label: "Any" },
              ...models.map((model) => ({ value: model.name, label: model.name })),
            ])}
            {text("q", "Words in it")}
            {text("tag", "Tag")}
            {choice("expected", "Expected", EXPECTED)}
          </>
        ) : (
          choice("rated", "Rated", RATED)
        )}
        {choice(
          "range",
          "Last",
          RANGES.map((range) => ({ value: range, label: range })),
        )}
        {text("limit", "At most")}
        {text("split", "Split", "Such as test; none when left out.")}
      </div>
      {send.data && !send.data.version && (
        <p role="status" className="mt-4 text-ink-2">
          {whatBecame(send.data)} {send.data.skipped[0]}
        </p>
      )}
      {send.error && <Failure error={send.error} className="mt-4" />}
    </Dialog>
  );
}
