// The word of a gate: each rule, and the cases that speak against it.
import { Link } from "@tanstack/react-router";
import { Certificate } from "../judges/certificate";
import { Badge } from "../ui/badge";
import { fullTime } from "../ui/format";
import { Cell, ROW, Table } from "../ui/table";
import type { GateResult } from "./types";
import { pValue } from "./words";

export function GateView({ gate }: { gate: GateResult }) {
  return (
    <section aria-label="Gate" className="pt-4">
      <h3 className="flex items-center gap-2 px-4 pb-1 font-semibold">
        Gate
        <Badge tone={gate.passed ? "ok" : "bad"}>{gate.passed ? "passed" : "failed"}</Badge>
        <span className="text-xs font-normal text-ink-3" title={fullTime(gate.decided_ms)}>
          at {gate.confidence * 100}% confidence
          {gate.base ? "" : ", without a run to compare with"}
        </span>
        {gate.base && (
          <Link
            to="/evals"
            search={{ run: gate.run, base: gate.base }}
            className="ml-auto text-sm font-normal text-accent underline"
          >
            See the comparison
          </Link>
        )}
      </h3>
      {gate.warnings.map((warning) => (
        <p key={warning} className="px-4 pb-1 text-warn">
          {warning}
        </p>
      ))}
      <Table
        label="Rules of the gate"
        head={[
          { title: "Rule" },
          { title: "Result" },
          { title: "Said" },
          { title: "p, adjusted", num: true },
        ]}
      >
        {gate.checks.map((check) => (
          <tr key={`${check.metric} ${check.slice} ${check.rule}`} className={ROW}>
            <Cell>
              <span className="font-medium">{check.metric}</span>{" "}
              <span className="text-ink-2">
                {check.slice} {check.rule}
              </span>{" "}
              <Certificate badge={check.badge} />
            </Cell>
            <Cell>
              <Badge tone={check.passed ? "ok" : "bad"}>{check.passed ? "holds" : "broken"}</Badge>
            </Cell>
            <Cell className="text-ink-2">{check.words}</Cell>
            <Cell num>{check.p === null ? "" : pValue(check.p)}</Cell>
          </tr>
        ))}
      </Table>
      {gate.cases.length > 0 && (
        <>
          <h4 className="px-4 pt-3 pb-1 font-medium">Cases that speak against it</h4>
          <ul className="px-4">
            {gate.cases.slice(0, 20).map((one) => (
              <li key={`${one.item} ${one.metric}`} className="flex gap-2 py-0.5">
                <span className="w-[180px] shrink-0 truncate font-mono text-xs">{one.item}</span>
                <span className="shrink-0 text-ink-2">{one.metric}</span>
                <span className="min-w-0 flex-1 truncate text-ink-2">{one.reason}</span>
                {one.trace_id && (
                  <Link
                    to="/traces/$traceId"
                    params={{ traceId: one.trace_id }}
                    className="text-accent underline"
                  >
                    trace
                  </Link>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
