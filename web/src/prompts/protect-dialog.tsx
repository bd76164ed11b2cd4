// Protecting a label: who has to approve its moves, and whether an evaluation must have passed.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { NativeSelect } from "../ui/native-select";
import { Failure } from "../ui/states";
import { toast } from "../ui/toast";
import { useAgain } from "./labels-view";

interface Props {
  project: string;
  prompt: string;
  label: string;
  onClose: () => void;
}

export default function ProtectDialog({ project, prompt, label, onClose }: Props) {
  const [role, setRole] = useState("editor");
  const [evaluation, setEvaluation] = useState(false);
  const again = useAgain(project, prompt);
  const protect = useMutation({
    mutationFn: () =>
      call("/api/v1/prompt-protections", {
        method: "PUT",
        body: { project, prompt, label, role, evaluation },
      }),
    onSuccess: async () => {
      toast({ text: `${label} is protected: somebody else approves each move.` });
      await again();
      onClose();
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Protect ${label}`}
      description="Each move is then proposed by one person and approved by another. Rolling back stays possible at once."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" busy={protect.isPending} onClick={() => protect.mutate()}>
            Protect
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {protect.error && <Failure error={protect.error} />}
        <div>
          <p className="mb-1 text-xs font-medium text-ink-2">Who may approve</p>
          <NativeSelect
            label="Who may approve"
            value={role}
            choices={[
              { value: "editor", label: "another editor" },
              { value: "admin", label: "another person who is admin" },
            ]}
            onChange={setRole}
          />
        </div>
        <label className="flex items-start gap-2">
          <input
            type="checkbox"
            className="mt-1"
            checked={evaluation}
            onChange={(event) => setEvaluation(event.target.checked)}
          />
          <span>
            Ask for a passed evaluation
            <span className="block text-xs text-ink-3">
              The version must have passed its gate before the label may point at it.
            </span>
          </span>
        </label>
      </div>
    </Dialog>
  );
}
