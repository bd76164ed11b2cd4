// A plan: what would change, how the last recorded calls would have fared, what stands against it.
import type { Conflict, Plan, Rehearsal } from "../api/types";
import { cx } from "../ui/cx";
import { compact, count, money, percent } from "../ui/format";
import { Icon } from "../ui/icons";
import { Changes } from "./changes";

interface Props {
  plan: Plan;
  settled: readonly string[];
  onSettle: (name: string, settled: boolean) => void;
}

export function PlanView({ plan, settled, onSettle }: Props) {
  return (
    <div className="flex flex-col gap-4">
      <Changes changes={plan.changes} />
      {plan.conflicts.length > 0 && (
        <Conflicts conflicts={plan.conflicts} settled={settled} onSettle={onSettle} />
      )}
      {plan.notes.map((note) => (
        <p key={note} className="flex gap-2 text-ink-2">
          <Icon name="warn" size={14} className="mt-[3px] shrink-0 text-warn" />
          {note}
        </p>
      ))}
      {plan.rehearsal && plan.changes.length > 0 && <DryRun rehearsal={plan.rehearsal} />}
    </div>
  );
}

/** Whether each conflict is named by whoever applies. */
export function unsettled(plan: Plan, settled: readonly string[]): boolean {
  return plan.conflicts.some((conflict) => !settled.includes(conflict.name));
}

export function overruled(plan: Plan, settled: readonly string[]) {
  const named = plan.conflicts.filter((one) => settled.includes(one.name));
  const names = (safety: boolean) =>
    named.filter((one) => (one.kind === "safety") === safety).map((one) => one.name);
  return { overrule: names(false), lift: names(true) };
}

function Conflicts({
  conflicts,
  settled,
  onSettle,
}: {
  conflicts: readonly Conflict[];
  settled: readonly string[];
  onSettle: Props["onSettle"];
}) {
  return (
    <section
      aria-label="Conflicts"
      className="rounded-lg border border-warn bg-warn-wash px-3 py-2"
    >
      <h3 className="font-medium">Somebody else was here</h3>
      <ul className="mt-1 flex flex-col gap-1.5">
        {conflicts.map((conflict) => (
          <li key={conflict.name}>
            <label className="flex items-start gap-2">
              <input
                type="checkbox"
                className="mt-[3px] size-3.5 accent-accent"
                checked={settled.includes(conflict.name)}
                onChange={(event) => onSettle(conflict.name, event.target.checked)}
              />
              <span className="min-w-0 break-words">
                {conflict.message}.{" "}
                <span className="text-ink-2">
                  {conflict.kind === "safety" ? "Lift the rollback" : "Replace it all the same"}
                </span>
              </span>
            </label>
          </li>
        ))}
      </ul>
    </section>
  );
}

function DryRun({ rehearsal }: { rehearsal: Rehearsal }) {
  const { calls, moved, cost_before_nano: before, cost_after_nano: after } = rehearsal;
  const refused = sum(rehearsal.refused);
  const admitted = sum(rehearsal.admitted);
  if (calls === 0) {
    return (
      <section aria-label="Dry run">
        <h3 className="font-medium">Dry run</h3>
        <p className="text-ink-2">No recorded call to try it with.</p>
      </section>
    );
  }
  const cost =
    before > 0
      ? `${after >= before ? "+" : "−"}${percent(Math.abs(after - before), before)}`
      : money(after - before);
  return (
    <section aria-label="Dry run">
      <h3 className="font-medium">
        Dry run <span className="font-normal text-ink-2">of the last {count(calls)} calls</span>
      </h3>
      <dl className="mt-1.5 grid grid-cols-4 rounded-lg border [&>*:not(:last-child)]:border-r">
        <Figure
          label="Would be refused"
          value={compact(refused)}
          tone={refused ? "text-bad" : ""}
          note={codes(rehearsal.refused)}
        />
        <Figure label="Served instead" value={compact(admitted)} note={codes(rehearsal.admitted)} />
        <Figure label="Go elsewhere" value={compact(moved)} note={percent(moved, calls)} />
        <Figure
          label="Cost"
          value={after === before ? "same" : cost}
          tone={after > before ? "text-warn" : after < before ? "text-ok" : ""}
          note={`${money(before)} → ${money(after)}`}
        />
      </dl>
      {rehearsal.shifts.length > 0 && (
        <table className="mt-2 w-full table-fixed border-collapse">
          <thead className="sr-only">
            <tr>
              <th scope="col">Calls</th>
              <th scope="col">Asked for</th>
              <th scope="col">Move</th>
            </tr>
          </thead>
          <tbody>
            {rehearsal.shifts.map((shift) => (
              <tr key={`${shift.route} ${shift.before} ${shift.after}`} className="h-7 border-b">
                <td className="num w-16 pr-3">{count(shift.calls)}</td>
                <td className="w-1/4 truncate pr-2 text-ink-2">{shift.route}</td>
                <td className="truncate" title={`${shift.before} → ${shift.after}`}>
                  {shift.before} <span className="text-ink-3">→</span> {shift.after}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <details className="mt-2 text-xs text-ink-2">
        <summary className="w-fit">What a dry run cannot know</summary>
        <ul className="mt-1 list-disc pl-4">
          {rehearsal.unknown.map((told) => (
            <li key={told}>{told}</li>
          ))}
          {rehearsal.unpriced > 0 && <li>{count(rehearsal.unpriced)} calls have no known price</li>}
        </ul>
      </details>
    </section>
  );
}

function Figure({
  label,
  value,
  note,
  tone,
}: {
  label: string;
  value: string;
  note: string;
  tone?: string;
}) {
  return (
    <div className="min-w-0 px-3 py-2">
      <dt className="truncate text-xs text-ink-2">{label}</dt>
      <dd className={cx("truncate text-lg font-semibold", tone)}>{value}</dd>
      <dd className="truncate text-2xs text-ink-3" title={note}>
        {note || "\u00a0"}
      </dd>
    </div>
  );
}

const sum = (counts: Record<string, number>) =>
  Object.values(counts).reduce((total, one) => total + one, 0);
const codes = (counts: Record<string, number>) => Object.keys(counts).join(", ");
