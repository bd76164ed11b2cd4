// What the board has used so far: tokens and, where the model's price is known, dollars; live.
import type { Model } from "../api/types";
import { compact, money } from "../ui/format";
import type { Column, Turn } from "./board";

interface Used {
  input: number;
  output: number;
  nano: number;
  /** Whether a part of it has no known price, or is counted here and not told by the model. */
  unpriced: boolean;
  estimated: boolean;
}

export function usedBy(columns: readonly Column[], models: readonly Model[]): Used {
  const used: Used = { input: 0, output: 0, nano: 0, unpriced: false, estimated: false };
  for (const { settings, turns } of columns) {
    const target = models.find((one) => one.name === settings.model)?.targets[0];
    for (const turn of turns) add(used, turn, target);
  }
  return used;
}

function add(used: Used, { result }: Turn, target: Model["targets"][number] | undefined): void {
  if (!result || (!result.usage && !result.pieces)) return;
  const { input, output } = result.usage ?? { input: 0, output: result.pieces ?? 0 };
  used.input += input;
  used.output += output;
  if (!result.usage) used.estimated = true;
  if (target?.free) return;
  const dollars = target?.price;
  if (!dollars || dollars.input === undefined || dollars.output === undefined) {
    used.unpriced = true;
    return;
  }
  used.nano += Math.round((input * dollars.input + output * dollars.output) * 1000);
}

export function Meter({
  columns,
  models,
}: {
  columns: readonly Column[];
  models: readonly Model[];
}) {
  const used = usedBy(columns, models);
  if (used.input + used.output === 0) return null;
  const cost = used.unpriced && used.nano === 0 ? "unknown" : money(used.nano);
  return (
    <p
      role="status"
      aria-label="Used so far"
      title="Tokens and cost of what is on the board; each answer's own figures come from its trace."
      className="num shrink-0 text-xs text-ink-3"
    >
      {compact(used.input)} in, {used.estimated && "≈"}
      {compact(used.output)} out, {used.unpriced && used.nano > 0 && "≥"}
      {cost}
    </p>
  );
}
