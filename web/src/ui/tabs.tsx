import { Tabs as Base } from "@base-ui/react/tabs";
import type { ReactNode } from "react";

export interface Tab {
  id: string;
  label: ReactNode;
  content: ReactNode;
}

interface Props {
  label: string;
  tabs: readonly Tab[];
  value: string;
  onChange: (id: string) => void;
  aside?: ReactNode;
}

export function Tabs({ label, tabs, value, onChange, aside }: Props) {
  const known = tabs.some((tab) => tab.id === value) ? value : tabs[0]?.id;
  return (
    <Base.Root
      value={known}
      onValueChange={(next) => onChange(String(next))}
      className="flex min-h-0 flex-col"
    >
      <div className="flex items-center border-b px-4">
        <Base.List aria-label={label} className="flex flex-1 gap-4">
          {tabs.map((tab) => (
            <Base.Tab
              key={tab.id}
              value={tab.id}
              className="-mb-px h-9 border-b-2 border-transparent text-sm text-ink-2 hover:text-ink data-[active]:border-accent data-[active]:font-medium data-[active]:text-ink"
            >
              {tab.label}
            </Base.Tab>
          ))}
        </Base.List>
        {aside}
      </div>
      {tabs.map((tab) => (
        <Base.Panel key={tab.id} value={tab.id} className="min-h-0 outline-none">
          {tab.content}
        </Base.Panel>
      ))}
    </Base.Root>
  );
}
