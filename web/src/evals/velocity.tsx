// How fast ideas reach production, and how often a release is taken back: the last 30 days.
import { useQuery } from "@tanstack/react-query";
import { count, percent } from "../ui/format";
import { velocityQuery } from "./queries";

const hours = (value: number | null) =>
  value === null ? "–" : value < 48 ? `${value.toFixed(1)} h` : `${(value / 24).toFixed(1)} d`;

export function VelocityStrip({ project }: { project: string }) {
  const { data } = useQuery(velocityQuery(project));
  if (!data || (data.releases === 0 && data.gated === 0)) return null;
  const figures: [string, string][] = [
    ["Releases, 30 days", count(data.releases)],
    ["Idea to production, median", hours(data.idea_to_production.median_hours)],
    ["Taken back", percent(data.failed, data.releases)],
    ["Time to restore, median", hours(data.restore.median_hours)],
    ["Releases with proof", percent(data.releases_with_proof, data.releases)],
    ["Gates passed", `${count(data.gates_passed)} of ${count(data.gated)}`],
  ];
  return (
    <dl className="flex flex-wrap border-y">
      {figures.map(([term, value]) => (
        <div key={term} className="border-r px-4 py-1.5 last:border-r-0">
          <dt className="text-xs text-ink-2">{term}</dt>
          <dd className="font-semibold">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
