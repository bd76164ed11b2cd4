// Search box, facets and chips above the trace list. Every choice goes into the URL.
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState, useSyncExternalStore } from "react";
import { keysQuery, modelsQuery, providersQuery } from "../api/queries";
import type { Scope } from "../frame/search";
import { Dot } from "../ui/badge";
import { Button } from "../ui/button";
import { cx } from "../ui/cx";
import { Icon } from "../ui/icons";
import { NativeSelect } from "../ui/native-select";
import { ViewsMenu } from "../views/views-menu";
import { type Conditions, conditionsOf, STATUSES, type TraceSearch } from "./search";
import { type Chip, chipsOf, parseTyped } from "./terms";
import { tailState } from "./use-tail";

export function FilterBar({ search }: { search: TraceSearch & Scope }) {
  const { project } = search;
  const navigate = useNavigate();
  const { data: models = [] } = useQuery(modelsQuery);
  const { data: keys = [] } = useQuery(keysQuery);
  const { data: providers = [] } = useQuery(providersQuery);
  const conditions = conditionsOf(search);
  const chips = chipsOf(conditions, (id) => keys.find((key) => key.id === id)?.name ?? id);
  const change = (next: Conditions) =>
    navigate({ to: ".", search: (old) => ({ ...old, ...next }) });
  const clear = () =>
    change(
      Object.fromEntries(Object.keys(conditions).map((field) => [field, undefined])) as Conditions,
    );
  const facet = (
    label: string,
    field: "requested_model" | "key_id" | "provider",
    values: Choice[],
  ) => (
    <NativeSelect
      label={label}
      value={search[field] ?? ""}
      choices={[{ value: "", label: `Any ${label.toLowerCase()}` }, ...values]}
      onChange={(value) => change({ [field]: value || undefined })}
    />
  );
  return (
    <div className="border-b">
      <div className="flex items-center gap-2 px-4 py-2">
        <SearchBox onSearch={change} />
        <div className="hidden gap-2 @[1000px]/list:flex">
          <NativeSelect
            label="Status"
            value={search.failed ? "failed" : (search.status ?? "")}
            choices={[
              { value: "", label: "Any status" },
              { value: "failed", label: "all that failed" },
              ...STATUSES.map(plain),
            ]}
            onChange={(value) =>
              change({
                failed: value === "failed" ? true : undefined,
                status: STATUSES.find((status) => status === value),
              })
            }
          />
          {facet(
            "Model",
            "requested_model",
            models.map((model) => plain(model.name)),
          )}
          {facet(
            "Key",
            "key_id",
            keys.map((key) => ({ value: key.id, label: key.name })),
          )}
          {facet(
            "Provider",
            "provider",
            providers.map((provider) => plain(provider.name)),
          )}
        </div>
        <Button
          title="What calls are made of now, against an earlier time"
          aria-pressed={Boolean(search.changed)}
          onClick={() =>
            navigate({
              to: ".",
              search: (old) => ({ ...old, changed: search.changed ? undefined : "before" }),
            })
          }
        >
          Changes
        </Button>
        <ViewsMenu page="traces" look={{ ...search }} project={project} />
        <LiveToggle
          on={Boolean(search.live)}
          onChange={(live) => navigate({ to: ".", search: (old) => ({ ...old, live }) })}
        />
      </div>
      {chips.length > 0 && (
        <Chips chips={chips} onRemove={(field) => change({ [field]: undefined })} onClear={clear} />
      )}
    </div>
  );
}

interface Choice {
  value: string;
  label: string;
}

const plain = (value: string): Choice => ({ value, label: value });

function SearchBox({ onSearch }: { onSearch: (conditions: Conditions) => void }) {
  const [typed, setTyped] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!typed.trim()) return;
    onSearch(parseTyped(typed));
    setTyped("");
  };
  return (
    <form onSubmit={submit} role="search" className="relative min-w-0 flex-1">
      <Icon
        name="search"
        size={14}
        className="pointer-events-none absolute top-[7px] left-2 text-ink-3"
      />
      <input
        data-search
        aria-label="Search traces"
        aria-description="Words of requests and answers, or conditions such as model:NAME, status:error, user:ID, cost:>0.01, duration:>2s"
        placeholder="Search text, or  status:error  user:  cost:>0.01  duration:>2s"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
        spellCheck={false}
        className="h-7 w-full min-w-0 rounded-md border border-line-strong bg-raised pr-2 pl-7 text-ellipsis"
      />
    </form>
  );
}

interface ChipsProps {
  chips: readonly Chip[];
  onRemove: (field: keyof Conditions) => void;
  onClear: () => void;
}

function Chips({ chips, onRemove, onClear }: ChipsProps) {
  return (
    <ul aria-label="Active filters" className="flex flex-wrap items-center gap-1.5 px-4 pb-2">
      {chips.map((chip) => (
        <li
          key={chip.field}
          className="inline-flex h-6 max-w-[320px] items-center rounded-md bg-accent-wash pl-2 text-xs text-accent"
        >
          <span className="truncate">
            {chip.label}: <b className="font-semibold">{chip.value}</b>
          </span>
          <button
            type="button"
            aria-label={`Remove the filter ${chip.label}`}
            className="ml-0.5 flex size-6 items-center justify-center rounded-md hover:bg-hover"
            onClick={() => onRemove(chip.field)}
          >
            <Icon name="close" size={11} />
          </button>
        </li>
      ))}
      <li>
        <button
          type="button"
          className="h-6 px-1.5 text-xs text-ink-2 hover:text-ink"
          onClick={onClear}
        >
          Clear all
        </button>
      </li>
    </ul>
  );
}

function LiveToggle({ on, onChange }: { on: boolean; onChange: (on: true | undefined) => void }) {
  const state = useSyncExternalStore(tailState.subscribe, tailState.get);
  const [announced, setAnnounced] = useState("");
  useEffect(() => {
    setAnnounced(
      state === "live"
        ? "Live tail is on"
        : state === "connecting"
          ? "Live tail is connecting"
          : "",
    );
  }, [state]);
  return (
    <button
      type="button"
      aria-pressed={on}
      title="New calls appear as they happen (l)"
      onClick={() => onChange(on ? undefined : true)}
      className={cx(
        "inline-flex h-7 shrink-0 items-center gap-1.5 rounded-md border px-2.5 font-medium",
        on
          ? "border-transparent bg-ok-wash text-ok"
          : "border-line-strong bg-raised hover:bg-hover",
      )}
    >
      {on ? <Dot tone={state === "live" ? "ok" : "warn"} /> : <Icon name="pulse" size={14} />}
      {on && state === "connecting" ? "Connecting" : "Live"}
      <span role="status" className="sr-only">
        {announced}
      </span>
    </button>
  );
}
