// A value with its interval, drawn on a scale that the rows of a table share.
const WIDE = 150;
const HIGH = 18;

export interface Scale {
  from: number;
  to: number;
}

/** A scale that holds all values, with a little air. */
export function scaleOf(values: readonly (number | null)[], zero = false): Scale {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  if (zero) known.push(0);
  if (known.length === 0) return { from: 0, to: 1 };
  const from = Math.min(...known);
  const to = Math.max(...known);
  const air = (to - from || Math.abs(to) || 1) * 0.06;
  return { from: from - air, to: to + air };
}

interface Props {
  value: number;
  low: number | null;
  high: number | null;
  scale: Scale;
  /** Where a line stands: no difference, a margin. */
  marks?: readonly { at: number; dashed?: boolean }[];
  color?: string;
  label: string;
}

export function Interval({ value, low, high, scale, marks = [], color, label }: Props) {
  const span = scale.to - scale.from || 1;
  const x = (at: number) =>
    Math.min(WIDE - 4, Math.max(4, 4 + ((at - scale.from) / span) * (WIDE - 8)));
  const tone = color ?? "var(--series-1)";
  const middle = HIGH / 2;
  return (
    <svg width={WIDE} height={HIGH} role="img" aria-label={label} className="block">
      <line x1={0} x2={WIDE} y1={middle} y2={middle} stroke="var(--line)" />
      {marks.map((mark) => (
        <line
          key={mark.at}
          x1={x(mark.at)}
          x2={x(mark.at)}
          y1={0}
          y2={HIGH}
          stroke={mark.dashed ? "var(--warn)" : "var(--ink-3)"}
          strokeDasharray={mark.dashed ? "2 2" : undefined}
        />
      ))}
      {low !== null && high !== null && (
        <g stroke={tone} strokeWidth={2}>
          <line x1={x(low)} x2={x(high)} y1={middle} y2={middle} />
          <line x1={x(low)} x2={x(low)} y1={middle - 4} y2={middle + 4} strokeWidth={1.5} />
          <line x1={x(high)} x2={x(high)} y1={middle - 4} y2={middle + 4} strokeWidth={1.5} />
        </g>
      )}
      <circle cx={x(value)} cy={middle} r={3.5} fill={tone} />
    </svg>
  );
}
