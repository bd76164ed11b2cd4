// What stands beside every figure of a judge: how far it agrees with people, and whether decisions
// may rest on it. Used wherever a judge's word is shown.
import type { components } from "../api/schema";
import { Badge, type Tone } from "../ui/badge";

type Told = components["schemas"]["Badge"];

const TONE: Record<Told["state"], Tone> = {
  certified: "ok",
  uncertified: "warn",
  expired: "bad",
};

/** The agreement in a few characters, with the interval. */
export function agreement(badge: Told): string {
  if (badge.kappa == null) return "";
  const ends =
    badge.low == null || badge.high == null
      ? ""
      : ` [${badge.low.toFixed(2)}, ${badge.high.toFixed(2)}]`;
  return `κ ${badge.kappa.toFixed(2)}${ends} n=${badge.n}`;
}

export function Certificate({ badge }: { badge: Told | null | undefined }) {
  if (!badge) return null;
  const rests =
    badge.state === "certified" ? "Decisions may rest on it." : "It may inform, never gate.";
  const told = agreement(badge);
  return (
    <Badge tone={TONE[badge.state]} title={`${badge.judge}: ${badge.words}. ${rests}`}>
      {badge.state}
      {told && <span className="pl-1 font-normal">{told}</span>}
    </Badge>
  );
}

export function Certificates({ badges }: { badges: readonly Told[] | undefined }) {
  if (!badges?.length) return null;
  return (
    <span className="inline-flex flex-wrap gap-1">
      {badges.map((badge) => (
        <Certificate key={badge.judge} badge={badge} />
      ))}
    </span>
  );
}
