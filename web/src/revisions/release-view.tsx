// One release on its way: its first worker beside the others and the time before it.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { revisionQuery } from "../api/queries";
import type { Revision, Watched } from "../api/types";
import { Badge, type Tone } from "../ui/badge";
import { Button } from "../ui/button";
import { count, duration, NONE, percent } from "../ui/format";
import { Failure, Lines } from "../ui/states";

export const STATE_TONE: Record<Revision["state"], Tone> = {
  released: "ok",
  watching: "accent",
  reverted: "bad",
};

export function ReleaseView({ number, onClose }: { number: number; onClose?: () => void }) {
  const { data, error, refetch } = useQuery(revisionQuery(number));
  const client = useQueryClient();
  const state = data?.revision.state;
  useEffect(() => {
    if (!state || state === "watching") return;
    for (const key of ["models", "revisions", "providers"])
      client.invalidateQueries({ queryKey: [key] });
  }, [state, client]);
  if (error && !data) return <Failure error={error} onRetry={refetch} />;
  if (!data) return <Lines rows={3} />;
  return <Release revision={data.revision} onClose={onClose} />;
}

export function Release({ revision, onClose }: { revision: Revision; onClose?: () => void }) {
  const { watched, number, state } = revision;
  const live = state === "watching";
  return (
    <section
      aria-label={`Release of revision ${number}`}
      className="rounded-lg border bg-panel px-4 py-3"
    >
      <div className="flex min-h-7 items-center gap-2" role="status">
        <Badge tone={STATE_TONE[state]}>{live ? "canary" : state}</Badge>
        <span className="font-medium">Revision {number}</span>
        <span className="min-w-0 flex-1 truncate text-ink-2" title={watched?.reason}>
          {live ? progressWords(watched) : (watched?.reason ?? revision.message)}
        </span>
        {onClose && <Button tone="ghost" icon="close" aria-label="Dismiss" onClick={onClose} />}
      </div>
      {watched && live && <Progress watched={watched} />}
      {watched && watched.verdict !== "not watched" && <Groups watched={watched} />}
    </section>
  );
}

/** How far a watch is: both its time and its calls have to be reached. */
export function progress({ seconds, window_s, canary, min_calls }: Watched): number {
  return Math.min(1, seconds / window_s, canary.calls / min_calls);
}

function progressWords(watched: Watched | null): string {
  if (!watched || watched.seconds === 0) return "waiting for its first worker to take it";
  const { seconds, window_s, canary, min_calls } = watched;
  return `on its first worker: ${Math.floor(Math.min(seconds, window_s))} of ${window_s} s, ${count(canary.calls)} of ${count(min_calls)} calls`;
}

function Progress({ watched }: { watched: Watched }) {
  const part = Math.round(progress(watched) * 100);
  return (
    <div
      role="progressbar"
      aria-label="Watched so far"
      aria-valuenow={part}
      aria-valuemin={0}
      aria-valuemax={100}
      className="mt-2 h-1 overflow-hidden rounded-full bg-mute-wash"
    >
      <div className="h-full bg-accent transition-[width]" style={{ width: `${part}%` }} />
    </div>
  );
}

const GROUPS = [
  { name: "canary", label: "First worker" },
  { name: "others", label: "The others, meanwhile" },
  { name: "before", label: "All, before" },
] as const;

function Groups({ watched }: { watched: Watched }) {
  return (
    <table className="mt-2 w-full max-w-[560px] border-collapse text-xs">
      <thead>
        <tr className="text-ink-3">
          <th scope="col" className="text-left font-medium">
            Group
          </th>
          <th scope="col" className="num font-medium">
            Calls
          </th>
          <th scope="col" className="num font-medium">
            Failed
          </th>
          <th scope="col" className="num font-medium">
            p95
          </th>
        </tr>
      </thead>
      <tbody>
        {GROUPS.map(({ name, label }) => {
          const { calls, errors, p95_ms } = watched[name];
          return (
            <tr key={name} className="h-6">
              <td className="text-ink-2">{label}</td>
              <td className="num">{count(calls)}</td>
              <td className={errors ? "num text-bad" : "num"}>
                {calls ? `${count(errors)} (${percent(errors, calls)})` : NONE}
              </td>
              <td className="num">{duration(p95_ms)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
