import {
  infiniteQueryOptions,
  useInfiniteQuery,
  useQueries,
  useQuery,
} from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { call } from "../api/client";
import { instanceQuery } from "../api/frame-queries";

import type { Said, Subject, SubjectPage } from "../api/types";
import { resolveWindow } from "../api/window";
import { type Scope, windowOf } from "../frame/search";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { Input } from "../ui/field";
import { ago, count, fullTime, money } from "../ui/format";
import { Segments } from "../ui/segments";
import { apiBase } from "../ui/snippet";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { ViewsMenu } from "../views/views-menu";
import { ConversationPage } from "./conversation-page";
import { feedbackQuery, SaidLine } from "./said";
import type { Order, SessionSearch, View } from "./search";

const PATHS: Record<View, string> = {
  sessions: "/api/v1/sessions",
  users: "/api/v1/end-users",
  tags: "/api/v1/tags",
};

const subjectsQuery = (view: View, search: SessionSearch & Scope) =>
  infiniteQueryOptions({
    queryKey: ["subjects", view, search],
    queryFn: ({ pageParam, signal }) => {
      const { from_ms, to_ms } = resolveWindow(windowOf(search));
      const { project, environment, find: q, order } = search;
      const query = { project, environment, q, order, from_ms, to_ms, cursor: pageParam };
      return call<SubjectPage>(PATHS[view], { query, signal });
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export function SessionsPage() {
  const search = useSearch({ from: "/frame/sessions" });
  const navigate = useNavigate();
  const { show: view = "sessions", order = "newest" } = search;
  const change = (next: SessionSearch) =>
    navigate({ to: "/sessions", search: { ...search, ...next }, replace: true });
  if (search.session) return <ConversationPage session={search.session} project={search.of} />;
  return (
    <div className="pb-10">
      <div className="flex flex-wrap items-center gap-2 px-4 py-2">
        <Segments<View>
          label="What to show"
          value={view}
          choices={[
            { value: "sessions", label: "Sessions" },
            { value: "users", label: "Users" },
            { value: "tags", label: "Tags" },
          ]}
          onChange={(next) => change({ show: next === "sessions" ? undefined : next })}
        />
        <span className="mr-auto" />
        <Input
          aria-label="Find by name"
          data-search=""
          placeholder="Part of a name, Enter"
          className="!w-44"
          defaultValue={search.find}
          onKeyDown={(event) =>
            event.key === "Enter" && change({ find: event.currentTarget.value || undefined })
          }
        />
        <Segments<Order>
          label="What comes first"
          value={order}
          choices={[
            { value: "newest", label: "Newest" },
            { value: "cost", label: "Dearest" },
            { value: "traces", label: "Longest" },
            { value: "errors", label: "Most errors" },
          ]}
          onChange={(next) => change({ order: next === "newest" ? undefined : next })}
        />
        <ViewsMenu page="sessions" look={{ ...search }} project={search.project} />
      </div>
      <Results view={view} search={search} />
    </div>
  );
}

function Results({ view, search }: { view: View; search: SessionSearch & Scope }) {
  const { session: _, of: __, show: ___, ...asked } = search;
  const found = useInfiniteQuery(subjectsQuery(view, asked));
  const pages = view === "sessions" ? (found.data?.pages ?? []) : [];
  const said = useQueries({
    queries: pages.map(({ items }) =>
      feedbackQuery([...new Set(items.map((one) => one.name))], search.project),
    ),
    combine: (answers) =>
      new Map(
        answers
          .flatMap(({ data = [] }) => data)
          .map((one) => [`${one.project} ${one.session}`, one as Said]),
      ),
  });
  if (found.error && !found.data)
    return <Failure error={found.error} onRetry={found.refetch} className="m-4" />;
  if (!found.data) return <Lines rows={10} />;
  const rows = found.data.pages.flatMap((page) => page.items);
  if (rows.length === 0) return <Nothing view={view} find={search.find} />;
  return (
    <>
      <Table
        label={view}
        min={720}
        head={[
          { title: view === "sessions" ? "Session" : view === "users" ? "User" : "Tag" },
          { title: view === "sessions" ? "User" : "Project" },
          { title: "Last" },
          ...(view === "sessions" ? [{ title: "Feedback" }] : []),
          { title: "Traces", num: true },
          { title: "Errors", num: true },
          { title: "Tokens", num: true, wide: true },
          { title: "Cost", num: true },
        ]}
      >
        {rows.map((row) => (
          <Row
            key={`${row.project} ${row.environment} ${row.name}`}
            row={row}
            view={view}
            said={said.get(`${row.project} ${row.name}`)}
          />
        ))}
      </Table>
      {found.hasNextPage && (
        <div className="p-4">
          <Button onClick={() => found.fetchNextPage()} disabled={found.isFetchingNextPage}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

function Row({ row, view, said }: { row: Subject; view: View; said?: Said }) {
  const search = useSearch({ from: "/frame/sessions" });
  const { name, project } = row;
  return (
    <tr className={ROW}>
      <Cell className="max-w-[320px] truncate" title={name}>
        {view === "sessions" ? (
          <Link
            to="/sessions"
            search={{ ...search, session: name, of: project }}
            className="text-accent hover:underline"
          >
            {name}
          </Link>
        ) : (
          <Link
            to="/traces"
            search={{ project, ...(view === "users" ? { user: name } : { tag: name }) }}
            className="text-accent hover:underline"
          >
            {name}
          </Link>
        )}
      </Cell>
      <Cell className="max-w-[200px] truncate text-ink-2">
        {view === "sessions" ? row.user : `${project} / ${row.environment}`}
      </Cell>
      <Cell className="whitespace-nowrap text-ink-2" title={fullTime(row.last_ms)}>
        {ago(row.last_ms)}
      </Cell>
      {view === "sessions" && (
        <Cell>
          <SaidLine said={said} />
        </Cell>
      )}
      <Cell num>{count(row.traces)}</Cell>
      <Cell num className={row.errors ? "text-bad" : "text-ink-3"}>
        {count(row.errors)}
      </Cell>
      <Cell num wide>
        {count(row.input_tokens + row.output_tokens)}
      </Cell>
      <Cell num>{row.unpriced && !row.cost_nano ? "unknown" : money(row.cost_nano)}</Cell>
    </tr>
  );
}

const TEACH: Record<View, { title: string; header?: string; field?: string }> = {
  sessions: { title: "No sessions in this window", header: "x-stockpot-session: table-7" },
  users: { title: "No end users in this window", field: '"user": "guest-7", ' },
  tags: { title: "No tags in this window", header: "x-stockpot-tags: lunch,beta" },
};

function Nothing({ view, find }: { view: View; find?: string }) {
  const { data: instance } = useQuery(instanceQuery);
  const { title, header, field = "" } = TEACH[view];
  const lines = [
    `curl ${apiBase(instance?.gateway_url ?? "")}/chat/completions`,
    '-H "Authorization: Bearer YOUR_KEY"',
    '-H "Content-Type: application/json"',
    ...(header ? [`-H "${header}"`] : []),
    `-d '{"model": "${instance?.default_model}", ${field}"messages": [{"role": "user", "content": "Hi"}]}'`,
  ];
  if (find) {
    return (
      <Empty title={`No name here holds “${find}”`}>
        Clear the search, or look at a longer time range.
      </Empty>
    );
  }
  return (
    <Empty title={title}>
      <p className="mb-4">Calls that name one are gathered here, whoever sends them:</p>
      {instance && <CodeBlock text={lines.join(" \\\n  ")} label="Copy the example" />}
    </Empty>
  );
}
