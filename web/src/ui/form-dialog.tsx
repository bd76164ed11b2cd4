// A dialog that sends one form: Cancel and one action below it, and what went wrong always in sight,
// with everything that was typed still there.
import { type ReactNode, useId } from "react";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Failure } from "./states";

interface FormDialogProps {
  title: string;
  description?: ReactNode;
  width?: number;
  /** The word on the button that sends it. */
  action: string;
  tone?: "primary" | "danger";
  busy: boolean;
  disabled?: boolean;
  /** Why it could not be sent. */
  error: unknown;
  onSubmit: () => void;
  onClose: () => void;
  className?: string;
  children: ReactNode;
}

export function FormDialog(props: FormDialogProps) {
  const { action, tone = "primary", busy, disabled, error, onSubmit, onClose } = props;
  const form = useId();
  return (
    <Dialog
      open
      onClose={onClose}
      title={props.title}
      description={props.description}
      width={props.width}
      above={Boolean(error) && <Failure error={error} />}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone={tone} type="submit" form={form} busy={busy} disabled={disabled}>
            {action}
          </Button>
        </>
      }
    >
      <form
        id={form}
        noValidate
        className={props.className}
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit();
        }}
      >
        {props.children}
      </form>
    </Dialog>
  );
}
