// Which words two texts share. Pure.
export interface Piece {
  text: string;
  same: boolean;
}

const MOST = 1_200;

/** Both texts in pieces that the other has, and pieces that it has not (longest common subsequence
 * over words). Long texts are one piece each. */
export function wordDiff(one: string, other: string): [Piece[], Piece[]] {
  const a = one.match(/\s+|[^\s]+/g) ?? [];
  const b = other.match(/\s+|[^\s]+/g) ?? [];
  if (one === other) return [[{ text: one, same: true }], [{ text: other, same: true }]];
  if (a.length > MOST || b.length > MOST)
    return [[{ text: one, same: false }], [{ text: other, same: false }]];
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number) => table[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      table[i * width + j] =
        a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const left: Piece[] = [];
  const right: Piece[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      push(left, a[i++] ?? "", true);
      push(right, b[j++] ?? "", true);
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1)))
      push(left, a[i++] ?? "", false);
    else push(right, b[j++] ?? "", false);
  }
  return [left, right];
}

function push(pieces: Piece[], text: string, same: boolean): void {
  const last = pieces.at(-1);
  if (last && last.same === same) last.text += text;
  else pieces.push({ text, same });
}
