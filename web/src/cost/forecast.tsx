// What the month will have cost at its end, as one line.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { call } from "../api/client";
import type { components } from "../api/schema";
import { money, plural } from "../ui/format";

type CostForecast = components["schemas"]["CostForecast"];

interface Of {
  project?: string;
  environment?: string;
  key_id?: string;
  model?: string;
  provider?: string;
}

const forecastQuery = (of: Of) =>
  queryOptions({
    queryKey: ["forecast", of],
    queryFn: ({ signal }) =>
      call<CostForecast>("/api/v1/spending/forecast", { query: { ...of }, signal }),
    staleTime: 60_000,
  });

export function Forecast({ of }: { of: Of }) {
  const { data } = useQuery(forecastQuery(of));
  return (
    <p role="note" aria-label="Forecast" className="min-h-9 border-b px-4 py-2 text-ink-2">
      {data && told(data)}
    </p>
  );
}

/** The forecast in words; days are UTC, as the server counts them. Pure. */
export function told(found: CostForecast): string {
  const month = new Date(`${found.month}-01T00:00:00Z`).toLocaleString("en", {
    month: "long",
    timeZone: "UTC",
  });
  const { forecast_nano, low_nano, high_nano, days, days_needed } = found;
  if (forecast_nano === null || low_nano === null || high_nano === null) {
    return `${month} so far: ${money(found.spent_nano)}. A forecast needs ${days_needed} whole days after the first call; there ${days === 1 ? "is" : "are"} ${days}.`;
  }
  const sure = `${Math.round(found.confidence * 100)}%`;
  const left = found.unpriced ? `, without ${plural(found.unpriced, "call")} of unknown cost` : "";
  return `${month} so far: ${money(found.spent_nano)}. By its end about ${money(forecast_nano)}, with ${sure} between ${money(low_nano)} and ${money(high_nano)}, from ${days} days${left}.`;
}
