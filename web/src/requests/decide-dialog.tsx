import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import type { AccessRequest } from "../api/types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, TextArea } from "../ui/field";
import { Failure } from "../ui/states";
import { toast } from "../ui/toast";
import { wanted } from "./asking";

interface Props {
  request: AccessRequest;
  about: string;
  onClose: () => void;
}

export function DecideDialog({ request, about, onClose }: Props) {
  const client = useQueryClient();
  const [note, setNote] = useState("");
  const decide = useMutation({
    mutationFn: (verb: "approve" | "deny") =>
      call<AccessRequest>(`/api/v1/requests/${encodeURIComponent(request.id)}/${verb}`, {
        method: "POST",
        body: { note: note.trim() },
      }),
    onSuccess: (decided) => {
      for (const key of ["requests", "keys", "projects"])
        client.invalidateQueries({ queryKey: [key] });
      toast({
        text:
          decided.state === "approved"
            ? "Approved. It holds from the next call on."
            : "Denied. Nothing changes.",
      });
      onClose();
    },
  });
  const denying = decide.isPending && decide.variables === "deny";
  return (
    <Dialog
      open
      onClose={onClose}
      title={`${wanted(request)} · ${about}`}
      description={`${request.asked_label} asks, in ${request.project}`}
      footer={
        <>
          <Button onClick={onClose}>Later</Button>
          <Button busy={denying} disabled={decide.isPending} onClick={() => decide.mutate("deny")}>
            Deny
          </Button>
          <Button
            tone="primary"
            busy={decide.isPending && !denying}
            disabled={decide.isPending}
            onClick={() => decide.mutate("approve")}
          >
            Approve
          </Button>
        </>
      }
    >
      <blockquote className="mb-4 border-l-2 border-line-strong pl-3 break-words whitespace-pre-wrap">
        {request.reason}
      </blockquote>
      <Field label="Note to who asked" hint="Optional. It stays with the request.">
        {(props) => (
          <TextArea
            rows={2}
            maxLength={2000}
            value={note}
            onChange={(event) => setNote(event.target.value)}
            {...props}
          />
        )}
      </Field>
      {decide.error && <Failure error={decide.error} className="mt-4" />}
    </Dialog>
  );
}
