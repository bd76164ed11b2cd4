import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { call } from "../api/client";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { Segments } from "../ui/segments";
import { Failure } from "../ui/states";

const CodeEditor = lazy(() => import("./code-editor"));

export default function NewPrompt({
  project = "default",
  onClose,
}: {
  project: string | undefined;
  onClose: () => void;
}) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [folder, setFolder] = useState("");
  const [tags, setTags] = useState("");
  const [kind, setKind] = useState<"chat" | "text">("chat");
  const [text, setText] = useState("");
  const make = useMutation({
    mutationFn: () =>
      call("/api/v1/prompts", {
        method: "POST",
        body: {
          name,
          project,
          folder,
          tags: tags
            .split(",")
            .map((tag) => tag.trim())
            .filter(Boolean),
          message: "first version",
          content:
            kind === "chat"
              ? { kind, messages: [{ role: "user", content: text }] }
              : { kind, body: text },
        },
      }),
    onSuccess: () => {
      client.invalidateQueries({ queryKey: ["prompts"] });
      navigate({
        to: "/prompts/$prompt",
        params: { prompt: name },
        search: (old) => ({ ...old, compose: undefined, project }),
      });
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title="New prompt"
      description={`In the project ${project}.`}
      width={620}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            tone="primary"
            busy={make.isPending}
            disabled={!name || !text.trim()}
            onClick={() => make.mutate()}
          >
            Create
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {make.error && <Failure error={make.error} />}
        <Field label="Name" hint="Lower-case letters, digits, dots and dashes.">
          {(props) => (
            <Input
              value={name}
              placeholder="menu-description"
              onChange={(event) => setName(event.target.value.trim())}
              {...props}
            />
          )}
        </Field>
        <div className="grid grid-cols-2 gap-3">
          <Field label="Folder">
            {(props) => (
              <Input
                value={folder}
                placeholder="menu/descriptions"
                onChange={(event) => setFolder(event.target.value.trim())}
                {...props}
              />
            )}
          </Field>
          <Field label="Tags" hint="With commas.">
            {(props) => (
              <Input
                value={tags}
                placeholder="menu, english"
                onChange={(event) => setTags(event.target.value)}
                {...props}
              />
            )}
          </Field>
        </div>
        <Segments
          label="Kind"
          value={kind}
          choices={[
            { value: "chat", label: "Chat" },
            { value: "text", label: "Text" },
          ]}
          onChange={setKind}
        />
        <div>
          <p className="mb-1 text-xs font-medium text-ink-2">
            {kind === "chat" ? "The first message (user)" : "The text"}
          </p>
          <Suspense fallback={null}>
            <CodeEditor
              label="Template"
              value={text}
              placeholder="Describe {{ dish }} in one sentence."
              onChange={setText}
            />
          </Suspense>
        </div>
      </div>
    </Dialog>
  );
}
