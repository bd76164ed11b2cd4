// Runs by what they cost and how good they are; a run that another beats in everything is hollow.
import { duration, money } from "../ui/format";
import { scaleOf } from "./interval";
import type { ParetoPoint } from "./types";

const WIDE = 460;
const HIGH = 230;
const LEFT = 52;
const BOTTOM = 34;

interface Props {
  points: readonly ParetoPoint[];
  /** The runs that are compared. */
  base: string;
  candidate: string;
}

export function Pareto({ points, base, candidate }: Props) {
  const known = points.filter((point) => point.quality !== null);
  const byCost = known.some((point) => point.cost_nano !== null);
  const across = (point: ParetoPoint) =>
    byCost ? (point.cost_nano ?? 0) : (point.latency_ms ?? 0);
  if (known.length === 0) return <p className="text-ink-2">No quality was measured yet.</p>;
  const xs = { from: 0, to: Math.max(...known.map(across)) * 1.06 || 1 };
  const ys = scaleOf(known.map((point) => point.quality));
  const placed = known.some((point) => across(point) > 0);
  const slowest = Math.max(1, ...known.map((point) => point.latency_ms ?? 0));
  const x = (value: number) =>
    LEFT + ((value - xs.from) / (xs.to - xs.from || 1)) * (WIDE - LEFT - 16);
  const y = (value: number) =>
    8 + (1 - (value - ys.from) / (ys.to - ys.from || 1)) * (HIGH - BOTTOM - 12);
  const tone = (point: ParetoPoint) =>
    point.run === candidate
      ? "var(--series-1)"
      : point.run === base
        ? "var(--series-2)"
        : "var(--ink-3)";
  return (
    <figure>
      <svg
        viewBox={`0 0 ${WIDE} ${HIGH}`}
        role="img"
        aria-label={`Quality against ${byCost ? "cost" : "latency"} of ${known.length} runs`}
        className="w-full max-w-[560px]"
      >
        <line
          x1={LEFT}
          x2={WIDE - 8}
          y1={HIGH - BOTTOM}
          y2={HIGH - BOTTOM}
          stroke="var(--line-strong)"
        />
        <line x1={LEFT} x2={LEFT} y1={8} y2={HIGH - BOTTOM} stroke="var(--line-strong)" />
        {[ys.from, (ys.from + ys.to) / 2, ys.to].map((value) => (
          <text
            key={value}
            x={LEFT - 6}
            y={y(value) + 4}
            textAnchor="end"
            fontSize={11}
            fill="var(--ink-3)"
          >
            {value.toFixed(2)}
          </text>
        ))}
        {[xs.from, xs.to].map((value) => (
          <text
            key={value}
            x={x(value)}
            y={HIGH - BOTTOM + 14}
            textAnchor={value === xs.to ? "end" : "start"}
            fontSize={11}
            fill="var(--ink-3)"
          >
            {placed ? (byCost ? money(Math.round(value)) : duration(value)) : ""}
          </text>
        ))}
        <text
          x={(LEFT + WIDE) / 2}
          y={HIGH - 4}
          textAnchor="middle"
          fontSize={11}
          fill="var(--ink-2)"
        >
          {placed
            ? `${byCost ? "cost of a row" : "latency"}, less is better`
            : "no cost, no latency"}
        </text>
        {known.map((point) => (
          <circle
            key={point.run}
            cx={x(across(point))}
            cy={y(point.quality ?? 0)}
            r={4 + 6 * Math.sqrt((point.latency_ms ?? 0) / slowest)}
            fill={point.dominated ? "none" : tone(point)}
            fillOpacity={0.75}
            stroke={tone(point)}
            strokeWidth={1.5}
          >
            <title>{told(point)}</title>
          </circle>
        ))}
      </svg>
      <figcaption className="text-xs text-ink-2">
        Quality upwards; a larger dot is slower; hollow: another run is as good in everything and
        better in something.
      </figcaption>
      <ul className="mt-1 flex flex-col gap-0.5 text-xs">
        {known.map((point) => (
          <li key={point.run} className="flex items-center gap-1.5">
            <span
              aria-hidden="true"
              className="size-2 rounded-full border"
              style={{
                borderColor: tone(point),
                background: point.dominated ? "transparent" : tone(point),
              }}
            />
            <span className="truncate">{told(point)}</span>
          </li>
        ))}
      </ul>
    </figure>
  );
}

function told(point: ParetoPoint): string {
  const cost = point.cost_nano === null ? "cost unknown" : money(Math.round(point.cost_nano));
  const quality = point.quality === null ? "" : point.quality.toFixed(3);
  return `${point.label}: ${quality}, ${cost}, ${duration(point.latency_ms)}`;
}
