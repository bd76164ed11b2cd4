// Policies of rails: what each rule does and how well its rail was measured, what was found, and a
// text to try.
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import type { GuardrailPolicy, RailCalibration, RailRates } from "../api/types";
import { Badge } from "../ui/badge";
import { CodeBlock } from "../ui/code";
import { ago, fullTime, plural } from "../ui/format";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, Table } from "../ui/table";
import { calibrationsQuery, foundQuery, policiesQuery, railsQuery } from "./queries";
import { FIRST, LetHold, MakeFirst } from "./starting";
import { Tester } from "./tester";
import { acts, onlyFlags, rates, where } from "./words";

export function GuardrailsPage() {
  const search = useSearch({ from: "/frame/guardrails" });
  const policies = useQuery(policiesQuery);
  const rails = useQuery(railsQuery);
  const calibrations = useQuery(calibrationsQuery);
  const failed = policies.error ?? rails.error ?? calibrations.error;
  if (failed && !(policies.data && rails.data && calibrations.data))
    return <Failure error={failed} onRetry={policies.refetch} className="m-4" />;
  if (!policies.data || !rails.data || !calibrations.data) return <Lines className="p-6" />;
  const rows = policies.data.filter((one) => !search.project || one.project === search.project);
  const shown = rows.find((one) => one.id === search.policy) ?? rows[0];
  if (!shown)
    return (
      <NoPolicies any={policies.data.length > 0} rails={rails.data} project={search.project} />
    );
  const measured = calibrations.data.filter((one) => one.project === shown.project);
  return (
    <div className="pb-10">
      <Policies policies={rows} shown={shown} />
      <Rules policy={shown} rails={rails.data} measured={measured} />
      <Recent policy={shown} />
      <Tester key={shown.id} policy={shown} />
    </div>
  );
}

function Policies({
  policies,
  shown,
}: {
  policies: readonly GuardrailPolicy[];
  shown: GuardrailPolicy;
}) {
  return (
    <Table
      label="Policies"
      head={[
        { title: "Policy" },
        { title: "Holds for" },
        { title: "Rules", num: true },
        { title: "Flagged calls go to", wide: true },
        { title: "Changed", wide: true },
      ]}
    >
      {policies.map((one) => (
        <tr
          key={one.id}
          aria-current={one.id === shown.id || undefined}
          className="border-b hover:bg-hover aria-[current]:bg-hover"
        >
          <Cell className="py-1.5">
            <Link
              to="/guardrails"
              search={{ policy: one.id }}
              className="font-medium hover:underline"
            >
              {one.name}
            </Link>
            <span className="block truncate text-xs text-ink-3">
              {one.description || one.project}
            </span>
          </Cell>
          <Cell className="py-1.5 text-ink-2">
            {where(one) || (
              <>
                <Badge tone="warn">nothing yet</Badge>
                <LetHold policy={one} />
              </>
            )}
          </Cell>
          <Cell num className="py-1.5">
            {one.rules.length}
          </Cell>
          <Cell wide className="py-1.5 text-ink-2">
            {one.queue ? (
              <Link to="/annotation" className="underline">
                {one.queue}
              </Link>
            ) : (
              "no queue"
            )}
          </Cell>
          <Cell wide className="py-1.5 text-ink-3">
            <span title={fullTime(one.updated_ms)}>{ago(one.updated_ms)}</span>
          </Cell>
        </tr>
      ))}
    </Table>
  );
}

