// The tools of a column: what the model is told of them, and how a call is answered.
import { useState } from "react";
import { parseJson } from "../api/chat";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input, TextArea } from "../ui/field";
import { NativeSelect } from "../ui/native-select";
import { Segments } from "../ui/segments";
import type { Tool, ToolAnswer } from "./board";

interface Props {
  tools: readonly Tool[];
  onSave: (tools: readonly Tool[]) => void;
  onClose: () => void;
}

const NEW: Tool = {
  name: "",
  description: "",
  parameters: '{\n  "type": "object",\n  "properties": {}\n}',
  answer: { by: "stub", text: "" },
};

const WAYS = [
  { value: "stub", label: "A text" },
  { value: "http", label: "A real call" },
  { value: "hand", label: "Me, each time" },
] as const;

const FRESH: Record<ToolAnswer["by"], ToolAnswer> = {
  stub: { by: "stub", text: "" },
  http: { by: "http", url: "", method: "POST", headers: "" },
  hand: { by: "hand" },
};

function fault(tool: Tool): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(tool.name)) return "A name has letters, digits, _ and - only.";
  if (tool.parameters.trim() && typeof parseJson(tool.parameters) !== "object")
    return "The parameters are no JSON Schema.";
  if (tool.answer.by === "http" && !/^https?:\/\/./.test(tool.answer.url))
    return "The address begins with http:// or https://.";
  return "";
}

export default function ToolsDialog({ tools, onSave, onClose }: Props) {
  const [draft, setDraft] = useState<readonly Tool[]>(tools.length > 0 ? tools : [NEW]);
  const change = (at: number, next: Partial<Tool>) =>
    setDraft((old) => old.map((tool, index) => (index === at ? { ...tool, ...next } : tool)));
  const save = () => {
    onSave(draft);
    onClose();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title="Tools"
      width={680}
      description="Functions that the model may call. stockpot answers each call and goes on."
      footer={
        <>
          <Button icon="plus" className="mr-auto" onClick={() => setDraft((old) => [...old, NEW])}>
            Add a tool
          </Button>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" disabled={draft.some(fault)} onClick={save}>
            Use these tools
          </Button>
        </>
      }
    >
      {draft.length === 0 && <p className="text-ink-2">No tool.</p>}
      <div className="flex flex-col gap-4">
        {draft.map((tool, at) => (
          <fieldset
            // biome-ignore lint/suspicious/noArrayIndexKey: a tool that is typed has no other identity
            key={at}
            className="flex flex-col gap-3 border-b pb-4 last:border-b-0"
          >
            <legend className="sr-only">{tool.name || "New tool"}</legend>
            <div className="flex items-end gap-2">
              <Field
                label="Name"
                className="flex-1"
                error={tool.name ? fault(tool) || undefined : undefined}
              >
                {(props) => (
                  <Input
                    value={tool.name}
                    placeholder="look_up_price"
                    onChange={(event) => change(at, { name: event.target.value })}
                    {...props}
                  />
                )}
              </Field>
              <Button
                tone="ghost"
                icon="trash"
                aria-label={`Remove ${tool.name || "the tool"}`}
                onClick={() => setDraft((old) => old.filter((_, index) => index !== at))}
              />
            </div>
            <Field label="Description">
              {(props) => (
                <Input
                  value={tool.description}
                  placeholder="What it is for, in words for the model"
                  onChange={(event) => change(at, { description: event.target.value })}
                  {...props}
                />
              )}
            </Field>
            <Field label="Parameters (JSON Schema)">
              {(props) => (
                <TextArea
                  rows={5}
                  spellCheck={false}
                  className="font-mono text-xs"
                  value={tool.parameters}
                  onChange={(event) => change(at, { parameters: event.target.value })}
                  {...props}
                />
              )}
            </Field>
            <div>
              <p className="mb-1 text-xs font-medium text-ink-2">A call is answered by</p>
              <Segments
                label={`Who answers ${tool.name}`}
                value={tool.answer.by}
                choices={WAYS}
                onChange={(by) => change(at, { answer: FRESH[by] })}
              />
            </div>
            <AnswerFields answer={tool.answer} onChange={(answer) => change(at, { answer })} />
          </fieldset>
        ))}
      </div>
    </Dialog>
  );
}

function AnswerFields({
  answer,
  onChange,
}: {
  answer: ToolAnswer;
  onChange: (answer: ToolAnswer) => void;
}) {
  if (answer.by === "hand")
    return <p className="text-xs text-ink-3">The column waits until you type the result.</p>;
  if (answer.by === "stub")
    return (
      <Field label="Result" hint="{{name}} is the argument of that name.">
        {(props) => (
          <TextArea
            rows={3}
            className="font-mono text-xs"
            value={answer.text}
            placeholder='{"price": 7.5, "dish": "{{dish}}"}'
            onChange={(event) => onChange({ ...answer, text: event.target.value })}
            {...props}
          />
        )}
      </Field>
    );
  return (
    <>
      <div className="flex items-end gap-2">
        <NativeSelect
          label="Method"
          value={answer.method}
          choices={[
            { value: "POST", label: "POST" },
            { value: "GET", label: "GET" },
          ]}
          onChange={(method) => onChange({ ...answer, method: method === "GET" ? "GET" : "POST" })}
        />
        <Field
          label="Address"
          className="flex-1"
          hint="A host that STOCKPOT_TOOL_HOSTS names; arguments are the JSON body, or the query."
        >
          {(props) => (
            <Input
              value={answer.url}
              placeholder="https://api.example.com/prices"
              onChange={(event) => onChange({ ...answer, url: event.target.value })}
              {...props}
            />
          )}
        </Field>
      </div>
      <Field label="Headers" hint="One a line. They are sent, and neither logged nor shared.">
        {(props) => (
          <TextArea
            rows={2}
            className="font-mono text-xs"
            value={answer.headers}
            placeholder="authorization: Bearer …"
            onChange={(event) => onChange({ ...answer, headers: event.target.value })}
            {...props}
          />
        )}
      </Field>
    </>
  );
}
