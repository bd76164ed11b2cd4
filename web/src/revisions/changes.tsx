// What would change, or did: one line for each step, in words.
import type { Change } from "../api/types";
import { cx } from "../ui/cx";
import { changeWords } from "./words";

const TONE = { "+": "text-ok", "~": "text-warn", "-": "text-bad" } as const;
const SAID = { "+": "added", "~": "changed", "-": "removed" } as const;

export function Changes({ changes }: { changes: readonly Change[] }) {
  if (changes.length === 0) return <p className="text-ink-2">Nothing differs.</p>;
  return (
    <ul aria-label="Changes" className="divide-y rounded-lg border">
      {changes.map((change) => {
        const { sign, subject, field, before, after } = changeWords(change);
        return (
          <li key={change.name} className="grid grid-cols-[18px_minmax(0,1fr)] gap-x-1 px-3 py-1.5">
            <span className={cx("font-mono", TONE[sign])} title={SAID[sign]}>
              <span aria-hidden="true">{sign}</span>
              <span className="sr-only">{SAID[sign]}</span>
            </span>
            <div className="min-w-0">
              <span className="font-medium break-words">{subject}</span>
              {field && <span className="text-ink-2"> · {field}</span>}
              {sign === "~" ? (
                <p className="text-xs leading-5 break-words text-ink-2">
                  <del className="decoration-ink-3">{before}</del>
                  <span aria-hidden="true" className="px-1.5 text-ink-3">
                    →
                  </span>
                  <ins className="text-ink no-underline">{after}</ins>
                </p>
              ) : (
                <p className="text-xs leading-5 break-words text-ink-2">{after || before}</p>
              )}
            </div>
          </li>
        );
      })}
    </ul>
  );
}
