// Moving a label; a protected one is proposed, and somebody else approves.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError, call } from "../api/client";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { NativeSelect } from "../ui/native-select";
import { Failure } from "../ui/states";
import { toast } from "../ui/toast";
import { useAgain } from "./labels-view";
import type { Open } from "./prompt-pane";
import { promptPath } from "./queries";

export interface Moving {
  label: string;
  /** Whether the label is chosen already. */
  fixed: boolean;
}

export function MoveDialog({
  detail,
  project,
  moving,
  onClose,
}: Open & { moving: Moving; onClose: () => void }) {
  const { name, latest, labels } = detail.prompt;
  const [label, setLabel] = useState(moving.label);
  const [version, setVersion] = useState(String(latest));
  const [reason, setReason] = useState("");
  const again = useAgain(project, name);
  const guarded =
    labels.find((one) => one.label === label)?.protected ??
    detail.protections.some((one) => one.label === label);
  const move = useMutation({
    mutationFn: async (): Promise<"moved" | "proposed"> => {
      const to = { version: Number(version), reason };
      const propose = () =>
        call(promptPath(name, "/proposals"), {
          method: "POST",
          query: { project },
          body: { ...to, label },
        });
      if (guarded) {
        await propose();
        return "proposed";
      }
      try {
        const path = promptPath(name, `/labels/${encodeURIComponent(label)}`);
        await call(path, { method: "PUT", query: { project }, body: to });
        return "moved";
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "label_protected") throw error;
        await propose();
        return "proposed";
      }
    },
    onSuccess: async (done) => {
      toast({
        text:
          done === "moved"
            ? `${label} points at version ${version} now, everywhere within a second.`
            : `Proposed: ${label} moves to version ${version} when somebody else approves.`,
      });
      await again();
      onClose();
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={moving.fixed ? `Move ${label}` : "Set a label"}
      description={
        guarded ? "This label is protected: somebody else has to approve the move." : undefined
      }
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            tone="primary"
            busy={move.isPending}
            disabled={!label}
            onClick={() => move.mutate()}
          >
            {guarded ? "Propose the move" : "Move"}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {move.error && <Failure error={move.error} />}
        {!moving.fixed && (
          <Field label="Label" hint="production, staging, or any word.">
            {(props) => (
              <Input
                value={label}
                onChange={(event) => setLabel(event.target.value.trim())}
                {...props}
              />
            )}
          </Field>
        )}
        <div>
          <p className="mb-1 text-xs font-medium text-ink-2">To the version</p>
          <NativeSelect
            label="Version"
            value={version}
            choices={detail.versions.map((one) => ({
              value: String(one.number),
              label: `v${one.number}${one.message ? `: ${one.message.slice(0, 60)}` : ""}`,
            }))}
            onChange={setVersion}
          />
        </div>
        <Field label="Why">
          {(props) => (
            <Input
              value={reason}
              placeholder="Passed the evaluation of today"
              onChange={(event) => setReason(event.target.value)}
              {...props}
            />
          )}
        </Field>
      </div>
    </Dialog>
  );
}
