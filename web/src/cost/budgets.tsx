// Every cap that is in sight, the fullest first.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { keysQuery, projectsQuery } from "../api/queries";
import type { BudgetState, Project, VirtualKey } from "../api/types";
import { budgetShare } from "../keys/words";
import { Badge } from "../ui/badge";
import { fullTime, money, percent } from "../ui/format";
import { Meter } from "../ui/meter";
import { Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";

interface Capped {
  id: string;
  name: string;
  kind: "key" | "project";
  project: string;
  budget: BudgetState;
}

/** The fullest first; what is not capped is not here. Pure. */
export function capped(
  keys: readonly VirtualKey[],
  projects: readonly Project[],
  project: string | undefined,
): Capped[] {
  const found: Capped[] = [];
  for (const key of keys) {
    if (key.budget && key.state !== "revoked" && (!project || key.project === project))
      found.push({ ...key, kind: "key", budget: key.budget });
  }
  for (const one of projects) {
    if (one.budget && (!project || one.name === project))
      found.push({ ...one, kind: "project", project: one.name, budget: one.budget });
  }
  return found.sort((one, other) => budgetShare(other.budget) - budgetShare(one.budget));
}

const TERM = { day: "a day", week: "a week", month: "a month", total: "in total" };

export function Budgets({ project }: { project: string | undefined }) {
  const keys = useQuery(keysQuery);
  const projects = useQuery(projectsQuery);
  const failed = [keys, projects].find((one) => one.error && !one.data);
  const loading = keys.isPending || projects.isPending;
  const shown = capped(keys.data ?? [], projects.data ?? [], project);
  return (
    <section aria-label="Budgets" className="mt-6">
      <h2 className="px-4 pb-1 font-semibold">Budgets</h2>
      {failed ? (
        <Failure error={failed.error} onRetry={failed.refetch} className="mx-4 mt-1" />
      ) : loading ? (
        <Lines rows={2} />
      ) : shown.length === 0 ? (
        <p className="px-4 text-ink-2">
          Nothing is capped here. A budget stops calls before they cost more than was meant: set one{" "}
          <Link to="/keys" className="text-accent underline">
            on a key
          </Link>{" "}
          or{" "}
          <Link to="/people" search={{ part: "projects" }} className="text-accent underline">
            on a project
          </Link>
          .
        </p>
      ) : (
        <Table
          label="Budgets"
          head={[
            { title: "Budget of" },
            { title: "Kind" },
            { title: "Used" },
            { title: "Spent", num: true },
            { title: "Lent to workers", num: true, wide: true },
            { title: "Cap", num: true },
            { title: "Starts anew", wide: true },
          ]}
        >
          {shown.map((one) => (
            <Row key={one.id} one={one} />
          ))}
        </Table>
      )}
    </section>
  );
}

function Row({ one }: { one: Capped }) {
  const { budget, kind } = one;
  const share = budgetShare(budget);
  const traces = {
    ...(kind === "key" ? { key_id: one.id } : { project: one.project }),
    range: undefined,
    from_ms: budget.period_start_ms,
    to_ms: Date.now(),
  };
  return (
    <tr className={ROW}>
      <Cell className="max-w-[220px] truncate font-medium">
        {kind === "key" ? (
          <Link to="/keys" search={{ key: one.id }} className="hover:underline">
            {one.name}
          </Link>
        ) : (
          <Link
            to="/people"
            search={{ part: "projects", change: one.name }}
            className="hover:underline"
          >
            {one.name}
          </Link>
        )}
      </Cell>
      <Cell className="text-ink-2">{kind}</Cell>
      <Cell className="min-w-[190px]">
        <span className="flex items-center gap-2">
          <Meter label={`Budget of ${one.name}`} share={share} className="flex-1" />
          <span className="w-10 text-right text-xs">
            {percent(budget.spent_nano, budget.spec.limit_nano)}
          </span>
          {share >= 0.5 && (
            <Badge tone={share >= 1 ? "bad" : "warn"}>
              {share >= 1 ? "used up" : share >= 0.8 ? "over 80" : "over 50"}
            </Badge>
          )}
        </span>
      </Cell>
      <Cell num>
        <Link to="/traces" search={traces} className="hover:underline">
          {money(budget.spent_nano)}
        </Link>
      </Cell>
      <Cell num wide className="text-ink-2">
        {money(budget.leased_nano)}
      </Cell>
      <Cell num>
        {money(budget.spec.limit_nano)}
        <span className="text-ink-3"> {TERM[budget.spec.period]}</span>
      </Cell>
      <Cell wide className="whitespace-nowrap text-ink-2">
        {budget.period_end_ms === null ? "never" : fullTime(budget.period_end_ms, "min")}
      </Cell>
    </tr>
  );
}
