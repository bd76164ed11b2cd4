// What the monitors page shows, as search parameters. Pure.
import { oneOf, type Raw, text } from "../frame/search";

export const VIEWS = ["monitors", "alerts", "channels"] as const;
export type View = (typeof VIEWS)[number];

/** Instead of a monitor's id: all monitors of a project are to be silent. */
export const ALL = "all";

export interface MonitorSearch {
  show?: View;
  /** The monitor that is looked at. */
  monitor?: string;
  /** `new`, or the id of the monitor whose form is open. */
  form?: string;
  /** The id of the monitor to silence, or `ALL`. */
  silence?: string;
}

export function parseMonitorSearch(raw: Raw): MonitorSearch {
  return {
    show: oneOf(raw.show, VIEWS),
    monitor: text(raw.monitor, 40),
    form: text(raw.form, 40),
    silence: text(raw.silence, 40),
  };
}
