// One monitor: how it stands, what its metric did, and when it fired.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api/client";
import { useMay } from "../api/may";
import type { Monitor, MonitorTrial } from "../api/types";
import { Certificates } from "../judges/certificate";
import { State } from "../ui/badge";
import { Button } from "../ui/button";
import { Confirm } from "../ui/dialog";
import { ago, fullTime } from "../ui/format";
import { Segments } from "../ui/segments";
import { Failure, Lines } from "../ui/states";
import { AlertTable } from "./alert-table";
import { HistoryChart } from "./history-chart";
import { alertsQuery, historyQuery, MONITORS } from "./queries";
import { Quiet } from "./quiet";
import { alertsAt, metricOf, STATE, sliceOf } from "./words";

type Hours = "6" | "24" | "168";

interface Props {
  monitor: Monitor;
  onEdit: () => void;
  onSilence: () => void;
}

export function MonitorView({ monitor, onEdit, onSilence }: Props) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const may = useMay();
  const [hours, setHours] = useState<Hours>("24");
  const [removing, setRemoving] = useState(false);
  const { project, slice, rule, no_data, standing } = monitor;
  const trial: MonitorTrial = { project, slice, rule, no_data, hours: Number(hours) };
  const history = useQuery(historyQuery(trial));
  const alerts = useQuery(alertsQuery(monitor.id));
  const editor = project ? may.project("editor", project) : may.instance("editor");
  const state = STATE[standing.state];
  const back = () => navigate({ to: "/monitors", search: {} });
  return (
    <div className="pb-10">
      <div className="flex items-center gap-2 px-4 py-2">
        <Link to="/monitors" search={{}} className="text-ink-2 hover:underline">
          Monitors
        </Link>
        <span className="text-ink-3">/</span>
        <h2 className="mr-auto truncate text-base font-semibold">{monitor.name}</h2>
        <Button icon="bell" disabled={!editor} onClick={onSilence}>
          Silence
        </Button>
        <Button icon="edit" disabled={!editor || rule.kind === "check"} onClick={onEdit}>
          Change
        </Button>
        <Button
          tone="ghost"
          icon="trash"
          disabled={!editor}
          aria-label="Remove this monitor"
          onClick={() => setRemoving(true)}
        />
      </div>
      <dl className="flex flex-wrap gap-x-6 gap-y-1 border-y px-4 py-2">
        <Fact term="State">
          <State tone={monitor.enabled ? state.tone : "mute"}>
            {monitor.enabled ? state.word : "disabled"}
          </State>
          {standing.since_ms > 0 && (
            <span className="pl-1 text-ink-3" title={fullTime(standing.since_ms)}>
              {ago(standing.since_ms)}
            </span>
          )}
        </Fact>
        <Fact term="Watches">
          {rule.kind === "check" ? (
            <Link to="/pipelines" search={{ project: monitor.project }} className="underline">
              {metricOf(rule)}
            </Link>
          ) : (
            metricOf(rule)
          )}{" "}
          <span className="text-ink-2">{alertsAt(rule)}</span>
        </Fact>
        <Fact term="Of">{sliceOf(monitor)}</Fact>
        <Fact term="Says">{standing.reason || "not looked at yet"}</Fact>
        {standing.badges.length > 0 && (
          <Fact term="Judged by">
            <Certificates badges={standing.badges} />
          </Fact>
        )}
      </dl>
      {monitor.description && <p className="px-4 pt-2 text-ink-2">{monitor.description}</p>}
      <Quiet
        of={(one) =>
          one.monitor_id === monitor.id ||
          (one.monitor_id === null && one.project === monitor.project)
        }
      />
      <section aria-label="History" className="px-4 pt-3">
        <div className="flex items-center">
          <h3 className="mr-auto font-semibold">History</h3>
          <Segments<Hours>
            label="How far back"
            value={hours}
            choices={[
              { value: "6", label: "6 h" },
              { value: "24", label: "24 h" },
              { value: "168", label: "7 d" },
            ]}
            onChange={setHours}
          />
        </div>
        {history.error ? (
          <Failure error={history.error} onRetry={history.refetch} />
        ) : history.data ? (
          <HistoryChart rule={rule} history={history.data} height={200} />
        ) : (
          <Lines rows={4} />
        )}
      </section>
      <h3 className="px-4 pt-4 pb-1 font-semibold">Alerts</h3>
      {alerts.data?.length ? (
        <AlertTable alerts={alerts.data} monitors={[monitor]} named={false} />
      ) : (
        <p className="px-4 text-ink-2">It has not fired yet.</p>
      )}
      <Confirm
        open={removing}
        title={`Remove ${monitor.name}?`}
        action="Remove"
        onClose={() => setRemoving(false)}
        onConfirm={async () => {
          await call(`/api/v1/monitors/${monitor.id}`, { method: "DELETE" });
          await client.invalidateQueries({ queryKey: [MONITORS] });
          back();
        }}
      >
        Its alerts stay in the history; an alert that is open ends.
      </Confirm>
    </div>
  );
}

function Fact({ term, children }: { term: string; children: React.ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-ink-3">{term}</dt>
      <dd className="break-words">{children}</dd>
    </div>
  );
}
