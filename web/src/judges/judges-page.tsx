// Judges: which there are, how far each agrees with people, and whether decisions may rest on it.
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { projectsQuery } from "../api/queries";
import { Interval } from "../evals/interval";
import { Badge } from "../ui/badge";
import { CodeBlock } from "../ui/code";
import { ago, fullTime } from "../ui/format";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, Table } from "../ui/table";
import { agreement, Certificate } from "./certificate";
import { JudgeView } from "./judge-view";
import { type JudgeSummary, judgesQuery } from "./queries";
import { askedOf } from "./words";

export const KAPPA = { from: -0.2, to: 1 };
/** A judge may gate when its kappa's lower end is at least this. */
export const LEAST = 0.4;

export function JudgesPage() {
  const search = useSearch({ from: "/frame/judges" });
  const projects = useQuery(projectsQuery);
  const names = search.project ? [search.project] : (projects.data ?? []).map((one) => one.name);
  const found = useQueries({ queries: names.map((name) => judgesQuery(name)) });
  if (search.judge) {
    const project = search.of ?? search.project ?? "default";
    return <JudgeView project={project} name={search.judge} version={search.version} />;
  }
  const failed = found.find((one) => one.error && !one.data) ?? (projects.error ? projects : null);
  if (failed?.error)
    return <Failure error={failed.error} onRetry={failed.refetch} className="m-4" />;
  if (projects.isPending || found.some((one) => one.isPending)) return <Lines className="p-6" />;
  const judges = found.flatMap((one) => one.data ?? []);
  if (judges.length === 0) return <NoJudges />;
  return (
    <div className="pb-10">
      <p className="px-4 py-2 text-ink-2">
        A judge may gate a release when people were asked too, and the lower end of its agreement
        with them (Cohen’s κ) is at least {LEAST}. Any other judge may inform.
      </p>
      <Judges judges={judges} projects={names.length} />
    </div>
  );
}

function Judges({ judges, projects }: { judges: readonly JudgeSummary[]; projects: number }) {
  return (
    <Table
      label="Judges"
      min={700}
      head={[
        { title: "Judge" },
        { title: "Kind" },
        { title: "Asks", wide: true },
        { title: "Agreement with people" },
        { title: "Certificate" },
        { title: "Changed", wide: true },
      ]}
    >
      {judges.map(({ judge, versions, badge }) => (
        <tr key={`${judge.project} ${judge.name}`} className="border-b hover:bg-hover">
          <Cell className="py-1.5">
            <Link
              to="/judges"
              search={(old) => ({ project: old.project, judge: judge.name, of: judge.project })}
              className="font-medium hover:underline"
            >
              {judge.name}
            </Link>
            <span className="pl-2 text-xs text-ink-3">
              version {judge.version}
              {versions > 1 && ` of ${versions}`}
              {projects > 1 && `, ${judge.project}`}
            </span>
          </Cell>
          <Cell className="py-1.5">
            <Badge>{judge.kind}</Badge>
          </Cell>
          <Cell wide className="max-w-[260px] truncate py-1.5 text-ink-2">
            {askedOf(judge)}
          </Cell>
          <Cell className="py-1.5">
            {badge.kappa === null ? (
              <span className="text-ink-3">not measured</span>
            ) : (
              <Interval
                value={badge.kappa}
                low={badge.low}
                high={badge.high}
                scale={KAPPA}
                marks={[{ at: 0 }, { at: LEAST, dashed: true }]}
                label={agreement(badge)}
              />
            )}
          </Cell>
          <Cell className="max-w-[360px] py-1.5">
            <Certificate badge={badge} />
            <span className="block text-xs text-ink-3">{badge.words}</span>
          </Cell>
          <Cell wide className="py-1.5 whitespace-nowrap" title={fullTime(judge.created_ms)}>
            {ago(judge.created_ms)}
          </Cell>
        </tr>
      ))}
    </Table>
  );
}

const FIRST = `stockpot eval judges create polite --model echo \\
  --criteria "The answer is polite and to the point."
stockpot eval judges certify polite --dataset menu-cases`;

function NoJudges() {
  return (
    <Empty title="No judges yet">
      <p className="mb-3">
        A judge is a model that says how good an answer is: by a rubric, against a reference,
        against another answer in both orders, or against a context. It is kept in versions, and
        held against what people said of the same rows before a gate may rest on it.
      </p>
      <CodeBlock label="Copy the commands" text={FIRST} />
    </Empty>
  );
}
