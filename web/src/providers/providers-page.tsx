import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { asApiError, call } from "../api/client";
import { modelsQuery, providersQuery } from "../api/queries";
import type { Model, Provider, TestResult } from "../api/types";
import { useShortcuts } from "../frame/shortcuts";
import { Badge, State } from "../ui/badge";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { Confirm } from "../ui/dialog";
import { FindInput } from "../ui/find-input";
import { ago, count, duration, plural } from "../ui/format";
import { Empty, Failure, Lines } from "../ui/states";
import { toast } from "../ui/toast";
import { ChangeDialog, ConnectDialog } from "./connect-dialog";
import { pricesOf, STATE_TONE, secretWords, stateOf, targetsOf } from "./state";

const ORIGIN: Record<Provider["origin"], string> = {
  engine: "run by stockpot",
  environment: "found in the environment",
  local: "found on this machine",
  console: "connected by hand",
};

export function ProvidersPage() {
  const search = useSearch({ from: "/frame/providers" });
  const navigate = useNavigate();
  const providers = useQuery({ ...providersQuery, refetchInterval: 10_000 });
  const models = useQuery({ ...modelsQuery, refetchInterval: 5_000 });
  const [doomed, setDoomed] = useState<Provider | null>(null);
  const open = (dialog: { connect?: string; change?: string }) =>
    navigate({
      to: "/providers",
      search: (old) => ({ ...old, connect: undefined, change: undefined, ...dialog }),
    });
  useShortcuts([
    {
      keys: "n",
      label: "Connect a provider",
      group: "Providers",
      run: () => open({ connect: "" }),
    },
  ]);
  const word = (search.find ?? "").toLowerCase();
  const shown = providers.data?.filter((one) =>
    `${one.name} ${one.title} ${one.base_url}`.toLowerCase().includes(word),
  );
  const ownNone = providers.data?.every((one) => one.origin === "engine") ?? false;
  return (
    <div className="pb-10">
      <div className="flex items-center gap-2 px-4 py-2">
        <FindInput
          aria-label="Find a provider"
          placeholder="Find a provider"
          className="!w-[220px]"
          value={search.find}
          onFind={(find) =>
            navigate({ to: ".", replace: true, search: (old) => ({ ...old, find }) })
          }
        />
        <p className="mr-auto truncate text-ink-2">
          {providers.data && plural(providers.data.length, "provider")}
        </p>
        <Button
          tone="primary"
          icon="plus"
          title="Connect (n)"
          onClick={() => open({ connect: "" })}
        >
          Connect a provider
        </Button>
      </div>
      {providers.error && !providers.data ? (
        <Failure error={providers.error} onRetry={providers.refetch} className="m-4" />
      ) : !shown ? (
        <Lines />
      ) : (
        <>
          {shown.length > 0 && (
            <Table
              providers={shown}
              models={models.data}
              onChange={(change) => open({ change })}
              onRemove={setDoomed}
            />
          )}
          {shown.length === 0 && !ownNone && (
            <p className="px-4 py-3 text-ink-2">No provider has that in its name or address.</p>
          )}
          {ownNone && <Teach onConnect={() => open({ connect: "" })} />}
        </>
      )}
      {search.connect !== undefined && (
        <ConnectDialog
          vendor={search.connect}
          onVendor={(connect) => open({ connect })}
          onClose={() => open({})}
        />
      )}
      {search.change !== undefined && (
        <ChangeDialog name={search.change} onClose={() => open({})} />
      )}
      <Removal doomed={doomed} onClose={() => setDoomed(null)} />
    </div>
  );
}

function Teach({ onConnect }: { onConnect: () => void }) {
  return (
    <Empty
      title="No vendor or server of yours yet"
      action={
        <Button tone="primary" icon="plus" onClick={onConnect}>
          Connect a provider
        </Button>
      }
    >
      <p>
        Connect a vendor with your key, or a server such as vLLM or Ollama by its address. Keys that
        stand in the environment of the control plane, such as OPENAI_API_KEY, are found by
        themselves. From a terminal:
      </p>
      <CodeBlock
        text="stockpot providers connect openai --secret-file key.txt"
        className="mt-3 text-ink"
      />
    </Empty>
  );
}

function Removal({ doomed, onClose }: { doomed: Provider | null; onClose: () => void }) {
  const client = useQueryClient();
  const { data: models = [] } = useQuery(modelsQuery);
  const routes = models.filter(
    (model) =>
      model.origin === "alias" && model.targets.some((target) => target.provider === doomed?.name),
  );
  const remove = async () => {
    if (!doomed) return;
    await call(`/api/v1/providers/${encodeURIComponent(doomed.name)}`, { method: "DELETE" });
    toast({ text: `Provider ${doomed.name} disconnected.` });
    for (const key of ["models", "providers", "revisions"])
      client.invalidateQueries({ queryKey: [key] });
  };
  return (
    <Confirm
      open={doomed !== null}
      title={`Disconnect ${doomed?.name ?? ""}?`}
      action="Disconnect"
      onConfirm={remove}
      onClose={onClose}
    >
      Its models stop answering at once and its secret is deleted. Its history stays.
      {routes.length > 0 &&
        ` Aliases that lead to it keep the target and go round it: ${routes.map((one) => one.name).join(", ")}.`}
    </Confirm>
  );
}

