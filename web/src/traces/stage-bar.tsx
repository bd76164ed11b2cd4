// Where the time of one call went inside the gateway: the upstream's share, and ours under a lens.
import type { Span } from "../api/types";
import { duration } from "../ui/format";

const STAGES: readonly { name: string; label: string; color: string }[] = [
  { name: "read", label: "read request", color: "var(--series-4)" },
  { name: "auth", label: "auth", color: "var(--series-3)" },
  { name: "limits", label: "limits", color: "var(--series-2)" },
  { name: "route", label: "route", color: "var(--series-1)" },
  { name: "connect", label: "connect", color: "var(--ink-3)" },
  { name: "account", label: "account", color: "var(--bad)" },
];

export function StageBar({ span }: { span: Span }) {
  const { upstream = 0, ...rest } = span.stages_ms;
  const ours = STAGES.map((stage) => ({ ...stage, ms: rest[stage.name] ?? 0 }));
  const overhead = ours.reduce((sum, stage) => sum + stage.ms, 0);
  if (overhead === 0 && upstream === 0) return null;
  return (
    <section aria-label="Stage timings" className="shrink-0 border-b px-4 py-2">
      <p className="flex items-baseline gap-2 text-2xs text-ink-3">
        <span className="font-medium">Gateway</span>
        <span>
          {duration(overhead)} of ours, {duration(upstream)} upstream
        </span>
      </p>
      <div aria-hidden="true" className="my-1 flex h-1.5 overflow-hidden rounded-sm bg-mute-wash">
        {ours
          .filter((stage) => stage.ms > 0)
          .map((stage) => (
            <span key={stage.name} style={{ flexGrow: stage.ms, background: stage.color }} />
          ))}
      </div>
      <ul className="flex flex-wrap gap-x-4 text-2xs text-ink-2">
        {ours.map((stage) => (
          <li key={stage.name} className="inline-flex items-center gap-1">
            <span
              aria-hidden="true"
              className="size-2 rounded-[2px]"
              style={{ background: stage.color }}
            />
            {stage.label} {duration(stage.ms)}
          </li>
        ))}
      </ul>
    </section>
  );
}
