// The part of a route's form that is seldom touched: tries, patience, breaker, hedge and copies.
import type { ReactNode } from "react";
import type { Provider } from "../api/types";
import { Input } from "../ui/field";
import { Select } from "../ui/select";
import { newTarget, RETRIES, type RouteDraft } from "./draft";
import { Block, Part, type Props } from "./fields";

const TIMEOUTS = [
  { name: "connect_s", label: "to connect" },
  { name: "first_byte_s", label: "to the first byte" },
  { name: "idle_s", label: "of silence" },
  { name: "total_s", label: "in all" },
] as const;

function Row({ label, children }: { label: ReactNode; children: ReactNode }) {
  return (
    <div className="flex min-h-9 flex-wrap items-center gap-x-4 gap-y-1 border-b px-3 py-1 last:border-b-0">
      <div className="w-[92px] shrink-0 text-ink-2">{label}</div>
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-4 gap-y-1">{children}</div>
    </div>
  );
}

function Switch({
  label,
  on,
  onChange,
}: {
  label: string;
  on: boolean;
  onChange: (on: boolean) => void;
}) {
  return (
    <label className="flex items-center gap-1.5">
      <input
        type="checkbox"
        className="size-3.5 accent-accent"
        checked={on}
        onChange={(event) => onChange(event.target.checked)}
      />
      {label}
    </label>
  );
}

const BREAKER: NonNullable<RouteDraft["breaker"]> = {
  failures: 3,
  window_share: 0.5,
  window_calls: 10,
  window_s: 10,
  pause_s: 1,
  pause_most_s: 30,
};

