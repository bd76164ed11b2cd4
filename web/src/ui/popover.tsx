import { Popover as Base } from "@base-ui/react/popover";
import type { ReactElement, ReactNode } from "react";
import { cx } from "./cx";

interface Props {
  trigger: ReactElement;
  title?: string;
  children: ReactNode;
  className?: string;
  align?: "start" | "center" | "end";
  side?: "top" | "bottom" | "left" | "right";
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
}

export function Popover({
  trigger,
  title,
  children,
  className,
  align = "start",
  side = "bottom",
  open,
  onOpenChange,
}: Props) {
  return (
    <Base.Root open={open} onOpenChange={onOpenChange}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner
          sideOffset={6}
          align={align}
          side={side}
          collisionPadding={8}
          className="z-[55]"
        >
          <Base.Popup
            className={cx(
              "max-h-[min(560px,var(--available-height))] overflow-y-auto rounded-lg border border-line-strong bg-raised shadow-[var(--shadow)] outline-none",
              className,
            )}
          >
            {title && (
              <Base.Title className="border-b px-3 py-2 text-sm font-semibold">{title}</Base.Title>
            )}
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
