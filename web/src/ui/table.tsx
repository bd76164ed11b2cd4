// The dress of a plain table: a head that stays small, rows that can be scanned.
import type { ReactNode } from "react";
import { cx } from "./cx";

export const ROW = "h-[34px] border-b hover:bg-hover";

export function Table({
  label,
  head,
  children,
  min = 640,
}: {
  label: string;
  /** Each column's title; `num` stands at the right, `wide` is left out where it is narrow. */
  head: readonly { title: string; num?: boolean; wide?: boolean; hidden?: boolean }[];
  children: ReactNode;
  min?: number;
}) {
  return (
    <div className="relative overflow-x-auto">
      <table aria-label={label} className="w-full border-collapse" style={{ minWidth: min }}>
        <thead>
          <tr className="border-y">
            {head.map(({ title, num, wide, hidden }) => (
              <th
                key={title}
                scope="col"
                className={cx(
                  "h-7 px-2 text-xs font-medium whitespace-nowrap text-ink-3 first:pl-4 last:pr-4",
                  num ? "text-right" : "text-left",
                  wide && "max-wide:hidden",
                )}
              >
                {hidden ? <span className="sr-only">{title}</span> : title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function Cell({
  num,
  wide,
  className,
  title,
  children,
}: {
  num?: boolean;
  wide?: boolean;
  className?: string;
  title?: string;
  children?: ReactNode;
}) {
  return (
    <td
      title={title}
      className={cx(
        "px-2 first:pl-4 last:pr-4",
        num && "num",
        wide && "max-wide:hidden",
        className,
      )}
    >
      {children}
    </td>
  );
}
