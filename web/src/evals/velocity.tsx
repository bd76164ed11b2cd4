// How fast ideas reach production, and how often a release is taken back: the last 30 days.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { ago, count, fullTime, NONE, percent } from "../ui/format";
import { Cell, ROW, Table } from "../ui/table";
import { velocityQuery } from "./queries";
import type { Release } from "./types";
import { hours } from "./words";

export function VelocityStrip({ project }: { project: string }) {
  const [listed, setListed] = useState(false);
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
    <section aria-label="Lead times">
      <div className="flex flex-wrap items-center border-y">
        <dl className="flex min-w-0 flex-1 flex-wrap">
          {figures.map(([term, value]) => (
            <div key={term} className="border-r px-4 py-1.5">
              <dt className="text-xs text-ink-2">{term}</dt>
              <dd className="font-semibold">{value}</dd>
            </div>
          ))}
        </dl>
        {data.latest.length > 0 && (
          <Button
            className="mx-4 my-1 shrink-0"
            aria-expanded={listed}
            onClick={() => setListed(!listed)}
          >
            {listed ? "Hide releases" : "Show releases"}
          </Button>
        )}
      </div>
      {listed && <Releases project={project} releases={data.latest} />}
    </section>
  );
}

function Releases({ project, releases }: { project: string; releases: readonly Release[] }) {
  return (
    <Table
      label="Releases"
      head={[
        { title: "Released" },
        { title: "What" },
        { title: "Before" },
        { title: "From idea", num: true },
        { title: "Proof" },
        { title: "Taken back" },
      ]}
    >
      {releases.map((one) => (
        <tr key={`${one.kind} ${one.name} ${one.at_ms}`} className={ROW}>
          <Cell title={fullTime(one.at_ms)}>{ago(one.at_ms)}</Cell>
          <Cell>
            <Released project={project} release={one} />
          </Cell>
          <Cell className="max-w-64 truncate" title={one.before ?? undefined}>
            {one.before ?? NONE}
          </Cell>
          <Cell num>{hours(one.lead_hours)}</Cell>
          <Cell>
            {one.proof ? (
              <Link to="/evals" search={{ run: one.proof }} className="text-accent underline">
                passed
              </Link>
            ) : one.experiment ? (
              <Link
                to="/experiments"
                search={{ project }}
                title={one.experiment}
                className="text-accent underline"
              >
                experiment
              </Link>
            ) : (
              <span className="text-xs text-ink-3">none</span>
            )}
          </Cell>
          <Cell>
            {one.failed && (
              <>
                <Badge tone="bad">to {one.restored_to}</Badge>
                <span className="pl-2 text-ink-2">after {hours(one.restore_hours)}</span>
              </>
            )}
          </Cell>
        </tr>
      ))}
    </Table>
  );
}

function Released({ project, release }: { project: string; release: Release }) {
  const { kind, name, after } = release;
  const link = "hover:underline";
  if (kind === "label")
    return (
      <Link
        to="/prompts/$prompt"
        params={{ prompt: name }}
        search={{ prompt_part: "labels", project }}
        className={link}
      >
        {name}@{after}
      </Link>
    );
  return (
    <>
      {kind === "alias" ? <Link to="/models">{name}</Link> : name}
      <span className="text-ink-3">{kind === "alias" ? " leads to " : " tried "}</span>
      {after}
    </>
  );
}
