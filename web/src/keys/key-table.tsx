import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { call } from "../api/client";
import { useMay } from "../api/may";
import type { KeySettings, Overview, VirtualKey } from "../api/types";
import { State, type Tone } from "../ui/badge";
import { Button } from "../ui/button";
import { cx } from "../ui/cx";
import { ago, compact, count, day, money, NONE, spend } from "../ui/format";
import { Meter } from "../ui/meter";
import { toast, toastError } from "../ui/toast";
import { budgetShare, limitWords, moreWords } from "./words";

const TONE: Record<VirtualKey["state"], Tone> = {
  active: "ok",
  disabled: "mute",
  expired: "warn",
  revoked: "bad",
};

interface Props {
  keys: readonly VirtualKey[];
  use: Overview | undefined;
  onEdit: (key: VirtualKey) => void;
  onRotate: (key: VirtualKey) => void;
  onRevoke: (key: VirtualKey) => void;
}

const HEAD = "h-7 px-2 text-left text-xs font-medium text-ink-3 whitespace-nowrap";

export function KeyTable({ keys, use, onEdit, onRotate, onRevoke }: Props) {
  return (
    <div className="relative overflow-x-auto">
      <table className="w-full min-w-[780px] border-collapse">
        <thead>
          <tr className="border-y">
            <th scope="col" className={`${HEAD} pl-4`}>
              Key
            </th>
            <th scope="col" className={HEAD}>
              State
            </th>
            <th scope="col" className={HEAD}>
              Project
            </th>
            <th scope="col" className={`${HEAD} max-wide:hidden`}>
              Models
            </th>
            <th scope="col" className={`${HEAD} max-wide:hidden`}>
              Limits
            </th>
            <th scope="col" className={HEAD}>
              Budget
            </th>
            <th scope="col" className={`${HEAD} text-right`}>
              Calls, 24 h
            </th>
            <th scope="col" className={`${HEAD} text-right`}>
              Spend, 24 h
            </th>
            <th scope="col" className={`${HEAD} max-wide:hidden`}>
              Payloads
            </th>
            <th scope="col" className="pr-4">
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <Row
              key={key.id}
              item={key}
              use={use}
              onEdit={() => onEdit(key)}
              onRotate={() => onRotate(key)}
              onRevoke={() => onRevoke(key)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  item: VirtualKey;
  use: Overview | undefined;
  onEdit: () => void;
  onRotate: () => void;
  onRevoke: () => void;
}

function Row({ item, use, onEdit, onRotate, onRevoke }: RowProps) {
  const may = useMay();
  const edits = may.project("editor", item.project);
  const looksAfter = edits || item.owner_id === may.userId;
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (body: KeySettings) =>
      call<VirtualKey>(`/api/v1/keys/${encodeURIComponent(item.id)}`, { method: "PATCH", body }),
    onSuccess: (key) => {
      toast({ text: `Key ${key.name} is ${key.state} now.` });
      client.invalidateQueries({ queryKey: ["keys"] });
    },
    onError: toastError,
  });
  const totals = use?.by_key.find((group) => group.key === item.id)?.totals;
  const over = item.state === "revoked";
  return (
    <tr className={cx("h-[40px] border-b hover:bg-hover", item.state !== "active" && "text-ink-2")}>
      <td className="max-w-[260px] pr-2 pl-4 max-wide:max-w-[160px] whitespace-nowrap">
        <span className="block truncate font-medium text-ink" title={item.name}>
          {item.name}
        </span>
        <span className="block font-mono text-2xs text-ink-3">{item.prefix}…</span>
      </td>
      <td className="px-2 whitespace-nowrap">
        <State tone={TONE[item.state]}>{item.state}</State>
        {item.expires_ms !== null && (
          <span className="block text-2xs text-ink-3">
            {item.expires_ms > Date.now()
              ? `until ${day(item.expires_ms)}`
              : `since ${ago(item.expires_ms)}`}
          </span>
        )}
      </td>
      <td className="px-2 whitespace-nowrap">
        {item.project}
        <span className="block text-2xs text-ink-3">{item.environment}</span>
      </td>
      <td className="max-w-[140px] truncate px-2 max-wide:hidden" title={item.models.join(", ")}>
        {item.models.length === 0 ? "all" : item.models.join(", ")}
      </td>
      <td
        className="max-w-[150px] truncate px-2 text-ink-2 max-wide:hidden"
        title={[limitWords(item.limits), moreWords(item)].filter(Boolean).join("; ")}
      >
        {limitWords(item.limits)}
        {moreWords(item) && (
          <span className="block truncate text-2xs text-ink-3">{moreWords(item)}</span>
        )}
      </td>
      <td className="px-2">
        <Budget item={item} />
      </td>
      <td className="num px-2">
        <Link to="/traces" search={{ key_id: item.id }} className="hover:underline">
          {totals ? compact(totals.calls) : use ? "0" : NONE}
          <span className="sr-only"> calls of {item.name}</span>
        </Link>
        {totals && totals.errors > 0 && (
          <Link
            to="/traces"
            search={{ key_id: item.id, failed: true }}
            className="block text-2xs text-bad hover:underline"
          >
            {count(totals.errors)} failed
          </Link>
        )}
      </td>
      <td className="num px-2">
        <Link to="/cost" search={{ key_id: item.id, by: "model" }} className="hover:underline">
          {totals ? spend(totals) : use ? "$0" : NONE}
          <span className="sr-only"> spent by {item.name}</span>
        </Link>
      </td>
      <td className="px-2 text-ink-2 max-wide:hidden">{item.payloads}</td>
      <td className="pr-4 pl-2">
        {!over && looksAfter && (
          <span className="flex justify-end gap-1">
            {item.state !== "expired" && (
              <Button
                tone="ghost"
                busy={change.isPending}
                onClick={() =>
                  change.mutate({ state: item.state === "active" ? "disabled" : "active" })
                }
              >
                {item.state === "active" ? "Disable" : "Enable"}
              </Button>
            )}
            {edits && (
              <Button
                tone="ghost"
                icon="edit"
                aria-label={`Edit ${item.name}`}
                title="Edit"
                onClick={onEdit}
              />
            )}
            <Button
              tone="ghost"
              icon="refresh"
              aria-label={`Rotate ${item.name}`}
              title="A new secret"
              onClick={onRotate}
            />
            <Button
              tone="ghost"
              icon="trash"
              aria-label={`Revoke ${item.name}`}
              title="Revoke"
              onClick={onRevoke}
            />
          </span>
        )}
      </td>
    </tr>
  );
}

function Budget({ item }: { item: VirtualKey }) {
  const { budget } = item;
  if (!budget) return <span className="text-ink-3">none</span>;
  const share = budgetShare(budget);
  const { limit_nano, period } = budget.spec;
  return (
    <div className="w-[150px]">
      <p className="flex justify-between gap-2 text-xs whitespace-nowrap">
        <span>
          {money(budget.spent_nano)} <span className="text-ink-3">of {money(limit_nano)}</span>
        </span>
        <span className="text-ink-3">{period}</span>
      </p>
      <Meter label={`Budget of ${item.name}`} share={share} className="mt-0.5 !h-1" />
    </div>
  );
}
