// Each candidate's difference to the baseline with its interval, against the margin.

import type { SizeReport } from "./types";
import { intervalText, reach, signed, TONES } from "./words";

const WIDE = 760;
const ROW = 34;
const NAME = 190;
const WORDS = 190;
const TOP = 26;
const COLORS = { ok: "var(--ok)", bad: "var(--bad)", warn: "var(--warn)" } as const;

export function Forest({ report }: { report: SizeReport }) {
  const { candidates, margin, direction } = report;
  const [from, to] = reach(candidates, margin);
  const left = NAME + 10;
  const right = WIDE - WORDS - 10;
  const x = (value: number) => left + ((value - from) / (to - from)) * (right - left);
  const height = TOP + candidates.length * ROW + 38;
  const bottom = height - 36;
  const worse = direction === "higher" ? -margin : margin;
  // The two words stand on the outer sides of their lines, so that they never meet.
  const away = direction === "higher" ? 1 : -1;
  const [inner, outer] = away > 0 ? (["start", "end"] as const) : (["end", "start"] as const);
  const edge = direction === "higher" ? left : right;
  return (
    <figure className="overflow-x-auto px-4 pb-3">
      <svg
        viewBox={`0 0 ${WIDE} ${height}`}
        role="img"
        aria-label={`Difference in ${report.metric} of ${candidates.length} candidates to the baseline, margin ${margin}`}
        className="w-full max-w-[860px] min-w-[560px]"
      >
        <rect
          x={Math.min(x(worse), edge)}
          y={TOP - 8}
          width={Math.abs(x(worse) - edge)}
          height={bottom - TOP + 8}
          fill="var(--bad-wash)"
        />
        <line x1={x(0)} x2={x(0)} y1={TOP - 8} y2={bottom} stroke="var(--ink-3)" />
        <line
          x1={x(worse)}
          x2={x(worse)}
          y1={TOP - 8}
          y2={bottom}
          stroke="var(--warn)"
          strokeDasharray="3 3"
        />
        <Mark x={x(0) + 3 * away} y={12} text="as good" anchor={inner} />
        <Mark x={x(worse) - 3 * away} y={12} text="worse by the margin" anchor={outer} />
        {candidates.map((one, row) => {
          const y = TOP + row * ROW + ROW / 2 - 4;
          const tone = COLORS[TONES[one.verdict] as keyof typeof COLORS];
          return (
            <g key={one.figures.model}>
              <title>{`${one.figures.model}: ${intervalText(one)}, ${one.verdict}`}</title>
              <text x={0} y={y + 4} fontSize={13} fill="var(--ink)">
                {clipped(one.figures.model)}
              </text>
              {one.low !== null && one.high !== null && (
                <g stroke={tone} strokeWidth={2}>
                  <line x1={x(one.low)} x2={x(one.high)} y1={y} y2={y} />
                  <line x1={x(one.low)} x2={x(one.low)} y1={y - 5} y2={y + 5} />
                  <line x1={x(one.high)} x2={x(one.high)} y1={y - 5} y2={y + 5} />
                </g>
              )}
              {one.difference !== null && (
                <circle cx={x(one.difference)} cy={y} r={4.5} fill={tone} />
              )}
              <text x={WIDE} y={y + 4} fontSize={12} textAnchor="end" fill="var(--ink-2)">
                {intervalText(one)}
              </text>
            </g>
          );
        })}
        <line x1={left} x2={right} y1={bottom} y2={bottom} stroke="var(--line-strong)" />
        <Mark x={x(worse) - 3 * away} y={bottom + 14} text={signed(worse)} anchor={outer} />
        <Mark x={x(0) + 3 * away} y={bottom + 14} text="0" anchor={inner} />
        <text
          x={(left + right) / 2}
          y={height - 6}
          fontSize={11}
          textAnchor="middle"
          fill="var(--ink-3)"
        >
          {`difference in ${report.metric} to the baseline${direction === "lower" ? ", less is better" : ""}`}
        </text>
      </svg>
    </figure>
  );
}

interface MarkProps {
  x: number;
  y: number;
  text: string;
  anchor: "start" | "end";
}

function Mark({ x, y, text, anchor }: MarkProps) {
  return (
    <text x={x} y={y} fontSize={11} textAnchor={anchor} fill="var(--ink-2)">
      {text}
    </text>
  );
}

function clipped(name: string): string {
  return name.length > 26 ? `${name.slice(0, 12)}…${name.slice(-13)}` : name;
}
