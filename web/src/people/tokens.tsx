import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import { useMay } from "../api/may";
import { projectsQuery, tokensQuery } from "../api/queries";
import type { ApiToken, NewApiToken } from "../api/types";
import { Badge, State } from "../ui/badge";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { cx } from "../ui/cx";
import { Confirm } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { FormDialog } from "../ui/form-dialog";
import { ago } from "../ui/format";
import { Select } from "../ui/select";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { OnceDialog } from "./once-dialog";
import { ends, SCOPES, type TokenDraft, tokenProblems, tokenRequest } from "./words";

export function Tokens({ creating, onCreated }: { creating: boolean; onCreated: () => void }) {
  const client = useQueryClient();
  const tokens = useQuery(tokensQuery);
  const [made, setMade] = useState<NewApiToken | null>(null);
  const [doomed, setDoomed] = useState<ApiToken | null>(null);
  if (tokens.error && !tokens.data)
    return <Failure error={tokens.error} onRetry={tokens.refetch} className="m-4" />;
  if (!tokens.data) return <Lines />;
  return (
    <>
      {tokens.data.length === 0 ? (
        <Empty title="No API tokens">
          <p>
            A token lets a script do what you may do here, within its scopes and until its end. It
            is no key: models are called with keys. Make one above, or from a terminal:
          </p>
          <CodeBlock text="stockpot tokens create --name ci" className="mt-3 text-ink" />
        </Empty>
      ) : (
        <Table
          label="API tokens"
          head={[
            { title: "Token" },
            { title: "Scopes" },
            { title: "At most" },
            { title: "Project", wide: true },
            { title: "Ends" },
            { title: "Last used", wide: true },
            { title: "Actions", hidden: true },
          ]}
        >
          {tokens.data.map((token) => {
            const end = ends(token);
            return (
              <tr key={token.id} className={`${ROW} h-[40px]`}>
                <Cell>
                  <span className="block font-medium">{token.name}</span>
                  <span className="block font-mono text-2xs text-ink-3">{token.prefix}…</span>
                </Cell>
                <Cell>
                  <span className="flex gap-1">
                    {token.scopes.map((scope) => (
                      <Badge key={scope} tone={scope === "admin" ? "warn" : "mute"}>
                        {scope}
                      </Badge>
                    ))}
                  </span>
                </Cell>
                <Cell className="text-ink-2">{token.role}</Cell>
                <Cell wide className="text-ink-2">
                  {token.project ?? "all"}
                </Cell>
                <Cell>
                  <State tone={end.tone}>{end.text}</State>
                </Cell>
                <Cell wide className="text-ink-2">
                  {token.last_used_ms === null ? "never" : ago(token.last_used_ms)}
                </Cell>
                <Cell className="text-right">
                  <Button
                    tone="ghost"
                    icon="trash"
                    aria-label={`Revoke ${token.name}`}
                    onClick={() => setDoomed(token)}
                  />
                </Cell>
              </tr>
            );
          })}
        </Table>
      )}
      {creating && (
        <TokenDialog
          onClose={onCreated}
          onDone={(token) => {
            onCreated();
            setMade(token);
          }}
        />
      )}
      {made && (
        <OnceDialog
          title={`${made.token.name} is ready`}
          description="This is the only time that the token is shown."
          secret={made.secret}
          done="I have stored it"
          onClose={() => setMade(null)}
        >
          Send it as <code className="font-mono text-xs">Authorization: Bearer …</code>
        </OnceDialog>
      )}
      <Confirm
        open={doomed !== null}
        title={`Revoke ${doomed?.name ?? ""}?`}
        action="Revoke"
        onConfirm={async () => {
          if (!doomed) return;
          await call(`/api/v1/tokens/${encodeURIComponent(doomed.id)}`, { method: "DELETE" });
          await client.invalidateQueries({ queryKey: ["tokens"] });
        }}
        onClose={() => setDoomed(null)}
      >
        What uses it is refused at once, for ever.
      </Confirm>
    </>
  );
}

function TokenDialog({
  onClose,
  onDone,
}: {
  onClose: () => void;
  onDone: (made: NewApiToken) => void;
}) {
  const client = useQueryClient();
  const may = useMay();
  const { data: projects = [] } = useQuery(projectsQuery);
  const [draft, setDraft] = useState<TokenDraft>({
    name: "",
    scopes: ["read"],
    project: "",
    days: "90",
  });
  const [shown, setShown] = useState(false);
  const wrong = tokenProblems(draft);
  const create = useMutation({
    mutationFn: () =>
      call<NewApiToken>("/api/v1/tokens", { method: "POST", body: tokenRequest(draft) }),
    onSuccess: (made) => {
      client.invalidateQueries({ queryKey: ["tokens"] });
      onDone(made);
    },
  });
  const submit = () => {
    setShown(true);
    if (Object.keys(wrong).length === 0) create.mutate();
  };
  return (
    <FormDialog
      onClose={onClose}
      title="Create an API token"
      action="Create"
      busy={create.isPending}
      error={create.error}
      onSubmit={submit}
      className="grid grid-cols-2 gap-4"
    >
      <Field label="Name" error={shown ? wrong.name : undefined}>
        {(props) => (
          <Input
            value={draft.name}
            maxLength={100}
            onChange={(event) => setDraft({ ...draft, name: event.target.value })}
            {...props}
          />
        )}
      </Field>
      <Field label="Ends">
        {({ id }) => (
          <Select
            id={id}
            label="Ends"
            className="w-full"
            value={draft.days}
            onChange={(days) => setDraft({ ...draft, days })}
            choices={[
              ...["7", "30", "90", "365"].map((value) => ({ value, label: `in ${value} days` })),
              { value: "", label: "never" },
            ]}
          />
        )}
      </Field>
      <fieldset>
        <legend className="mb-1 text-xs font-medium text-ink-2">Scopes</legend>
        <div className="flex gap-1.5">
          {SCOPES.map((scope) => {
            const on = draft.scopes.includes(scope);
            const barred = scope === "admin" && !may.somewhere("admin");
            return (
              <button
                key={scope}
                type="button"
                aria-pressed={on}
                disabled={barred}
                title={barred ? "You are admin nowhere." : undefined}
                onClick={() =>
                  setDraft({
                    ...draft,
                    scopes: on
                      ? draft.scopes.filter((one) => one !== scope)
                      : [...draft.scopes, scope],
                  })
                }
                className={cx(
                  "h-7 rounded-md border px-2.5 text-sm disabled:opacity-50",
                  on
                    ? "border-transparent bg-accent-wash font-medium text-accent"
                    : "border-line-strong text-ink-2 hover:bg-hover",
                )}
              >
                {scope}
              </button>
            );
          })}
        </div>
        {shown && wrong.scopes && <p className="mt-1 text-xs text-bad">{wrong.scopes}</p>}
      </fieldset>
      <Field label="Only in">
        {({ id }) => (
          <Select
            id={id}
            label="Only in"
            className="w-full"
            value={draft.project}
            onChange={(project) => setDraft({ ...draft, project })}
            choices={[
              { value: "", label: "everywhere that you may" },
              ...projects.map((one) => ({ value: one.name, label: one.name })),
            ]}
          />
        )}
      </Field>
    </FormDialog>
  );
}
