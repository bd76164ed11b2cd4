import { Link } from "@tanstack/react-router";
import type { Alert, Monitor } from "../api/types";
import { Badge, State } from "../ui/badge";
import { ago, duration, fullTime, NONE } from "../ui/format";
import { Cell, Table } from "../ui/table";
import { valueText } from "./words";

interface Props {
  alerts: readonly Alert[];
  monitors: readonly Monitor[];
  /** False where all are of one monitor. */
  named?: boolean;
}

export function AlertTable({ alerts, monitors, named = true }: Props) {
  return (
    <Table
      label="Alerts"
      head={[
        { title: "State" },
        ...(named ? [{ title: "Monitor" }] : []),
        { title: "Why" },
        { title: "Started" },
        { title: "Lasted", num: true },
        { title: "Worst", num: true },
      ]}
    >
      {alerts.map((alert) => {
        const monitor = monitors.find((one) => one.id === alert.monitor_id);
        return (
          <tr key={alert.id} className="border-b align-top hover:bg-hover">
            <Cell className="py-1.5 whitespace-nowrap">
              <State tone={alert.state === "firing" ? "bad" : "ok"}>{alert.state}</State>{" "}
              <Badge tone={alert.severity === "page" ? "bad" : "warn"}>{alert.severity}</Badge>{" "}
              {alert.silenced && <Badge>silenced</Badge>}
            </Cell>
            {named && (
              <Cell className="py-1.5">
                {monitor ? (
                  <Link
                    to="/monitors"
                    search={{ monitor: monitor.id }}
                    className="font-medium hover:underline"
                  >
                    {alert.monitor}
                  </Link>
                ) : (
                  alert.monitor
                )}
                <span className="block text-xs text-ink-3">{alert.project || "all projects"}</span>
              </Cell>
            )}
            <Cell className="max-w-[420px] py-1.5 break-words text-ink-2">{alert.reason}</Cell>
            <Cell className="py-1.5 whitespace-nowrap" title={fullTime(alert.started_ms)}>
              {ago(alert.started_ms)}
            </Cell>
            <Cell num className="py-1.5">
              {duration((alert.resolved_ms ?? Date.now()) - alert.started_ms)}
            </Cell>
            <Cell num className="py-1.5">
              {monitor ? valueText(monitor.rule, alert.worst) : (alert.worst ?? NONE)}
            </Cell>
          </tr>
        );
      })}
    </Table>
  );
}
