// What runs behind the console: processes, notices, and what happened lately.
import { useQuery } from "@tanstack/react-query";
import { type ReactElement, useState } from "react";
import { eventsQuery, instanceQuery } from "../api/queries";
import { Dot, State, type Tone } from "../ui/badge";
import { CopyText } from "../ui/copy";
import { ago } from "../ui/format";
import { Popover } from "../ui/popover";
import { Failure } from "../ui/states";

const PROCESS_TONE: Record<string, Tone> = {
  running: "ok",
  starting: "accent",
  "backing-off": "bad",
  stopped: "mute",
};
const SEVERITY_TONE: Record<string, Tone> = { info: "mute", warning: "warn", error: "bad" };

export function InstancePanel({ trigger }: { trigger: ReactElement }) {
  const [open, setOpen] = useState(true);
  const { data, error, refetch } = useQuery(instanceQuery);
  return (
    <Popover
      trigger={trigger}
      title="This instance"
      className="w-[380px]"
      side="right"
      align="end"
      open={open}
      onOpenChange={setOpen}
    >
      {error && !data ? <Failure error={error} onRetry={refetch} className="m-3" /> : null}
      {data && (
        <div className="px-3 py-2">
          <dl className="grid grid-cols-[80px_1fr] gap-y-0.5">
            <dt className="text-ink-3">Gateway</dt>
            <dd className="min-w-0">
              <CopyText text={data.gateway_url} />
            </dd>
            <dt className="text-ink-3">Version</dt>
            <dd>
              {data.version}, revision {data.revision}
            </dd>
          </dl>
          {data.notices.map((notice) => (
            <p
              key={notice}
              className="mt-2 rounded-md bg-warn-wash px-2 py-1 text-xs break-words text-warn"
            >
              {notice}
            </p>
          ))}
          <h3 className="mt-3 mb-1 text-xs font-medium text-ink-3">Processes</h3>
          <ul>
            {data.processes.map((process) => (
              <li key={process.name} className="flex h-6 items-center gap-2">
                <State tone={PROCESS_TONE[process.state] ?? "mute"}>{process.name}</State>
                <span className="ml-auto text-xs text-ink-3">
                  {process.restarts > 0 && `${process.restarts} restarts · `}
                  {process.state === "running" ? `started ${ago(process.since_ms)}` : process.state}
                </span>
              </li>
            ))}
          </ul>
        </div>
      )}
      <Events />
    </Popover>
  );
}

function Events() {
  const { data, error } = useQuery(eventsQuery);
  if (error && !data) return null;
  return (
    <div className="border-t px-3 py-2">
      <h3 className="mb-1 text-xs font-medium text-ink-3">Lately</h3>
      {data?.length === 0 && <p className="pb-1 text-ink-2">Nothing that needs you.</p>}
      <ul className="flex flex-col gap-1.5">
        {data?.slice(0, 20).map((event) => (
          <li key={event.id} className="flex gap-2">
            <span className="pt-[3px]">
              <Dot tone={SEVERITY_TONE[event.severity] ?? "mute"} />
            </span>
            <span className="min-w-0 flex-1 break-words">{event.message}</span>
            <span className="shrink-0 text-xs text-ink-3">{ago(event.at_ms)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
