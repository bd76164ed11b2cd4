// What moving traffic to cheaper models saved, against what the baseline would have cost.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { count, money } from "../ui/format";
import { savingsQuery } from "./queries";

export function SavingsStrip({ project }: { project: string }) {
  const { data } = useQuery(savingsQuery(project));
  if (!data || data.saved.length === 0) return null;
  return (
    <section
      aria-label={`Savings in ${project}`}
      className="mx-4 mt-1 mb-3 rounded-lg border bg-panel"
    >
      <h2 className="px-4 pt-2.5 text-xs font-medium text-ink-2">Saved in {project}</h2>
      <p className="px-4">
        <b className="text-lg font-semibold">{money(Math.round(data.saved_nano))}</b>{" "}
        <span className="text-ink-2">
          between {money(Math.round(data.low_nano))} and {money(Math.round(data.high_nano))}, by how
          much longer or shorter the baseline answers
        </span>
      </p>
      <ul className="px-4 pb-2.5 text-ink-2">
        {data.saved.map((one) => (
          <li key={one.run}>
            <Link
              to="/traces"
              search={{ project, requested_model: one.baseline }}
              className="underline"
            >
              {count(one.calls)} calls
            </Link>{" "}
            to {one.candidate} cost {money(one.actual_nano)}; {one.baseline} would have cost{" "}
            {money(Math.round(one.counterfactual_nano))}
            {one.per_month_nano !== null && one.calls > 0 && (
              <>: {money(Math.round(one.per_month_nano))} a month at this rate</>
            )}{" "}
            <Link to="/rightsize" search={{ size: one.run }} className="underline">
              why
            </Link>
          </li>
        ))}
        {data.notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </section>
  );
}
