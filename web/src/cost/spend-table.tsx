// What was spent on each, the dearest first; every number links to its traces.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Spending, SpendTotals } from "../api/types";
import type { Scope } from "../frame/search";
import type { Conditions } from "../traces/search";
import { compact, count, percent, spend } from "../ui/format";
import { Cell, ROW, Table } from "../ui/table";
import { BY_TITLE, type By, type CostSearch } from "./search";
import { allUnknown, behind } from "./spending";
import { saved } from "./totals";

interface Props {
  spending: Spending;
  within: Conditions;
  nameOf: (key: string) => string;
}

type Where = Conditions & Scope;

/** What a group can be looked into by: its days, or for a key its models. */
const DEEPER: Partial<Record<By, (key: string) => CostSearch & Scope>> = {
  key: (key_id) => ({ by: "model", key_id }),
  project: (project) => ({ by: "key", project }),
  environment: (environment) => ({ by: "key", environment }),
  model: (model) => ({ by: "key", model }),
  provider: (provider) => ({ by: "model", provider }),
};

export function SpendTable({ spending, within, nameOf }: Props) {
  const most = Math.max(1, ...spending.groups.map((group) => group.totals.cost_nano));
  const title = BY_TITLE[spending.by];
  const groups =
    spending.by === "day"
      ? spending.groups.toSorted((one, other) => (one.key < other.key ? 1 : -1))
      : spending.groups;
  return (
    <Table
      label={title}
      min={760}
      head={[
        { title: spending.by === "day" ? "Day, UTC" : title.slice(0, -1) },
        { title: "Spend", num: true },
        { title: "Share", num: true },
        { title: "Calls", num: true },
        { title: "Unknown cost", num: true },
        { title: "Tokens in / out", num: true },
        { title: "Read from a vendor's cache", num: true, wide: true },
        { title: "Vendors' caches saved", num: true },
        { title: "This cache saved", num: true },
      ]}
    >
      {groups.map((group) => {
        const where = { ...within, ...behind(spending.by, group.key) };
        const deeper = group.key ? DEEPER[spending.by]?.(group.key) : undefined;
        return (
          <tr key={group.key} className={ROW}>
            <td className="relative max-w-0 min-w-[180px] px-2 pl-4">
              <span
                aria-hidden="true"
                className="absolute inset-y-[6px] left-0 rounded-r-sm bg-accent-wash"
                style={{ width: `${(group.totals.cost_nano / most) * 100}%` }}
              />
              <span className="relative block truncate" title={nameOf(group.key)}>
                {deeper ? (
                  <Link
                    to="/cost"
                    search={(old) => ({ ...old, ...deeper })}
                    className="font-medium hover:underline"
                  >
                    {nameOf(group.key)}
                  </Link>
                ) : (
                  <Link to="/traces" search={where} className="font-medium hover:underline">
                    {nameOf(group.key)}
                  </Link>
                )}
              </span>
            </td>
            <Figures totals={group.totals} whole={spending.totals} where={where} />
          </tr>
        );
      })}
      {spending.more > 0 && (
        <tr className={`${ROW} text-ink-2`}>
          <Cell>{count(spending.more)} others</Cell>
          <Figures totals={spending.rest} whole={spending.totals} />
        </tr>
      )}
    </Table>
  );
}

function Figures({
  totals,
  whole,
  where,
}: {
  totals: SpendTotals;
  whole: SpendTotals;
  where?: Where;
}) {
  const to = (more: Conditions, children: ReactNode) =>
    where ? (
      <Link to="/traces" search={{ ...where, ...more }} className="hover:underline">
        {children}
      </Link>
    ) : (
      children
    );
  return (
    <>
      <Cell num className="font-medium">
        {to({}, spend(totals))}
      </Cell>
      <Cell num className="text-ink-2">
        {allUnknown(totals) ? "unknown" : percent(totals.cost_nano, whole.cost_nano)}
      </Cell>
      <Cell num>{to({}, compact(totals.calls))}</Cell>
      <Cell num className={totals.unpriced > 0 ? "text-warn" : "text-ink-3"}>
        {totals.unpriced > 0 ? to({ unpriced: true }, count(totals.unpriced)) : "none"}
      </Cell>
      <Cell num className="text-ink-2">
        {to({}, `${compact(totals.input_tokens)} / ${compact(totals.output_tokens)}`)}
      </Cell>
      <Cell num wide className="text-ink-2">
        {compact(totals.cache_read_tokens)}
      </Cell>
      <Cell num className={totals.saved_by_vendor_nano < 0 ? "text-warn" : "text-ink-2"}>
        {to({}, saved(totals.saved_by_vendor_nano))}
      </Cell>
      <Cell num className="text-ink-2">
        {totals.cache_hits > 0 ? to({ provider: "cache" }, saved(totals.saved_here_nano)) : "$0"}
      </Cell>
    </>
  );
}
