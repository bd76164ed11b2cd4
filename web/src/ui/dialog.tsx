import { AlertDialog as BaseAlert } from "@base-ui/react/alert-dialog";
import { Dialog as Base } from "@base-ui/react/dialog";
import { type ReactNode, useRef, useState } from "react";
import { Button } from "./button";
import { cx } from "./cx";
import { toastError } from "./toast";

const BACKDROP =
  "fixed inset-0 z-50 bg-[oklch(0.15_0.01_60/0.4)] transition-opacity duration-100 data-[ending-style]:opacity-0 data-[starting-style]:opacity-0";
const POPUP =
  "fixed top-[min(12vh,120px)] left-1/2 z-50 flex max-h-[82vh] max-w-[calc(100vw-32px)] -translate-x-1/2 flex-col rounded-xl border border-line-strong bg-raised shadow-[var(--shadow)] transition-all duration-100 data-[ending-style]:scale-[0.98] data-[ending-style]:opacity-0 data-[starting-style]:scale-[0.98] data-[starting-style]:opacity-0";

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  width?: number;
  children: ReactNode;
  footer?: ReactNode;
  /** Stands between the body, which may scroll, and the footer. */
  above?: ReactNode;
  /** False keeps the dialog when the user clicks beside it: for secrets that are shown once. */
  dismissible?: boolean;
}

export function Dialog({
  open,
  onClose,
  title,
  description,
  width = 560,
  children,
  footer,
  above,
  dismissible = true,
}: DialogProps) {
  const body = useRef<HTMLDivElement>(null);
  return (
    <Base.Root
      open={open}
      disablePointerDismissal={!dismissible}
      onOpenChange={(next) => {
        if (!next) onClose();
      }}
    >
      <Base.Portal>
        <Base.Backdrop className={BACKDROP} />
        <Base.Popup
          className={POPUP}
          style={{ width }}
          initialFocus={() =>
            body.current?.querySelector<HTMLElement>("input:enabled, textarea, button")
          }
        >
          <header className="flex items-start gap-3 border-b px-5 pt-4 pb-3">
            <div className="min-w-0 flex-1">
              <Base.Title className="text-base font-semibold">{title}</Base.Title>
              {description && (
                <Base.Description className="text-ink-2">{description}</Base.Description>
              )}
            </div>
            <Base.Close render={<Button tone="ghost" icon="close" aria-label="Close" />} />
          </header>
          <div ref={body} className="min-h-0 flex-1 overflow-y-auto px-5 py-4">
            {children}
          </div>
          {above && <div className="px-5 pb-4">{above}</div>}
          {footer && (
            <footer className="flex items-center justify-end gap-2 border-t px-5 py-3">
              {footer}
            </footer>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

interface ConfirmProps {
  open: boolean;
  title: string;
  children: ReactNode;
  action: string;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before something that cannot be taken back. */
export function Confirm({ open, title, children, action, onConfirm, onClose }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const confirm = async () => {
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      toastError(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <BaseAlert.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <BaseAlert.Portal>
        <BaseAlert.Backdrop className={BACKDROP} />
        <BaseAlert.Popup className={cx(POPUP, "w-[420px]")}>
          <div className="px-5 pt-4 pb-4">
            <BaseAlert.Title className="text-base font-semibold">{title}</BaseAlert.Title>
            <BaseAlert.Description render={<div className="mt-1 text-ink-2">{children}</div>} />
          </div>
          <footer className="flex justify-end gap-2 border-t px-5 py-3">
            <BaseAlert.Close render={<Button>Cancel</Button>} />
            <Button tone="danger" busy={busy} onClick={confirm}>
              {action}
            </Button>
          </footer>
        </BaseAlert.Popup>
      </BaseAlert.Portal>
    </BaseAlert.Root>
  );
}
