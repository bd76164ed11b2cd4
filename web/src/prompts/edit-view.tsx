// Editing: the templates at the left; variables, what comes out, and what else a version says beside.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { asApiError } from "../api/client";
import { needs } from "../api/may";
import { modelsQuery } from "../api/queries";
import type { PromptVersionDetail } from "../api/types";
import { Button } from "../ui/button";
import { cx } from "../ui/cx";
import { Field, Input, TextArea } from "../ui/field";
import { NativeSelect } from "../ui/native-select";
import { Segments } from "../ui/segments";
import { Failure, Lines } from "../ui/states";
import {
  contentOf,
  type Draft,
  type DraftMessage,
  draftOf,
  faultOf,
  namesIn,
  ROLES,
  valuesOf,
  variablesOf,
} from "./draft";
import type { Open } from "./prompt-pane";
import { promptVersionQuery, renderQuery } from "./queries";

const CodeEditor = lazy(() => import("./code-editor"));
const SaveDialog = lazy(() => import("./save-dialog"));
const PAUSE_MS = 300;

export function EditView(open: Open) {
  const { at } = useSearch({ from: "/frame/prompts/$prompt" });
  const number = Number(at) || open.detail.prompt.latest;
  const { data, error, refetch } = useQuery(
    promptVersionQuery(open.detail.prompt.name, number, open.project),
  );
  if (error && !data) return <Failure error={error} onRetry={refetch} className="m-4" />;
  if (!data) return <Lines rows={6} />;
  return <Editor key={data.number} {...open} version={data} />;
}

function Editor({ version, ...open }: Open & { version: PromptVersionDetail }) {
  const [draft, setDraft] = useState<Draft>(() => draftOf(version.content));
  const [saving, setSaving] = useState(false);
  const change = (next: Partial<Draft>) => setDraft((old) => ({ ...old, ...next }));
  const before = JSON.stringify(contentOf(draftOf(version.content)));
  const fault = faultOf(draft);
  const changed = Boolean(fault) || JSON.stringify(contentOf(draft)) !== before;
  const save = () => changed && !fault && open.editor && setSaving(true);
  const old = version.number !== open.detail.prompt.latest;
  return (
    <div className="flex max-[1100px]:flex-col">
      <div className="min-w-0 flex-1 px-4 py-3">
        <div className="mb-3 flex flex-wrap items-center gap-2">
          <p className="mr-auto text-ink-2">
            Version {version.number}
            {old && <span className="text-warn"> (not the newest)</span>}
            {changed && <span className="text-accent">, edited</span>}
          </p>
          <Segments
            label="Template language"
            value={draft.syntax}
            choices={[
              { value: "jinja", label: "Jinja" },
              { value: "mustache", label: "Mustache" },
            ]}
            onChange={(syntax) => change({ syntax })}
          />
          {changed && (
            <Button tone="ghost" onClick={() => setDraft(draftOf(version.content))}>
              Undo all
            </Button>
          )}
          <Button
            tone="primary"
            disabled={!changed || Boolean(fault) || !open.editor}
            title={open.editor ? "Ctrl+Enter" : needs("editor", open.project)}
            onClick={save}
          >
            Save as version {open.detail.prompt.latest + 1}
          </Button>
        </div>
        {fault && <p className="mb-2 text-bad">{fault}</p>}
        <Suspense fallback={<Lines rows={4} />}>
          {draft.kind === "text" ? (
            <CodeEditor
              label="Template"
              value={draft.body}
              onChange={(body) => change({ body })}
              onSave={save}
            />
          ) : (
            <Messages draft={draft} onChange={change} onSave={save} />
          )}
        </Suspense>
        <More draft={draft} onChange={change} />
      </div>
      <Preview {...open} draft={draft} read={version.variables} fault={fault} />
      <Suspense fallback={null}>
        {saving && (
          <SaveDialog
            {...open}
            content={contentOf(draft)}
            parent={version.number}
            onClose={() => setSaving(false)}
          />
        )}
      </Suspense>
    </div>
  );
}

interface Part {
  draft: Draft;
  onChange: (next: Partial<Draft>) => void;
}

function Messages({ draft, onChange, onSave }: Part & { onSave: () => void }) {
  const set = (messages: readonly DraftMessage[]) => onChange({ messages });
  const edit = (at: number, next: Partial<DraftMessage>) =>
    set(draft.messages.map((one, index) => (index === at ? { ...one, ...next } : one)));
  const fresh = Math.max(0, ...draft.messages.map((one) => one.id)) + 1;
  return (
    <div className="flex flex-col gap-3">
      {draft.messages.map((message, at) => (
        <section key={message.id} aria-label={`Message ${at + 1}`}>
          <div className="mb-1 flex items-center gap-1">
            {message.insert ? (
              <p className="mr-auto text-xs text-ink-2">
                the messages of the variable <code className="font-mono">{message.insert}</code>
              </p>
            ) : (
              <span className="mr-auto">
                <NativeSelect
                  label={`Role of message ${at + 1}`}
                  value={message.role}
                  choices={ROLES.map((role) => ({ value: role, label: role }))}
                  onChange={(role) => edit(at, { role: role as DraftMessage["role"] })}
                />
              </span>
            )}
            <Button
              tone="ghost"
              icon="trash"
              aria-label={`Remove message ${at + 1}`}
              disabled={draft.messages.length < 2}
              onClick={() => set(draft.messages.toSpliced(at, 1))}
            />
          </div>
          {!message.insert && (
            <CodeEditor
              label={`Template of message ${at + 1}`}
              value={message.content}
              onChange={(content) => edit(at, { content })}
              onSave={onSave}
            />
          )}
        </section>
      ))}
      <div className="flex gap-2">
        <Button
          icon="plus"
          onClick={() =>
            set([...draft.messages, { id: fresh, role: "user", content: "", insert: "" }])
          }
        >
          Add a message
        </Button>
        <Button
          tone="ghost"
          onClick={() =>
            set([...draft.messages, { id: fresh, role: "user", content: "", insert: "history" }])
          }
        >
          Insert a history
        </Button>
      </div>
    </div>
  );
}

