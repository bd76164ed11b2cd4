import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { call } from "../api/client";
import { movesQuery, revisionQuery, revisionsQuery, sessionQuery } from "../api/queries";
import type { Applied, Difference, Move, Plan, Revision, RevisionDetail } from "../api/types";
import { useShortcuts } from "../frame/shortcuts";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { cx } from "../ui/cx";
import { Field, Input } from "../ui/field";
import { ago, fullTime, moment } from "../ui/format";
import { NativeSelect } from "../ui/native-select";
import { Empty, Failure, Lines } from "../ui/states";
import { Tabs } from "../ui/tabs";
import { toast } from "../ui/toast";
import { Changes } from "./changes";
import { overruled, PlanView, unsettled } from "./plan-view";
import { Release, STATE_TONE } from "./release-view";
import { valueWords } from "./words";

export function RevisionsPage() {
  const { view = "history" } = useSearch({ from: "/frame/revisions" });
  const navigate = useNavigate();
  const moves = useQuery(movesQuery);
  const standing = moves.data?.filter((move) => move.standing).length ?? 0;
  return (
    <div className="h-full [&_[role=tabpanel]]:flex-1 [&>div]:h-full">
      <Tabs
        label="Revisions"
        value={view}
        onChange={(id) =>
          navigate({
            to: "/revisions",
            search: { view: id === "pointers" ? "pointers" : undefined },
          })
        }
        tabs={[
          { id: "history", label: "History", content: <History /> },
          {
            id: "pointers",
            label: (
              <span className="inline-flex items-center gap-1.5">
                Pointer journal {standing > 0 && <Badge tone="warn">{standing} standing</Badge>}
              </span>
            ),
            content: <Journal />,
          },
        ]}
      />
    </div>
  );
}

function History() {
  const search = useSearch({ from: "/frame/revisions" });
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(revisionsQuery);
  const chosen = search.revision ?? data?.[0]?.number;
  const open = (revision: number) => navigate({ to: "/revisions", search: { revision } });
  const step = (by: number) => {
    const at = data?.findIndex((one) => one.number === chosen) ?? -1;
    const next = data?.[at + by];
    if (next) open(next.number);
  };
  const group = "Revisions";
  useShortcuts([
    { keys: "j", label: "Older revision", group, run: () => step(1) },
    { keys: "k", label: "Newer revision", group, run: () => step(-1) },
  ]);
  if (error && !data) return <Failure error={error} onRetry={refetch} className="m-4" />;
  if (!data) return <Lines rows={10} />;
  if (data.length === 0 || chosen === undefined) {
    return (
      <Empty title="No revision yet">
        Each change of a provider, an alias, a project or a key makes one, with who made it and why.
      </Empty>
    );
  }
  return (
    <div className="flex h-full min-h-0">
      <ol
        aria-label="Revisions"
        className="w-[272px] shrink-0 overflow-y-auto border-r pb-6 wide:w-[380px]"
      >
        {data.map((revision) => (
          <Row
            key={revision.number}
            revision={revision}
            chosen={revision.number === chosen}
            onOpen={() => open(revision.number)}
          />
        ))}
      </ol>
      <div className="min-w-0 flex-1 overflow-y-auto px-4 pt-3 pb-10">
        <Detail key={chosen} number={chosen} all={data} />
      </div>
    </div>
  );
}

function Row({
  revision,
  chosen,
  onOpen,
}: {
  revision: Revision;
  chosen: boolean;
  onOpen: () => void;
}) {
  return (
    <li>
      <button
        type="button"
        aria-current={chosen ? "page" : undefined}
        onClick={onOpen}
        className={cx(
          "grid w-full -outline-offset-2 grid-cols-[40px_minmax(0,1fr)] gap-x-2 border-b px-3 py-1.5 text-left hover:bg-hover",
          chosen && "bg-hover",
        )}
      >
        <span className="num font-mono text-xs leading-5 text-ink-3">{revision.number}</span>
        <span className="min-w-0">
          <span className="flex items-center gap-2">
            <span className="min-w-0 flex-1 truncate">{revision.message}</span>
            {revision.state !== "released" && (
              <Badge tone={STATE_TONE[revision.state]}>
                {revision.state === "watching" ? "canary" : revision.state}
              </Badge>
            )}
            {revision.kind === "rollback" && <Badge>rollback</Badge>}
          </span>
          <span className="block truncate text-xs text-ink-3" title={fullTime(revision.created_ms)}>
            {revision.author} · {ago(revision.created_ms)}
          </span>
        </span>
      </button>
    </li>
  );
}

