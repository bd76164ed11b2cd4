import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { call } from "../api/client";
import { modelsQuery, overviewQuery } from "../api/queries";
import type { Model, TestResult } from "../api/types";
import { windowOf } from "../frame/search";
import { useShortcuts } from "../frame/shortcuts";
import { health } from "../models/health";
import { NoModels } from "../playground/no-models";
import { ReleaseView } from "../revisions/release-view";
import { Badge, Dot, type Tone } from "../ui/badge";
import { Button, buttonClass } from "../ui/button";
import { cx } from "../ui/cx";
import { Confirm } from "../ui/dialog";
import { FindInput } from "../ui/find-input";
import { compact, duration } from "../ui/format";
import { Empty, Failure, Lines } from "../ui/states";
import { toast, toastError } from "../ui/toast";
import { Editor } from "./editor";
import { FlowView } from "./flow-view";

const ShadowView = lazy(() => import("./shadow-view"));

const TONE: Record<ReturnType<typeof health>, Tone> = {
  healthy: "ok",
  failing: "bad",
  cooling: "warn",
  unknown: "mute",
  degraded: "warn",
  "no target": "bad",
};

/** Aliases first, then what answers to its own name; both by name. */
export function ordered(models: readonly Model[], find: string): Model[] {
  const wanted = find.trim().toLowerCase();
  return models
    .filter((model) => model.name.toLowerCase().includes(wanted))
    .sort((a, b) => Number(b.origin === "alias") - Number(a.origin === "alias"));
}

export function RoutesPage() {
  const search = useSearch({ from: "/frame/routes" });
  const navigate = useNavigate();
  const models = useQuery({ ...modelsQuery, refetchInterval: 3_000 });
  const shown = ordered(models.data ?? [], search.find ?? "");
  const chosen =
    models.data?.find((model) => model.name === search.route) ??
    (search.route || search.fresh ? undefined : ordered(models.data ?? [], "")[0]);
  const open = (route: string) =>
    navigate({
      to: "/routes",
      search: (old) => ({
        ...old,
        route,
        edit: undefined,
        fresh: undefined,
        release: undefined,
        candidate: undefined,
        pairs: undefined,
      }),
    });
  const step = (by: number) => {
    const next = shown[shown.findIndex((one) => one.name === chosen?.name) + by];
    if (next) open(next.name);
  };
  const edit = () => {
    if (chosen?.origin === "alias")
      navigate({
        to: "/routes",
        search: (old) => ({ ...old, route: chosen.name, edit: true, release: undefined }),
      });
  };
  const create = () =>
    navigate({
      to: "/routes",
      search: (old) => ({
        ...old,
        route: undefined,
        edit: undefined,
        fresh: true,
        release: undefined,
      }),
    });
  const group = "Routes";
  useShortcuts([
    { keys: "j", label: "Next route", group, run: () => step(1) },
    { keys: "k", label: "Previous route", group, run: () => step(-1) },
    { keys: "e", label: "Edit the route", group, run: edit },
    { keys: "n", label: "Define an alias", group, run: create },
  ]);
  if (models.error && !models.data)
    return <Failure error={models.error} onRetry={models.refetch} className="m-4" />;
  if (!models.data) return <Lines rows={10} />;
  if (models.data.length === 0) return <NoModels kind="route" />;
  return (
    <div className="flex h-full min-h-0">
      <List shown={shown} chosen={chosen} onOpen={open} onCreate={create} />
      <div className="min-w-0 flex-1 overflow-y-auto px-4 pt-3 pb-10">
        {search.release && (
          <div className="mb-4">
            <ReleaseView
              key={search.release}
              number={search.release}
              onClose={() =>
                navigate({ to: ".", search: (old) => ({ ...old, release: undefined }) })
              }
            />
          </div>
        )}
        {search.fresh ? (
          <Editor key="fresh" />
        ) : !chosen ? (
          <Unknown name={search.route ?? ""} onCreate={create} />
        ) : search.edit && chosen.origin === "alias" ? (
          <Editor key={chosen.name} known={chosen} />
        ) : (
          <Drawing key={chosen.name} route={chosen} onEdit={edit} />
        )}
      </div>
    </div>
  );
}

interface ListProps {
  shown: readonly Model[];
  chosen: Model | undefined;
  onOpen: (name: string) => void;
  onCreate: () => void;
}

