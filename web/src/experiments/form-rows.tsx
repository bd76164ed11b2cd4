// Rows of a form that grow and shrink, and a text field with suggestions.
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";

export function Rows(props: {
  title: string;
  error?: string;
  add: string;
  onAdd: () => void;
  children: React.ReactNode;
}) {
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 text-xs font-medium text-ink-2">{props.title}</legend>
      <ul className="flex flex-col gap-2">{props.children}</ul>
      {props.error && (
        <p role="alert" className="mt-1 text-xs text-bad">
          {props.error}
        </p>
      )}
      <Button className="mt-1.5" icon="plus" onClick={props.onAdd}>
        {props.add}
      </Button>
    </fieldset>
  );
}

export function Row({
  what,
  onRemove,
  below,
  children,
}: {
  what: string;
  onRemove?: () => void;
  below?: React.ReactNode;
  children: React.ReactNode;
}) {
  return (
    <li className="grid grid-cols-[1fr_1.4fr_1fr_32px] items-end gap-x-2 gap-y-1.5">
      {children}
      <Button
        tone="ghost"
        icon="trash"
        aria-label={`Remove ${what}`}
        disabled={!onRemove}
        onClick={onRemove}
      />
      {below}
    </li>
  );
}

export function Text(props: {
  label: string;
  value: string;
  on: (next: string) => void;
  hint?: string;
  error?: string;
  of?: readonly string[];
  disabled?: boolean;
  placeholder?: string;
}) {
  return (
    <Field label={props.label} hint={props.hint} error={props.error}>
      {(given) => (
        <>
          <Input
            value={props.value}
            disabled={props.disabled}
            placeholder={props.placeholder}
            list={props.of ? `${given.id}-of` : undefined}
            onChange={(event) => props.on(event.target.value)}
            {...given}
          />
          {props.of && (
            <datalist id={`${given.id}-of`}>
              {props.of.map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}
