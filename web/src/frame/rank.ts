// Ordering commands by how well they match what was typed. Pure.

interface Ranked {
  label: string;
  group: string;
  note?: string;
}

/** Higher is better; 0 is no match. A word's beginning counts more than its middle. */
export function score(label: string, typed: string): number {
  const text = label.toLowerCase();
  const wanted = typed.toLowerCase().trim();
  if (!wanted) return 1;
  const at = text.indexOf(wanted);
  if (at === 0) return 100;
  if (at > 0) return /[\s/_.:-]/.test(text[at - 1] ?? "") ? 80 : 60;
  const words = wanted.split(/\s+/);
  if (words.length > 1 && words.every((word) => text.includes(word))) return 50;
  let from = 0;
  for (const letter of wanted) {
    const next = text.indexOf(letter, from);
    if (next < 0) return 0;
    from = next + 1;
  }
  return 10;
}

/** The matching items; groups keep together, the group of the best match comes first. */
export function rank<T extends Ranked>(items: readonly T[], typed: string): T[] {
  if (!typed.trim()) return [...items];
  const scored = items
    .map((item) => ({
      item,
      points: Math.max(score(item.label, typed), score(item.note ?? "", typed) / 2),
    }))
    .filter(({ points, item }) => points > 0 && (points > 1 || item.label));
  const best = new Map<string, number>();
  for (const { item, points } of scored) {
    best.set(item.group, Math.max(best.get(item.group) ?? 0, points));
  }
  return scored
    .sort(
      (a, b) =>
        (best.get(b.item.group) ?? 0) - (best.get(a.item.group) ?? 0) ||
        a.item.group.localeCompare(b.item.group) ||
        b.points - a.points,
    )
    .map(({ item }) => item);
}
