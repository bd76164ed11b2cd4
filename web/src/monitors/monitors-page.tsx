import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { needs, useMay } from "../api/may";
import type { Monitor } from "../api/types";
import { useShortcuts } from "../frame/shortcuts";
import { Badge, State } from "../ui/badge";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { ago, fullTime, plural } from "../ui/format";
import { Segments } from "../ui/segments";
import { Empty, Failure, Lines } from "../ui/states";
import { Cell, Table } from "../ui/table";
import { AlertTable } from "./alert-table";
import { ChannelsView } from "./channels-view";
import { Editor } from "./editor";
import { MonitorView } from "./monitor-view";
import { alertsQuery, monitorsQuery } from "./queries";
import { Quiet } from "./quiet";
import { ALL, type MonitorSearch, type View } from "./search";
import { SilenceDialog } from "./silence-dialog";
import { Sparkline } from "./spark";
import { alertsAt, byUrgency, metricOf, STATE, sliceOf, valueText } from "./words";

export function MonitorsPage() {
  const search = useSearch({ from: "/frame/monitors" });
  const navigate = useNavigate();
  const may = useMay();
  const monitors = useQuery(monitorsQuery);
  const go = (next: MonitorSearch) =>
    navigate({
      to: "/monitors",
      search: { show: search.show, monitor: search.monitor, ...next },
    });
  useShortcuts([
    { keys: "n", label: "New monitor", group: "Monitors", run: () => go({ form: "new" }) },
  ]);
  if (monitors.error && !monitors.data)
    return <Failure error={monitors.error} onRetry={monitors.refetch} className="m-4" />;
  if (!monitors.data) return <Lines className="p-6" />;
  const named = (id: string | undefined) => monitors.data.find((one) => one.id === id);
  const shown = named(search.monitor);
  const asked = named(search.form);
  const edited = asked?.rule.kind === "check" ? undefined : asked;
  const silenced = named(search.silence);
  const rows = monitors.data
    .filter((one) => !search.project || one.project === search.project)
    .sort(byUrgency);
  const editor = may.somewhere("editor");
  const silenceable = [...new Set(rows.map((one) => one.project))]
    .filter((one) => (one ? may.project("editor", one) : may.instance("editor")))
    .sort();
  const { show: view = "monitors" } = search;
  return (
    <>
      {search.monitor && !shown ? (
        <Gone />
      ) : shown ? (
        <MonitorView
          monitor={shown}
          onEdit={() => go({ form: shown.id })}
          onSilence={() => go({ silence: shown.id })}
        />
      ) : (
        <div className="pb-10">
          <div className="flex items-center gap-2 px-4 py-2">
            <Segments<View>
              label="What to show"
              value={view}
              choices={[
                { value: "monitors", label: "Monitors" },
                { value: "alerts", label: "Alerts" },
                { value: "channels", label: "Channels" },
              ]}
              onChange={(next) => go({ show: next === "monitors" ? undefined : next })}
            />
            <p className="mr-auto truncate pl-2 text-ink-2">{summary(rows)}</p>
            {silenceable.length > 0 && (
              <Button icon="bell" onClick={() => go({ silence: ALL })}>
                Silence a project
              </Button>
            )}
            <Button
              tone="primary"
              icon="plus"
              disabled={!editor}
              title={editor ? undefined : needs("editor", "a project")}
              onClick={() => go({ form: "new" })}
            >
              New monitor
            </Button>
          </div>
          {view !== "channels" && (
            <Quiet
              of={(one) =>
                one.monitor_id === null && (!search.project || one.project === search.project)
              }
            />
          )}
          {view === "alerts" ? (
            <Alerts monitors={monitors.data} project={search.project} />
          ) : view === "channels" ? (
            <ChannelsView project={search.project} />
          ) : rows.length === 0 ? (
            <NoMonitors any={monitors.data.length > 0} />
          ) : (
            <MonitorTable monitors={rows} onSilence={(one) => go({ silence: one.id })} />
          )}
        </div>
      )}
      {(search.form === "new" || edited) && (
        <Editor
          key={edited?.id ?? "new"}
          monitor={edited}
          project={search.project}
          onClose={() => go({})}
        />
      )}
      {silenced && (
        <SilenceDialog monitor={silenced} projects={[silenced.project]} onClose={() => go({})} />
      )}
      {search.silence === ALL && silenceable.length > 0 && (
        <SilenceDialog projects={silenceable} onClose={() => go({})} />
      )}
    </>
  );
}

