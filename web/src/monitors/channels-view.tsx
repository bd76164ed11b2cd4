// Where alerts go, and what came of each message.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import { needs, useMay } from "../api/may";
import { projectsQuery } from "../api/queries";
import type { Channel, ChannelTest, CreatedChannel, Delivery, NewChannel } from "../api/types";
import { State, type Tone } from "../ui/badge";
import { Button } from "../ui/button";
import { useCopy } from "../ui/copy";
import { Confirm, Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { FormDialog } from "../ui/form-dialog";
import { ago, duration, fullTime } from "../ui/format";
import { Segments } from "../ui/segments";
import { Select } from "../ui/select";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { toast, toastError } from "../ui/toast";
import { channelsQuery, deliveriesQuery, MONITORS } from "./queries";

export function ChannelsView({ project }: { project?: string }) {
  const may = useMay();
  const channels = useQuery(channelsQuery);
  const [adding, setAdding] = useState(false);
  const [created, setCreated] = useState<CreatedChannel | null>(null);
  const rows = channels.data?.filter((one) => !project || ["", project].includes(one.project));
  const admin = may.somewhere("admin");
  return (
    <>
      <div className="flex items-center gap-2 px-4 pb-2">
        <p className="mr-auto text-ink-2">
          A channel's URL is kept encrypted and never shown in full; webhooks are signed.
        </p>
        <Button
          icon="plus"
          disabled={!admin}
          title={admin ? undefined : needs("admin", "a project")}
          onClick={() => setAdding(true)}
        >
          Add a channel
        </Button>
      </div>
      {channels.error && !channels.data ? (
        <Failure error={channels.error} onRetry={channels.refetch} className="m-4" />
      ) : !rows ? (
        <Lines rows={3} />
      ) : rows.length === 0 ? (
        <Empty title="Alerts are told nowhere yet">
          <p>
            Add a webhook of yours, or an incoming webhook of Slack, Mattermost or whoever takes
            that shape. Or run{" "}
            <code className="rounded bg-mute-wash px-1 font-mono text-xs select-all">
              stockpot monitors channels add ops --url https://example.org/hook
            </code>
          </p>
        </Empty>
      ) : (
        <Table
          label="Channels"
          head={[
            { title: "Channel" },
            { title: "Kind" },
            { title: "Address" },
            { title: "Actions", hidden: true },
          ]}
        >
          {rows.map((channel) => (
            <ChannelRow key={channel.id} channel={channel} />
          ))}
        </Table>
      )}
      <Deliveries project={project} />
      {adding && (
        <AddDialog project={project} onClose={() => setAdding(false)} onCreated={setCreated} />
      )}
      {created && <SecretOnce created={created} onClose={() => setCreated(null)} />}
    </>
  );
}

function ChannelRow({ channel }: { channel: Channel }) {
  const may = useMay();
  const client = useQueryClient();
  const [removing, setRemoving] = useState(false);
  const admin = channel.project ? may.project("admin", channel.project) : may.instance("admin");
  const test = useMutation({
    mutationFn: () => call<ChannelTest>(`/api/v1/channels/${channel.id}/test`, { method: "POST" }),
    onSuccess: (came) =>
      came.ok
        ? toast({
            text: `${channel.name} took it: ${came.status} in ${duration(came.duration_ms)}.`,
          })
        : toast({ tone: "bad", text: `${channel.name} did not take it: ${came.error}.` }),
    onError: toastError,
  });
  return (
    <tr className={ROW}>
      <Cell>
        <span className="font-medium">{channel.name}</span>
        <span className="pl-2 text-xs text-ink-3">{channel.project || "all projects"}</span>
      </Cell>
      <Cell>{channel.kind}</Cell>
      <Cell className="font-mono text-xs text-ink-2">{channel.address}</Cell>
      <Cell>
        <span className="flex justify-end gap-1">
          <Button
            disabled={!admin}
            busy={test.isPending}
            aria-label={`Send a test to ${channel.name}`}
            onClick={() => test.mutate()}
          >
            Send a test
          </Button>
          <Button
            tone="ghost"
            icon="trash"
            disabled={!admin}
            aria-label={`Remove ${channel.name}`}
            onClick={() => setRemoving(true)}
          />
        </span>
        <Confirm
          open={removing}
          title={`Remove ${channel.name}?`}
          action="Remove"
          onClose={() => setRemoving(false)}
          onConfirm={async () => {
            await call(`/api/v1/channels/${channel.id}`, { method: "DELETE" });
            await client.invalidateQueries({ queryKey: [MONITORS] });
          }}
        >
          Monitors tell it nothing more; messages that wait for it are given up.
        </Confirm>
      </Cell>
    </tr>
  );
}

const TONE: Record<Delivery["state"], Tone> = { waiting: "warn", delivered: "ok", dead: "bad" };
type Shown = "all" | Delivery["state"];

function Deliveries({ project }: { project?: string }) {
  const [shown, setShown] = useState<Shown>("all");
  const { data, error } = useQuery(deliveriesQuery(shown === "all" ? undefined : shown));
  const rows = data?.filter((one) => !project || one.project === project);
  return (
    <section aria-label="Messages" className="mt-6">
      <div className="flex items-center gap-2 px-4 pb-2">
        <h2 className="mr-auto font-semibold">Messages</h2>
        <Segments<Shown>
          label="Which messages"
          value={shown}
          choices={[
            { value: "all", label: "All" },
            { value: "waiting", label: "Waiting" },
            { value: "dead", label: "Given up" },
          ]}
          onChange={setShown}
        />
      </div>
      {error && !data ? (
        <Failure error={error} className="mx-4" />
      ) : !rows ? (
        <Lines rows={3} />
      ) : rows.length === 0 ? (
        <p className="px-4 text-ink-2">
          {shown === "dead" ? "Nothing was given up." : "Nothing was sent yet."}
        </p>
      ) : (
        <Table
          label="Messages"
          head={[
            { title: "State" },
            { title: "Said" },
            { title: "Channel" },
            { title: "Attempts", num: true },
            { title: "Why" },
            { title: "When" },
            { title: "Actions", hidden: true },
          ]}
        >
          {rows.map((row) => (
            <DeliveryRow key={row.id} row={row} />
          ))}
        </Table>
      )}
    </section>
  );
}

function DeliveryRow({ row }: { row: Delivery }) {
  const may = useMay();
  const client = useQueryClient();
  const again = useMutation({
    mutationFn: () => call<Delivery>(`/api/v1/deliveries/${row.id}/retry`, { method: "POST" }),
    onSuccess: () => client.invalidateQueries({ queryKey: [MONITORS] }),
    onError: toastError,
  });
  const editor = row.project ? may.project("editor", row.project) : may.instance("editor");
  return (
    <tr className={ROW}>
      <Cell>
        <State tone={TONE[row.state]}>{row.state === "dead" ? "given up" : row.state}</State>
      </Cell>
      <Cell>{row.said}</Cell>
      <Cell>{row.channel}</Cell>
      <Cell num>{row.attempts}</Cell>
      <Cell className="max-w-[360px] truncate text-ink-2" title={row.error}>
        {row.error}
      </Cell>
      <Cell className="whitespace-nowrap" title={fullTime(row.created_ms)}>
        {ago(row.created_ms)}
      </Cell>
      <Cell className="text-right">
        {row.state === "dead" && (
          <Button disabled={!editor} busy={again.isPending} onClick={() => again.mutate()}>
            Try again
          </Button>
        )}
      </Cell>
    </tr>
  );
}

interface AddProps {
  project?: string;
  onClose: () => void;
  onCreated: (created: CreatedChannel) => void;
}

function AddDialog({ project, onClose, onCreated }: AddProps) {
  const client = useQueryClient();
  const may = useMay();
  const { data: projects = [] } = useQuery(projectsQuery);
  const mine = projects.filter((one) => may.project("admin", one.name));
  const [draft, setDraft] = useState<NewChannel>({
    name: "",
    kind: "webhook",
    url: "",
    project: project ?? mine[0]?.name ?? "",
  });
  const change = (next: Partial<NewChannel>) => setDraft({ ...draft, ...next });
  const send = useMutation({
    mutationFn: () => call<CreatedChannel>("/api/v1/channels", { method: "POST", body: draft }),
    onSuccess: (created) => {
      client.invalidateQueries({ queryKey: [MONITORS] });
      onClose();
      if (created.secret) onCreated(created);
      else toast({ text: `${created.channel.name} is there.` });
    },
  });
  const submit = () => {
    send.mutate();
  };
  return (
    <FormDialog
      onClose={onClose}
      title="Add a channel"
      action="Add"
      busy={send.isPending}
      disabled={!draft.name.trim() || !draft.url}
      error={send.error}
      onSubmit={submit}
      className="flex flex-col gap-4"
    >
      <Segments
        label="Kind"
        value={draft.kind ?? "webhook"}
        choices={[
          { value: "webhook", label: "Webhook, signed" },
          { value: "slack", label: "Slack's shape" },
        ]}
        onChange={(kind) => change({ kind })}
      />
      <div className="grid grid-cols-2 gap-3">
        <Field label="Name">
          {(props) => (
            <Input
              value={draft.name}
              maxLength={100}
              onChange={(event) => change({ name: event.target.value.trimStart() })}
              {...props}
            />
          )}
        </Field>
        <Field label="Project">
          {({ id }) => (
            <Select
              id={id}
              label="Project"
              className="w-full"
              value={draft.project}
              placeholder="all projects"
              onChange={(value) => change({ project: value })}
              choices={[
                ...mine.map((one) => ({ value: one.name, label: one.name })),
                ...(may.instance("admin") ? [{ value: "", label: "all projects" }] : []),
              ]}
            />
          )}
        </Field>
      </div>
      <Field label="URL">
        {(props) => (
          <Input
            type="url"
            value={draft.url ?? ""}
            placeholder="https://"
            onChange={(event) => change({ url: event.target.value.trim() })}
            {...props}
          />
        )}
      </Field>
    </FormDialog>
  );
}

function SecretOnce({ created, onClose }: { created: CreatedChannel; onClose: () => void }) {
  const [copied, copy] = useCopy();
  return (
    <Dialog
      open
      dismissible={false}
      onClose={onClose}
      title={`${created.channel.name} is there`}
      description="This secret signs what is sent to it, by the rules of Standard Webhooks. It is shown this once."
      footer={
        <Button tone="primary" onClick={onClose}>
          I have stored it
        </Button>
      }
    >
      <div className="flex items-center gap-2 rounded-lg border border-line-strong bg-panel p-2 pl-3">
        <code
          data-testid="secret"
          className="min-w-0 flex-1 font-mono text-xs break-all select-all"
        >
          {created.secret}
        </code>
        <Button icon={copied ? "check" : "copy"} onClick={() => copy(created.secret)}>
          {copied ? "Copied" : "Copy"}
        </Button>
      </div>
    </Dialog>
  );
}
