import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api/client";
import { modelsQuery, providersQuery } from "../api/queries";
import type { Model, Provider } from "../api/types";
import { NoModels } from "../playground/no-models";
import { Button } from "../ui/button";
import { Confirm } from "../ui/dialog";
import { plural } from "../ui/format";
import { Failure, Lines } from "../ui/states";
import { toast } from "../ui/toast";
import { AliasDialog } from "./alias-dialog";
import { ConnectDialog } from "./connect-dialog";
import { ModelTable } from "./model-table";
import { ProviderTable } from "./provider-table";

export function ModelsPage() {
  const search = useSearch({ from: "/frame/models" });
  const navigate = useNavigate();
  const models = useQuery({ ...modelsQuery, refetchInterval: 5_000 });
  const providers = useQuery(providersQuery);
  const open = (dialog: { connect?: string; alias?: string }) =>
    navigate({
      to: "/models",
      search: (old) => ({ ...old, connect: undefined, alias: undefined, ...dialog }),
    });
  const removal = useRemoval();
  return (
    <div className="pb-10">
      <div className="flex items-center gap-2 px-4 py-2">
        <p className="mr-auto truncate text-ink-2">
          {models.data && `${plural(models.data.length, "name")} that applications may ask for`}
        </p>
        <Button icon="plus" onClick={() => open({ alias: "" })}>
          Define an alias
        </Button>
        <Button tone="primary" icon="plus" onClick={() => open({ connect: "" })}>
          Connect a provider
        </Button>
      </div>
      {models.error && !models.data ? (
        <Failure error={models.error} onRetry={models.refetch} className="m-4" />
      ) : !models.data ? (
        <Lines />
      ) : models.data.length === 0 ? (
        <NoModels kind="model" />
      ) : (
        <ModelTable
          models={models.data}
          onEdit={(alias) => open({ alias })}
          onRemove={(model) => removal.ask({ model })}
        />
      )}
      {providers.error && !providers.data ? (
        <Failure error={providers.error} onRetry={providers.refetch} className="m-4" />
      ) : (
        providers.data && (
          <ProviderTable
            providers={providers.data}
            onEdit={(connect) => open({ connect })}
            onRemove={(provider) => removal.ask({ provider })}
          />
        )
      )}
      {search.connect !== undefined && (
        <ConnectDialog key={search.connect} name={search.connect} onClose={() => open({})} />
      )}
      {search.alias !== undefined && (
        <AliasDialog key={search.alias} name={search.alias} onClose={() => open({})} />
      )}
      {removal.dialog}
    </div>
  );
}

type Doomed = { model: Model } | { provider: Provider };

function useRemoval() {
  const client = useQueryClient();
  const [doomed, setDoomed] = useState<Doomed | null>(null);
  const remove = useMutation({
    mutationFn: (what: Doomed) =>
      "model" in what
        ? call(`/api/v1/models/${encodeURIComponent(what.model.name)}`, { method: "DELETE" })
        : call(`/api/v1/providers/${encodeURIComponent(what.provider.name)}`, { method: "DELETE" }),
    onSuccess: (_, what) => {
      toast({
        text:
          "model" in what
            ? `Alias ${what.model.name} removed.`
            : `Provider ${what.provider.name} disconnected.`,
      });
      client.invalidateQueries({ queryKey: ["models"] });
      client.invalidateQueries({ queryKey: ["providers"] });
    },
  });
  const alias = doomed && "model" in doomed ? doomed.model : null;
  const provider = doomed && "provider" in doomed ? doomed.provider : null;
  const dialog = (
    <Confirm
      open={doomed !== null}
      title={alias ? `Remove the alias ${alias.name}?` : `Disconnect ${provider?.name ?? ""}?`}
      action={alias ? "Remove" : "Disconnect"}
      onConfirm={async () => {
        if (doomed) await remove.mutateAsync(doomed);
      }}
      onClose={() => setDoomed(null)}
    >
      {alias
        ? "Applications that ask for this name get “model not found” from the next call on. Its history stays."
        : "Its models stop answering at once and its secret is deleted. Its history stays."}
    </Confirm>
  );
  return { ask: setDoomed, dialog };
}
