// Before an experiment starts: what it will be able to see, and how long it takes.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { ExperimentPlan, ExperimentPlanRequest } from "../api/types";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { count } from "../ui/format";
import { Segments } from "../ui/segments";
import { Failure } from "../ui/states";
import { planQuery } from "./queries";
import { days } from "./words";

type Kind = "proportion" | "mean";
interface Draft {
  kind: Kind;
  baseline: string;
  spread: string;
  effect: string;
  units: string;
  length: string;
  share: string;
}

const FIRST: Draft = {
  kind: "proportion",
  baseline: "5",
  spread: "",
  effect: "1",
  units: "2000",
  length: "14",
  share: "100",
};

/** What is asked, or undefined while something is missing. Percentages are of 100. */
export function requestOf(draft: Draft): ExperimentPlanRequest | undefined {
  const scale = draft.kind === "proportion" ? 0.01 : 1;
  const number = (text: string) => (text.trim() === "" ? Number.NaN : Number(text));
  const [baseline, effect, spread] = [draft.baseline, draft.effect, draft.spread].map(number);
  const [units, length, part] = [draft.units, draft.length, draft.share].map(number);
  if (baseline === undefined || Number.isNaN(baseline)) return undefined;
  if (!(Number(units) > 0 && Number(length) > 0 && Number(part) > 0 && Number(part) <= 100))
    return undefined;
  if (draft.kind === "mean" && !(Number(spread) > 0)) return undefined;
  if (draft.kind === "proportion" && !(baseline > 0 && baseline < 100)) return undefined;
  return {
    kind: draft.kind,
    baseline: baseline * scale,
    spread: draft.kind === "mean" ? spread : undefined,
    effect: Number(effect) > 0 ? Number(effect) * scale : undefined,
    units_per_day: Number(units),
    days: Number(length),
    share: Math.max(1, Math.round(Number(part) * 100)),
    weight: 5000,
    alpha: 0.05,
    power: 0.8,
  };
}

export function PlanDialog({ onClose }: { onClose: () => void }) {
  const [draft, setDraft] = useState(FIRST);
  const asked = requestOf(draft);
  const plan = useQuery(planQuery(asked));
  const set = (name: keyof Draft) => (event: React.ChangeEvent<HTMLInputElement>) =>
    setDraft({ ...draft, [name]: event.target.value });
  const unit = draft.kind === "proportion" ? "percentage points" : "the metric's unit";
  return (
    <Dialog
      open
      onClose={onClose}
      title="How long would an experiment take?"
      description="Two arms of equal size, looked at all the time, at level 0.05 and with a chance of 80% to see what is there."
      width={560}
    >
      <Segments<Kind>
        label="What is measured"
        value={draft.kind}
        choices={[
          { value: "proportion", label: "A share, such as errors" },
          { value: "mean", label: "A mean, such as latency" },
        ]}
        onChange={(kind) => setDraft({ ...draft, kind })}
      />
      <div className="mt-3 grid grid-cols-2 gap-3">
        <Field label={draft.kind === "proportion" ? "Share now, in %" : "Mean now"}>
          {(props) => (
            <Input
              {...props}
              inputMode="decimal"
              value={draft.baseline}
              onChange={set("baseline")}
            />
          )}
        </Field>
        {draft.kind === "mean" && (
          <Field label="Spread" hint="Standard deviation between units">
            {(props) => (
              <Input {...props} inputMode="decimal" value={draft.spread} onChange={set("spread")} />
            )}
          </Field>
        )}
        <Field label="Difference worth seeing" hint={`In ${unit}`}>
          {(props) => (
            <Input {...props} inputMode="decimal" value={draft.effect} onChange={set("effect")} />
          )}
        </Field>
        <Field label="Units a day" hint="Users, sessions ... that come">
          {(props) => (
            <Input {...props} inputMode="decimal" value={draft.units} onChange={set("units")} />
          )}
        </Field>
        <Field label="Days at most">
          {(props) => (
            <Input {...props} inputMode="decimal" value={draft.length} onChange={set("length")} />
          )}
        </Field>
        <Field label="Taking part, in %">
          {(props) => (
            <Input {...props} inputMode="decimal" value={draft.share} onChange={set("share")} />
          )}
        </Field>
      </div>
      <div className="mt-4 border-t pt-3" aria-live="polite">
        {plan.error ? (
          <Failure error={plan.error} />
        ) : !asked ? (
          <p className="text-ink-2">Fill in what is missing.</p>
        ) : plan.data ? (
          <Told plan={plan.data} draft={draft} unit={unit} />
        ) : (
          <p className="text-ink-3">Computing …</p>
        )}
      </div>
    </Dialog>
  );
}

export function Told({
  plan,
  draft,
  unit,
}: {
  plan: ExperimentPlan;
  draft: Pick<Draft, "kind" | "effect" | "length">;
  unit: string;
}) {
  const scale = draft.kind === "proportion" ? 100 : 1;
  const number = (value: number) => String(Number((value * scale).toPrecision(3)));
  return (
    <ul className="space-y-1">
      <li>
        {plan.detectable === null ? (
          <>{count(plan.units)} units are too few to see anything.</>
        ) : (
          <>
            {count(plan.units)} units in {draft.length} days show a difference of{" "}
            <b className="font-semibold">{number(plan.detectable)}</b> and more ({unit}).
          </>
        )}
      </li>
      {draft.effect.trim() !== "" && (
        <li>
          {plan.needed_days === null || plan.needed_units === null ? (
            <>A difference of {draft.effect} takes too long to be seen.</>
          ) : (
            <>
              A difference of {draft.effect} takes{" "}
              <b className="font-semibold">{days(plan.needed_days)}</b> ({count(plan.needed_units)}{" "}
              units)
              {plan.median_days !== null && (
                <>; half of such experiments end in {days(plan.median_days)}</>
              )}
              .
            </>
          )}
        </li>
      )}
      {plan.power !== null && (
        <li className="text-ink-2">
          Within {draft.length} days it is seen with a chance of {Math.round(plan.power * 100)}%.
        </li>
      )}
    </ul>
  );
}