export function ExtraFields({
  draft,
  providers,
  onChange,
}: Props & { providers: readonly Provider[] }) {
  const { breaker, hedge, shadow, timeouts, retry_on } = draft;
  const copied = newTarget(providers);
  return (
    <Block title="Tries and copies">
      <div className="rounded-lg border">
        <Row label="Tries">
          <Part
            label="Attempts"
            value={draft.attempts}
            unit="at most"
            min={1}
            onChange={(attempts) => onChange({ attempts })}
          />
          <Part
            label="Retries, percent of calls"
            value={Math.round(draft.retry_share * 1000) / 10}
            unit="% extra"
            onChange={(value) => onChange({ retry_share: value / 100 })}
          />
          <Part
            label="Retries a second besides"
            value={draft.retry_floor}
            unit="a second besides"
            step={0.1}
            onChange={(retry_floor) => onChange({ retry_floor })}
          />
          <Part
            label="Retries at once after a quiet time"
            value={draft.retry_burst}
            unit="at once"
            min={1}
            onChange={(retry_burst) => onChange({ retry_burst })}
          />
        </Row>
        <Row label="Again after">
          {RETRIES.map(({ value, label }) => (
            <Switch
              key={value}
              label={label}
              on={retry_on.includes(value)}
              onChange={(on) =>
                onChange({
                  retry_on: RETRIES.map((one) => one.value).filter((one) =>
                    one === value ? on : retry_on.includes(one),
                  ),
                })
              }
            />
          ))}
        </Row>
        <Row label="Patience">
          {TIMEOUTS.map(({ name, label }) => (
            <Part
              key={name}
              label={`Seconds ${label}`}
              value={timeouts[name]}
              unit={`s ${label}`}
              step={0.1}
              onChange={(value) => onChange({ timeouts: { ...timeouts, [name]: value } })}
            />
          ))}
        </Row>
        <Row
          label={
            <Switch
              label="Breaker"
              on={breaker !== null}
              onChange={(on) => onChange({ breaker: on ? BREAKER : null })}
            />
          }
        >
          {breaker ? (
            <>
              <Part
                label="Failures in a row until a target rests"
                value={breaker.failures}
                unit="failures"
                min={1}
                onChange={(failures) => onChange({ breaker: { ...breaker, failures } })}
              />
              <Part
                label="First rest, seconds"
                value={breaker.pause_s}
                unit="s at first"
                step={0.1}
                onChange={(pause_s) => onChange({ breaker: { ...breaker, pause_s } })}
              />
              <Part
                label="Longest rest, seconds"
                value={breaker.pause_most_s}
                unit="s at most"
                step={0.1}
                onChange={(pause_most_s) => onChange({ breaker: { ...breaker, pause_most_s } })}
              />
              <Part
                label="Failed share until a target rests, percent"
                value={Math.round(breaker.window_share * 1000) / 10}
                unit="% failed"
                step={0.1}
                onChange={(value) =>
                  onChange({ breaker: { ...breaker, window_share: value / 100 } })
                }
              />
              <Part
                label="Of at least so many calls"
                value={breaker.window_calls}
                unit="calls"
                min={1}
                onChange={(window_calls) => onChange({ breaker: { ...breaker, window_calls } })}
              />
              <Part
                label="Within so many seconds"
                value={breaker.window_s}
                unit="s together"
                min={1}
                onChange={(window_s) => onChange({ breaker: { ...breaker, window_s } })}
              />
            </>
          ) : (
            <span className="text-ink-3">
              a target rests after 3 failures in a row, 1 to 30 seconds
            </span>
          )}
        </Row>
        <Row
          label={
            <Switch
              label="Hedge"
              on={hedge !== null}
              onChange={(on) =>
                onChange({
                  hedge: on ? { share: 0.05, min_ms: 20, max_ms: 10_000, burst: 5 } : null,
                })
              }
            />
          }
        >
          {hedge ? (
            <>
              <Part
                label="Hedged calls, percent"
                value={Math.round(hedge.share * 1000) / 10}
                unit="% of calls"
                onChange={(value) => onChange({ hedge: { ...hedge, share: value / 100 } })}
              />
              <Part
                label="Hedge not before, ms"
                value={hedge.min_ms}
                unit="ms at least"
                onChange={(min_ms) => onChange({ hedge: { ...hedge, min_ms } })}
              />
              <Part
                label="Hedge not after, ms"
                value={hedge.max_ms}
                unit="ms at most"
                onChange={(max_ms) => onChange({ hedge: { ...hedge, max_ms } })}
              />
              <Part
                label="Hedged calls at once after a quiet time"
                value={hedge.burst}
                unit="at once"
                min={1}
                onChange={(burst) => onChange({ hedge: { ...hedge, burst } })}
              />
            </>
          ) : (
            <span className="text-ink-3">
              a second try at the next target while the first is silent
            </span>
          )}
        </Row>
        <Row
          label={
            <Switch
              label="Shadow"
              on={shadow !== null}
              onChange={(on) =>
                onChange({
                  shadow: on
                    ? {
                        provider: copied.provider,
                        model: copied.model,
                        share: 0.01,
                        concurrency: 4,
                      }
                    : null,
                })
              }
            />
          }
        >
          {shadow ? (
            <>
              <Select
                label="Provider of the candidate"
                value={shadow.provider}
                choices={providers.map((one) => ({ value: one.name, label: one.name }))}
                onChange={(provider) =>
                  onChange({
                    shadow: {
                      ...shadow,
                      provider,
                      model: providers.find((one) => one.name === provider)?.models[0] ?? "",
                    },
                  })
                }
              />
              <Input
                aria-label="Model of the candidate"
                className="!w-[170px]"
                value={shadow.model}
                onChange={(event) => onChange({ shadow: { ...shadow, model: event.target.value } })}
              />
              <Part
                label="Copied calls, percent"
                value={Math.round(shadow.share * 1000) / 10}
                unit="% of calls"
                onChange={(value) => onChange({ shadow: { ...shadow, share: value / 100 } })}
              />
              <Part
                label="Copies at once"
                value={shadow.concurrency}
                unit="at once"
                onChange={(concurrency) => onChange({ shadow: { ...shadow, concurrency } })}
              />
            </>
          ) : (
            <span className="text-ink-3">
              copies of some calls go to a candidate, without effect on clients
            </span>
          )}
        </Row>
      </div>
    </Block>
  );
}