function Detail({ number, all }: { number: number; all: readonly Revision[] }) {
  const { back } = useSearch({ from: "/frame/revisions" });
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(revisionQuery(number));
  const client = useQueryClient();
  const state = data?.revision.state;
  useEffect(() => {
    if (state && state !== "watching") client.invalidateQueries({ queryKey: ["revisions"] });
  }, [state, client]);
  if (error && !data) return <Failure error={error} onRetry={refetch} />;
  if (!data) return <Lines rows={8} />;
  const { revision } = data;
  const head = all.find((one) => one.state === "released")?.number;
  return (
    <article aria-label={`Revision ${number}`} className="flex flex-col gap-4">
      <header>
        <div className="flex items-start gap-2">
          <h2 className="min-w-0 flex-1 text-lg font-semibold break-words">{revision.message}</h2>
          {number !== head && !back && (
            <Button
              icon="revisions"
              onClick={() =>
                navigate({ to: ".", search: (old) => ({ ...old, revision: number, back: true }) })
              }
            >
              {revision.state === "released" ? "Roll back to this" : "Release this"}
            </Button>
          )}
        </div>
        <p className="text-ink-2">
          Revision {number}
          {number === head && ", in force"} · {revision.author} ·{" "}
          {fullTime(revision.created_ms, "s")} ·{" "}
          <code className="font-mono text-xs" title={revision.digest}>
            {revision.digest.slice(0, 12)}
          </code>
        </p>
      </header>
      {revision.watched && <Release revision={revision} />}
      {back ? <RollBack target={data} /> : <Compared detail={data} all={all} />}
    </article>
  );
}

