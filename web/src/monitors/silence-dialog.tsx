import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import type { Silence } from "../api/types";
import { Field, Input } from "../ui/field";
import { FormDialog } from "../ui/form-dialog";
import { fullTime } from "../ui/format";
import { NativeSelect } from "../ui/native-select";
import { Segments } from "../ui/segments";
import { toast } from "../ui/toast";
import { MONITORS } from "./queries";

const HOURS = [
  { value: "1", label: "1 h" },
  { value: "4", label: "4 h" },
  { value: "24", label: "1 day" },
  { value: "168", label: "1 week" },
] as const;
type Hours = (typeof HOURS)[number]["value"];

interface Props {
  /** The monitor; without one all of a project. */
  monitor?: { id: string; name: string };
  /** Where it may be: of more than one project one is chosen. */
  projects: readonly string[];
  onClose: () => void;
}

/** Nothing is sent for a while; alerts are still kept. */
export function SilenceDialog({ monitor, projects, onClose }: Props) {
  const client = useQueryClient();
  const [project, setProject] = useState(projects[0] ?? "");
  const what =
    monitor?.name ?? (projects.length > 1 ? "a project" : `all of ${project || "the instance"}`);
  const [hours, setHours] = useState<Hours>("1");
  const [reason, setReason] = useState("");
  const [shown, setShown] = useState(false);
  const send = useMutation({
    mutationFn: () =>
      call<Silence>("/api/v1/silences", {
        method: "POST",
        body: {
          project,
          monitor_id: monitor?.id ?? null,
          until_ms: Date.now() + Number(hours) * 3_600_000,
          reason: reason.trim(),
        },
      }),
    onSuccess: (silence) => {
      client.invalidateQueries({ queryKey: [MONITORS] });
      toast({
        text: `${monitor?.name ?? `All of ${project || "the instance"}`} is silent until ${fullTime(silence.until_ms, "min")}.`,
      });
      onClose();
    },
  });
  const submit = () => {
    setShown(true);
    if (reason.trim()) send.mutate();
  };
  return (
    <FormDialog
      onClose={onClose}
      title={`Silence ${what}`}
      description="It goes on being looked at; what it would say is not sent. If it still fires when the quiet is over, it is told then."
      width={460}
      action="Silence"
      busy={send.isPending}
      error={send.error}
      onSubmit={submit}
      className="flex flex-col gap-4"
    >
      {!monitor && projects.length > 1 && (
        <NativeSelect
          label="Project"
          value={project}
          choices={projects.map((one) => ({ value: one, label: one || "the instance" }))}
          onChange={setProject}
        />
      )}
      <Field label="Reason" error={shown && !reason.trim() ? "Others will ask: why?" : undefined}>
        {(props) => (
          <Input
            value={reason}
            maxLength={500}
            placeholder="the vendor's maintenance"
            onChange={(event) => setReason(event.target.value)}
            {...props}
          />
        )}
      </Field>
      <Segments label="For how long" value={hours} choices={HOURS} onChange={setHours} />
    </FormDialog>
  );
}
