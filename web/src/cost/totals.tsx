// The figures of the whole window, each a link to the traces behind it.
import { Link } from "@tanstack/react-router";
import type { SpendTotals } from "../api/types";
import type { Conditions } from "../traces/search";
import { compact, count, money, percent, spend } from "../ui/format";

interface FigureProps {
  label: string;
  value: string;
  note: string;
  search: Conditions;
  tone?: string;
}

function Figure({ label, value, note, search, tone }: FigureProps) {
  return (
    <Link
      to="/traces"
      search={search}
      className="min-w-0 border-r px-4 py-3 last:border-r-0 hover:bg-hover"
    >
      <div className="truncate text-xs text-ink-2">{label}</div>
      <div className={`mt-0.5 truncate text-xl font-semibold tracking-tight ${tone ?? ""}`}>
        {value}
      </div>
      <div className="truncate text-xs text-ink-3" title={note}>
        {note}
      </div>
    </Link>
  );
}

/** Signed: writing a vendor's cache can cost more than it brings. */
export function saved(nano: number): string {
  return nano < 0 ? `-${money(-nano)}` : money(nano);
}

export function CostTotals({ totals, within }: { totals: SpendTotals; within: Conditions }) {
  const tokens = totals.input_tokens + totals.output_tokens;
  const fresh = totals.cost_nano + totals.saved_by_vendor_nano + totals.saved_here_nano;
  return (
    <section
      aria-label="Totals"
      className="grid grid-cols-3 border-b wide:grid-cols-6 max-wide:[&>:nth-child(3)]:border-r-0 max-wide:[&>:nth-child(-n+3)]:border-b"
    >
      <Figure
        label="Spend"
        value={spend(totals)}
        note={totals.unpriced > 0 ? "of the calls with a price" : "all calls priced"}
        search={{ ...within, min_cost_nano: 1 }}
      />
      <Figure
        label="Of unknown cost"
        value={compact(totals.unpriced)}
        note={totals.unpriced > 0 ? "calls, not in the spend" : "every price is known"}
        search={{ ...within, unpriced: true }}
        tone={totals.unpriced > 0 ? "text-warn" : undefined}
      />
      <Figure
        label="Saved by vendors' caches"
        value={saved(totals.saved_by_vendor_nano)}
        note={
          totals.saved_by_vendor_nano < 0
            ? "writing cost more than it brought"
            : `${compact(totals.cache_read_tokens)} tokens read`
        }
        search={within}
      />
      <Figure
        label="Saved by this gateway"
        value={saved(totals.saved_here_nano)}
        note={`${count(totals.cache_hits)} answers repeated`}
        search={{ ...within, provider: "cache" }}
      />
      <Figure
        label="Saved in all"
        value={percent(totals.saved_by_vendor_nano + totals.saved_here_nano, fresh)}
        note="of what it had cost without"
        search={within}
      />
      <Figure
        label="Calls"
        value={compact(totals.calls)}
        note={`${compact(tokens)} tokens`}
        search={within}
      />
    </section>
  );
}
