import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api/client";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { Failure } from "../ui/states";
import { toast } from "../ui/toast";
import type { Open } from "./prompt-pane";
import { promptPath } from "./queries";

interface Props extends Open {
  content: object;
  parent: number;
  onClose: () => void;
}

/** Asks why, then makes the next version. Somebody else's newer version is a conflict, told. */
export default function SaveDialog({ detail, project, content, parent, onClose }: Props) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [message, setMessage] = useState("");
  const { name, latest } = detail.prompt;
  const save = useMutation({
    mutationFn: () =>
      call<{ number: number }>(promptPath(name, "/versions"), {
        method: "POST",
        query: { project },
        body: { content, message, parent, expect: latest },
      }),
    onSuccess: async ({ number }) => {
      await client.invalidateQueries({ queryKey: ["prompt", project, name] });
      client.invalidateQueries({ queryKey: ["prompts"] });
      toast({ text: `Version ${number} is saved. No label points at it yet.` });
      onClose();
      navigate({ to: ".", search: (old) => ({ ...old, at: undefined }), replace: true });
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Version ${latest + 1} of ${name}`}
      description={`Made from version ${parent}. It goes live when a label is moved to it.`}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" busy={save.isPending} onClick={() => save.mutate()}>
            Save version {latest + 1}
          </Button>
        </>
      }
    >
      {save.error && <Failure error={save.error} className="mb-3" />}
      <Field label="What changed, and why">
        {(props) => (
          <Input
            value={message}
            placeholder="Shorter, and allergens first"
            onChange={(event) => setMessage(event.target.value)}
            onKeyDown={(event) => event.key === "Enter" && save.mutate()}
            {...props}
          />
        )}
      </Field>
    </Dialog>
  );
}
