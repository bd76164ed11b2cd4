import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { call } from "../api/client";
import { providersQuery, vendorsQuery } from "../api/queries";
import type { Provider, ProviderSettings, ProviderVendor } from "../api/types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input, TextArea } from "../ui/field";
import { plural } from "../ui/format";
import { Select } from "../ui/select";
import { Failure, Lines } from "../ui/states";
import { toast } from "../ui/toast";

/** Connects a vendor or a server; with the name of a known provider, changes that one. */
export function ConnectDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const vendors = useQuery(vendorsQuery);
  const providers = useQuery(providersQuery);
  const known = providers.data?.find((provider) => provider.name === name);
  if (!vendors.data || !providers.data) {
    return (
      <Dialog open onClose={onClose} title="Connect a provider">
        {vendors.error ? (
          <Failure error={vendors.error} onRetry={vendors.refetch} />
        ) : (
          <Lines rows={5} />
        )}
      </Dialog>
    );
  }
  return (
    <Form
      vendors={vendors.data}
      known={known}
      taken={providers.data.map((one) => one.name)}
      onClose={onClose}
    />
  );
}

interface FormProps {
  vendors: readonly ProviderVendor[];
  known?: Provider;
  taken: readonly string[];
  onClose: () => void;
}

/** The vendor's own name, or the next free one such as `openai-2`. */
function freeName(vendor: string, taken: readonly string[]): string {
  let name = vendor;
  for (let number = 2; taken.includes(name); number++) name = `${vendor}-${number}`;
  return name;
}

function Form({ vendors, known, taken, onClose }: FormProps) {
  const client = useQueryClient();
  const [vendorName, setVendorName] = useState(known?.vendor ?? vendors[0]?.name ?? "");
  const [name, setName] = useState(known?.name ?? "");
  const [baseUrl, setBaseUrl] = useState(known?.base_url ?? "");
  const [secret, setSecret] = useState("");
  const [models, setModels] = useState("");
  const vendor = vendors.find((one) => one.name === vendorName);
  useEffect(() => {
    if (known || !vendor) return;
    setName(freeName(vendor.name, taken));
    setBaseUrl(vendor.base_url);
  }, [known, vendor, taken]);
  const connect = useMutation({
    mutationFn: () => {
      const body: ProviderSettings = {
        vendor: vendorName,
        base_url: baseUrl.trim() || null,
        secret: secret.trim() || null,
        models: models.split(/[\s,]+/).filter(Boolean),
      };
      return call<Provider>(`/api/v1/providers/${encodeURIComponent(name.trim())}`, {
        method: "PUT",
        body,
      });
    },
    onSuccess: (provider) => {
      client.invalidateQueries({ queryKey: ["models"] });
      client.invalidateQueries({ queryKey: ["providers"] });
      client.invalidateQueries({ queryKey: ["instance"] });
      toast({
        text: `${provider.name} is connected with ${plural(provider.models.length, "model")}.`,
        hint: provider.notice,
      });
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    connect.mutate();
  };
  const needsSecret = Boolean(vendor?.needs_secret) && !known;
  return (
    <Dialog
      open
      onClose={onClose}
      title={known ? `Change ${known.name}` : "Connect a provider"}
      description="Its models become available to your keys at once."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" type="submit" form="connect" busy={connect.isPending}>
            {known ? "Save" : "Connect"}
          </Button>
        </>
      }
    >
      <form id="connect" onSubmit={submit} className="grid grid-cols-2 gap-x-4 gap-y-3">
        <div>
          <p className="mb-1 text-xs font-medium text-ink-2">Vendor or server</p>
          <Select
            label="Vendor or server"
            value={vendorName}
            onChange={setVendorName}
            className="w-full"
            choices={vendors.map((one) => ({
              value: one.name,
              label: one.title,
              note: one.local ? "runs on your machines" : one.verified ? "" : "unverified",
            }))}
          />
          {vendor && !vendor.verified && (
            <p className="mt-1 text-xs text-ink-3">
              Unverified: its wire was never checked against a published specification.
            </p>
          )}
        </div>
        <Field label="Name" hint="Targets and traces show this name.">
          {(props) => (
            <Input
              required
              disabled={Boolean(known)}
              value={name}
              onChange={(event) => setName(event.target.value)}
              {...props}
            />
          )}
        </Field>
        <Field
          label="Base URL"
          className="col-span-2"
          hint="Up to, and without, the endpoint's path: https://host/v1"
        >
          {(props) => (
            <Input
              type="url"
              required={vendor?.local || !vendor?.base_url}
              placeholder={vendor?.base_url}
              value={baseUrl}
              onChange={(event) => setBaseUrl(event.target.value)}
              {...props}
              className="font-mono text-xs"
            />
          )}
        </Field>
        <Field
          label={needsSecret ? "Secret" : "Secret (optional)"}
          className="col-span-2"
          hint={
            known?.secret_hint
              ? `Leave empty to keep the one that ends in ${known.secret_hint.slice(-4)}.`
              : "Stored encrypted and never shown again."
          }
        >
          {(props) => (
            <Input
              type="password"
              autoComplete="new-password"
              required={needsSecret}
              value={secret}
              onChange={(event) => setSecret(event.target.value)}
              {...props}
              className="font-mono text-xs"
            />
          )}
        </Field>
        <Field
          label="Models (optional)"
          className="col-span-2"
          hint="Names separated by commas or spaces; left empty, the provider is asked which models it has."
        >
          {(props) => (
            <TextArea
              rows={2}
              value={models}
              onChange={(event) => setModels(event.target.value)}
              {...props}
              className="font-mono text-xs"
            />
          )}
        </Field>
      </form>
      {connect.error && <Failure error={connect.error} className="mt-4" />}
    </Dialog>
  );
}
