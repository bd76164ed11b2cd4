// Satisfaction and trust, one row for each prompt version, each figure with its interval.
import { useQuery } from "@tanstack/react-query";
import type { Interval, Satisfaction } from "../api/types";
import { type Scope, windowOf } from "../frame/search";
import { Certificates } from "../judges/certificate";
import { CodeBlock } from "../ui/code";
import { compact, NONE } from "../ui/format";
import { NativeSelect } from "../ui/native-select";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { IntervalBar } from "./interval-bar";
import { satisfactionQuery } from "./queries";
import type { FeedbackSearch, GroupBy } from "./search";
import { figure, share, signalName } from "./words";

const BY: Record<GroupBy, string> = {
  prompt: "By prompt version",
  model: "By model",
  variant: "By variant",
  environment: "By environment",
  day: "By day",
};

interface Props {
  search: FeedbackSearch & Scope;
  onOpen: (next: FeedbackSearch) => void;
}

export function SummaryView({ search, onOpen }: Props) {
  const by = search.apart ?? "prompt";
  const found = useQuery(
    satisfactionQuery(search.project, by, windowOf({ range: "30d", ...given(search) })),
  );
  return (
    <>
      <div className="px-4 pb-2">
        <NativeSelect
          label="Tell apart by"
          value={by}
          choices={Object.entries(BY).map(([value, label]) => ({ value, label }))}
          onChange={(value) =>
            onOpen({ apart: value === "prompt" ? undefined : (value as GroupBy) })
          }
        />
      </div>
      {found.error && !found.data ? (
        <Failure error={found.error} onRetry={found.refetch} className="m-4" />
      ) : !found.data ? (
        <Lines />
      ) : found.data.length === 0 ? (
        <NoFeedback />
      ) : (
        <Table
          label="Satisfaction"
          min={760}
          head={[
            { title: by === "prompt" ? "Prompt" : "Group" },
            { title: "Rated", num: true },
            { title: "Satisfied" },
            { title: "Corrections" },
            { title: "Trust" },
            { title: "Signals", wide: true },
          ]}
        >
          {found.data.map((row) => (
            <Row
              key={Object.values(row.key).join(" ")}
              row={row}
              by={by}
              onStream={() =>
                onOpen({
                  pane: "stream",
                  prompt: row.key.prompt_name || undefined,
                  of_version: row.key.prompt_version || undefined,
                })
              }
            />
          ))}
        </Table>
      )}
    </>
  );
}

/** The scope without what is not set, so that a default can stand before it. */
function given<T extends object>(scope: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(scope).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}

function Row({ row, by, onStream }: { row: Satisfaction; by: GroupBy; onStream: () => void }) {
  return (
    <tr className={ROW}>
      <Cell className="max-w-[240px] truncate">
        <button
          type="button"
          onClick={onStream}
          className="truncate font-medium hover:underline"
          title="See the feedback behind it"
        >
          {nameOf(row, by)}
        </button>
      </Cell>
      <Cell num title={row.calls === null ? undefined : `${row.calls} calls in this window`}>
        {compact(row.rated)}
        {row.calls !== null && <span className="text-ink-3"> of {compact(row.calls)}</span>}
      </Cell>
      <Cell className="whitespace-nowrap">
        <Figure interval={row.satisfied} />
      </Cell>
      <Cell className="whitespace-nowrap">
        {row.corrections > 0 ? (
          <>
            {row.corrections}
            {row.edited && (
              <span className="text-ink-2"> changed {share(row.edited.value)} of the answer</span>
            )}
          </>
        ) : (
          <span className="text-ink-3">{NONE}</span>
        )}
      </Cell>
      <Cell className="whitespace-nowrap">
        <Trust row={row} />
      </Cell>
      <Cell wide className="max-w-[340px] truncate text-ink-2">
        <Signals row={row} />
      </Cell>
    </tr>
  );
}

function nameOf({ key }: Satisfaction, by: GroupBy): string {
  if (by === "prompt")
    return key.prompt_name ? `${key.prompt_name} v${key.prompt_version}` : "No prompt";
  if (by === "day") return new Date(Number(key.day)).toISOString().slice(0, 10);
  return key[by] || "None";
}

function Figure({ interval }: { interval: Interval | null }) {
  if (!interval) return <span className="text-ink-3">{NONE}</span>;
  return (
    <>
      <b className="mr-2 inline-block w-9 text-right font-medium">{share(interval.value)}</b>
      <IntervalBar interval={interval} />
      <span className="ml-2 text-xs text-ink-3">of {interval.n}</span>{" "}
      <Certificates badges={interval.badges} />
    </>
  );
}

function Trust({ row }: { row: Satisfaction }) {
  const parts = [
    ["grounded", row.grounded],
    ["refused", row.refused],
    ["appealed", row.signals.appealed ?? null],
  ] as const;
  const known = parts.filter(([, interval]) => interval);
  if (known.length === 0) return <span className="text-ink-3">{NONE}</span>;
  return known.map(([name, interval]) => (
    <span key={name} className="mr-3">
      {share(interval?.value)} <span className="text-ink-2">{name}</span>
    </span>
  ));
}

function Signals({ row }: { row: Satisfaction }) {
  const silent = Object.entries(row.signals).filter(([name]) => name !== "appealed");
  const rated = { ...(row.csat ? { csat: row.csat } : {}), ...row.ratings };
  return (
    <>
      {silent.map(([name, interval]) => (
        <span key={name} className="mr-3">
          {signalName(name)} {share(interval.value)}
        </span>
      ))}
      {Object.entries(rated).map(([name, interval]) => (
        <span key={name} className="mr-3">
          {name} {figure(interval.value)}
        </span>
      ))}
    </>
  );
}

export function NoFeedback() {
  return (
    <Empty title="No feedback in this window">
      <p>
        A server gives it with its virtual key, a web page with a public key, which may do nothing
        else. The trace's id stands in each answer's header <code>x-stockpot-trace-id</code>.
      </p>
      <CodeBlock
        className="mt-3"
        text={`curl ${location.origin}/api/v1/feedback \\\n  -H "Authorization: Bearer $STOCKPOT_KEY" \\\n  -d '{"trace_id": "TRACE", "thumb": "down", "comment": "too salty"}'`}
      />
    </Empty>
  );
}