/** What this revision changed, or how it differs from any other one. */
function Compared({ detail, all }: { detail: RevisionDetail; all: readonly Revision[] }) {
  const { against } = useSearch({ from: "/frame/revisions" });
  const navigate = useNavigate();
  const { number, parent } = detail.revision;
  const other = against ?? parent ?? undefined;
  const differs = useQuery({
    queryKey: ["difference", other, number],
    queryFn: ({ signal }) =>
      call<Difference>(`/api/v1/revisions/${other}/diff/${number}`, { signal }),
    enabled: against !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const changes = against === undefined ? detail.changes : differs.data?.changes;
  return (
    <section aria-label="Difference">
      <div className="mb-1.5 flex items-center gap-2">
        <h3 className="font-medium">{other ? "Changed since" : "What was there"}</h3>
        {other && (
          <NativeSelect
            label="Compare with"
            value={String(other)}
            onChange={(value) =>
              navigate({
                to: ".",
                search: (old) => ({
                  ...old,
                  revision: number,
                  against: Number(value) === parent ? undefined : Number(value),
                }),
              })
            }
            choices={all
              .filter((one) => one.number !== number)
              .map((one) => ({
                value: String(one.number),
                label: `${one.number}${one.number === parent ? " (the one before)" : ""} · ${one.message}`,
              }))}
          />
        )}
      </div>
      {differs.error ? (
        <Failure error={differs.error} onRetry={differs.refetch} />
      ) : changes ? (
        <Changes changes={changes} />
      ) : (
        <Lines rows={3} />
      )}
    </section>
  );
}

function RollBack({ target }: { target: RevisionDetail }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { number } = target.revision;
  const { data: session } = useQuery(sessionQuery);
  const [settled, setSettled] = useState<readonly string[]>([]);
  const [message, setMessage] = useState("");
  const [watched, setWatched] = useState(false);
  const plan = useQuery({
    queryKey: ["rollback-plan", number],
    queryFn: ({ signal }) =>
      call<Plan>("/api/v1/plan", { method: "POST", body: { rollback: number }, signal }),
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  const go = useMutation({
    mutationFn: () =>
      call<Applied>("/api/v1/rollback", {
        method: "POST",
        body: {
          revision: number,
          message: message.trim(),
          now: !watched,
          ...(plan.data ? overruled(plan.data, settled) : {}),
        },
      }),
    onSuccess: ({ revision }) => {
      for (const key of ["revisions", "models", "providers", "keys", "projects"])
        client.invalidateQueries({ queryKey: [key] });
      toast({ text: `Revision ${revision.number} has the state of revision ${number}.` });
      navigate({ to: "/revisions", search: { revision: revision.number } });
    },
  });
  const stay = () => navigate({ to: ".", search: (old) => ({ ...old, back: undefined }) });
  if (plan.error) return <Failure error={plan.error} onRetry={plan.refetch} />;
  if (!plan.data) return <Lines rows={6} />;
  return (
    <section aria-label="Plan of the rollback">
      <h3 className="mb-1.5 font-medium">Going back to revision {number} would change</h3>
      <PlanView
        plan={plan.data}
        settled={settled}
        onSettle={(name, on) =>
          setSettled(on ? [...settled, name] : settled.filter((one) => one !== name))
        }
      />
      <div className="mt-4 flex flex-wrap items-end gap-3">
        <Field label="Message" className="w-[320px]">
          {(props) => (
            <Input
              placeholder={`rolled back to revision ${number}`}
              value={message}
              onChange={(event) => setMessage(event.target.value)}
              {...props}
            />
          )}
        </Field>
        <label className="flex h-7 items-center gap-1.5">
          <input
            type="checkbox"
            className="size-3.5 accent-accent"
            checked={watched}
            onChange={(event) => setWatched(event.target.checked)}
          />
          to one worker first, watched
        </label>
        <span className="ml-auto flex gap-2">
          <Button onClick={stay}>Cancel</Button>
          <Button
            tone="danger"
            busy={go.isPending}
            disabled={
              plan.data.changes.length === 0 ||
              unsettled(plan.data, settled) ||
              session?.user.role !== "admin"
            }
            title={session?.user.role === "admin" ? undefined : "For admins"}
            onClick={() => go.mutate()}
          >
            Roll back
          </Button>
        </span>
      </div>
      {go.error && <Failure error={go.error} className="mt-3" />}
    </section>
  );
}

const HEAD = "h-7 px-2 text-left text-xs font-medium text-ink-3 whitespace-nowrap";

function Journal() {
  const { data, error, refetch } = useQuery(movesQuery);
  if (error && !data) return <Failure error={error} onRetry={refetch} className="m-4" />;
  if (!data) return <Lines rows={6} />;
  if (data.length === 0) {
    return (
      <Empty title="No pointer was moved">
        Disabling a key, or pointing an alias elsewhere in an emergency, moves a pointer: it works
        at once and makes no revision. The move is written down here, and an apply that would undo
        it asks first.
      </Empty>
    );
  }
  return (
    <div className="relative overflow-x-auto">
      <table className="w-full min-w-[720px] border-collapse">
        <thead>
          <tr className="border-b">
            {["When", "Pointer", "Move", "By", "State"].map((label, row) => (
              <th key={label} scope="col" className={cx(HEAD, row === 0 && "pl-4")}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.map((move) => (
            <MoveRow key={move.id} move={move} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function MoveRow({ move }: { move: Move }) {
  const field = move.path.at(-1) ?? "";
  return (
    <tr className="border-b align-top hover:bg-hover [&>td]:py-1.5">
      <td className="pr-2 pl-4 whitespace-nowrap text-ink-2" title={fullTime(move.at_ms)}>
        {moment(move.at_ms)}
      </td>
      <td className="px-2 font-medium break-words">{move.pointer}</td>
      <td className="px-2">
        <span className="text-ink-2">{valueWords(move.before, field)}</span>{" "}
        <span className="text-ink-3">→</span> {valueWords(move.after, field)}
        {move.reason && <p className="text-xs text-ink-3">{move.reason}</p>}
      </td>
      <td className="px-2 text-ink-2">
        {move.actor}
        <Link
          to="/revisions"
          search={{ revision: move.revision }}
          className="block text-xs text-ink-3 hover:underline"
        >
          over revision {move.revision}
        </Link>
      </td>
      <td className="px-2 pr-4">
        {move.standing && (
          <Badge tone="warn" title="The definitions still say otherwise; an apply would ask.">
            standing
          </Badge>
        )}
      </td>
    </tr>
  );
}
