import type { ReactNode } from "react";

export function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="border-b px-4 py-3">
      <h2 className="mb-1 font-semibold">{title}</h2>
      {children}
    </section>
  );
}
