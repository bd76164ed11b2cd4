import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type KeyboardEvent, useState } from "react";
import { call } from "../api/client";
import { providersQuery, revisionQuery, revisionsQuery, vendorsQuery } from "../api/queries";
import type { Provider, ProviderSettings, ProviderVendor } from "../api/types";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { cx } from "../ui/cx";
import { Dialog } from "../ui/dialog";
import { Field, Input, TextArea } from "../ui/field";
import { plural } from "../ui/format";
import { Failure, Lines } from "../ui/states";
import { toast } from "../ui/toast";
import { freeName, secretWords, vendorsFor } from "./state";

interface Props {
  /** The vendor's name; empty shows the table of all vendors. */
  vendor: string;
  onVendor: (name: string) => void;
  onClose: () => void;
}

export function ConnectDialog({ vendor, onVendor, onClose }: Props) {
  const vendors = useQuery(vendorsQuery);
  const providers = useQuery(providersQuery);
  const error = vendors.error ?? providers.error;
  if (!vendors.data || !providers.data) {
    return (
      <Dialog open onClose={onClose} title="Connect a provider" width={640}>
        {error ? <Failure error={error} /> : <Lines rows={8} />}
      </Dialog>
    );
  }
  const chosen = vendors.data.find((one) => one.name === vendor);
  if (!chosen) return <Vendors vendors={vendors.data} onChoose={onVendor} onClose={onClose} />;
  const name = freeName(
    chosen.name,
    providers.data.map((one) => one.name),
  );
  return (
    <Form
      key={chosen.name}
      vendor={chosen}
      name={name}
      named=""
      onBack={() => onVendor("")}
      onClose={onClose}
    />
  );
}

/** Changes a provider: its address, its secret, the models that it is said to have. */
export function ChangeDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const vendors = useQuery(vendorsQuery);
  const providers = useQuery(providersQuery);
  const revisions = useQuery(revisionsQuery);
  const head = revisions.data?.find((one) => one.state === "released")?.number ?? 0;
  const defined = useQuery({ ...revisionQuery(head), enabled: head > 0 });
  const error = vendors.error ?? providers.error ?? revisions.error ?? defined.error;
  const known = providers.data?.find((one) => one.name === name);
  const vendor = vendors.data?.find((one) => one.name === known?.vendor);
  if (!known || !vendor || !defined.data) {
    const missing = providers.data && vendors.data && (!known || !vendor);
    return (
      <Dialog open onClose={onClose} title={`Change ${name}`} width={640}>
        {error ? (
          <Failure error={error} />
        ) : missing ? (
          <p className="text-ink-2">No provider {name} was connected by hand.</p>
        ) : (
          <Lines rows={5} />
        )}
      </Dialog>
    );
  }
  const named = defined.data.content.providers?.[name]?.models;
  return (
    <Form
      vendor={vendor}
      name={name}
      known={known}
      named={Array.isArray(named) ? named.join(", ") : ""}
      onClose={onClose}
    />
  );
}

interface VendorsProps {
  vendors: readonly ProviderVendor[];
  onChoose: (name: string) => void;
  onClose: () => void;
}