function Rules({
  policy,
  rails,
  measured,
}: {
  policy: GuardrailPolicy;
  rails: readonly RailRates[];
  measured: readonly RailCalibration[];
}) {
  return (
    <section aria-label={`Rules of ${policy.name}`}>
      <h2 className="px-4 pt-5 pb-2 font-medium">
        {policy.name}: {plural(policy.rules.length, "rule")} in order
        {policy.parallel && (
          <span className="font-normal text-ink-3">
            {" "}
            · slow rails work beside the model; no byte leaves before they clear
          </span>
        )}
      </h2>
      <Table
        label="Rules"
        min={760}
        head={[
          { title: "Rule" },
          { title: "Rail" },
          { title: "Reads", wide: true },
          { title: "Then" },
          { title: "When it fails", wide: true },
          { title: "Measured" },
        ]}
      >
        {policy.rules.map((rule) => {
          const own = measured.find((one) => one.rail === rule.rail);
          const known = rates(rails.find((one) => one.rail === rule.rail));
          return (
            <tr key={rule.id} className="border-b">
              <Cell className="py-1.5 font-medium">{rule.id}</Cell>
              <Cell className="py-1.5 font-mono text-xs">{rule.rail}</Cell>
              <Cell wide className="py-1.5 text-ink-2">
                {(rule.on ?? ["input"]).join(", ")}
              </Cell>
              <Cell className="py-1.5">
                {acts(rule)}
                {rule.shadow && " "}
                {rule.shadow && <Badge>shadow</Badge>}
                {policy.only_flags[rule.id] && (
                  <span
                    className="block text-xs text-warn"
                    title={`What has no form of its own is only flagged, unless the rule's setting act_on names it: ${policy.only_flags[rule.id]?.join(", ")}`}
                  >
                    {onlyFlags(policy.only_flags[rule.id])}
                  </span>
                )}
              </Cell>
              <Cell wide className="py-1.5 text-ink-2">
                {rule.on_error === "closed" ? "blocks" : "goes on"}
                {rule.budget_ms ? `, after ${rule.budget_ms} ms` : ""}
              </Cell>
              <Cell className="py-1.5 text-ink-2">
                {own ? (
                  <span title={JSON.stringify(own.evidence)}>
                    here: threshold {own.threshold.toFixed(3)}, {ago(own.created_ms)}
                  </span>
                ) : (
                  <span title={known.of}>{known.said}</span>
                )}
                {own?.evidence && <Evidence evidence={own.evidence} />}
              </Cell>
            </tr>
          );
        })}
      </Table>
    </section>
  );
}

function Evidence({ evidence }: { evidence: Record<string, unknown> }) {
  const said = Object.entries(evidence).filter(([, value]) => typeof value === "number");
  if (said.length === 0) return null;
  return (
    <span className="block text-xs text-ink-3">
      {said
        .slice(0, 4)
        .map(([name, value]) => `${name} ${Number(value).toPrecision(3)}`)
        .join(", ")}
    </span>
  );
}

function Recent({ policy }: { policy: GuardrailPolicy }) {
  const found = useQuery(foundQuery(policy.project, policy.name));
  return (
    <section aria-label="Recent findings" className="pt-5">
      <h2 className="px-4 pb-2 font-medium">Calls in which it found something</h2>
      {found.error && <Failure error={found.error} onRetry={found.refetch} className="mx-4" />}
      {found.data?.items.length === 0 && (
        <p className="px-4 pb-4 text-ink-2">
          None yet. What a rule finds is a span of its own below the call; shadow rules count, too.
        </p>
      )}
      {found.data && found.data.items.length > 0 && (
        <Table
          label="Recent findings"
          min={600}
          head={[
            { title: "When" },
            { title: "Call" },
            { title: "Outcome" },
            { title: "User", wide: true },
          ]}
        >
          {found.data.items.map((row) => (
            <tr key={row.trace_id} className="border-b hover:bg-hover">
              <Cell className="py-1.5 whitespace-nowrap text-ink-3">
                <span title={fullTime(row.root.start_ms)}>{ago(row.root.start_ms)}</span>
              </Cell>
              <Cell className="py-1.5">
                <Link
                  to="/traces/$traceId"
                  params={{ traceId: row.trace_id }}
                  className="hover:underline"
                >
                  {row.root.name}
                </Link>
              </Cell>
              <Cell className="py-1.5">
                {row.root.error === "guardrail_blocked" ? (
                  <Badge tone="bad">blocked</Badge>
                ) : (
                  <Badge tone="accent">went on</Badge>
                )}
              </Cell>
              <Cell wide className="py-1.5 text-ink-2">
                {row.root.user}
              </Cell>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}

const EXAMPLE = `cat > ${FIRST.name}.json <<'END'
{"name": "${FIRST.name}", "rules": [
${FIRST.rules.map((rule) => `  ${JSON.stringify(rule)}`).join(",\n")}
]}
END
stockpot guardrails policies apply ${FIRST.name}.json
stockpot guardrails bind ${FIRST.name}`;

function NoPolicies({
  any,
  rails,
  project = "default",
}: {
  any: boolean;
  rails: readonly RailRates[];
  project?: string;
}) {
  return (
    <Empty
      title={any ? "No policy in this project" : "Nothing is looked at yet"}
      action={<MakeFirst project={project} />}
    >
      <p className="mb-3">
        A policy is a list of rails with what is done about what they find: mask, block, ask again,
        route elsewhere, or flag. {plural(rails.length, "rail")} are in the box; one that nobody has
        measured may only flag.
      </p>
      <CodeBlock label="Copy the commands" text={EXAMPLE} />
    </Empty>
  );
}
