// One dimension of the window as a table; every number in it links to its traces.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Group } from "../api/types";
import type { Conditions } from "../traces/search";
import { compact, count, duration, percent, spend } from "../ui/format";
import { slower } from "./figures";

interface Props {
  title: string;
  groups: readonly Group[];
  filter: (key: string) => Conditions;
  nameOf?: (key: string) => string;
  errors?: boolean;
}

const HEAD = "h-7 px-2 text-xs font-medium text-ink-3 whitespace-nowrap";

export function Breakdown({ title, groups, filter, nameOf = (key) => key, errors }: Props) {
  if (groups.length === 0) {
    return errors ? (
      <section aria-label={title}>
        <h2 className="font-semibold">{title}</h2>
        <p className="text-ink-2">No call failed in this window.</p>
      </section>
    ) : null;
  }
  const most = Math.max(...groups.map((group) => group.totals.calls), 1);
  return (
    <section aria-label={title} className="relative overflow-x-auto">
      <table className="w-full min-w-[760px] border-collapse">
        <thead>
          <tr className="border-b">
            <th scope="col" className="h-7 pr-2 text-left font-semibold">
              {title}
            </th>
            <th scope="col" className={`${HEAD} w-[9%] text-right`}>
              Calls
            </th>
            <th scope="col" className={`${HEAD} w-[9%] text-right`}>
              {errors ? "Share" : "Errors"}
            </th>
            <th scope="col" className={`${HEAD} w-[12%] text-right`}>
              Tokens in / out
            </th>
            <th scope="col" className={`${HEAD} w-[12%] text-right`}>
              Spend
            </th>
            <th scope="col" className={`${HEAD} w-[8%] text-right`}>
              p50
            </th>
            <th scope="col" className={`${HEAD} w-[8%] text-right`}>
              p95
            </th>
            <th scope="col" className={`${HEAD} w-[9%] text-right`}>
              TTFT p50
            </th>
            <th scope="col" className={`${HEAD} w-[9%] text-right`}>
              TPOT p50
            </th>
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <Row
              key={group.key}
              group={group}
              most={most}
              filter={filter(group.key)}
              name={nameOf(group.key)}
              errors={errors}
              all={groups}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface RowProps {
  group: Group;
  most: number;
  filter: Conditions;
  name: string;
  errors?: boolean;
  all: readonly Group[];
}

function Row({ group, most, filter, name, errors, all }: RowProps) {
  const { totals } = group;
  const sum = all.reduce((total, one) => total + one.totals.calls, 0);
  return (
    <tr className="h-[30px] border-b last:border-b-0 hover:bg-hover">
      <td className="relative max-w-0 pr-2">
        <span
          aria-hidden="true"
          className={`absolute inset-y-[5px] left-0 rounded-sm ${errors ? "bg-bad-wash" : "bg-accent-wash"}`}
          style={{ width: `${Math.max(1, (totals.calls / most) * 100)}%` }}
        />
        <Link
          to="/traces"
          search={filter}
          className="relative block truncate px-1.5 hover:underline"
        >
          {name || "(none)"}
        </Link>
      </td>
      <Cell search={filter}>{count(totals.calls)}</Cell>
      {errors ? (
        <Cell search={filter}>{percent(totals.calls, sum)}</Cell>
      ) : (
        <Cell search={{ ...filter, failed: true }} tone={totals.errors ? "text-bad" : "text-ink-3"}>
          {totals.errors
            ? `${count(totals.errors)} (${percent(totals.errors, totals.calls)})`
            : "0"}
        </Cell>
      )}
      <Cell search={filter}>
        {compact(totals.input_tokens)} / {compact(totals.output_tokens)}
      </Cell>
      <Cell search={filter}>
        {spend(totals)}
        {totals.unpriced > 0 && totals.unpriced < totals.calls && (
          <span
            className="text-warn"
            title={`${count(totals.unpriced)} calls of unknown price are not in this sum`}
          >
            {" "}
            + {count(totals.unpriced)} unknown
          </span>
        )}
      </Cell>
      <Cell search={{ ...filter, ...slower(totals.latency_ms.p50) }}>
        {duration(totals.latency_ms.p50)}
      </Cell>
      <Cell search={{ ...filter, ...slower(totals.latency_ms.p95) }}>
        {duration(totals.latency_ms.p95)}
      </Cell>
      <Cell search={filter}>{duration(totals.ttft_ms.p50)}</Cell>
      <Cell search={filter}>{duration(totals.tpot_ms.p50)}</Cell>
    </tr>
  );
}

function Cell({
  search,
  tone,
  children,
}: {
  search: Conditions;
  tone?: string;
  children: ReactNode;
}) {
  return (
    <td className={`num px-2 ${tone ?? "text-ink-2"}`}>
      <Link to="/traces" search={search} className="hover:text-ink hover:underline">
        {children}
      </Link>
    </td>
  );
}
