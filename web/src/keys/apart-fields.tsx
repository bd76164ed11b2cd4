// Limits within a key or a project: of each end user by himself, and of single models.
import type { Model } from "../api/types";
import { Button } from "../ui/button";
import { Input } from "../ui/field";
import { NativeSelect } from "../ui/native-select";
import { noRates, type Rates, type Within, whole } from "./within";

interface Props {
  draft: Within;
  error?: string;
  models: readonly Model[];
  onChange: (next: Partial<Within>) => void;
}

const FIELDS = [
  { field: "rpm", label: "requests per minute" },
  { field: "tpm", label: "tokens per minute" },
  { field: "concurrency", label: "concurrent calls" },
] as const;

export function Apart({ draft, error, models, onChange }: Props) {
  const known = draft.apart.map((one) => one.model);
  const free = models.map((model) => model.name).filter((name) => !known.includes(name));
  const change = (model: string, next: Partial<Rates>) =>
    onChange({
      apart: draft.apart.map((one) => (one.model === model ? { ...one, ...next } : one)),
    });
  return (
    <fieldset>
      <legend className="mb-1 text-xs font-medium text-ink-2">
        Limits apart{" "}
        <span className="font-normal text-ink-3">
          calls a minute, tokens a minute, calls at once
        </span>
      </legend>
      <div className="flex flex-col gap-1.5">
        <Row
          name="each end user"
          rates={draft.user}
          error={error}
          onChange={(next) => onChange({ user: { ...draft.user, ...next } })}
        />
        {draft.apart.map((one) => (
          <Row
            key={one.model}
            name={one.model}
            rates={one}
            error={error}
            onChange={(next) => change(one.model, next)}
            onRemove={() =>
              onChange({ apart: draft.apart.filter((other) => other.model !== one.model) })
            }
          />
        ))}
        {free.length > 0 && (
          <span>
            <NativeSelect
              label="Limit one model apart"
              value=""
              onChange={(model) =>
                model && onChange({ apart: [...draft.apart, { model, ...noRates }] })
              }
              choices={[
                { value: "", label: "Limit one model…" },
                ...free.map((name) => ({ value: name, label: name })),
              ]}
            />
          </span>
        )}
      </div>
      {error && <p className="mt-1 text-xs text-bad">{error}</p>}
    </fieldset>
  );
}

interface RowProps {
  name: string;
  rates: Rates;
  error?: string;
  onChange: (next: Partial<Rates>) => void;
  onRemove?: () => void;
}

function Row({ name, rates, error, onChange, onRemove }: RowProps) {
  return (
    <div className="grid grid-cols-[1fr_110px_110px_110px_28px] items-center gap-2">
      <span className="truncate">{name}</span>
      {FIELDS.map(({ field, label }) => (
        <Input
          key={field}
          aria-label={`${name}: ${label}`}
          placeholder="no limit"
          inputMode="numeric"
          value={rates[field]}
          aria-invalid={error && rates[field].trim() && !whole(rates[field]) ? true : undefined}
          onChange={(event) => onChange({ [field]: event.target.value })}
        />
      ))}
      {onRemove && (
        <Button tone="ghost" icon="close" aria-label={`No limit of ${name}`} onClick={onRemove} />
      )}
    </div>
  );
}