function summary(monitors: readonly Monitor[]): string {
  if (monitors.length === 0) return "";
  const firing = monitors.filter((one) => one.enabled && one.standing.state === "firing").length;
  return `${plural(monitors.length, "monitor")}, ${firing === 0 ? "none fires" : `${firing} firing`}`;
}

function MonitorTable({
  monitors,
  onSilence,
}: {
  monitors: readonly Monitor[];
  onSilence: (monitor: Monitor) => void;
}) {
  const may = useMay();
  return (
    <Table
      label="Monitors"
      min={720}
      head={[
        { title: "State" },
        { title: "Monitor" },
        { title: "Now", num: true },
        { title: "Last hour" },
        { title: "Alerts at", wide: true },
        { title: "Actions", hidden: true },
      ]}
    >
      {monitors.map((monitor) => {
        const { standing, rule, project } = monitor;
        const state = STATE[standing.state];
        const editor = project ? may.project("editor", project) : may.instance("editor");
        return (
          <tr key={monitor.id} className="border-b hover:bg-hover">
            <Cell className="py-1.5 whitespace-nowrap">
              <State tone={monitor.enabled ? state.tone : "mute"}>
                {monitor.enabled ? state.word : "disabled"}
              </State>
              <span className="block pl-[13px] text-xs text-ink-3">
                {standing.since_ms > 0 && (
                  <span title={fullTime(standing.since_ms)}>{ago(standing.since_ms)}</span>
                )}
              </span>
            </Cell>
            <Cell className="max-w-[320px] py-1.5">
              <Link
                to="/monitors"
                search={{ monitor: monitor.id }}
                className="font-medium hover:underline"
              >
                {monitor.name}
              </Link>{" "}
              {standing.silenced_until_ms && <Badge tone="warn">silenced</Badge>}
              <span className="block truncate text-xs text-ink-3">{sliceOf(monitor)}</span>
            </Cell>
            <Cell num className="py-1.5" title={standing.reason}>
              {valueText(rule, standing.value)}
              <span className="block text-xs text-ink-3">{metricOf(rule)}</span>
            </Cell>
            <Cell className="py-1.5">
              <Sparkline monitor={monitor} />
            </Cell>
            <Cell wide className="py-1.5 text-ink-2">
              {alertsAt(rule)}
            </Cell>
            <Cell className="py-1.5 text-right">
              <Button
                disabled={!editor}
                aria-label={`Silence ${monitor.name}`}
                onClick={() => onSilence(monitor)}
              >
                Silence
              </Button>
            </Cell>
          </tr>
        );
      })}
    </Table>
  );
}

function Alerts({ monitors, project }: { monitors: readonly Monitor[]; project?: string }) {
  const alerts = useQuery(alertsQuery());
  if (alerts.error && !alerts.data)
    return <Failure error={alerts.error} onRetry={alerts.refetch} className="m-4" />;
  if (!alerts.data) return <Lines />;
  const rows = alerts.data.filter((one) => !project || one.project === project);
  if (rows.length === 0) return <Empty title="Nothing has fired yet" />;
  return <AlertTable alerts={rows} monitors={monitors} />;
}

function NoMonitors({ any }: { any: boolean }) {
  return (
    <Empty title={any ? "No monitor watches this project" : "Nothing is watched yet"}>
      <p className="mb-3">
        A monitor looks every few seconds at a metric of whatever calls you choose, and tells you
        once when it is beyond what you agreed: a threshold, or an error budget that burns too fast.
      </p>
      <CodeBlock
        label="Copy the commands"
        text={
          "stockpot monitors create slow --metric latency_p95 --above 2s --window 10m\nstockpot monitors create failing --slo 99.9"
        }
      />
    </Empty>
  );
}

function Gone() {
  return (
    <Empty title="There is no such monitor">
      <Link to="/monitors" search={{}} className="text-accent underline">
        See those that there are
      </Link>
    </Empty>
  );
}
