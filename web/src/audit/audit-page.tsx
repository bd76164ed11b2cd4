import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import { withQuery } from "../api/client";
import { useMay } from "../api/may";
import { auditQuery, chainQuery } from "../api/queries";
import type { AuditEntry } from "../api/types";
import { Badge, State } from "../ui/badge";
import { Button, buttonClass } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { CopyText } from "../ui/copy";
import { cx } from "../ui/cx";
import { Input } from "../ui/field";
import { count, fullTime, moment, plural, zone } from "../ui/format";
import { Empty, Failure, Lines } from "../ui/states";
import { effect, summary, tone } from "./changes";
import { type AuditSearch, filterOf } from "./search";

const ROW_PX = 34;
const GRID =
  "grid grid-cols-[118px_minmax(96px,180px)_136px_minmax(96px,190px)_minmax(0,1fr)] max-wide:grid-cols-[112px_120px_132px_120px_minmax(0,1fr)] items-center gap-3 px-4";

export function AuditPage() {
  const search = useSearch({ from: "/frame/audit" });
  const navigate = useNavigate();
  const may = useMay();
  const allowed = may.somewhere("admin");
  const filter = filterOf(search);
  const log = useInfiniteQuery({ ...auditQuery(filter), enabled: allowed });
  const change = (next: AuditSearch) =>
    navigate({ to: "/audit", search: (old) => ({ ...old, ...next }), replace: true });
  if (!allowed) {
    return (
      <Empty title="The audit log is for admins">
        Who is admin of a project sees what happened in it, an admin of the instance sees all. Ask
        one of them for what you need to know.
      </Empty>
    );
  }
  const entries = log.data?.pages.flat() ?? [];
  const open = entries.find((entry) => entry.id === search.entry);
  const filtered = Boolean(search.actor || search.action || search.subject || search.project);
  return (
    <div className="flex h-full flex-col">
      <div className="flex items-center gap-2 border-b px-4 py-2">
        <Filter name="action" hint="key, user.*" search={search} onChange={change} />
        <Filter name="actor" hint="who" search={search} onChange={change} />
        <Filter name="subject" hint="id" search={search} onChange={change} />
        <span className="ml-auto" />
        {may.instance("admin") && <Chain />}
        <a
          href={withQuery("/api/v1/audit/export", filter)}
          download="audit.jsonl"
          title="Export as JSON lines"
          className={cx(buttonClass(), "shrink-0")}
        >
          Export
        </a>
      </div>
      {log.error && !log.data ? (
        <Failure error={log.error} onRetry={log.refetch} className="m-4" />
      ) : !log.data ? (
        <Lines />
      ) : entries.length === 0 ? (
        <Empty title={filtered ? "No entry matches" : "Nothing was changed yet"}>
          Every change stands here for good: who, what, when and from where.
        </Empty>
      ) : (
        <div className="flex min-h-0 flex-1">
          <List
            entries={entries}
            open={search.entry}
            more={log.hasNextPage}
            loading={log.isFetchingNextPage}
            onMore={log.fetchNextPage}
            onOpen={(entry) => change({ entry: entry === search.entry ? undefined : entry })}
          />
          {open && <Entry entry={open} onClose={() => change({ entry: undefined })} />}
        </div>
      )}
    </div>
  );
}

interface FilterProps {
  name: "action" | "actor" | "subject";
  hint: string;
  search: AuditSearch;
  onChange: (next: AuditSearch) => void;
}

function Filter({ name, hint, search, onChange }: FilterProps) {
  const known = search[name] ?? "";
  const [typed, setTyped] = useState(known);
  useEffect(() => setTyped(known), [known]);
  const apply = () => {
    if (typed.trim() !== known) onChange({ [name]: typed.trim() || undefined });
  };
  return (
    <Input
      aria-label={`Only this ${name}`}
      placeholder={`${name}: ${hint}`}
      data-search={name === "action" ? "" : undefined}
      className="!w-auto min-w-[84px] max-w-[138px] flex-1"
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={apply}
      onKeyDown={(event) => event.key === "Enter" && apply()}
    />
  );
}

/** Whether the chain of hashes holds, computed anew by the server when asked for. */
function Chain() {
  const chain = useQuery(chainQuery);
  if (chain.error)
    return (
      <Button icon="refresh" onClick={() => chain.refetch()}>
        The chain could not be checked
      </Button>
    );
  if (!chain.data) return <span className="text-ink-3">Checking the chain…</span>;
  const { intact, entries, problems, hash } = chain.data;
  return (
    <button
      type="button"
      onClick={() => chain.refetch()}
      title={intact ? `Head ${hash}. Click to check again.` : problems.join("\n")}
      className="min-w-0 shrink-0 px-1 text-ink-2 hover:text-ink"
    >
      <State tone={intact ? "ok" : "bad"}>
        {intact
          ? `Chain intact, ${plural(entries, "entry", "entries")}`
          : `Chain broken: ${problems[0] ?? "see stockpot audit verify"}`}
      </State>
    </button>
  );
}

