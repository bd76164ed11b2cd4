// A column as a prompt's next version, or as a new prompt.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { parseJson } from "../api/chat";
import { call } from "../api/client";
import { promptPath, promptsQuery } from "../prompts/queries";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input, TextArea } from "../ui/field";
import { Failure } from "../ui/states";
import { toast } from "../ui/toast";
import { type Column, slots, stopWords } from "./board";

interface Props {
  column: Column;
  project: string | undefined;
  onClose: () => void;
}

const ROLES = new Set(["system", "developer", "user", "assistant"]);

/** What of a column a version can hold: its words, tools, schema, model and parameters. */
export function contentOf(column: Column): Record<string, unknown> {
  const { settings, tools, turns } = column;
  const at = turns.findLastIndex(({ role }) => role !== "assistant" && role !== "tool");
  const said = turns.slice(0, at + 1).filter(({ role, text }) => ROLES.has(role) && text);
  const messages = [
    ...(settings.system ? [{ role: "system", content: settings.system }] : []),
    ...said.map(({ role, text }) => ({ role, content: text })),
  ];
  const names = [...new Set(messages.flatMap((message) => slots(message.content)))];
  const { temperature, top_p, max_tokens, seed } = settings;
  const stop = stopWords(settings.stop);
  const schema = settings.schema ? parseJson(settings.schema) : undefined;
  return {
    kind: "chat",
    messages,
    ...(names.length > 0 && {
      variables_schema: {
        type: "object",
        properties: Object.fromEntries(
          names.map((name) => [name.split(".")[0], name.includes(".") ? {} : { type: "string" }]),
        ),
        required: [...new Set(names.map((name) => name.split(".")[0]))],
      },
    }),
    tools: tools.map(({ name, description, parameters }) => ({
      type: "function",
      function: { name, description, parameters: parseJson(parameters) ?? { type: "object" } },
    })),
    ...(schema && { response_schema: schema }),
    model: settings.model ?? "",
    params: {
      ...(temperature !== undefined && { temperature }),
      ...(top_p !== undefined && { top_p }),
      ...(max_tokens !== undefined && { max_tokens }),
      ...(seed !== undefined && { seed }),
      ...(stop.length > 0 && { stop }),
    },
  };
}

export default function SaveVersion({ column, project = "default", onClose }: Props) {
  const client = useQueryClient();
  const { data: prompts = [] } = useQuery(promptsQuery({ project }));
  const [name, setName] = useState((column.settings.prompt ?? "").split("@")[0] ?? "");
  const [message, setMessage] = useState("");
  const content = contentOf(column);
  const known = prompts.some((one) => one.name === name);
  const empty = (content.messages as object[]).length === 0;
  const save = useMutation({
    mutationFn: () =>
      known
        ? call<{ number: number }>(promptPath(name, "/versions"), {
            method: "POST",
            query: { project },
            body: { content, message },
          }).then(({ number }) => number)
        : call("/api/v1/prompts", {
            method: "POST",
            body: { name, project, content, message },
          }).then(() => 1),
    onSuccess: (number) => {
      toast({ text: `${name} has version ${number} now.` });
      client.invalidateQueries({ queryKey: ["prompts"] });
      client.invalidateQueries({ queryKey: ["prompt", project, name] });
      onClose();
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title="Save as a prompt version"
      description="Its messages up to the last question, tools, schema, model and parameters."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            tone="primary"
            busy={save.isPending}
            disabled={!name || empty}
            onClick={() => save.mutate()}
          >
            {known ? "Save the version" : "Create the prompt"}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {save.error && <Failure error={save.error} />}
        {empty && (
          <p className="text-warn">
            This column has no words of its own: write a system prompt or a message first.
          </p>
        )}
        <Field
          label="Prompt"
          hint={
            known ? "This prompt gets its next version." : "A new prompt gets its first version."
          }
        >
          {(props) => (
            <Input
              list="known-prompts"
              value={name}
              placeholder="menu-description"
              onChange={(event) => setName(event.target.value.trim())}
              {...props}
            />
          )}
        </Field>
        <datalist id="known-prompts">
          {prompts.map((one) => (
            <option key={one.name} value={one.name} />
          ))}
        </datalist>
        <Field label="What changed, and why">
          {(props) => (
            <Input
              value={message}
              onChange={(event) => setMessage(event.target.value)}
              {...props}
            />
          )}
        </Field>
        <Field label="Messages">
          {(props) => (
            <TextArea
              readOnly
              rows={8}
              className="font-mono text-xs"
              value={(content.messages as { role: string; content: string }[])
                .map((one) => `${one.role}: ${one.content}`)
                .join("\n\n")}
              {...props}
            />
          )}
        </Field>
      </div>
    </Dialog>
  );
}
