// A metric's history with the lines that it is compared with, and where it would have fired.
import { useEffect, useRef, useState } from "react";
import type { MonitorHistory } from "../api/types";
import { clock, day, fullTime } from "../ui/format";
import { paths, ticks } from "./plot";
import { type Rule, valueText } from "./words";

const LEFT = 56;
const BOTTOM = 20;
const TOP = 8;
const COLORS = ["--series-1", "--series-2", "--series-3", "--series-4", "--ink-3"];

interface Props {
  rule: Rule;
  history: MonitorHistory;
  height?: number;
}

function useWidth(): [React.RefObject<HTMLDivElement | null>, number] {
  const host = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, []);
  return [host, width];
}

export function HistoryChart({ rule, history, height = 170 }: Props) {
  const [host, width] = useWidth();
  const [at, setAt] = useState<number | null>(null);
  const { from_ms, to_ms, step_ms, series, titles, lines, episodes } = history;
  const points = series[0]?.length ?? 0;
  const known = series.flat().filter((value): value is number => value !== null);
  const scale = ticks(Math.min(0, ...known, ...lines), Math.max(0, ...known, ...lines) || 1);
  const low = scale[0] ?? 0;
  const high = scale.at(-1) ?? 1;
  const span = to_ms - from_ms || 1;
  const x = (ms: number) => LEFT + ((ms - from_ms) / span) * Math.max(0, width - LEFT - 8);
  const y = (value: number) =>
    TOP + (1 - (value - low) / (high - low || 1)) * (height - TOP - BOTTOM);
  const ofPoint = (index: number) => x(from_ms + (index + 1) * step_ms);
  const hover = (event: React.PointerEvent) => {
    const left = host.current?.getBoundingClientRect().left ?? 0;
    const ms = from_ms + ((event.clientX - left - LEFT) / Math.max(1, width - LEFT - 8)) * span;
    const index = Math.round((ms - from_ms) / step_ms) - 1;
    setAt(index >= 0 && index < points ? index : null);
  };
  return (
    <figure className="min-w-0">
      <figcaption className="flex h-5 items-baseline gap-3 text-xs text-ink-2">
        <Legend rule={rule} history={history} at={at} />
      </figcaption>
      <div ref={host} onPointerMove={hover} onPointerLeave={() => setAt(null)} style={{ height }}>
        {width > 0 && (
          <svg width={width} height={height} role="img" aria-label={told(rule, history)}>
            {scale.map((tick) => (
              <g key={tick}>
                <line x1={LEFT} x2={width - 8} y1={y(tick)} y2={y(tick)} stroke="var(--line)" />
                <text
                  x={LEFT - 6}
                  y={y(tick) + 4}
                  textAnchor="end"
                  fontSize={11}
                  fill="var(--ink-3)"
                >
                  {valueText(rule, tick)}
                </text>
              </g>
            ))}
            {timeTicks(from_ms, to_ms).map((ms) => (
              <text
                key={ms}
                x={x(ms)}
                y={height - 5}
                textAnchor="middle"
                fontSize={11}
                fill="var(--ink-3)"
              >
                {span > 2 * 86_400_000 ? day(ms) : clock(ms).slice(0, 5)}
              </text>
            ))}
            {episodes.map((episode) => (
              <rect
                key={episode.from_ms}
                x={x(episode.from_ms)}
                y={TOP}
                width={Math.max(2, x(episode.until_ms ?? to_ms) - x(episode.from_ms))}
                height={height - TOP - BOTTOM}
                fill={episode.severity === "page" ? "var(--bad)" : "var(--warn)"}
                opacity={0.16}
              />
            ))}
            {lines.map((value, index) => (
              <line
                key={value}
                x1={LEFT}
                x2={width - 8}
                y1={y(value)}
                y2={y(value)}
                stroke={rule.kind === "burn_rate" ? `var(${COLORS[index]})` : "var(--bad)"}
                strokeDasharray={index > 0 && rule.kind === "threshold" ? "1 3" : "4 3"}
              />
            ))}
            {series.map((values, index) =>
              paths(values, ofPoint, y).map((d) => (
                <path
                  key={`${titles[index]} ${d}`}
                  d={d}
                  fill="none"
                  stroke={`var(${COLORS[index]})`}
                  strokeWidth={1.5}
                  strokeLinecap="round"
                  strokeLinejoin="round"
                />
              )),
            )}
            {at !== null && (
              <line
                x1={ofPoint(at)}
                x2={ofPoint(at)}
                y1={TOP}
                y2={height - BOTTOM}
                stroke="var(--ink-3)"
              />
            )}
          </svg>
        )}
      </div>
    </figure>
  );
}

function Legend({ rule, history, at }: { rule: Rule; history: MonitorHistory; at: number | null }) {
  const { episodes, series, titles, from_ms, step_ms, samples } = history;
  if (at === null) {
    const alerts = episodes.length;
    return (
      <span>
        {samples === 0
          ? "Nothing was called in this window."
          : alerts === 0
            ? "It would not have fired."
            : `It would have fired ${alerts === 1 ? "once" : `${alerts} times`}.`}
      </span>
    );
  }
  return (
    <>
      <span className="text-ink-3">{fullTime(from_ms + (at + 1) * step_ms, "min")}</span>
      {series.map((values, index) => (
        <span
          key={titles[index] || "value"}
          className="inline-flex items-center gap-1 whitespace-nowrap"
        >
          <span
            aria-hidden="true"
            className="size-2 rounded-[2px]"
            style={{ background: `var(${COLORS[index]})` }}
          />
          {titles[index]}
          <b className="font-medium text-ink">{valueText(rule, values[at] ?? null)}</b>
        </span>
      ))}
    </>
  );
}

function told(rule: Rule, { episodes, series }: MonitorHistory): string {
  const values = series.flat().filter((value): value is number => value !== null);
  if (values.length === 0) return "No values in this window";
  const range = `from ${valueText(rule, Math.min(...values))} to ${valueText(rule, Math.max(...values))}`;
  return `Values ${range}; ${episodes.length} alerts`;
}

function timeTicks(from_ms: number, to_ms: number): number[] {
  const step = (to_ms - from_ms) / 6;
  return [1, 2, 3, 4, 5].map((index) => from_ms + index * step);
}
