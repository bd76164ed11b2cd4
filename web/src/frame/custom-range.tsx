import { useState } from "react";
import { resolveWindow } from "../api/window";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { type Scope, windowOf } from "./search";

/** A local instant as `datetime-local` wants it. */
function localValue(ms: number): string {
  const offset = new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(ms - offset).toISOString().slice(0, 16);
}

interface Props {
  scope: Scope;
  onClose: () => void;
  onChoose: (from_ms: number, to_ms: number) => void;
}

export function CustomRange({ scope, onClose, onChoose }: Props) {
  const present = resolveWindow(windowOf(scope));
  const [from, setFrom] = useState(localValue(present.from_ms));
  const [to, setTo] = useState(localValue(present.to_ms));
  const from_ms = new Date(from).getTime();
  const to_ms = new Date(to).getTime();
  const wrong = !(from_ms < to_ms);
  return (
    <Dialog
      open
      onClose={onClose}
      title="Custom time range"
      width={420}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            tone="primary"
            disabled={wrong}
            onClick={() => {
              onChoose(from_ms, to_ms);
              onClose();
            }}
          >
            Show
          </Button>
        </>
      }
    >
      <div className="grid grid-cols-2 gap-3">
        <Field label="From">
          {(props) => (
            <Input
              type="datetime-local"
              value={from}
              onChange={(event) => setFrom(event.target.value)}
              {...props}
            />
          )}
        </Field>
        <Field label="To" error={wrong ? "Must be later than the start." : undefined}>
          {(props) => (
            <Input
              type="datetime-local"
              value={to}
              onChange={(event) => setTo(event.target.value)}
              {...props}
            />
          )}
        </Field>
      </div>
    </Dialog>
  );
}