function List({ shown, chosen, onOpen, onCreate }: ListProps) {
  const search = useSearch({ from: "/frame/routes" });
  const navigate = useNavigate();
  const { by_route } = useTraffic();
  return (
    <section
      aria-label="Route list"
      className="flex w-[176px] shrink-0 flex-col border-r wide:w-[228px]"
    >
      <div className="flex gap-1.5 p-2">
        <FindInput
          aria-label="Find a route"
          placeholder="Find a route"
          value={search.find}
          onFind={(find) =>
            navigate({ to: ".", replace: true, search: (old) => ({ ...old, find }) })
          }
        />
        <Button
          icon="plus"
          aria-label="Define an alias"
          title="Define an alias (n)"
          onClick={onCreate}
        />
      </div>
      <ul className="min-h-0 flex-1 overflow-y-auto px-1.5 pb-4">
        {shown.map((model, row) => {
          const alias = model.origin === "alias";
          const heading = row === 0 || alias !== (shown[row - 1]?.origin === "alias");
          const calls = by_route.find((one) => one.key === model.name)?.totals.calls;
          return (
            <li key={model.name}>
              {heading && (
                <p className="px-2 pt-2 pb-1 text-2xs font-medium text-ink-3">
                  {alias ? "Aliases" : "Under their own name"}
                </p>
              )}
              <button
                type="button"
                aria-current={model.name === chosen?.name ? "page" : undefined}
                onClick={() => onOpen(model.name)}
                title={model.name}
                className={cx(
                  "flex h-7 w-full items-center gap-2 rounded-md px-2 text-left hover:bg-hover",
                  model.name === chosen?.name && "bg-hover font-medium",
                )}
              >
                <Dot tone={TONE[health(model)]} />
                <span className="min-w-0 flex-1 truncate">{model.name}</span>
                {calls !== undefined && (
                  <span className="text-xs font-normal text-ink-3">{compact(calls)}</span>
                )}
              </button>
            </li>
          );
        })}
        {shown.length === 0 && <li className="px-2 py-2 text-ink-2">No route has that name.</li>}
      </ul>
    </section>
  );
}

/** What was asked in the window, by route and by target. */
function useTraffic() {
  const scope = useSearch({ from: "/frame/routes" });
  const { project, environment } = scope;
  const { data } = useQuery(overviewQuery({ project, environment, ...windowOf(scope) }));
  return { by_route: data?.by_route ?? [], by_target: data?.by_target ?? [] };
}

function Unknown({ name, onCreate }: { name: string; onCreate: () => void }) {
  return (
    <Empty
      title={`No route is called ${name}`}
      action={
        <Button tone="primary" icon="plus" onClick={onCreate}>
          Define an alias
        </Button>
      }
    >
      Choose one from the list, or give this name to models of your own choice.
    </Empty>
  );
}

function Drawing({ route, onEdit }: { route: Model; onEdit: () => void }) {
  const { by_route, by_target } = useTraffic();
  const alias = route.origin === "alias";
  const targets = route.targets.length + route.absent.length;
  return (
    <article aria-label={route.name}>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <h2 className="min-w-0 truncate text-lg font-semibold">{route.name}</h2>
        <Badge>{route.kind}</Badge>
        {alias && <Badge tone="accent">alias</Badge>}
        {route.absent.length > 0 && (
          <Badge tone="warn" title="They stay in the route and serve again once connected.">
            {route.absent.length} of {targets} not connected
          </Badge>
        )}
        <span className="ml-auto flex gap-1.5">
          {route.kind === "chat" && (
            <Link to="/playground" search={{ model: route.name }} className={buttonClass()}>
              Try
            </Link>
          )}
          <TestButton route={route} />
          {alias ? (
            <>
              <RemoveButton route={route} />
              <Button tone="primary" icon="edit" onClick={onEdit} title="Edit (e)">
                Edit
              </Button>
            </>
          ) : (
            <Link to="/routes" search={{ fresh: true }} className={buttonClass()}>
              Put an alias before it
            </Link>
          )}
        </span>
      </div>
      <FlowView
        route={route}
        groups={by_target}
        totals={by_route.find((one) => one.key === route.name)?.totals}
      />
      {alias && (
        <Suspense fallback={<Lines rows={6} />}>
          <ShadowView route={route} onEdit={onEdit} />
        </Suspense>
      )}
    </article>
  );
}

function TestButton({ route }: { route: Model }) {
  const client = useQueryClient();
  const trial = useMutation({
    mutationFn: () =>
      call<TestResult>(`/api/v1/models/${encodeURIComponent(route.name)}/test`, { method: "POST" }),
    onSuccess: (result) =>
      toast(
        result.ok
          ? { text: `${route.name} answered in ${duration(result.duration_ms)}.` }
          : { tone: "bad", text: result.error || `HTTP ${result.status}` },
      ),
    onError: toastError,
    onSettled: () => client.invalidateQueries({ queryKey: ["models"] }),
  });
  return (
    <Button busy={trial.isPending} onClick={() => trial.mutate()}>
      Test
    </Button>
  );
}

function RemoveButton({ route }: { route: Model }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const remove = async () => {
    await call(`/api/v1/models/${encodeURIComponent(route.name)}`, { method: "DELETE" });
    toast({ text: `Alias ${route.name} removed.` });
    client.invalidateQueries({ queryKey: ["models"] });
    navigate({
      to: "/routes",
      search: (old) => ({ ...old, route: undefined, release: undefined }),
    });
  };
  return (
    <>
      <Button
        icon="trash"
        aria-label={`Remove ${route.name}`}
        title="Remove"
        onClick={() => setAsking(true)}
      />
      <Confirm
        open={asking}
        title={`Remove the alias ${route.name}?`}
        action="Remove"
        onConfirm={remove}
        onClose={() => setAsking(false)}
      >
        Applications that ask for this name get “model not found” from the next call on. Its history
        stays, and an earlier revision brings it back.
      </Confirm>
    </>
  );
}
