// What a prompt is filed under: description, folder, tags, owner; and putting it out of use.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import type { PromptSummary } from "../api/types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input, TextArea } from "../ui/field";
import { Failure } from "../ui/states";
import { toast } from "../ui/toast";
import { useAgain } from "./labels-view";
import type { Open } from "./prompt-pane";
import { promptPath } from "./queries";

export default function SettingsDialog({
  detail,
  project,
  onClose,
}: Open & { onClose: () => void }) {
  const { prompt } = detail;
  const [description, setDescription] = useState(prompt.description);
  const [folder, setFolder] = useState(prompt.folder);
  const [owner, setOwner] = useState(prompt.owner);
  const [tags, setTags] = useState(prompt.tags.join(", "));
  const again = useAgain(project, prompt.name);
  const change = useMutation({
    mutationFn: (archived?: boolean) =>
      call<PromptSummary>(promptPath(prompt.name, ""), {
        method: "PATCH",
        query: { project },
        body: {
          description,
          folder: folder.trim(),
          owner: owner.trim(),
          tags: listed(tags),
          archived,
        },
      }),
    onSuccess: async (saved, archived) => {
      toast({
        text:
          archived === undefined
            ? `${saved.name} is changed.`
            : `${saved.name} is ${saved.archived ? "archived" : "in use again"}.`,
      });
      await again();
      onClose();
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Settings of ${prompt.name}`}
      description="Versions and labels stay as they are."
      footer={
        <>
          <Button
            className="mr-auto"
            title={
              prompt.archived
                ? "Show it in lists again"
                : "Leave it out of lists; calls that name it are still served"
            }
            onClick={() => change.mutate(!prompt.archived)}
          >
            {prompt.archived ? "Use again" : "Archive"}
          </Button>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" busy={change.isPending} onClick={() => change.mutate(undefined)}>
            Save
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {change.error && <Failure error={change.error} />}
        <Field label="Description">
          {(props) => (
            <TextArea
              rows={3}
              value={description}
              onChange={(event) => setDescription(event.target.value)}
              {...props}
            />
          )}
        </Field>
        <Field label="Folder" hint="Folders within folders are parted by a slash.">
          {(props) => (
            <Input value={folder} onChange={(event) => setFolder(event.target.value)} {...props} />
          )}
        </Field>
        <Field label="Owner" hint="Who answers for it: a person or a team.">
          {(props) => (
            <Input value={owner} onChange={(event) => setOwner(event.target.value)} {...props} />
          )}
        </Field>
        <Field label="Tags" hint="Parted by commas.">
          {(props) => (
            <Input value={tags} onChange={(event) => setTags(event.target.value)} {...props} />
          )}
        </Field>
      </div>
    </Dialog>
  );
}

const listed = (tags: string) => [
  ...new Set(
    tags
      .split(",")
      .map((tag) => tag.trim())
      .filter(Boolean),
  ),
];