function Vendors({ vendors, onChoose, onClose }: VendorsProps) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const shown = vendorsFor(vendors, typed);
  const place = Math.min(at, shown.length - 1);
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) {
      event.preventDefault();
      const next = Math.max(0, Math.min(shown.length - 1, place + step));
      setAt(next);
      document.getElementById(`vendor-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && shown[place]) {
      event.preventDefault();
      onChoose(shown[place].name);
    }
  };
  return (
    <Dialog
      open
      onClose={onClose}
      width={640}
      title="Connect a provider"
      description="A vendor with your key, or a model server on your own machines."
    >
      <Input
        role="combobox"
        aria-expanded="true"
        aria-controls="vendors"
        aria-activedescendant={shown[place] ? `vendor-${place}` : undefined}
        aria-label="Find a vendor"
        placeholder={`Find one of ${vendors.length} vendors and servers`}
        value={typed}
        onKeyDown={onKey}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
      />
      <div
        id="vendors"
        role="listbox"
        aria-label="Vendors"
        className="mt-2 h-[46vh] overflow-y-auto rounded-lg border p-1"
      >
        {shown.map((one, row) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input above handles the keys
          <div
            key={one.name}
            id={`vendor-${row}`}
            role="option"
            tabIndex={-1}
            aria-selected={row === place}
            onMouseMove={() => setAt(row)}
            onClick={() => onChoose(one.name)}
            className={cx(
              "grid h-8 cursor-default grid-cols-[minmax(0,190px)_minmax(0,1fr)_auto] items-center gap-3 rounded-md px-2",
              row === place && "bg-hover",
            )}
          >
            <span className="truncate font-medium">{one.title}</span>
            <span className="truncate font-mono text-xs text-ink-3">{one.base_url}</span>
            <span className="flex gap-1">
              {one.local && <Badge>your machines</Badge>}
              {one.wire !== "openai" && <Badge>{one.wire}</Badge>}
              {!one.verified && (
                <Badge
                  tone="warn"
                  title="Its wire was never checked against a published specification or a recording."
                >
                  unverified
                </Badge>
              )}
            </span>
          </div>
        ))}
        {shown.length === 0 && (
          <p className="p-2 text-ink-2">
            No vendor has that name. A server that speaks OpenAI’s format can be connected as vLLM.
          </p>
        )}
      </div>
    </Dialog>
  );
}

interface FormProps {
  vendor: ProviderVendor;
  name: string;
  known?: Provider;
  /** The models that were named by hand. */
  named: string;
  onBack?: () => void;
  onClose: () => void;
}

function Form({ vendor, name: first, known, named, onBack, onClose }: FormProps) {
  const client = useQueryClient();
  const [name, setName] = useState(first);
  const [baseUrl, setBaseUrl] = useState(known?.base_url ?? vendor.base_url);
  const [secret, setSecret] = useState("");
  const [reference, setReference] = useState("");
  const [models, setModels] = useState(named);
  const connect = useMutation({
    mutationFn: () => {
      const body: ProviderSettings = {
        vendor: vendor.name,
        base_url: baseUrl.trim() || null,
        secret: secret.trim() || null,
        secret_ref: reference.trim() || null,
        models: models.split(/[\s,]+/).filter(Boolean),
      };
      return call<Provider>(`/api/v1/providers/${encodeURIComponent(name.trim())}`, {
        method: "PUT",
        body,
      });
    },
    onSuccess: (provider) => {
      for (const key of ["models", "providers", "instance", "revisions"])
        client.invalidateQueries({ queryKey: [key] });
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
  const needsSecret = vendor.needs_secret && !known && !reference;
  return (
    <Dialog
      open
      onClose={onClose}
      width={640}
      title={known ? `Change ${known.name}` : `Connect ${vendor.title}`}
      description={
        known
          ? "A new secret takes the place of the old one at once."
          : "Its models become available to your keys at once."
      }
      footer={
        <>
          {onBack && (
            <Button className="mr-auto" onClick={onBack}>
              Another vendor
            </Button>
          )}
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" type="submit" form="connect" busy={connect.isPending}>
            {known ? "Save" : "Connect"}
          </Button>
        </>
      }
    >
      <form id="connect" onSubmit={submit} className="grid grid-cols-2 gap-x-4 gap-y-3">
        {!vendor.verified && (
          <p className="col-span-2 text-warn">
            Unverified: its wire was never checked against a published specification or a recording.
            Test it before you rely on it.
          </p>
        )}
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
        <Field label="Base URL" hint="Up to, and without, the endpoint’s path: https://host/v1">
          {(props) => (
            <Input
              type="url"
              required={vendor.local || !vendor.base_url}
              placeholder={vendor.base_url}
              value={baseUrl}
              onChange={(event) => setBaseUrl(event.target.value)}
              {...props}
              className="font-mono text-xs"
            />
          )}
        </Field>
        <Field
          label={known?.secret_hint ? "New secret" : needsSecret ? "Secret" : "Secret (optional)"}
          hint={
            known?.secret_hint
              ? `Leave empty to keep ${secretWords(known)}.`
              : "Stored encrypted and never shown again."
          }
        >
          {(props) => (
            <Input
              type="password"
              autoComplete="new-password"
              required={needsSecret}
              disabled={Boolean(reference)}
              value={secret}
              onChange={(event) => setSecret(event.target.value)}
              {...props}
              className="font-mono text-xs"
            />
          )}
        </Field>
        <Field label="Or where it is" hint="env:NAME or file:/path, where the control plane runs.">
          {(props) => (
            <Input
              placeholder="env:VENDOR_KEY"
              pattern="env:[A-Za-z_][A-Za-z0-9_]*|file:/.+"
              disabled={Boolean(secret)}
              value={reference}
              onChange={(event) => setReference(event.target.value)}
              {...props}
              className="font-mono text-xs"
            />
          )}
        </Field>
        <Field
          label="Models (optional)"
          className="col-span-2"
          hint="Separated by commas or spaces; left empty, the provider is asked which models it has."
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
