// A figure with its interval, drawn: the dot is the figure, the line is how far off it may be.
import type { Interval } from "../api/types";
import { place, told } from "./words";

interface Props {
  interval: Interval | null;
  kind?: "share" | "mean";
  least?: number;
  most?: number;
}

export function IntervalBar({ interval, kind = "share", least = 0, most = 1 }: Props) {
  if (!interval) return null;
  const low = place(interval.low ?? interval.value, least, most);
  const high = place(interval.high ?? interval.value, least, most);
  const at = place(interval.value, least, most);
  return (
    <svg
      viewBox="0 0 100 10"
      width={96}
      height={10}
      role="img"
      aria-label={told(interval, kind)}
      className="inline-block align-middle"
    >
      <title>{told(interval, kind)}</title>
      <line x1={0} x2={100} y1={5} y2={5} className="stroke-line" strokeWidth={1} />
      <line
        x1={low * 100}
        x2={Math.max(high * 100, low * 100 + 1)}
        y1={5}
        y2={5}
        className="stroke-series-1"
        strokeWidth={3}
        strokeLinecap="round"
        opacity={0.45}
      />
      <circle cx={Math.min(97, Math.max(3, at * 100))} cy={5} r={3} className="fill-series-1" />
    </svg>
  );
}
