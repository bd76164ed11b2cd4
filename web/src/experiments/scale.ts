// Round numbers for an axis. Pure.

/** Round steps that hold a range, at most nine. */
export function ticks(lowest: number, highest: number): number[] {
  const span = highest - lowest || Math.abs(highest) || 1;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const found: number[] = [];
  for (let at = Math.floor(lowest / step) * step; found.length < 9; at += step) {
    const tick = Number(at.toPrecision(12));
    found.push(Object.is(tick, -0) || Math.abs(tick) < step / 1e6 ? 0 : tick);
    if (at >= highest) break;
  }
  return found;
}
