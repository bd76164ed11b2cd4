// Every version, and the difference between any two.
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { cx } from "../ui/cx";
import { ago, fullTime } from "../ui/format";
import { Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { type DiffLine, diffLines } from "./draft";
import type { Open } from "./prompt-pane";
import { promptDiffQuery } from "./queries";

export function VersionsView({ detail, project }: Open) {
  const search = useSearch({ from: "/frame/prompts/$prompt" });
  const navigate = useNavigate();
  const { versions, prompt } = detail;
  const after = Number(search.at) || prompt.latest;
  const before =
    Number(search.with) ||
    (versions.find((one) => one.number === after)?.parent ?? Math.max(1, after - 1));
  const change = (next: Partial<typeof search>) =>
    navigate({ to: ".", search: (old) => ({ ...old, ...next }), replace: true });
  return (
    <div className="pb-8">
      <Table
        label="Versions"
        min={560}
        head={[
          { title: "Old", hidden: false },
          { title: "New" },
          { title: "Version" },
          { title: "What changed" },
          { title: "By", wide: true },
          { title: "When" },
          { title: "Actions", hidden: true },
        ]}
      >
        {versions.map((one) => (
          <tr key={one.number} className={ROW}>
            <Cell className="w-10">
              <input
                type="radio"
                name="before"
                aria-label={`Compare from version ${one.number}`}
                className="accent-accent"
                checked={one.number === before}
                onChange={() => change({ with: String(one.number), at: String(after) })}
              />
            </Cell>
            <Cell className="w-10">
              <input
                type="radio"
                name="after"
                aria-label={`Compare to version ${one.number}`}
                className="accent-accent"
                checked={one.number === after}
                onChange={() => change({ at: String(one.number), with: String(before) })}
              />
            </Cell>
            <Cell className="whitespace-nowrap">
              <span className="font-medium">v{one.number}</span>{" "}
              {one.labels.map((label) => (
                <Badge key={label} tone={label === "production" ? "ok" : "accent"}>
                  {label}
                </Badge>
              ))}
            </Cell>
            <Cell className="max-w-[320px] truncate" title={one.message}>
              {one.message || <span className="text-ink-3">no message</span>}
            </Cell>
            <Cell wide className="truncate text-ink-2">
              {one.author}
            </Cell>
            <Cell className="whitespace-nowrap text-ink-2" title={fullTime(one.created_ms)}>
              {ago(one.created_ms)}
            </Cell>
            <Cell className="text-right">
              <Button
                tone="ghost"
                aria-label={`Edit from version ${one.number}`}
                onClick={() => change({ prompt_part: "edit", at: String(one.number) })}
              >
                Edit from here
              </Button>
            </Cell>
          </tr>
        ))}
      </Table>
      {versions.length > 1 && (
        <Difference name={prompt.name} project={project} before={before} after={after} />
      )}
    </div>
  );
}

function Difference({
  name,
  project,
  before,
  after,
}: {
  name: string;
  project: string;
  before: number;
  after: number;
}) {
  const { data, error, refetch } = useQuery(promptDiffQuery(name, before, after, project));
  return (
    <section aria-label="Difference" className="px-4 pt-4">
      <h3 className="mb-2 font-medium">
        From version {before} to version {after}
      </h3>
      {error ? (
        <Failure error={error} onRetry={refetch} />
      ) : !data ? (
        <Lines rows={4} />
      ) : (
        <Diff lines={diffLines(data.text)} />
      )}
    </section>
  );
}

const MARKS = { same: " ", less: "−", more: "+", place: " " } as const;

export function Diff({ lines }: { lines: readonly DiffLine[] }) {
  if (lines.length === 0) return <p className="text-ink-2">They say the same.</p>;
  return (
    <div className="overflow-x-auto rounded-lg border font-mono text-xs leading-[19px]">
      {lines.map((line, at) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: lines of one difference never move
          key={at}
          className={cx(
            "flex whitespace-pre-wrap",
            line.kind === "less" && "bg-bad-wash",
            line.kind === "more" && "bg-ok-wash",
            line.kind === "place" && "border-y bg-panel text-ink-3 first:border-t-0",
          )}
        >
          <span
            className={cx(
              "w-6 shrink-0 text-center select-none",
              line.kind === "less" ? "text-bad" : line.kind === "more" ? "text-ok" : "text-ink-3",
            )}
          >
            <span aria-hidden="true">{MARKS[line.kind]}</span>
            {line.kind === "less" && <span className="sr-only">removed</span>}
            {line.kind === "more" && <span className="sr-only">added</span>}
          </span>
          <span className="min-w-0 flex-1 pr-3 break-words">{line.text}</span>
        </div>
      ))}
    </div>
  );
}
