import type { ReactNode } from "react";
import { Button } from "../ui/button";
import { useCopy } from "../ui/copy";
import { Dialog } from "../ui/dialog";

interface Props {
  title: string;
  description: string;
  secret: string;
  done: string;
  onClose: () => void;
  children?: ReactNode;
}

/** Something that is shown this one time. */
export function OnceDialog({ title, description, secret, done, onClose, children }: Props) {
  const [copied, copy] = useCopy();
  return (
    <Dialog
      open
      dismissible={false}
      onClose={onClose}
      title={title}
      description={description}
      footer={
        <Button tone="primary" onClick={onClose}>
          {done}
        </Button>
      }
    >
      <div className="flex items-center gap-2 rounded-lg border border-line-strong bg-panel p-2 pl-3">
        <code
          data-testid="secret"
          className="min-w-0 flex-1 font-mono text-xs break-all select-all"
        >
          {secret}
        </code>
        <Button icon={copied ? "check" : "copy"} onClick={() => copy(secret)}>
          {copied ? "Copied" : "Copy"}
        </Button>
      </div>
      {children && <div className="mt-3 text-ink-2">{children}</div>}
    </Dialog>
  );
}
