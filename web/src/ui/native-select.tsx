import { Icon } from "./icons";

interface Props {
  label: string;
  value: string;
  choices: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
}

/** The platform's own select in our dress: no code to load, right on every device. */
export function NativeSelect({ label, value, choices, onChange }: Props) {
  const known = choices.some((choice) => choice.value === value);
  return (
    <span className="relative inline-flex min-w-0">
      <select
        aria-label={label}
        title={label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className="h-7 max-w-[190px] min-w-0 appearance-none truncate rounded-md border border-line-strong bg-raised pr-6 pl-2 text-sm text-ink hover:bg-hover"
      >
        {!known && <option value={value}>{value}</option>}
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
      <Icon
        name="chevron"
        size={12}
        className="pointer-events-none absolute top-2 right-1.5 text-ink-3"
      />
    </span>
  );
}
