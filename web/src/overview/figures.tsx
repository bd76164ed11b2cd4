// The figures of the whole window, each a link to the traces behind it.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Totals } from "../api/types";
import type { Conditions } from "../traces/search";
import { compact, count, duration, percent, spend } from "../ui/format";

interface FigureProps {
  label: string;
  value: ReactNode;
  note?: ReactNode;
  search?: Conditions;
  tone?: string;
}

function Figure({ label, value, note, search = {}, tone }: FigureProps) {
  return (
    <Link
      to="/traces"
      search={search}
      className="group min-w-0 border-r px-4 py-3 last:border-r-0 hover:bg-hover"
    >
      <div className="text-xs text-ink-2">{label}</div>
      <div className={`mt-0.5 truncate text-xl font-semibold tracking-tight ${tone ?? ""}`}>
        {value}
      </div>
      <div className="truncate text-xs text-ink-3">{note ?? "\u00a0"}</div>
    </Link>
  );
}

export function Figures({ totals, windowMs }: { totals: Totals; windowMs: number }) {
  const { latency_ms: latency, ttft_ms: ttft, tpot_ms: tpot } = totals;
  const perMinute = totals.calls / (windowMs / 60_000);
  return (
    <section
      aria-label="Totals"
      className="grid grid-cols-4 border-b wide:grid-cols-8 max-wide:[&>:nth-child(4)]:border-r-0 max-wide:[&>:nth-child(-n+4)]:border-b"
    >
      <Figure
        label="Calls"
        value={compact(totals.calls)}
        note={`${perMinute < 10 ? perMinute.toFixed(1) : compact(Math.round(perMinute))} a minute`}
      />
      <Figure
        label="Errors"
        value={compact(totals.errors)}
        note={`${percent(totals.errors, totals.calls)} of calls`}
        search={{ failed: true }}
        tone={totals.errors > 0 ? "text-bad" : undefined}
      />
      <Figure
        label="Spend"
        value={spend(totals)}
        note={
          totals.unpriced > 0 ? (
            <span className="text-warn">{count(totals.unpriced)} unpriced</span>
          ) : (
            "all calls priced"
          )
        }
        search={totals.unpriced > 0 ? { unpriced: true } : { min_cost_nano: 1 }}
      />
      <Figure
        label="Tokens"
        value={compact(totals.input_tokens + totals.output_tokens)}
        note={`${compact(totals.input_tokens)} in, ${compact(totals.output_tokens)} out`}
      />
      <Figure
        label="Latency p50"
        value={duration(latency.p50)}
        note="half were faster"
        search={slower(latency.p50)}
      />
      <Figure
        label="Latency p95"
        value={duration(latency.p95)}
        note={`p99 ${duration(latency.p99)}`}
        search={slower(latency.p95)}
      />
      <Figure
        label="TTFT p50"
        value={duration(ttft.p50)}
        note={`p95 ${duration(ttft.p95)}`}
        search={{ kind: "llm" }}
      />
      <Figure
        label="TPOT p50"
        value={duration(tpot.p50)}
        note={rate(tpot.p50)}
        search={{ kind: "llm" }}
      />
    </section>
  );
}

/** The traces behind a quantile are those at or beyond it. */
export function slower(ms: number | null): Conditions {
  return ms === null ? {} : { min_duration_ms: Math.floor(ms) };
}

function rate(tpot: number | null): string {
  return tpot ? `${count(Math.round(1000 / tpot))} tokens/s` : "no streams";
}
