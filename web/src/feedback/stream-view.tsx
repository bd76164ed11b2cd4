// Every word and every silent signal, newest first, with the trace that it is about.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Score } from "../api/types";
import { type Scope, windowOf } from "../frame/search";
import { Dot, type Tone } from "../ui/badge";
import { Button } from "../ui/button";
import { ago, fullTime } from "../ui/format";
import { NativeSelect } from "../ui/native-select";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, Table } from "../ui/table";
import { streamQuery } from "./queries";
import type { FeedbackSearch } from "./search";
import { NoFeedback } from "./summary-view";
import { saidIn, share } from "./words";

const WHAT = [
  { value: "", label: "Everything" },
  { value: "down", label: "Thumbs down" },
  { value: "commented", label: "With a comment" },
  { value: "corrected", label: "With a correction" },
];

interface Props {
  search: FeedbackSearch & Scope;
  onOpen: (next: FeedbackSearch) => void;
}

export function StreamView({ search, onOpen }: Props) {
  const found = useInfiniteQuery(streamQuery(search.project, search, windowOf(search)));
  const rows = found.data?.pages.flatMap((page) => page.items) ?? [];
  const narrowed = search.prompt ?? search.of_version ?? search.said;
  return (
    <>
      <div className="flex flex-wrap items-center gap-2 px-4 pb-2">
        <NativeSelect
          label="What is shown"
          value={search.said ?? ""}
          choices={WHAT}
          onChange={(said) => onOpen({ said: (said || undefined) as FeedbackSearch["said"] })}
        />
        {search.prompt && (
          <Button
            icon="close"
            onClick={() => onOpen({ prompt: undefined, of_version: undefined })}
            title="Show all prompts"
          >
            {search.prompt} {search.of_version && `v${search.of_version}`}
          </Button>
        )}
      </div>
      {found.error && !found.data ? (
        <Failure error={found.error} onRetry={found.refetch} className="m-4" />
      ) : found.isPending ? (
        <Lines />
      ) : rows.length === 0 ? (
        narrowed ? (
          <Empty title="Nothing matches">
            <p>Widen the time range at the top right, or show everything.</p>
          </Empty>
        ) : (
          <NoFeedback />
        )
      ) : (
        <>
          <Table
            label="Feedback"
            min={680}
            head={[
              { title: "Said" },
              { title: "Words" },
              { title: "By" },
              { title: "Prompt", wide: true },
              { title: "When", num: true },
            ]}
          >
            {rows.map((score) => (
              <Row key={`${score.project} ${score.id}`} score={score} />
            ))}
          </Table>
          {found.hasNextPage && (
            <div className="px-4 py-3">
              <Button busy={found.isFetchingNextPage} onClick={() => found.fetchNextPage()}>
                Show more
              </Button>
            </div>
          )}
        </>
      )}
    </>
  );
}

function toneOf(score: Score): Tone {
  if (score.name === "thumbs") return score.value === 1 ? "ok" : "bad";
  return score.correction !== null || score.name === "escalated" ? "warn" : "mute";
}

function Row({ score }: { score: Score }) {
  const said = saidIn(score);
  return (
    <tr className="border-b align-top hover:bg-hover">
      <Cell className="py-1.5 whitespace-nowrap">
        <span className="inline-flex items-center gap-1.5">
          <Dot tone={toneOf(score)} />
          {score.trace_id ? (
            <Link
              to="/traces/$traceId"
              params={{ traceId: score.trace_id }}
              search={{ span: score.span_id ?? undefined }}
              className="font-medium hover:underline"
            >
              {said}
            </Link>
          ) : (
            <span className="font-medium">{said}</span>
          )}
        </span>
      </Cell>
      <Cell className="max-w-[480px] py-1.5 break-words whitespace-pre-wrap">
        {score.comment}
        {score.correction !== null && (
          <span className="block border-l-2 border-line-strong pl-2 text-ink-2">
            {score.correction.slice(0, 600)}
            {score.edit_share !== null && (
              <span className="block text-xs text-ink-3">
                {share(score.edit_share)} of the answer changed, {score.edit_distance} characters
              </span>
            )}
          </span>
        )}
      </Cell>
      <Cell className="max-w-[160px] truncate py-1.5 text-ink-2">
        {score.author || score.user || "somebody"}
      </Cell>
      <Cell wide className="max-w-[160px] truncate py-1.5 text-ink-2">
        {score.prompt_name ? `${score.prompt_name} v${score.prompt_version}` : score.model}
      </Cell>
      <Cell num className="py-1.5 whitespace-nowrap text-ink-2" title={fullTime(score.created_ms)}>
        {ago(score.created_ms)}
      </Cell>
    </tr>
  );
}
