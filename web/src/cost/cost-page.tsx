import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { keysQuery, spendingQuery } from "../api/queries";
import type { Spending } from "../api/types";
import { windowOf } from "../frame/search";
import { useShortcuts } from "../frame/shortcuts";
import { FirstCall } from "../overview/first-call";
import type { Conditions } from "../traces/search";
import { Button } from "../ui/button";
import { Chart } from "../ui/chart";
import { download } from "../ui/download";
import { money } from "../ui/format";
import { Icon } from "../ui/icons";
import { Segments } from "../ui/segments";
import { Failure, Lines } from "../ui/states";
import { ViewsMenu } from "../views/views-menu";
import { Budgets } from "./budgets";
import { Forecast } from "./forecast";
import { BY_TITLE, BYS, type By, type CostSearch } from "./search";
import { SpendTable } from "./spend-table";
import { csv, stacked } from "./spending";
import { CostTotals } from "./totals";

export function CostPage() {
  const search = useSearch({ from: "/frame/cost" });
  const navigate = useNavigate();
  const { by = "key", key_id, model, provider, project, environment } = search;
  const within: Conditions = { key_id, model, provider };
  const ask = { by, project, environment, ...within, ...windowOf(search) };
  const { data, error, refetch, isPlaceholderData } = useQuery(spendingQuery(ask));
  const nameOf = useNames(data?.by ?? by);
  const choose = (next: By) =>
    navigate({ to: "/cost", search: (old) => ({ ...old, by: next === "key" ? undefined : next }) });
  useShortcuts(
    BYS.map((one, index) => ({
      keys: String(index + 1),
      label: `By ${BY_TITLE[one].toLowerCase()}`,
      group: "Cost",
      run: () => choose(one),
    })),
  );
  if (error && !data) return <Failure error={error} onRetry={refetch} className="m-4" />;
  if (!data) return <Lines rows={14} className="p-6" />;
  const narrowed = Boolean(key_id || model || provider);
  if (data.totals.calls === 0 && !isPlaceholderData && !narrowed) {
    return (
      <>
        <FirstCall scope={search} />
        <Budgets project={project} />
      </>
    );
  }
  return (
    <div className="pb-10" aria-busy={isPlaceholderData}>
      <CostTotals totals={data.totals} within={within} />
      <Forecast of={{ project, environment, ...within }} />
      <Over spending={data} nameOf={nameOf} />
      <div className="flex flex-wrap items-center gap-2 px-4 py-2">
        <Segments
          label="Told apart by"
          value={by}
          choices={BYS.map((value) => ({ value, label: BY_TITLE[value] }))}
          onChange={choose}
        />
        <Within {...{ key_id, model, provider }} />
        <span className="ml-auto" />
        <ViewsMenu page="cost" look={{ ...search }} project={project} />
        <Button
          onClick={() =>
            download(`spending-by-${data.by}-${day(data.from_ms)}.csv`, csv(data, nameOf))
          }
        >
          Download CSV
        </Button>
      </div>
      {data.groups.length === 0 ? (
        <p className="border-t px-4 py-4 text-ink-2">Nothing was called here in this window.</p>
      ) : (
        <SpendTable spending={data} within={within} nameOf={nameOf} />
      )}
      <Budgets project={project} />
    </div>
  );
}

const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** What to call a group; answers out of the gateway's cache were made by no vendor. */
function useNames(by: By): (key: string) => string {
  const { data: keys } = useQuery(keysQuery);
  return useCallback(
    (key: string) => {
      if (by === "key") return keys?.find((one) => one.id === key)?.name ?? (key || "no key");
      if (key === "cache" && by === "provider") return "this gateway's cache";
      return key || "refused before any target";
    },
    [by, keys],
  );
}

function Over({ spending, nameOf }: { spending: Spending; nameOf: (key: string) => string }) {
  const navigate = useNavigate();
  const { from_ms, bucket_ms } = spending;
  const times = useMemo(
    () => spending.costs.map((_, at) => (from_ms + at * bucket_ms) / 1000),
    [spending.costs, from_ms, bucket_ms],
  );
  const series = useMemo(() => stacked(spending, nameOf), [spending, nameOf]);
  const zoom = useCallback(
    (from: number, to: number) =>
      navigate({
        to: "/cost",
        search: (old) => ({ ...old, range: undefined, from_ms: from, to_ms: to }),
      }),
    [navigate],
  );
  return (
    <section aria-label="Over time" className="border-b">
      <Chart
        title="Spend"
        times={times}
        series={series}
        format={money}
        height={180}
        fromMs={from_ms}
        toMs={spending.to_ms}
        bucketMs={bucket_ms}
        onZoom={zoom}
      />
    </section>
  );
}

/** The conditions that the page is narrowed by, each to be taken away. */
function Within({ key_id, model, provider }: Omit<CostSearch, "by">) {
  const { data: keys = [] } = useQuery(keysQuery);
  const chips = [
    { what: "key_id", label: "key", value: keys.find((key) => key.id === key_id)?.name ?? key_id },
    { what: "model", label: "model", value: model },
    { what: "provider", label: "provider", value: provider },
  ].filter((chip) => chip.value);
  return chips.map((chip) => (
    <Link
      key={chip.what}
      to="/cost"
      search={(old) => ({ ...old, [chip.what]: undefined })}
      title={`Take the condition ${chip.label} away`}
      className="inline-flex h-6 items-center gap-1 rounded-md bg-accent-wash px-2 text-xs text-accent hover:underline"
    >
      {chip.label}: {chip.value}
      <Icon name="close" size={11} />
    </Link>
  ));
}
