// Lines through values of which some are unknown, and round numbers for an axis. Pure.
import type { Rule } from "./words";

/** SVG paths: one for each run of known values; a value alone is a dot. */
export function paths(
  values: readonly (number | null)[],
  x: (at: number) => number,
  y: (value: number) => number,
): string[] {
  const found: string[] = [];
  let run = "";
  values.forEach((value, at) => {
    if (value === null) {
      if (run) found.push(run);
      run = "";
    } else {
      const point = `${x(at).toFixed(1)},${y(value).toFixed(1)}`;
      run = run ? `${run}L${point}` : `M${point}h0.01`;
    }
  });
  if (run) found.push(run);
  return found;
}

/** The value that a rule's line of one number is compared with. */
export function lineValue(rule: Rule): number | undefined {
  return rule.kind === "threshold" ? rule.threshold : undefined;
}

/** Up to four round steps from 0 (or below) to beyond the highest value. */
export function ticks(lowest: number, highest: number): number[] {
  const span = highest - lowest || 1;
  const rough = span / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const first = Math.floor(lowest / step) * step;
  const found: number[] = [];
  for (let at = first; at < highest + step && found.length < 8; at += step)
    found.push(Number(at.toPrecision(12)));
  return found;
}
