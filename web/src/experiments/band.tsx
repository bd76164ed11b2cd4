// The difference between an arm and the control over time, with the interval that narrows around
// it. It holds at every instant at once, so that looking at it is safe.
import { useEffect, useRef, useState } from "react";
import type { ExperimentLook, MetricReport } from "../api/types";
import { clock, count, day, fullTime } from "../ui/format";
import { ticks } from "./scale";
import { changeText, intervalText } from "./words";

const LEFT = 64;
const RIGHT = 10;
const BOTTOM = 20;
const TOP = 8;

interface Props {
  metric: MetricReport["metric"];
  looks: readonly ExperimentLook[];
  /** How much worse is allowed, in the metric's own unit; 0 shows no line. */
  margin: number;
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

export function Band({ metric, looks, margin, height = 220 }: Props) {
  const [host, width] = useWidth();
  const [at, setAt] = useState<number | null>(null);
  const last = looks.at(-1);
  if (looks.length === 0 || !last) {
    return (
      <p className="py-6 text-ink-2">
        The band begins when every arm has units enough for a first interval.
      </p>
    );
  }
  const worst = metric.direction === "down" ? margin : -margin;
  const shown = looks.length === 1 ? [{ ...last, at_ms: last.at_ms - 60_000 }, last] : looks;
  const ends = shown.flatMap(({ low, high }) => [low, high]).concat(0, margin ? worst : 0);
  const scale = ticks(Math.min(...ends), Math.max(...ends));
  const [low, high] = [scale[0] ?? 0, scale.at(-1) ?? 1];
  const [from, to] = [shown[0]?.at_ms ?? 0, last.at_ms];
  const x = (ms: number) =>
    LEFT + ((ms - from) / (to - from || 1)) * Math.max(0, width - LEFT - RIGHT);
  const y = (value: number) =>
    TOP + (1 - (value - low) / (high - low || 1)) * (height - TOP - BOTTOM);
  const line = (value: (look: ExperimentLook) => number) =>
    shown.map((look) => `${x(look.at_ms).toFixed(1)},${y(value(look)).toFixed(1)}`);
  const outline = [...line((look) => look.high), ...line((look) => look.low).reverse()];
  const hover = (event: React.PointerEvent) => {
    const left = host.current?.getBoundingClientRect().left ?? 0;
    const near = shown.map((look) => Math.abs(x(look.at_ms) + left - event.clientX));
    setAt(near.indexOf(Math.min(...near)));
  };
  const seen = at === null ? last : (shown[at] ?? last);
  return (
    <figure className="min-w-0">
      <figcaption className="flex h-5 items-baseline gap-3 text-xs text-ink-2">
        <span className="text-ink-3">{fullTime(seen.at_ms, "s")}</span>
        <b className="font-medium text-ink">{changeText(metric, seen.difference)}</b>
        <span>{intervalText(metric, seen.low, seen.high)}</span>
        <span className="text-ink-3">{count(seen.units)} units in the arm</span>
      </figcaption>
      <div ref={host} onPointerMove={hover} onPointerLeave={() => setAt(null)} style={{ height }}>
        {width > 0 && (
          <svg
            width={width}
            height={height}
            role="img"
            aria-label={`The difference in ${metric.name} is ${changeText(metric, last.difference)}, ${intervalText(metric, last.low, last.high)}`}
          >
            {scale.map((tick) => (
              <g key={tick}>
                <line
                  x1={LEFT}
                  x2={width - RIGHT}
                  y1={y(tick)}
                  y2={y(tick)}
                  stroke={tick === 0 ? "var(--ink-3)" : "var(--line)"}
                />
                <text
                  x={LEFT - 6}
                  y={y(tick) + 4}
                  textAnchor="end"
                  fontSize={11}
                  fill="var(--ink-3)"
                >
                  {changeText(metric, tick)}
                </text>
              </g>
            ))}
            {[0.2, 0.5, 0.8].map((part) => (
              <text
                key={part}
                x={x(from + part * (to - from))}
                y={height - 5}
                textAnchor="middle"
                fontSize={11}
                fill="var(--ink-3)"
              >
                {to - from > 2 * 86_400_000
                  ? day(from + part * (to - from))
                  : clock(from + part * (to - from)).slice(0, to - from < 600_000 ? 8 : 5)}
              </text>
            ))}
            <polygon points={outline.join(" ")} fill="var(--series-1)" opacity={0.18} />
            {[(look: ExperimentLook) => look.low, (look: ExperimentLook) => look.high].map(
              (value, index) => (
                <polyline
                  // biome-ignore lint/suspicious/noArrayIndexKey: the lower and the upper end
                  key={index}
                  points={line(value).join(" ")}
                  fill="none"
                  stroke="var(--series-1)"
                  strokeWidth={1}
                  opacity={0.7}
                />
              ),
            )}
            <polyline
              points={line((look) => look.difference).join(" ")}
              fill="none"
              stroke="var(--series-1)"
              strokeWidth={1.8}
              strokeLinejoin="round"
            />
            {margin > 0 && (
              <g>
                <line
                  x1={LEFT}
                  x2={width - RIGHT}
                  y1={y(worst)}
                  y2={y(worst)}
                  stroke="var(--bad)"
                  strokeDasharray="4 3"
                />
                <text
                  x={width - RIGHT}
                  y={y(worst) - 4}
                  textAnchor="end"
                  fontSize={11}
                  fill="var(--bad)"
                >
                  margin
                </text>
              </g>
            )}
            {at !== null && (
              <line
                x1={x(seen.at_ms)}
                x2={x(seen.at_ms)}
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
