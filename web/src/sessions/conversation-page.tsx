// A session read as one conversation: each turn leads to its trace.
import { infiniteQueryOptions, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { call } from "../api/client";
import type { Conversation } from "../api/types";
import { Badge, STATUS_TONE } from "../ui/badge";
import { Button, buttonClass } from "../ui/button";
import { count, duration, fullTime, money, plural } from "../ui/format";
import { Failure, Lines } from "../ui/states";
import { feedbackQuery, SaidLine } from "./said";

const conversationQuery = (session: string, project?: string) =>
  infiniteQueryOptions({
    queryKey: ["conversation", session, project],
    queryFn: ({ pageParam, signal }) =>
      call<Conversation>("/api/v1/sessions/conversation", {
        query: { session, project, cursor: pageParam },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export function ConversationPage({ session, project }: { session: string; project?: string }) {
  const search = useSearch({ from: "/frame/sessions" });
  const found = useInfiniteQuery(conversationQuery(session, project));
  const feedback = useQuery(feedbackQuery([session], project));
  if (found.error && !found.data)
    return <Failure error={found.error} onRetry={found.refetch} className="m-4" />;
  const subject = found.data?.pages[0]?.subject;
  if (!found.data || !subject) return <Lines rows={10} />;
  const said = feedback.data?.find((one) => one.project === subject.project);
  const turns = found.data.pages.toReversed().flatMap((page) => page.turns);
  return (
    <div className="pb-12">
      <header className="flex flex-wrap items-center gap-x-5 gap-y-1 border-b px-4 py-2">
        <Link
          to="/sessions"
          search={{ ...search, session: undefined, of: undefined }}
          className={buttonClass("ghost")}
        >
          All sessions
        </Link>
        <h2 className="min-w-0 truncate font-semibold">{session}</h2>
        <span className="text-ink-2">{subject.user && `user ${subject.user}`}</span>
        <span className="text-ink-2">{plural(subject.traces, "trace")}</span>
        <span className={subject.errors ? "text-bad" : "text-ink-2"}>
          {plural(subject.errors, "error")}
        </span>
        <span className="text-ink-2">
          {count(subject.input_tokens + subject.output_tokens)} tokens
        </span>
        <span className="text-ink-2">{money(subject.cost_nano)}</span>
        <SaidLine said={said} />
      </header>
      {found.hasNextPage && (
        <div className="px-4 pt-3">
          <Button onClick={() => found.fetchNextPage()} disabled={found.isFetchingNextPage}>
            Show earlier turns
          </Button>
        </div>
      )}
      <ol aria-label="Conversation" className="mx-auto flex max-w-[900px] flex-col gap-4 px-4 pt-4">
        {turns.map(({ row, asked, answered, more }) => (
          <li key={row.trace_id} className="flex flex-col gap-2">
            <p className="flex flex-wrap items-center gap-3 text-xs text-ink-3">
              <Badge tone={STATUS_TONE[row.root.status]}>{row.root.status}</Badge>
              <span>{fullTime(row.root.start_ms, "s")}</span>
              <span>{row.root.model || row.root.name}</span>
              <span>{duration(row.root.duration_ms)}</span>
              <span>{money(row.total_cost_nano)}</span>
              <SaidLine said={said?.traces?.find((one) => one.trace_id === row.trace_id)} />
              <Link
                to="/traces/$traceId"
                params={{ traceId: row.trace_id }}
                className="text-accent underline underline-offset-2"
              >
                Open the trace
              </Link>
            </p>
            {asked && (
              <p className="ml-[12%] self-end rounded-lg bg-mute-wash px-3 py-2 break-words whitespace-pre-wrap">
                {asked}
              </p>
            )}
            <p className="mr-[12%] rounded-lg border px-3 py-2 break-words whitespace-pre-wrap">
              {answered || (
                <span className="text-ink-3">
                  {row.root.error_message || "The answer was not kept."}
                </span>
              )}
              {more && " …"}
            </p>
          </li>
        ))}
      </ol>
    </div>
  );
}
