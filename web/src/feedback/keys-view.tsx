// Keys for browsers: they give feedback and do nothing else, so a page may carry them.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import { useMay } from "../api/may";
import { projectsQuery } from "../api/queries";
import type { PublicKey } from "../api/types";
import type { Scope } from "../frame/search";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { CopyText } from "../ui/copy";
import { Confirm } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { FormDialog } from "../ui/form-dialog";
import { ago, fullTime } from "../ui/format";
import { Select } from "../ui/select";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { toast } from "../ui/toast";
import { publicKeysQuery } from "./queries";
import type { FeedbackSearch } from "./search";

interface Props {
  search: FeedbackSearch & Scope;
  onOpen: (next: FeedbackSearch) => void;
}

export function KeysView({ search, onOpen }: Props) {
  const may = useMay();
  const client = useQueryClient();
  const keys = useQuery(publicKeysQuery);
  const [revoking, setRevoking] = useState<PublicKey | null>(null);
  const rows = keys.data?.filter((key) => !search.project || key.project === search.project);
  const create = may.somewhere("editor") && (
    <Button tone="primary" icon="plus" onClick={() => onOpen({ create: true })}>
      Create public key
    </Button>
  );
  return (
    <>
      {keys.error && !keys.data ? (
        <Failure error={keys.error} onRetry={keys.refetch} className="m-4" />
      ) : !rows ? (
        <Lines />
      ) : rows.length === 0 ? (
        <Empty title="No public keys yet" action={create}>
          <p>
            A web page carries its key, so it is no secret: it gives feedback onto traces of one
            project, from the pages that you name, as often as you allow, and does nothing else.
          </p>
        </Empty>
      ) : (
        <>
          <div className="flex px-4 pb-2">{create}</div>
          <Table
            label="Public keys"
            min={720}
            head={[
              { title: "Name" },
              { title: "Key" },
              { title: "Pages" },
              { title: "A minute", num: true },
              { title: "Made", num: true },
              { title: "Actions", hidden: true },
            ]}
          >
            {rows.map((key) => (
              <tr key={key.id} className={ROW}>
                <Cell className="max-w-[180px] truncate font-medium">
                  {key.name} <span className="font-normal text-ink-3">{key.project}</span>
                </Cell>
                <Cell className="max-w-[240px]">
                  <CopyText text={key.key} />
                </Cell>
                <Cell className="max-w-[220px] truncate" title={key.origins.join(" ")}>
                  {key.origins.includes("*") ? "every page" : key.origins.join(" ")}
                </Cell>
                <Cell num className="whitespace-nowrap">
                  {key.rpm} <span className="text-ink-3">{key.caller_rpm} a caller</span>
                </Cell>
                <Cell num className="whitespace-nowrap text-ink-2" title={fullTime(key.created_ms)}>
                  {ago(key.created_ms)}
                </Cell>
                <Cell className="text-right">
                  {may.project("editor", key.project) && (
                    <Button
                      tone="ghost"
                      aria-label={`Revoke ${key.name}`}
                      onClick={() => setRevoking(key)}
                    >
                      Revoke
                    </Button>
                  )}
                </Cell>
              </tr>
            ))}
          </Table>
          <Beacon secret={rows[0]?.key ?? "pk-..."} />
        </>
      )}
      {search.create && (
        <CreateDialog project={search.project} onClose={() => onOpen({ create: undefined })} />
      )}
      <Confirm
        open={revoking !== null}
        title={`Revoke ${revoking?.name ?? ""}?`}
        action="Revoke"
        onClose={() => setRevoking(null)}
        onConfirm={async () => {
          await call(`/api/v1/public-keys/${revoking?.id}`, { method: "DELETE" });
          await client.invalidateQueries({ queryKey: ["public-keys"] });
        }}
      >
        Pages that carry it cannot give feedback any more. What they gave stays.
      </Confirm>
    </>
  );
}

function Beacon({ secret }: { secret: string }) {
  const line = `navigator.sendBeacon(\n  "${location.origin}/api/v1/feedback?key=${secret}",\n  JSON.stringify({ trace_id: traceId, thumb: "up" }),\n);`;
  return (
    <section className="max-w-[680px] px-4 pt-6">
      <h2 className="mb-1.5 font-semibold">In a web page</h2>
      <CodeBlock text={line} label="Copy the example" />
    </section>
  );
}

function CreateDialog({ project, onClose }: { project?: string; onClose: () => void }) {
  const client = useQueryClient();
  const { data: projects = [] } = useQuery(projectsQuery);
  const [draft, setDraft] = useState({
    name: "",
    project: project ?? "default",
    origins: "",
    rpm: "600",
    caller_rpm: "60",
  });
  const change = (next: Partial<typeof draft>) => setDraft({ ...draft, ...next });
  const send = useMutation({
    mutationFn: () => {
      const origins = draft.origins.split(/[\s,]+/).filter(Boolean);
      return call<PublicKey>("/api/v1/public-keys", {
        method: "POST",
        body: {
          name: draft.name,
          project: draft.project,
          origins: origins.length > 0 ? origins : ["*"],
          rpm: Number(draft.rpm),
          caller_rpm: Number(draft.caller_rpm),
        },
      });
    },
    onSuccess: (key) => {
      client.invalidateQueries({ queryKey: ["public-keys"] });
      toast({ text: `${key.name} is ready.` });
      onClose();
    },
  });
  const submit = () => {
    send.mutate();
  };
  return (
    <FormDialog
      onClose={onClose}
      title="Create public key"
      description="It gives feedback onto traces of its project and does nothing else."
      action="Create"
      busy={send.isPending}
      disabled={!draft.name.trim()}
      error={send.error}
      onSubmit={submit}
      className="grid grid-cols-2 gap-3"
    >
      <Field label="Name" hint="Which site it is for.">
        {(props) => (
          <Input
            value={draft.name}
            maxLength={100}
            onChange={(event) => change({ name: event.target.value })}
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
            onChange={(value) => change({ project: value })}
            choices={projects.map((one) => ({ value: one.name, label: one.name }))}
          />
        )}
      </Field>
      <Field
        label="Pages"
        className="col-span-2"
        hint="Origins such as https://menu.example.org, with blanks between them; none: every page."
      >
        {(props) => (
          <Input
            value={draft.origins}
            onChange={(event) => change({ origins: event.target.value })}
            {...props}
          />
        )}
      </Field>
      <Field label="Items a minute, all callers">
        {(props) => (
          <Input
            inputMode="numeric"
            value={draft.rpm}
            onChange={(event) => change({ rpm: event.target.value })}
            {...props}
          />
        )}
      </Field>
      <Field label="Items a minute, one address">
        {(props) => (
          <Input
            inputMode="numeric"
            value={draft.caller_rpm}
            onChange={(event) => change({ caller_rpm: event.target.value })}
            {...props}
          />
        )}
      </Field>
    </FormDialog>
  );
}
