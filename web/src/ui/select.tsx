import { CSPProvider } from "@base-ui/react/csp-provider";
import { Select as Base } from "@base-ui/react/select";
import { cx } from "./cx";
import { Icon } from "./icons";

export interface Choice {
  value: string;
  label: string;
  note?: string;
}

interface Props {
  label: string;
  value: string;
  choices: readonly Choice[];
  onChange: (value: string) => void;
  id?: string;
  className?: string;
  placeholder?: string;
  disabled?: boolean;
}

export function Select({
  label,
  value,
  choices,
  onChange,
  id,
  className,
  placeholder,
  disabled,
}: Props) {
  const chosen = choices.find((choice) => choice.value === value);
  return (
    // Our content policy allows no style elements; this one would only hide a scrollbar.
    <CSPProvider disableStyleElements>
      <Base.Root
        value={value}
        disabled={disabled}
        onValueChange={(next) => next !== null && onChange(next)}
      >
        <Base.Trigger
          id={id}
          aria-label={label}
          className={cx(
            "inline-flex h-7 min-w-0 items-center justify-between gap-1.5 rounded-md border border-line-strong bg-raised px-2 text-sm hover:bg-hover data-[disabled]:cursor-not-allowed data-[disabled]:opacity-60 data-[popup-open]:bg-hover",
            className,
          )}
        >
          <span className={cx("truncate", !chosen && "text-ink-3")}>
            {chosen?.label ?? (value || (placeholder ?? label))}
          </span>
          <Icon name="chevron" size={12} className="shrink-0 text-ink-3" />
        </Base.Trigger>
        <Base.Portal>
          <Base.Positioner
            sideOffset={4}
            alignItemWithTrigger={false}
            className="z-[60] outline-none"
          >
            <Base.Popup className="max-h-[min(420px,var(--available-height))] min-w-[var(--anchor-width)] overflow-y-auto rounded-lg border border-line-strong bg-raised p-1 shadow-[var(--shadow)] outline-none">
              {choices.map((choice) => (
                <Base.Item
                  key={choice.value}
                  value={choice.value}
                  className="flex h-7 cursor-default items-center gap-2 rounded-md pr-3 pl-1.5 text-sm outline-none select-none data-[highlighted]:bg-hover"
                >
                  <span className="w-3.5">
                    <Base.ItemIndicator>
                      <Icon name="check" size={13} className="text-accent" />
                    </Base.ItemIndicator>
                  </span>
                  <Base.ItemText className="whitespace-nowrap">{choice.label}</Base.ItemText>
                  {choice.note && (
                    <span className="ml-auto pl-4 text-xs text-ink-3">{choice.note}</span>
                  )}
                </Base.Item>
              ))}
            </Base.Popup>
          </Base.Positioner>
        </Base.Portal>
      </Base.Root>
    </CSPProvider>
  );
}

/** A select with its name above it, as wide as its place. */
export function LabelledSelect<T extends string>({
  className,
  onChange,
  ...select
}: Omit<Props, "value" | "onChange"> & { value: T; onChange: (value: T) => void }) {
  return (
    <div className={cx("min-w-0", className)}>
      <p className="mb-1 truncate text-xs font-medium text-ink-2">{select.label}</p>
      <Select {...select} className="w-full" onChange={(next) => onChange(next as T)} />
    </div>
  );
}
