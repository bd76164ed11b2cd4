// Which arm of an experiment a unit is in. Pure, and the twin of stockpot.assign: BLAKE2b of the
// salt, a zero and the unit; the first six bytes are the place in the ramp, the next six the place
// among the arms, the twelve after them the name that the unit has in records.

import { createHash } from "node:crypto";

export interface Arm {
  name: string;
  /** Of 10,000. */
  weight: number;
  target: string;
}

export interface Experiment {
  id: string;
  name: string;
  salt: string;
  arms: Arm[];
  /** The part of the units that takes part, of 10,000. */
  share: number;
  control: string;
  starts_ms?: number;
  state?: string;
}

export interface Drawn {
  arm: Arm;
  unit: string;
}

const WHOLE = 10_000;

/** The arm of a unit; undefined for one that does not take part (yet). */
export function draw(experiment: Experiment, unit: string): Drawn | undefined {
  if ((experiment.state ?? "running") !== "running") return undefined;
  const digest = createHash("blake2b512").update(`${experiment.salt}\0${unit}`, "utf8").digest();
  if (digest.readUIntBE(0, 6) % WHOLE >= experiment.share) return undefined;
  const arms = experiment.arms.filter((arm) => arm.weight > 0);
  let left = digest.readUIntBE(6, 6) % arms.reduce((sum, arm) => sum + arm.weight, 0);
  for (const arm of arms) {
    if (left < arm.weight) return { arm, unit: digest.subarray(12, 24).toString("hex") };
    left -= arm.weight;
  }
  return undefined;
}