function More({ draft, onChange }: Part) {
  const { data: models = [] } = useQuery(modelsQuery);
  const fields = [
    { field: "variables", label: "Variables (JSON Schema)", rows: 8 },
    { field: "params", label: "Parameters", rows: 3 },
    { field: "tools", label: "Tools", rows: 4 },
    { field: "response", label: "Answer schema (JSON Schema)", rows: 4 },
  ] as const;
  return (
    <details className="mt-4">
      <summary className="mb-2 font-medium">Model, parameters, tools, schemas</summary>
      <div className="flex flex-col gap-3">
        <Field label="Model" hint="Empty: whoever asks names one.">
          {(props) => (
            <Input
              list="prompt-models"
              value={draft.model}
              onChange={(event) => onChange({ model: event.target.value.trim() })}
              {...props}
            />
          )}
        </Field>
        <datalist id="prompt-models">
          {models.map((one) => (
            <option key={one.name} value={one.name} />
          ))}
        </datalist>
        {fields.map(({ field, label, rows }) => (
          <Field key={field} label={label}>
            {(props) => (
              <TextArea
                rows={Math.max(rows, Math.min(16, draft[field].split("\n").length))}
                spellCheck={false}
                className="font-mono text-xs"
                value={draft[field]}
                onChange={(event) => onChange({ [field]: event.target.value })}
                {...props}
              />
            )}
          </Field>
        ))}
      </div>
    </details>
  );
}

function Preview({
  detail,
  project,
  draft,
  read,
  fault,
}: Open & { draft: Draft; read: readonly string[]; fault: string }) {
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [settled, setSettled] = useState({ draft, typed });
  useEffect(() => {
    const timer = setTimeout(() => setSettled({ draft, typed }), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [draft, typed]);
  const known = variablesOf(settled.draft.variables, [...read, ...namesIn(settled.draft)]);
  const { data, error } = useQuery({
    ...renderQuery(detail.prompt.name, project, {
      ref: "",
      content: contentOf(settled.draft) as never,
      variables: valuesOf(known, settled.typed),
    }),
    enabled: !fault,
    placeholderData: keepPreviousData,
  });
  const names = [...new Set([...read, ...namesIn(draft), ...(data?.variables ?? [])])];
  const variables = variablesOf(draft.variables, names);
  // A form that nobody has filled in yet is no fault.
  const unfilled = variables.some((one) => one.required && !typed[one.name]?.trim());
  const messages = data?.kind === "text" ? [{ role: "text", content: data.text }] : data?.messages;
  return (
    <aside
      aria-label="Preview"
      className="w-[380px] shrink-0 border-l bg-panel px-4 py-3 max-wide:w-[320px] max-[1100px]:w-full max-[1100px]:border-t max-[1100px]:border-l-0"
    >
      <h3 className="mb-2 text-xs font-semibold text-ink-2">Variables</h3>
      {variables.length === 0 && <p className="text-ink-3">This prompt reads none.</p>}
      <div className="flex flex-col gap-2.5">
        {variables.map((one) => (
          <Field
            key={one.name}
            label={`${one.name}${one.required ? " *" : ""}`}
            hint={[one.type, one.description].filter(Boolean).join(": ") || undefined}
          >
            {(props) =>
              one.choices.length > 0 ? (
                <NativeSelect
                  label={one.name}
                  value={typed[one.name] ?? ""}
                  choices={[
                    { value: "", label: "–" },
                    ...one.choices.map((value) => ({ value, label: value })),
                  ]}
                  onChange={(value) => setTyped((old) => ({ ...old, [one.name]: value }))}
                />
              ) : (
                <TextArea
                  rows={Math.min(6, (typed[one.name] ?? "").split("\n").length)}
                  value={typed[one.name] ?? ""}
                  onChange={(event) => {
                    const { value } = event.target;
                    setTyped((old) => ({ ...old, [one.name]: value }));
                  }}
                  {...props}
                />
              )
            }
          </Field>
        ))}
      </div>
      <h3 className="mt-4 mb-2 text-xs font-semibold text-ink-2">What the model is told</h3>
      {error ? (
        <div
          role="alert"
          className={cx(
            "rounded-md px-3 py-2",
            unfilled ? "bg-mute-wash text-ink-2" : "bg-bad-wash text-bad",
          )}
        >
          <p className="break-words">{asApiError(error).message}</p>
          {asApiError(error).hint && <p className="text-ink-2">{asApiError(error).hint}</p>}
        </div>
      ) : (
        <div aria-live="polite" className="flex flex-col gap-2">
          {messages?.map((message, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rendered messages never move
            <div key={at} className="rounded-md border bg-raised px-3 py-2">
              <p className="text-2xs font-semibold text-ink-3 capitalize">{String(message.role)}</p>
              <p className="break-words whitespace-pre-wrap">
                {typeof message.content === "string"
                  ? message.content
                  : JSON.stringify(message.content)}
              </p>
            </div>
          ))}
        </div>
      )}
    </aside>
  );
}
