// What calls are made of now and what they were made of before, with the figures beside: prompts,
// models, parameters, tools, releases. Each row leads to its traces.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { call } from "../api/client";
import type { ChangedValue, Changes, WindowFigures } from "../api/types";
import { resolveWindow } from "../api/window";
import { type Scope, windowOf } from "../frame/search";
import { Certificates } from "../judges/certificate";
import { Button } from "../ui/button";
import { compact, count, duration, fullTime, money, NONE, percent } from "../ui/format";
import { Segments } from "../ui/segments";
import { Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { type Against, againstOf, compared, searchOf } from "./changed-windows";
import { conditionsOf, type TraceSearch } from "./search";

const changesQuery = (search: TraceSearch & Scope, against: Against) => {
  const { project, environment, prompt_name, model, service } = search;
  const where = { project, environment, prompt_name, model, service };
  return queryOptions({
    queryKey: ["trace-changes", where, windowOf(search), against],
    queryFn: ({ signal }) => {
      const { from_ms, to_ms } = resolveWindow(windowOf(search));
      const query = { ...where, ...compared(from_ms, to_ms, against) };
      return call<Changes>("/api/v1/traces/changes", { query, signal });
    },
  });
};

const USED = ["prompt_name", "model", "service"];

export default function WhatChanged() {
  const search = useSearch({ from: "/frame/traces" });
  const navigate = useNavigate();
  const against = againstOf(search.changed);
  const { data, error, refetch } = useQuery(changesQuery(search, against));
  const unused = Object.entries(conditionsOf(search)).some(
    ([name, value]) => value !== undefined && !USED.includes(name),
  );
  const change = (changed: string | undefined) =>
    navigate({ to: "/traces", search: (old) => ({ ...old, release: search.release, changed }) });
  return (
    <section aria-label="What changed" className="min-h-0 flex-1 overflow-y-auto pb-8">
      <div className="flex flex-wrap items-center gap-2 px-4 py-2">
        <h2 className="font-semibold">What changed</h2>
        <Segments<Against>
          label="Compared with"
          value={against}
          choices={[
            { value: "before", label: "since just before" },
            { value: "day", label: "since a day earlier" },
            { value: "week", label: "since a week earlier" },
          ]}
          onChange={change}
        />
        <span className="mr-auto" />
        <Button icon="close" onClick={() => change(undefined)}>
          Back to the list
        </Button>
      </div>
      {data && (
        <p className="px-4 pb-2 text-xs text-ink-2">
          {fullTime(data.now.from_ms, "min")} to {fullTime(data.now.to_ms, "min")}, against{" "}
          {fullTime(data.base.from_ms, "min")} to {fullTime(data.base.to_ms, "min")}.{" "}
          {data.note && <span className="inline-block first-letter:uppercase">{data.note}.</span>}
          {unused && " Only the filters of prompt, model and service count here."}
        </p>
      )}
      {error && !data ? (
        <Failure error={error} onRetry={refetch} className="m-4" />
      ) : !data ? (
        <Lines rows={10} />
      ) : (
        <Figures changes={data} />
      )}
    </section>
  );
}

function Figures({ changes }: { changes: Changes }) {
  const moved = changes.dimensions.filter((one) => one.distance > 0);
  return (
    <>
      <Dimension title="All calls" name="" values={[changes.totals]} changes={changes} />
      {moved.length === 0 && (
        <p className="px-4 py-4 text-ink-2">
          {changes.note
            ? "Widen the time range at the top right, or compare with another time."
            : "Nothing that calls are made of has changed: no prompt, model, parameter, tool or release."}
        </p>
      )}
      {moved.map(({ dimension, distance, values, more }) => (
        <Dimension
          key={dimension}
          title={`${dimension.replace("_", " ")} changed by ${Math.round(distance * 100)}%`}
          name={dimension}
          values={values}
          more={more}
          changes={changes}
        />
      ))}
    </>
  );
}

interface DimensionProps {
  title: string;
  name: string;
  values: readonly ChangedValue[];
  more?: number;
  changes: Changes;
}

function Dimension({ title, name, values, more = 0, changes }: DimensionProps) {
  return (
    <section className="pt-3">
      <h3 className="px-4 pb-1 text-xs font-medium first-letter:uppercase">{title}</h3>
      <Table
        label={title}
        min={760}
        head={[
          { title: name ? "Value" : "" },
          { title: "Calls", num: true },
          { title: "Share", num: true },
          { title: "Cost a call", num: true },
          { title: "p95", num: true },
          { title: "Errors", num: true },
          { title: "Scores" },
          { title: "Traces" },
        ]}
      >
        {values.map((value) => (
          <tr key={value.value} className={ROW}>
            <Cell title={value.value} className="max-w-[260px] truncate">
              {name ? value.value || "(none)" : "all"}
            </Cell>
            <Both value={value} tell={(one) => compact(one.calls)} />
            <Both value={value} tell={(one) => percent(one.share, 1)} />
            <Both value={value} tell={each} />
            <Both value={value} tell={(one) => duration(one.latency_ms.p95)} />
            <Both
              value={value}
              tell={(one) => (one.calls ? percent(one.errors, one.calls) : NONE)}
            />
            <Cell className="text-xs">
              <Scores base={value.base} now={value.now} />
            </Cell>
            <Cell className="text-xs whitespace-nowrap">
              <To name={name} value={value} window={changes.base} count={value.base.calls}>
                before
              </To>{" "}
              <To name={name} value={value} window={changes.now} count={value.now.calls}>
                now
              </To>
            </Cell>
          </tr>
        ))}
      </Table>
      {more > 0 && <p className="px-4 py-1 text-xs text-ink-3">and {count(more)} more</p>}
    </section>
  );
}

const each = ({ calls, cost_nano }: WindowFigures) => (calls ? money(cost_nano / calls) : NONE);

function Both({ value, tell }: { value: ChangedValue; tell: (one: WindowFigures) => string }) {
  return (
    <Cell num className="whitespace-nowrap">
      <span className="text-ink-3">{tell(value.base)} →</span> {tell(value.now)}
    </Cell>
  );
}

function Scores({ base, now }: { base: WindowFigures; now: WindowFigures }) {
  const names = [...new Set([...base.feedback, ...now.feedback].map((one) => one.name))];
  const mean = (of: WindowFigures, name: string) => {
    const found = of.feedback.find((one) => one.name === name);
    return found?.mean == null ? NONE : `${found.mean.toFixed(2)} (${count(found.n)})`;
  };
  if (names.length === 0) return NONE;
  const judges = new Map(
    [...base.feedback, ...now.feedback].flatMap((one) => one.badges).map((one) => [one.judge, one]),
  );
  return (
    <>
      {names.map((name) => `${name} ${mean(base, name)} → ${mean(now, name)}`).join(", ")}{" "}
      <Certificates badges={[...judges.values()]} />
    </>
  );
}

interface ToProps {
  name: string;
  value: ChangedValue;
  window: Changes["now"];
  count: number;
  children: ReactNode;
}

/** The traces behind a figure; where no filter knows the value, those of its window. */
function To({ name, value, window, count: calls, children }: ToProps) {
  if (!calls) return <span className="text-ink-3">{children}</span>;
  const found = searchOf(name, value.value);
  return (
    <Link
      to="/traces"
      search={(old) => ({
        project: old.project,
        environment: old.environment,
        ...found,
        from_ms: window.from_ms,
        to_ms: window.to_ms,
      })}
      title={found ? undefined : "All traces of this time: there is no filter for this value"}
      className="text-accent underline underline-offset-2"
    >
      {children}
    </Link>
  );
}
