// What the monitors page reads.
import { queryOptions } from "@tanstack/react-query";
import { call } from "../api/client";
import type {
  Alert,
  Channel,
  Delivery,
  Monitor,
  MonitorHistory,
  MonitorTrial,
  Silence,
} from "../api/types";

/** Everything below this key is read anew after a change. */
export const MONITORS = "monitors";

export const monitorsQuery = queryOptions({
  queryKey: [MONITORS],
  queryFn: ({ signal }) => call<Monitor[]>("/api/v1/monitors", { signal }),
  refetchInterval: 5_000,
});

export const alertsQuery = (monitor_id?: string) =>
  queryOptions({
    queryKey: [MONITORS, "alerts", monitor_id],
    queryFn: ({ signal }) =>
      call<Alert[]>("/api/v1/alerts", { query: { monitor_id, limit: 200 }, signal }),
    refetchInterval: 10_000,
  });

export const silencesQuery = queryOptions({
  queryKey: [MONITORS, "silences"],
  queryFn: ({ signal }) => call<Silence[]>("/api/v1/silences", { signal }),
  refetchInterval: 15_000,
});

export const channelsQuery = queryOptions({
  queryKey: [MONITORS, "channels"],
  queryFn: ({ signal }) => call<Channel[]>("/api/v1/channels", { signal }),
  staleTime: 10_000,
});

export const deliveriesQuery = (state?: Delivery["state"]) =>
  queryOptions({
    queryKey: [MONITORS, "deliveries", state],
    queryFn: ({ signal }) =>
      call<Delivery[]>("/api/v1/deliveries", { query: { state, limit: 200 }, signal }),
    refetchInterval: 5_000,
  });

/** What a rule's metric did; asked again each half minute, since the window moves. */
export const historyQuery = (trial: MonitorTrial | undefined) =>
  queryOptions({
    queryKey: [MONITORS, "history", trial],
    queryFn: ({ signal }) =>
      call<MonitorHistory>("/api/v1/monitors/preview", { method: "POST", body: trial, signal }),
    enabled: trial !== undefined,
    placeholderData: (previous) => previous,
    refetchInterval: 30_000,
    retry: false,
  });
