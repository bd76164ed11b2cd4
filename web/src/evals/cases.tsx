// The rows whose score differs between two runs, and both answers side by side.
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Badge } from "../ui/badge";
import { cx } from "../ui/cx";
import { Segments } from "../ui/segments";
import type { CaseDifference, RunComparison } from "./types";
import { verdictText } from "./words";
import { type Piece, wordDiff } from "./words-diff";

type Shown = "all" | "worse" | "better";
const AT_ONCE = 200;

const keyOf = (one: CaseDifference) => `${one.item} ${one.repeat} ${one.metric}`;

export function Cases({ comparison }: { comparison: RunComparison }) {
  const [shown, setShown] = useState<Shown>("all");
  const [chosen, setChosen] = useState("");
  const { cases, metrics } = comparison;
  const rows = cases.filter((one) => shown === "all" || one.change === shown);
  const open = rows.find((one) => keyOf(one) === chosen) ?? rows[0];
  const worse = cases.filter((one) => one.change === "worse").length;
  const unitOf = (metric: string) => metrics.find((one) => one.metric === metric)?.unit ?? "score";
  return (
    <section aria-label="Cases" className="min-w-0">
      <div className="flex items-center gap-2 pb-1">
        <h3 className="font-semibold">Cases</h3>
        <p className="mr-auto text-xs text-ink-3">
          {worse} worse, {cases.length - worse} better
        </p>
        <Segments<Shown>
          label="Which cases"
          value={shown}
          choices={[
            { value: "all", label: "All" },
            { value: "worse", label: "Worse" },
            { value: "better", label: "Better" },
          ]}
          onChange={setShown}
        />
      </div>
      {rows.length === 0 ? (
        <p className="text-ink-2">
          {cases.length === 0 ? "Every row was scored the same." : "There are none."}
        </p>
      ) : (
        <>
          <ul aria-label="Cases" className="max-h-[220px] overflow-auto rounded-lg border">
            {rows.slice(0, AT_ONCE).map((one) => (
              <li key={keyOf(one)} className="border-b last:border-b-0">
                <button
                  type="button"
                  aria-pressed={open === one}
                  onClick={() => setChosen(keyOf(one))}
                  className={cx(
                    "flex h-[30px] w-full items-center gap-2 px-2 text-left hover:bg-hover",
                    open === one && "bg-hover",
                  )}
                >
                  <Badge tone={one.change === "worse" ? "bad" : "ok"}>{one.change}</Badge>
                  <span className="w-[150px] shrink-0 truncate font-mono text-xs">{one.item}</span>
                  <span className="truncate text-ink-2">{one.metric}</span>
                  <span className="ml-auto whitespace-nowrap">
                    {verdictText(one.base, unitOf(one.metric))} →{" "}
                    {verdictText(one.candidate, unitOf(one.metric))}
                  </span>
                </button>
              </li>
            ))}
          </ul>
          {open && <SideBySide one={open} />}
        </>
      )}
    </section>
  );
}

function SideBySide({ one }: { one: CaseDifference }) {
  const [left, right] = wordDiff(one.base_output, one.candidate_output);
  return (
    <div className="mt-3 grid grid-cols-2 gap-3">
      <Side
        title="Base"
        pieces={left}
        trace={one.base_trace}
        reason={one.base.reason}
        mark="bg-bad-wash text-bad"
      />
      <Side
        title="Candidate"
        pieces={right}
        trace={one.candidate_trace}
        reason={one.candidate.reason}
        mark="bg-ok-wash text-ok"
      />
    </div>
  );
}

interface SideProps {
  title: string;
  pieces: readonly Piece[];
  trace: string;
  reason: string;
  mark: string;
}

function Side({ title, pieces, trace, reason, mark }: SideProps) {
  return (
    <div className="min-w-0">
      <p className="flex items-baseline gap-2 text-xs text-ink-2">
        <span className="font-medium">{title}</span>
        <span className="min-w-0 flex-1 truncate" title={reason}>
          {reason}
        </span>
        {trace && (
          <Link to="/traces/$traceId" params={{ traceId: trace }} className="text-accent underline">
            trace
          </Link>
        )}
      </p>
      <pre className="mt-0.5 max-h-[320px] overflow-auto rounded-md border bg-panel px-2 py-1.5 font-mono text-xs break-words whitespace-pre-wrap">
        {pieces.map((piece, at) => (
          <span
            // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other identity
            key={at}
            className={piece.same ? undefined : mark}
          >
            {piece.text}
          </span>
        ))}
      </pre>
    </div>
  );
}
