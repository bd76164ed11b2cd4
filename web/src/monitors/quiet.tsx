// Silences in force: who wanted quiet, of what, until when and why, with the way to end it.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call } from "../api/client";
import { needs, useMay } from "../api/may";
import type { Silence } from "../api/types";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { fullTime } from "../ui/format";
import { toastError } from "../ui/toast";
import { MONITORS, silencesQuery } from "./queries";

export function Quiet({ of }: { of: (silence: Silence) => boolean }) {
  const client = useQueryClient();
  const may = useMay();
  const { data: silences = [] } = useQuery(silencesQuery);
  const end = useMutation({
    mutationFn: (silence: Silence) => call(`/api/v1/silences/${silence.id}`, { method: "DELETE" }),
    onSuccess: () => client.invalidateQueries({ queryKey: [MONITORS] }),
    onError: toastError,
  });
  return silences.filter(of).map((silence) => {
    const editor = silence.project
      ? may.project("editor", silence.project)
      : may.instance("editor");
    return (
      <p
        key={silence.id}
        className="mx-4 my-2 flex items-center gap-2 rounded-lg border bg-panel px-3 py-1.5"
      >
        <Badge tone="warn">{silence.monitor_id === null ? "project silenced" : "silenced"}</Badge>
        <span className="min-w-0 flex-1 truncate">
          {silence.monitor_id === null && `all monitors of ${silence.project || "the instance"} `}
          until {fullTime(silence.until_ms, "min")} by {silence.created_by}: {silence.reason}
        </span>
        <Button
          disabled={!editor}
          title={editor ? undefined : needs("editor", silence.project || undefined)}
          busy={end.isPending}
          onClick={() => end.mutate(silence)}
        >
          End it now
        </Button>
      </p>
    );
  });
}
