// How far each project is from demo to production: rungs, their evidence, what blocks the next one.
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { projectsQuery } from "../api/queries";
import { Badge, State, type Tone } from "../ui/badge";
import { CodeBlock } from "../ui/code";
import { cx } from "../ui/cx";
import { fullTime } from "../ui/format";
import { Icon } from "../ui/icons";
import { Failure, Lines } from "../ui/states";
import { Cell, Table } from "../ui/table";
import { type Need, type Readiness, type Rung, readinessQuery } from "./queries";

export function ReadinessPage() {
  const search = useSearch({ from: "/frame/readiness" });
  const projects = useQuery(projectsQuery);
  const known = (projects.data ?? []).map((one) => one.name);
  const names = search.project ? [search.project] : known;
  const found = useQueries({ queries: names.map((name) => readinessQuery(name)) });
  const failed = found.find((one) => one.error && !one.data) ?? (projects.error ? projects : null);
  if (failed?.error)
    return <Failure error={failed.error} onRetry={failed.refetch} className="m-4" />;
  if (projects.isPending || found.some((one) => one.isPending)) return <Lines className="p-6" />;
  const told = found.flatMap((one) => one.data ?? []);
  const [only] = told;
  if (told.length === 1 && only) return <Ladder told={only} />;
  return <Portfolio told={told} />;
}

function Portfolio({ told }: { told: readonly Readiness[] }) {
  return (
    <div className="pb-10">
      <p className="px-4 py-2 text-ink-2">
        How far each project is from demo to production. The risk tier decides which rung a release
        needs.
      </p>
      <Table
        label="Projects"
        head={[
          { title: "Project" },
          { title: "Stands on" },
          { title: "Rungs" },
          { title: "A release needs" },
          { title: "What blocks the next rung", wide: true },
        ]}
      >
        {told.map((one) => (
          <tr key={one.project} className="border-b hover:bg-hover">
            <Cell className="py-1.5">
              <Link
                to="/readiness"
                search={(old) => ({ ...old, project: one.project })}
                className="font-medium hover:underline"
              >
                {one.project}
              </Link>
              <span className="pl-2 text-xs text-ink-3">risk {one.risk_tier}</span>
            </Cell>
            <Cell className="py-1.5">{one.current ?? "below the first"}</Cell>
            <Cell className="py-1.5">
              <Steps rungs={one.rungs} />
            </Cell>
            <Cell className="py-1.5">
              <State tone={one.ready ? "ok" : "warn"}>{one.required}</State>
            </Cell>
            <Cell wide className="max-w-[360px] truncate py-1.5 text-ink-2">
              {one.blocks.map((need) => need.title.toLowerCase()).join(", ") || "nothing"}
            </Cell>
          </tr>
        ))}
      </Table>
    </div>
  );
}

/** Five small bars: reached, needed, neither. */
function Steps({ rungs }: { rungs: readonly Rung[] }) {
  const reached = rungs.filter((rung) => rung.reached).length;
  return (
    <span className="inline-flex items-end gap-0.5" role="img" aria-label={`${reached} of 5`}>
      {rungs.map((rung, at) => (
        <span
          key={rung.rung}
          title={`${rung.title}: ${rung.reached ? "reached" : rung.needed ? "needed" : "not needed"}`}
          style={{ height: 6 + at * 3, width: 12 }}
          className={cx(
            "rounded-sm",
            rung.reached ? "bg-ok" : rung.needed ? "bg-warn" : "bg-mute-wash",
          )}
        />
      ))}
    </span>
  );
}

function Ladder({ told }: { told: Readiness }) {
  return (
    <article className="max-w-[980px] px-4 py-3 pb-10">
      <header className="mb-3 flex flex-wrap items-center gap-x-4 gap-y-1">
        <h2 className="text-lg font-semibold">
          {told.project} {told.current ? `stands on “${told.current}”` : "is below the first rung"}
        </h2>
        <Badge tone={told.ready ? "ok" : "warn"}>
          {told.ready ? "may be released" : `a release needs “${told.required}”`}
        </Badge>
        <span className="text-ink-3">
          risk {told.risk_tier}, stage {told.stage}
        </span>
      </header>
      {told.blocks.length > 0 && (
        <section
          aria-label="What blocks the next rung"
          className="mb-4 rounded-lg border bg-panel px-3 py-2"
        >
          <h3 className="mb-2 font-medium">
            What blocks “{told.next}”: {told.blocks.map((n) => n.title.toLowerCase()).join(", ")}
          </h3>
          <CodeBlock
            label="Copy the commands"
            text={told.blocks.map((need) => need.mend).join("\n")}
          />
        </section>
      )}
      <ol className="flex flex-col gap-3" aria-label="Rungs, the highest first">
        {[...told.rungs].reverse().map((rung) => (
          <RungCard key={rung.rung} rung={rung} current={rung.rung === told.current} />
        ))}
      </ol>
    </article>
  );
}

function RungCard({ rung, current }: { rung: Rung; current: boolean }) {
  return (
    <li className={cx("rounded-lg border", current && "border-accent")}>
      <div className="flex items-center gap-2 border-b px-3 py-2">
        <State tone={rung.reached ? "ok" : "mute"}>
          <h3 className="font-medium">{rung.title}</h3>
        </State>
        <span className="min-w-0 truncate text-ink-2">{rung.about}</span>
        <span className="ml-auto text-xs whitespace-nowrap text-ink-3">
          {rung.needed ? "needed for a release" : "not needed at this risk"}
        </span>
      </div>
      <ul>
        {rung.needs.map((need) => (
          <NeedRow key={need.need} need={need} />
        ))}
      </ul>
    </li>
  );
}

function standing(need: Need): { tone: Tone; word: string } {
  if (need.met) return { tone: "ok", word: "met" };
  return need.waived ? { tone: "warn", word: "waived" } : { tone: "bad", word: "missing" };
}

function NeedRow({ need }: { need: Need }) {
  const { tone, word } = standing(need);
  return (
    <li className="flex flex-wrap items-baseline gap-x-3 px-3 py-1.5">
      <span style={{ width: 76 }}>
        <State tone={tone}>{word}</State>
      </span>
      <span className="font-medium" style={{ width: 260 }}>
        {need.title}
      </span>
      <span className="min-w-0 flex-1 text-ink-2">
        {need.found}
        {need.waived && (
          <span className="block text-xs text-ink-3">
            {need.waived.created_by} until {fullTime(need.waived.until_ms, "min")}:{" "}
            {need.waived.reason}
          </span>
        )}
      </span>
      <a
        href={need.link}
        aria-label={`Evidence: ${need.title}`}
        title="Where this evidence stands"
        className="text-accent hover:underline"
      >
        <Icon name="right" />
      </a>
    </li>
  );
}
