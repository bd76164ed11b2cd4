// What each version did in a window, with the calls behind every number.
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { call } from "../api/client";
import type { PromptMetrics } from "../api/types";
import { resolveWindow, type Window } from "../api/window";
import { windowOf } from "../frame/search";
import { Certificates } from "../judges/certificate";
import { Badge } from "../ui/badge";
import { CodeBlock } from "../ui/code";
import { compact, count, duration, percent, spend } from "../ui/format";
import { Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import type { Open } from "./prompt-pane";
import { promptPath } from "./queries";

type Figures = PromptMetrics["versions"][number];

const metricsQuery = (name: string, project: string, window: Window) => ({
  queryKey: ["prompt", project, name, "metrics", window],
  queryFn: ({ signal }: { signal: AbortSignal }) => {
    const { from_ms, to_ms } = resolveWindow(window);
    return call<PromptMetrics>(promptPath(name, "/metrics"), {
      query: { project, from_ms, to_ms },
      signal,
    });
  },
  refetchInterval: window.to_ms ? (false as const) : 15_000,
});

export function UsageView({ detail, project }: Open) {
  const search = useSearch({ from: "/frame/prompts/$prompt" });
  const { name, labels } = detail.prompt;
  const { data, error, refetch } = useQuery(metricsQuery(name, project, windowOf(search)));
  if (error && !data) return <Failure error={error} onRetry={refetch} className="m-4" />;
  if (!data) return <Lines rows={4} />;
  if (data.versions.length === 0) return <NoCalls name={name} />;
  return (
    <div className="pb-8">
      <p className="px-4 py-2 text-ink-2">
        Calls of this window by version, all labels together. Every number leads to its calls.
      </p>
      <Table
        label="Use by version"
        min={760}
        head={[
          { title: "Version" },
          { title: "Calls", num: true },
          { title: "Errors", num: true },
          { title: "Cost", num: true },
          { title: "Tokens in, out", num: true },
          { title: "p50", num: true },
          { title: "p95", num: true },
          { title: "First token", num: true, wide: true },
          { title: "Scores and feedback" },
        ]}
      >
        {data.versions.map((one) => (
          <VersionRow
            key={one.version}
            one={one}
            labels={labels.filter((label) => label.version === one.version)}
          />
        ))}
      </Table>
    </div>
  );
}

function VersionRow({ one, labels }: { one: Figures; labels: readonly { label: string }[] }) {
  return (
    <tr className={ROW}>
      <Cell className="whitespace-nowrap">
        v{one.version}{" "}
        {labels.map(({ label }) => (
          <Badge key={label} tone={label === "production" ? "ok" : "accent"}>
            {label}
          </Badge>
        ))}
      </Cell>
      <Cell num>
        <Behind one={one}>{count(one.calls)}</Behind>
      </Cell>
      <Cell num>
        {one.errors > 0 ? (
          <Behind one={one} failed>
            {count(one.errors)} ({percent(one.errors, one.calls)})
          </Behind>
        ) : (
          "0"
        )}
      </Cell>
      <Cell num>{spend(one)}</Cell>
      <Cell num>
        {compact(one.input_tokens)}, {compact(one.output_tokens)}
      </Cell>
      <Cell num>{duration(one.latency_ms.p50)}</Cell>
      <Cell num>{duration(one.latency_ms.p95)}</Cell>
      <Cell num wide>
        {duration(one.ttft_ms.p50)}
      </Cell>
      <Cell className="text-ink-2">
        {one.scores.length === 0
          ? "–"
          : one.scores
              .map((score) =>
                score.mean === null
                  ? `${score.name}: ${score.n}`
                  : `${score.name} ${score.mean.toFixed(2)} (${score.n})`,
              )
              .join(", ")}{" "}
        <Certificates badges={one.scores.flatMap((score) => score.badges)} />
      </Cell>
    </tr>
  );
}

function Behind({
  one,
  failed,
  children,
}: {
  one: Figures;
  failed?: true;
  children: React.ReactNode;
}) {
  const { from_ms: _, to_ms: __, ...where } = one.traces;
  return (
    <Link
      to="/traces"
      // The server says which filter finds the calls behind its numbers.
      search={(old) => ({ ...windowOf(old), ...where, ...(failed && { failed }) }) as never}
      className="text-accent underline"
    >
      {children}
    </Link>
  );
}

function NoCalls({ name }: { name: string }) {
  return (
    <div className="max-w-[680px] px-4 py-4">
      <p className="text-ink-2">
        No call used this prompt in this window. Name it where a model stands:
      </p>
      <CodeBlock
        className="mt-2"
        text={`curl $STOCKPOT_URL/v1/chat/completions -H "authorization: Bearer $STOCKPOT_KEY" \\
  -H "content-type: application/json" \\
  -d '{"model": "prompt:${name}", "prompt_variables": {}}'`}
      />
    </div>
  );
}
