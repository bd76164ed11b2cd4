import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api/client";
import { needs, useMay } from "../api/may";
import { instanceQuery, keysQuery, overviewQuery } from "../api/queries";
import type { CreatedKey, VirtualKey } from "../api/types";
import { useShortcuts } from "../frame/shortcuts";
import { Button, buttonClass } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { Confirm } from "../ui/dialog";
import { plural } from "../ui/format";
import { Snippet } from "../ui/snippet";
import { Empty, Failure, Lines } from "../ui/states";
import { toast } from "../ui/toast";
import { KeyDialog } from "./key-dialog";
import { KeyTable } from "./key-table";
import { SecretDialog } from "./secret-dialog";

export function KeysPage() {
  const search = useSearch({ from: "/frame/keys" });
  const navigate = useNavigate();
  const keys = useQuery({ ...keysQuery, refetchInterval: 10_000 });
  const use = useQuery(
    overviewQuery({ project: search.project, environment: search.environment, range: "24h" }),
  );
  const [created, setCreated] = useState<CreatedKey | null>(null);
  const open = (next: { create?: true; key?: string }) =>
    navigate({
      to: "/keys",
      search: (old) => ({ ...old, create: undefined, key: undefined, ...next }),
    });
  const revocation = useRevocation();
  const rotation = useRotation(setCreated);
  const may = useMay();
  const editor = may.somewhere("editor");
  useShortcuts([
    {
      keys: "n",
      label: "Create a key",
      group: "Keys",
      run: () => editor && open({ create: true }),
    },
  ]);
  const shown = keys.data?.filter(
    (key) =>
      (!search.project || key.project === search.project) &&
      (!search.environment || key.environment === search.environment),
  );
  const edited = search.key ? keys.data?.find((key) => key.id === search.key) : undefined;
  return (
    <div className="pb-10">
      <div className="flex items-center gap-2 px-4 py-2">
        <p className="mr-auto text-ink-2">{shown && plural(shown.length, "key")}</p>
        <Link to="/requests" search={{ ask: true }} className={buttonClass("ghost")}>
          Ask for more
        </Link>
        <Button
          tone="primary"
          icon="plus"
          disabled={!editor}
          title={editor ? undefined : needs("editor", "a project")}
          onClick={() => open({ create: true })}
        >
          Create a key
        </Button>
      </div>
      {keys.error && !keys.data ? (
        <Failure error={keys.error} onRetry={keys.refetch} className="m-4" />
      ) : !shown ? (
        <Lines />
      ) : shown.length === 0 ? (
        <NoKeys filtered={Boolean(keys.data?.length)} />
      ) : (
        <KeyTable
          keys={shown}
          use={use.data}
          onEdit={(key) => open({ key: key.id })}
          onRotate={rotation.ask}
          onRevoke={revocation.ask}
        />
      )}
      {search.create && (
        <KeyDialog
          onClose={() => open({})}
          onCreated={(key) => {
            open({});
            setCreated(key);
          }}
        />
      )}
      {edited && <KeyDialog key={edited.id} known={edited} onClose={() => open({})} />}
      {created && <SecretDialog created={created} onClose={() => setCreated(null)} />}
      {revocation.dialog}
      {rotation.dialog}
    </div>
  );
}

function NoKeys({ filtered }: { filtered: boolean }) {
  const { data: instance } = useQuery(instanceQuery);
  if (filtered) return <Empty title="No key in this project and environment" />;
  return (
    <Empty title="No keys yet">
      <p>
        A key is what an application shows to the gateway instead of a vendor's secret. It carries
        limits, a budget and a policy for what is logged. Create one above, or from a terminal:
      </p>
      <CodeBlock text="stockpot keys create --name my-app" className="mt-3 text-ink" />
      {instance && (
        <div className="mt-4 text-ink">
          <p className="mb-2 text-ink-2">Then any OpenAI client works by changing its base URL:</p>
          <Snippet
            gateway={instance.gateway_url}
            model={instance.default_model}
            secret="YOUR_KEY"
          />
        </div>
      )}
    </Empty>
  );
}

function useRotation(onNew: (created: CreatedKey) => void) {
  const client = useQueryClient();
  const [chosen, setChosen] = useState<VirtualKey | null>(null);
  const dialog = (
    <Confirm
      open={chosen !== null}
      title={`A new secret for ${chosen?.name ?? ""}?`}
      action="Rotate"
      onConfirm={async () => {
        if (!chosen) return;
        const path = `/api/v1/keys/${encodeURIComponent(chosen.id)}/rotate`;
        onNew(await call<CreatedKey>(path, { method: "POST" }));
        await client.invalidateQueries({ queryKey: ["keys"] });
      }}
      onClose={() => setChosen(null)}
    >
      The present secret <code className="font-mono text-xs">{chosen?.prefix}…</code> stops working
      at once. Limits, budget and history stay with the key.
    </Confirm>
  );
  return { ask: setChosen, dialog };
}

function useRevocation() {
  const client = useQueryClient();
  const [doomed, setDoomed] = useState<VirtualKey | null>(null);
  const revoke = useMutation({
    mutationFn: (key: VirtualKey) =>
      call(`/api/v1/keys/${encodeURIComponent(key.id)}`, { method: "DELETE" }),
    onSuccess: (_, key) => {
      toast({ text: `Key ${key.name} is revoked.` });
      client.invalidateQueries({ queryKey: ["keys"] });
    },
  });
  const dialog = (
    <Confirm
      open={doomed !== null}
      title={`Revoke ${doomed?.name ?? ""}?`}
      action="Revoke"
      onConfirm={async () => {
        if (doomed) await revoke.mutateAsync(doomed);
      }}
      onClose={() => setDoomed(null)}
    >
      Applications that use <code className="font-mono text-xs">{doomed?.prefix}…</code> are refused
      within seconds, for ever. Its traces and costs stay. To stop it for a while, disable it
      instead.
    </Confirm>
  );
  return { ask: setDoomed, dialog };
}
