// Changing a route: write it, see what it would do to recorded calls, release it.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { call } from "../api/client";
import { providersQuery, revisionsQuery, sessionQuery } from "../api/queries";
import type { Applied, Model, Plan } from "../api/types";
import { overruled, PlanView, unsettled } from "../revisions/plan-view";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Input } from "../ui/field";
import { Failure, Lines } from "../ui/states";
import { toast } from "../ui/toast";
import { draftOf, emptyDraft, problem, type RouteDraft, settingsOf } from "./draft";
import { ExtraFields } from "./extra-fields";
import { ChoiceFields, Part, RuleFields, TargetFields } from "./fields";

export function Editor({ known }: { known?: Model }) {
  const providers = useQuery(providersQuery);
  const revisions = useQuery(revisionsQuery);
  const error = providers.error ?? revisions.error;
  if (error && !(providers.data && revisions.data)) return <Failure error={error} />;
  if (!providers.data || !revisions.data) return <Lines rows={8} />;
  const head = revisions.data.find((one) => one.state === "released")?.number ?? 0;
  const start = known ? draftOf(known) : emptyDraft(providers.data);
  return <Form known={known} start={start} base={head} />;
}

function Form({ known, start, base: head }: { known?: Model; start: RouteDraft; base: number }) {
  const { data: providers = [] } = useQuery(providersQuery);
  const navigate = useNavigate();
  const [draft, setDraft] = useState(start);
  // The revision that the draft was made from: who changed it since then is told.
  const [base] = useState(head);
  const [told, setTold] = useState("");
  const change = (next: Partial<RouteDraft>) => {
    setDraft({ ...draft, ...next });
    plan.reset();
  };
  const wanted = () => ({
    definitions: { aliases: { [draft.name.trim()]: settingsOf(draft) } },
    partial: true,
    base,
  });
  const plan = useMutation({
    mutationFn: () =>
      call<Plan>("/api/v1/plan", { method: "POST", body: { ...wanted(), calls: 1000 } }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wrong = problem(draft);
    setTold(wrong);
    if (!wrong) plan.mutate();
  };
  const leave = (route?: string, release?: number) =>
    navigate({
      to: "/routes",
      search: (old) => ({ ...old, route, release, edit: undefined, fresh: undefined }),
    });
  return (
    <article
      aria-label={known ? `Edit ${known.name}` : "Define an alias"}
      className="max-w-[980px]"
    >
      <form onSubmit={submit} noValidate>
        <div className="mb-3 flex items-center gap-2">
          <h2 className="min-w-0 truncate text-lg font-semibold">
            {known ? `Edit ${known.name}` : "Define an alias"}
          </h2>
          <span className="ml-auto flex gap-1.5">
            <Button onClick={() => leave(known?.name)}>Cancel</Button>
            <Button tone="primary" type="submit" busy={plan.isPending}>
              Plan
            </Button>
          </span>
        </div>
        <div className="flex flex-col gap-5">
          <ChoiceFields draft={draft} named={Boolean(known)} onChange={change} />
          <TargetFields draft={draft} providers={providers} onChange={change} />
          <RuleFields draft={draft} onChange={change} />
          <ExtraFields draft={draft} providers={providers} onChange={change} />
        </div>
      </form>
      {told && (
        <p role="alert" className="mt-4 text-bad">
          {told}
        </p>
      )}
      {plan.error && <Failure error={plan.error} className="mt-4" />}
      {plan.data && (
        <Planned
          key={plan.data.digest}
          plan={plan.data}
          name={draft.name.trim()}
          draft={draft}
          wanted={wanted()}
          onDone={(release) => leave(draft.name.trim(), release)}
        />
      )}
    </article>
  );
}

interface PlannedProps {
  plan: Plan;
  name: string;
  draft: RouteDraft;
  wanted: object;
  onDone: (release?: number) => void;
}

function Planned({ plan, name, draft, wanted, onDone }: PlannedProps) {
  const client = useQueryClient();
  const { data: session } = useQuery(sessionQuery);
  const [settled, setSettled] = useState<readonly string[]>([]);
  const [message, setMessage] = useState("");
  const [now, setNow] = useState(false);
  const [watch, setWatch] = useState({ watch_s: 30, min_calls: 50 });
  const releases = session?.user.role === "admin";
  const renew = () => {
    for (const key of ["models", "revisions"]) client.invalidateQueries({ queryKey: [key] });
  };
  const apply = useMutation({
    mutationFn: () =>
      call<Applied>("/api/v1/apply", {
        method: "POST",
        body: {
          ...wanted,
          ...overruled(plan, settled),
          ...watch,
          expect: plan.digest,
          message: message.trim() || `alias ${name} changed`,
          now,
        },
      }),
    onSuccess: ({ revision }) => {
      renew();
      onDone(revision.number);
    },
  });
  const save = useMutation({
    mutationFn: () =>
      call<Model>(`/api/v1/models/${encodeURIComponent(name)}`, {
        method: "PUT",
        body: settingsOf(draft),
      }),
    onSuccess: () => {
      renew();
      toast({ text: `Applications can ask for ${name} now.` });
      onDone();
    },
  });
  const empty = plan.changes.length === 0;
  const error = apply.error ?? save.error;
  return (
    <section aria-label="Plan" className="mt-6 border-t pt-4">
      <div className="mb-3 flex items-center gap-2">
        <h2 className="text-base font-semibold">Plan</h2>
        <Badge>on revision {plan.head}</Badge>
      </div>
      <PlanView
        plan={plan}
        settled={settled}
        onSettle={(one, on) =>
          setSettled(on ? [...settled, one] : settled.filter((other) => other !== one))
        }
      />
      {!empty && releases && (
        <fieldset className="mt-4 flex flex-wrap items-center gap-x-4 gap-y-2">
          <legend className="sr-only">Release</legend>
          <Input
            aria-label="Message"
            placeholder="Why, for those who read the history"
            value={message}
            onChange={(event) => setMessage(event.target.value)}
            className="!w-[320px]"
          />
          <label className="flex items-center gap-1.5">
            <input
              type="radio"
              name="release"
              className="accent-accent"
              checked={!now}
              onChange={() => setNow(false)}
            />
            one worker first, watched for
          </label>
          <Part
            label="Watch, seconds"
            value={watch.watch_s}
            unit="s"
            disabled={now}
            onChange={(watch_s) => setWatch({ ...watch, watch_s })}
          />
          <Part
            label="Watch, calls"
            value={watch.min_calls}
            unit="calls"
            disabled={now}
            onChange={(min_calls) => setWatch({ ...watch, min_calls })}
          />
          <label className="flex items-center gap-1.5">
            <input
              type="radio"
              name="release"
              className="accent-accent"
              checked={now}
              onChange={() => setNow(true)}
            />
            all at once
          </label>
          <Button
            tone="primary"
            className="ml-auto"
            busy={apply.isPending}
            disabled={unsettled(plan, settled)}
            onClick={() => apply.mutate()}
          >
            Apply
          </Button>
        </fieldset>
      )}
      {!empty && session && !releases && (
        <div className="mt-4 flex items-center justify-end gap-3">
          <p className="text-ink-2">A watched release is for admins; saving goes to all workers.</p>
          <Button tone="primary" busy={save.isPending} onClick={() => save.mutate()}>
            Save
          </Button>
        </div>
      )}
      {error && <Failure error={error} className="mt-3" />}
    </section>
  );
}
