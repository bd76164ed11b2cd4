import { cx } from "./cx";

interface Props {
  label: string;
  /** 1 is full; more is possible. */
  share: number;
  className?: string;
}

/** How full something is: calm below half, watched from there, warned at 80, full at 100 percent. */
export function Meter({ label, share, className }: Props) {
  const tone =
    share >= 1 ? "bg-bad" : share >= 0.8 ? "bg-warn" : share >= 0.5 ? "bg-series-2" : "bg-series-1";
  return (
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(Math.min(1, share) * 100)}
      aria-valuetext={`${Math.round(share * 100)} percent`}
      className={cx("relative h-1.5 overflow-hidden rounded-sm bg-mute-wash", className)}
    >
      <div
        className={cx("h-full", tone)}
        style={{ width: `${Math.min(100, Math.max(share * 100, share > 0 ? 1 : 0))}%` }}
      />
      {[50, 80].map((mark) => (
        <span
          key={mark}
          aria-hidden="true"
          className="absolute inset-y-0 w-px bg-page"
          style={{ left: `${mark}%` }}
        />
      ))}
    </div>
  );
}
