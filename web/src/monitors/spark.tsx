import type { Monitor } from "../api/types";
import { lineValue, paths } from "./plot";

const WIDE = 96;
const HIGH = 22;

/** The last hour as a line, with the threshold as a dashed one. */
export function Sparkline({ monitor }: { monitor: Monitor }) {
  const values = monitor.spark?.values ?? [];
  const known = values.filter((value): value is number => value !== null);
  if (known.length === 0) return <span className="text-xs text-ink-3">–</span>;
  const line = lineValue(monitor.rule);
  const top = Math.max(...known, line ?? 0) * 1.1 || 1;
  const y = (value: number) => HIGH - 1 - (value / top) * (HIGH - 2);
  const x = (at: number) => (values.length < 2 ? WIDE : (at / (values.length - 1)) * WIDE);
  const tone = monitor.standing.state === "firing" ? "var(--bad)" : "var(--series-1)";
  return (
    <svg
      width={WIDE}
      height={HIGH}
      role="img"
      aria-label={`The last hour, ${known.length} values`}
      className="block"
    >
      {line !== undefined && line <= top && (
        <line
          x1={0}
          x2={WIDE}
          y1={y(line)}
          y2={y(line)}
          stroke="var(--line-strong)"
          strokeDasharray="2 2"
        />
      )}
      {paths(values, x, y).map((d) => (
        <path key={d} d={d} fill="none" stroke={tone} strokeWidth={1.4} strokeLinecap="round" />
      ))}
    </svg>
  );
}