const HEAD = "h-7 px-2 text-left text-xs font-medium text-ink-3 whitespace-nowrap";

interface TableProps {
  providers: readonly Provider[];
  models: readonly Model[] | undefined;
  onChange: (name: string) => void;
  onRemove: (provider: Provider) => void;
}

function Table({ providers, models, onChange, onRemove }: TableProps) {
  return (
    <section aria-label="Providers" className="relative overflow-x-auto">
      <table className="w-full min-w-[760px] border-collapse">
        <thead>
          <tr className="border-y">
            <th scope="col" className={`${HEAD} pl-4`}>
              Name
            </th>
            <th scope="col" className={HEAD}>
              State
            </th>
            <th scope="col" className={HEAD}>
              Base URL
            </th>
            <th scope="col" className={`${HEAD} max-wide:hidden`}>
              Origin
            </th>
            <th scope="col" className={HEAD}>
              Secret
            </th>
            <th scope="col" className={`${HEAD} text-right`}>
              Models
            </th>
            <th scope="col" className={`${HEAD} max-wide:hidden`}>
              Prices
            </th>
            <th scope="col" className="pr-4">
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {providers.map((provider) => (
            <Row
              key={provider.name}
              provider={provider}
              models={models ?? []}
              onChange={() => onChange(provider.name)}
              onRemove={() => onRemove(provider)}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface RowProps {
  provider: Provider;
  models: readonly Model[];
  onChange: () => void;
  onRemove: () => void;
}

function Row({ provider, models, onChange, onRemove }: RowProps) {
  const client = useQueryClient();
  const trial = useMutation({
    mutationFn: () =>
      call<TestResult>(`/api/v1/providers/${encodeURIComponent(provider.name)}/test`, {
        method: "POST",
      }),
    onSettled: () => client.invalidateQueries({ queryKey: ["models"] }),
  });
  const targets = targetsOf(provider.name, models);
  const state = stateOf(provider, targets);
  const broken = targets.find((target) => target.state === "failing" || target.state === "cooling");
  const lastOk = Math.max(0, ...targets.map((target) => target.last_ok_ms ?? 0));
  const own = provider.origin === "console";
  const note = provider.notice || broken?.last_error;
  return (
    <tr className="border-b align-top hover:bg-hover [&>td]:py-1.5">
      <td className="max-w-[230px] pr-2 pl-4">
        <p className="flex items-baseline gap-1.5">
          <span className="truncate leading-7 font-medium">{provider.name}</span>
          {provider.title.toLowerCase() !== provider.name.toLowerCase() && (
            <span className="truncate text-ink-3">{provider.title}</span>
          )}
          {provider.wire !== "openai" && <Badge>{provider.wire}</Badge>}
        </p>
        {note && <p className="text-xs break-words text-warn">{note}</p>}
        <Trial result={trial.data} error={trial.error} />
      </td>
      <td className="px-2 leading-7 whitespace-nowrap">
        <State tone={STATE_TONE[state]}>{state === "unknown" ? "not called yet" : state}</State>
        {lastOk > 0 && <span className="pl-1.5 text-xs text-ink-3">{ago(lastOk)}</span>}
      </td>
      <td
        className="max-w-[230px] truncate px-2 font-mono text-xs leading-7 text-ink-2"
        title={provider.base_url}
      >
        {provider.base_url}
      </td>
      <td className="px-2 leading-7 whitespace-nowrap text-ink-2 max-wide:hidden">
        {ORIGIN[provider.origin]}
      </td>
      <td className="px-2 font-mono text-xs leading-7 whitespace-nowrap text-ink-2">
        {secretWords(provider)}
      </td>
      <td className="num px-2 leading-7" title={provider.models.slice(0, 30).join(", ")}>
        <Link to="/routes" search={{ find: `${provider.name}/` }} className="hover:underline">
          {count(provider.models.length)}
        </Link>
      </td>
      <td
        className="max-w-[170px] truncate px-2 leading-7 text-ink-2 max-wide:hidden"
        title={pricesOf(targets)}
      >
        {pricesOf(targets)}
      </td>
      <td className="pr-4">
        <span className="flex justify-end gap-1">
          {own && (
            <>
              <Button
                tone="ghost"
                icon="edit"
                aria-label={`Change ${provider.name}`}
                title="Change it, or give it a new secret"
                onClick={onChange}
              />
              <Button
                tone="ghost"
                icon="trash"
                aria-label={`Disconnect ${provider.name}`}
                title="Disconnect"
                onClick={onRemove}
              />
            </>
          )}
          <Button
            busy={trial.isPending}
            aria-label={`Test ${provider.name}`}
            onClick={() => trial.mutate()}
          >
            Test
          </Button>
        </span>
      </td>
    </tr>
  );
}

function Trial({ result, error }: { result: TestResult | undefined; error: unknown }) {
  if (!result && !error) return null;
  const good = result?.ok ?? false;
  const told = good
    ? `Lists ${result?.text}, in ${duration(result?.duration_ms)}`
    : result?.error || (error ? asApiError(error).message : `HTTP ${result?.status}`);
  return (
    <p role="status" className={good ? "text-xs text-ok" : "text-xs break-words text-bad"}>
      {told}
    </p>
  );
}
