// A time series: uPlot inside, our look outside. Its legend is a line of text that follows the
// cursor; dragging chooses a time range.
import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useTheme } from "../frame/theme";
import { clock, day } from "./format";

export interface Series {
  label: string;
  values: (number | null)[];
  /** A custom property such as `--series-1`. */
  color: string;
  bars?: boolean;
  /** Heights to draw instead of the values: a bar that stands on another one. */
  drawn?: (number | null)[];
}

interface Props {
  title: string;
  times: number[];
  series: readonly Series[];
  format: (value: number) => string;
  height?: number;
  bucketMs: number;
  fromMs: number;
  toMs: number;
  onZoom?: (fromMs: number, toMs: number) => void;
  onPick?: (fromMs: number, toMs: number) => void;
  /** What to say when no value is known at any time. */
  nothing?: string;
}

const AXIS_FONT = "11px Geist, ui-sans-serif, system-ui, sans-serif";
const SYNC = uPlot.sync("stockpot");

function cssColor(name: string, opacity = 1): string {
  const value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return opacity === 1 ? value : value.replace(/\)$/, ` / ${opacity})`);
}

/** Axis labels: clock times, or days when the window is longer than two of them. */
function tickLabel(seconds: number, spanMs: number): string {
  const ms = seconds * 1000;
  if (spanMs > 2 * 86_400_000) return day(ms);
  return clock(ms).slice(0, 5);
}

function options(
  props: Props,
  width: number,
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const { series, format, height = 150, bucketMs, fromMs, toMs, onZoom } = props;
  const axis = {
    stroke: cssColor("--ink-3"),
    font: AXIS_FONT,
    ticks: { show: false },
    grid: { stroke: cssColor("--line"), width: 1 },
  };
  return {
    width,
    height,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: SYNC.key, setSeries: false },
      drag: { x: true, y: false, setScale: false },
      points: { size: 6 },
      y: false,
    },
    scales: {
      x: { time: true, range: [fromMs / 1000, toMs / 1000] },
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.12 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 24,
        gap: 4,
        space: 64,
        values: (_plot, ticks) => ticks.map((tick) => tickLabel(tick, toMs - fromMs)),
      },
      {
        ...axis,
        size: 52,
        gap: 6,
        space: 34,
        values: (plot, ticks) => {
          const flat = highest(plot) === 0;
          return ticks.map((tick) => (flat && tick > 0 ? "" : format(tick)));
        },
      },
    ],
    series: [
      {},
      ...series.map(
        (item): uPlot.Series => ({
          label: item.label,
          stroke: cssColor(item.color),
          width: item.bars ? 0 : 1.5,
          fill: item.bars ? cssColor(item.color, 0.85) : undefined,
          paths: item.bars ? uPlot.paths.bars?.({ size: [0.8, 24], align: 1 }) : undefined,
          points: {
            show: !item.bars,
            size: 4,
            width: 0,
            fill: cssColor(item.color),
            filter: alone,
          },
          spanGaps: false,
        }),
      ),
    ],
    hooks: {
      setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          const { left, width: wide } = plot.select;
          if (wide < 4 || !onZoom) return;
          const snap = (seconds: number) => Math.round((seconds * 1000) / bucketMs) * bucketMs;
          const from = snap(plot.posToVal(left, "x"));
          const to = Math.max(from + bucketMs, snap(plot.posToVal(left + wide, "x")));
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          onZoom(from, to);
        },
      ],
    },
  };
}

/** A value between two unknown ones would be a line without length: it is shown as a point. */
function alone(plot: uPlot, index: number): number[] {
  const values = plot.data[index] ?? [];
  const known = (at: number) => values[at] !== null && values[at] !== undefined;
  return Array.from(values.keys()).filter((at) => known(at) && !known(at - 1) && !known(at + 1));
}

function highest(plot: uPlot): number {
  return Math.max(
    0,
    ...plot.data.slice(1).flatMap((values) => Array.from(values, (value) => value ?? 0)),
  );
}

/** True once the axis font is there: text on a canvas is not redrawn by the browser itself. */
function useFonts(): boolean {
  const [ready, setReady] = useState(() => document.fonts.check(AXIS_FONT));
  useEffect(() => {
    if (!ready) document.fonts.load(AXIS_FONT).then(() => setReady(true));
  }, [ready]);
  return ready;
}

export function Chart(props: Props) {
  const { title, times, series, format, height = 150, onPick, bucketMs } = props;
  const host = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const [at, setAt] = useState<number | null>(null);
  const theme = useTheme();
  const fonts = useFonts();
  const shape = `${theme} ${fonts} ${series.map((item) => item.label).join()} ${props.fromMs} ${props.toMs} ${height}`;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the plot is built anew only when its shape changes; `latest` carries the rest
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const now = latest.current;
    const wrapped = {
      ...now,
      onZoom: (from: number, to: number) => latest.current.onZoom?.(from, to),
    };
    const data = [
      now.times,
      ...now.series.map((item) => item.drawn ?? item.values),
    ] as uPlot.AlignedData;
    const plot = new uPlot(options(wrapped, element.clientWidth, setAt), data, element);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [shape, times, series]);

  const shown = at !== null && times[at] !== undefined ? at : null;
  const blank = series.every((item) => item.values.every((value) => value === null));
  const start = shown === null ? undefined : (times[shown] ?? 0) * 1000;
  return (
    <figure className="relative min-w-0 px-4 pt-3 pb-2">
      <figcaption className="flex h-5 items-baseline gap-3">
        <span className="font-medium whitespace-nowrap">{title}</span>
        <span className="ml-auto flex min-w-0 gap-3 truncate text-xs text-ink-2">
          {start !== undefined && <span className="text-ink-3">{clock(start).slice(0, 5)}</span>}
          {series.map((item) => {
            const value = shown === null ? undefined : item.values[shown];
            return (
              <span key={item.label} className="inline-flex items-center gap-1 whitespace-nowrap">
                <span
                  aria-hidden="true"
                  className="size-2 rounded-[2px]"
                  style={{ background: `var(${item.color})` }}
                />
                {item.label}
                {value !== undefined && value !== null && (
                  <b className="font-medium text-ink">{format(value)}</b>
                )}
              </span>
            );
          })}
        </span>
      </figcaption>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: pointer convenience; the tables below hold the same links */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: as above */}
      <div
        ref={host}
        className="mt-1 cursor-crosshair"
        style={{ height }}
        onClick={() => start !== undefined && onPick?.(start, start + bucketMs)}
      />
      {blank && (
        <p className="pointer-events-none absolute inset-x-4 top-1/2 text-center text-xs text-ink-3">
          <span className="bg-page px-2">{props.nothing ?? "No values in this window"}</span>
        </p>
      )}
    </figure>
  );
}
