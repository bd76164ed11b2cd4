// What is done again and again: pipelines, online rules, drift checks and canaries.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Certificates } from "../judges/certificate";
import { Badge, State } from "../ui/badge";
import { CodeBlock } from "../ui/code";
import { ago, fullTime } from "../ui/format";
import { Segments } from "../ui/segments";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, Table } from "../ui/table";
import { CheckView } from "./check-view";
import { type Check, checksQuery } from "./queries";
import { KINDS, type Kind } from "./search";
import { KIND, scheduleOf, standing } from "./words";

export function PipelinesPage() {
  const search = useSearch({ from: "/frame/pipelines" });
  const navigate = useNavigate();
  const checks = useQuery(checksQuery);
  if (checks.error && !checks.data)
    return <Failure error={checks.error} onRetry={checks.refetch} className="m-4" />;
  if (!checks.data) return <Lines className="p-6" />;
  if (search.check) {
    const shown = checks.data.find((one) => one.id === search.check);
    return shown ? <CheckView check={shown} runId={search.run} /> : <Gone />;
  }
  const mine = checks.data.filter((one) => !search.project || one.project === search.project);
  const rows = mine.filter((one) => !search.which || one.kind === search.which);
  return (
    <div className="pb-10">
      <div className="flex items-center gap-2 px-4 py-2">
        <Segments<Kind | "all">
          label="Which kind"
          value={search.which ?? "all"}
          choices={[
            { value: "all", label: "All" },
            ...KINDS.map((kind) => ({ value: kind, label: KIND[kind].many })),
          ]}
          onChange={(next) =>
            navigate({
              to: "/pipelines",
              search: (old) => ({ ...old, which: next === "all" ? undefined : next }),
            })
          }
        />
        <p className="truncate pl-2 text-ink-2 max-wide:hidden">
          {search.which && KIND[search.which].about}
        </p>
      </div>
      {rows.length === 0 ? <Nothing kind={search.which} /> : <Checks rows={rows} />}
    </div>
  );
}

function Checks({ rows }: { rows: readonly Check[] }) {
  return (
    <Table
      label="Scheduled work"
      min={700}
      head={[
        { title: "State" },
        { title: "Name" },
        { title: "Kind" },
        { title: "Due" },
        { title: "What the last run found" },
        { title: "Last run", wide: true },
      ]}
    >
      {rows.map((check) => {
        const { tone, word } = standing(check.last);
        return (
          <tr key={check.id} className="border-b hover:bg-hover">
            <Cell className="py-1.5">
              <State tone={check.enabled ? tone : "mute"}>{word}</State>
            </Cell>
            <Cell className="py-1.5">
              <Link
                to="/pipelines"
                search={(old) => ({ ...old, check: check.id, run: undefined })}
                className="font-medium hover:underline"
              >
                {check.name}
              </Link>
              <span className="pl-2 text-xs text-ink-3">{check.project}</span>
            </Cell>
            <Cell className="py-1.5">
              <Badge>{KIND[check.kind].one}</Badge>
            </Cell>
            <Cell className="py-1.5 whitespace-nowrap text-ink-2">{scheduleOf(check)}</Cell>
            <Cell className="max-w-[420px] truncate py-1.5 text-ink-2" title={check.last?.words}>
              <Certificates badges={check.badges} /> {check.last?.words || check.last?.error}
            </Cell>
            <Cell wide className="py-1.5 whitespace-nowrap text-ink-2">
              {check.last && (
                <span title={fullTime(check.last.created_ms)}>{ago(check.last.created_ms)}</span>
              )}
            </Cell>
          </tr>
        );
      })}
    </Table>
  );
}

const FIRST: Record<Kind, string> = {
  pipeline: `cat > menu.toml <<'END'
[[pipeline]]
name = "menu"
schedule.cron = "0 3 * * *"
[[pipeline.step]]
id = "measure"
use = "eval"
options.suite = "menu"
[[pipeline.step]]
id = "pass"
use = "gate"
END
stockpot pipelines apply menu.toml`,
  online: `cat > online.toml <<'END'
[[online]]
name = "polite"
schedule.every_s = 60
rate = 0.1
scorer.use = "judge:polite@1"
END
stockpot online apply online.toml`,
  drift: `cat > drift.toml <<'END'
[[drift]]
name = "inputs"
of = "input"
schedule.every_s = 3600
END
stockpot drift apply drift.toml`,
  canary: `cat > canary.toml <<'END'
[[canary]]
name = "vendor"
model = "gpt-4o-mini"
dataset = "canary-prompts@1"
schedule.every_s = 21600
END
stockpot canaries apply canary.toml`,
};

function Nothing({ kind = "pipeline" }: { kind?: Kind }) {
  return (
    <Empty title={`No ${KIND[kind].one} yet`}>
      <p className="mb-3">{KIND[kind].about} Each is declared in a file.</p>
      <CodeBlock label="Copy the commands" text={FIRST[kind]} />
    </Empty>
  );
}

function Gone() {
  return (
    <Empty title="There is no such check">
      <Link to="/pipelines" search={{}} className="text-accent underline">
        See those that there are
      </Link>
    </Empty>
  );
}