interface ListProps {
  entries: readonly AuditEntry[];
  open: string | undefined;
  more: boolean;
  loading: boolean;
  onMore: () => void;
  onOpen: (id: string) => void;
}

function List({ entries, open, more, loading, onMore, onOpen }: ListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 20,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && last >= entries.length - 30) onMore();
  }, [more, loading, last, entries.length, onMore]);
  return (
    <div
      ref={scroller}
      className="min-h-0 min-w-0 flex-1 overflow-auto"
      role="table"
      aria-label="Audit log"
      aria-rowcount={more ? -1 : entries.length}
    >
      <div
        role="row"
        className={cx(
          GRID,
          "sticky top-0 z-10 h-7 border-b bg-page text-xs font-medium text-ink-3",
        )}
      >
        {[`Time, ${zone()}`, "Who", "Did", "To", "Detail"].map((title) => (
          <span key={title} role="columnheader">
            {title}
          </span>
        ))}
      </div>
      <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const entry = entries[item.index];
          return (
            entry && (
              <div
                key={entry.id}
                role="row"
                aria-rowindex={item.index + 1}
                aria-selected={entry.id === open}
                className={cx(
                  GRID,
                  "absolute inset-x-0 border-b",
                  entry.id === open ? "bg-accent-wash" : "hover:bg-hover",
                )}
                style={{ height: ROW_PX, transform: `translateY(${item.start}px)` }}
              >
                <span role="cell" className="whitespace-nowrap text-ink-2">
                  {moment(entry.at_ms)}
                </span>
                <span role="cell" className="truncate">
                  {entry.actor}
                </span>
                <span role="cell">
                  <button
                    type="button"
                    onClick={() => onOpen(entry.id)}
                    className="outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
                  >
                    <Badge tone={tone(entry.action)}>{entry.action}</Badge>
                  </button>
                </span>
                <span role="cell" className="truncate" title={entry.subject}>
                  {entry.subject}
                </span>
                <span role="cell" className="truncate text-ink-2">
                  {summary(entry.detail)}
                </span>
              </div>
            )
          );
        })}
      </div>
      <p className="px-4 py-2 text-xs text-ink-3">
        {loading
          ? "Loading more…"
          : `${count(entries.length)} loaded${more ? "" : ", that is all"}`}
      </p>
    </div>
  );
}

function Entry({ entry, onClose }: { entry: AuditEntry; onClose: () => void }) {
  const rows = [
    ["Who", entry.actor],
    ["From", entry.address || "this host"],
    ["When", fullTime(entry.at_ms)],
    ["Project", entry.project || "the instance"],
  ];
  return (
    <aside
      aria-label={`Entry ${entry.number}`}
      className="w-[400px] shrink-0 overflow-y-auto border-l bg-panel px-4 py-3 max-wide:w-[330px]"
    >
      <div className="flex items-center gap-2">
        <h2 className="mr-auto truncate font-semibold">
          {entry.action} <span className="font-normal text-ink-3">#{entry.number}</span>
        </h2>
        <Button tone="ghost" icon="close" aria-label="Close the entry" onClick={onClose} />
      </div>
      <CopyText text={entry.subject} className="max-w-full text-ink-2" />
      <dl className="mt-2 grid grid-cols-[70px_1fr] gap-y-0.5">
        {rows.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-ink-3">{name}</dt>
            <dd className="break-words">{value}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-3">{effect(entry)}</p>
      <dl className="mt-1 text-ink-3">
        {(["before", "after", "hash"] as const).map((name) => (
          <div key={name} className="mt-1">
            <dt className="text-xs">
              {name === "hash" ? "Hash of this entry" : `Record ${name}, SHA-256`}
            </dt>
            <dd>
              {entry[name] ? (
                <CopyText text={entry[name]} className="max-w-full text-ink-2" />
              ) : (
                "none"
              )}
            </dd>
          </div>
        ))}
      </dl>
      <h3 className="mt-4 mb-1 text-xs font-medium text-ink-3">Detail</h3>
      <CodeBlock text={JSON.stringify(entry.detail, null, 2)} json className="max-h-[360px]" />
    </aside>
  );
}
