// The bar above every page: its title, whose traffic it shows and when, and the way to search.
import { useQuery } from "@tanstack/react-query";
import { useMatches, useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { projectsQuery } from "../api/frame-queries";
import { DEFAULT_RANGE, RANGES } from "../api/window";

import { Icon } from "../ui/icons";
import { Kbd } from "../ui/kbd";
import { NativeSelect } from "../ui/native-select";
import { moment } from "../ui/time";
import { openPalette } from "./palette-store";
import type { Scope } from "./search";

const CustomRange = lazy(() =>
  import("./custom-range").then((module) => ({ default: module.CustomRange })),
);

export function ScopeBar({ title }: { title: string }) {
  const scope = useMatches().findLast((match) => match.staticData.scope)?.staticData.scope ?? [];
  return (
    <header className="flex h-12 shrink-0 items-center gap-2 border-b px-4">
      <h1 className="mr-auto truncate text-base font-semibold">{title}</h1>
      {scope.includes("project") && <ProjectSelect environments={scope.includes("environment")} />}
      {scope.includes("window") && <RangeSelect />}
      <button
        type="button"
        onClick={() => openPalette(true)}
        className="flex h-7 items-center gap-2 rounded-md border border-line-strong bg-raised px-2 text-ink-3 hover:bg-hover"
        title="Search or jump to"
      >
        <Icon name="search" size={13} />
        <span className="pr-4 max-wide:sr-only">Search or jump to</span>
        <Kbd>{/Mac/.test(navigator.platform) ? "⌘" : "Ctrl"} K</Kbd>
      </button>
    </header>
  );
}

function useScope(): [Scope, (change: Partial<Scope>) => void] {
  const scope = useSearch({ from: "/frame" });
  const navigate = useNavigate();
  const change = (next: Partial<Scope>) =>
    navigate({ to: ".", search: (previous) => ({ ...previous, ...next }) });
  return [scope, change];
}

function ProjectSelect({ environments: withEnvironments }: { environments: boolean }) {
  const [scope, change] = useScope();
  const { data = [] } = useQuery(projectsQuery);
  const project = data.find((item) => item.name === scope.project || item.id === scope.project);
  const environments = [
    ...new Set((project ? [project] : data).flatMap((item) => item.environments)),
  ];
  return (
    <>
      <NativeSelect
        label="Project"
        value={scope.project ?? ""}
        onChange={(value) => change({ project: value || undefined, environment: undefined })}
        choices={[
          { value: "", label: "All projects" },
          ...data.map((item) => ({ value: item.name, label: item.name })),
        ]}
      />
      {withEnvironments && (
        <NativeSelect
          label="Environment"
          value={scope.environment ?? ""}
          onChange={(value) => change({ environment: value || undefined })}
          choices={[
            { value: "", label: "All environments" },
            ...environments.map((name) => ({ value: name, label: name })),
          ]}
        />
      )}
    </>
  );
}

const RANGE_LABEL: Record<string, string> = {
  "15m": "Last 15 minutes",
  "1h": "Last hour",
  "6h": "Last 6 hours",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
};

function RangeSelect() {
  const [scope, change] = useScope();
  const [custom, setCustom] = useState(false);
  const fixed = scope.from_ms !== undefined && scope.to_ms !== undefined;
  const shown = scope.range ?? DEFAULT_RANGE;
  const choices: { value: string; label: string }[] = RANGES.map((range) => ({
    value: range,
    label: RANGE_LABEL[range] ?? range,
  }));
  if (!fixed && !choices.some((choice) => choice.value === shown))
    choices.push({ value: shown, label: `Last ${shown}` });
  if (fixed) {
    choices.push({
      value: "fixed",
      label: `${moment(scope.from_ms ?? 0)} to ${moment(scope.to_ms ?? 0)}`,
    });
  }
  choices.push({ value: "custom", label: "Custom…" });
  const pick = (value: string) => {
    if (value === "custom") setCustom(true);
    else if (value !== "fixed") {
      const range = value === DEFAULT_RANGE ? undefined : value;
      change({ range, from_ms: undefined, to_ms: undefined });
    }
  };
  return (
    <>
      <NativeSelect
        label="Time range"
        value={fixed ? "fixed" : shown}
        onChange={pick}
        choices={choices}
      />
      {custom && (
        <Suspense>
          <CustomRange
            scope={scope}
            onClose={() => setCustom(false)}
            onChoose={(from_ms, to_ms) => change({ range: undefined, from_ms, to_ms })}
          />
        </Suspense>
      )}
    </>
  );
}
