// States what a model costs, with where the figure comes from.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import type { ModelPrices } from "../api/types";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";
import { FormDialog } from "../ui/form-dialog";
import { Select } from "../ui/select";
import { toast } from "../ui/toast";
import {
  BUCKETS,
  nameOf,
  newPrice,
  type PriceDraft,
  type PriceProblems,
  priceDraft,
  priceProblems,
  USUAL,
} from "./price-draft";

interface Props {
  /** The id of a row, the name of a model, or nothing. */
  asked: string;
  prices: readonly ModelPrices[];
  onClose: () => void;
}

export default function PriceDialog({ asked, prices, onClose }: Props) {
  const client = useQueryClient();
  const [draft, setDraft] = useState<PriceDraft>(() => priceDraft(asked, prices));
  const [shown, setShown] = useState(false);
  const wrong = priceProblems(draft);
  const save = useMutation({
    mutationFn: () => call("/api/v1/prices", { method: "POST", body: newPrice(draft) }),
    onSuccess: () => {
      toast({ text: `${draft.of} is priced. Workers follow within a second.` });
      for (const key of ["prices", "models"]) client.invalidateQueries({ queryKey: [key] });
      onClose();
    },
  });
  const submit = () => {
    setShown(true);
    if (Object.keys(wrong).length === 0) save.mutate();
  };
  return (
    <FormDialog
      onClose={onClose}
      width={600}
      title={asked ? `Price of ${draft.of || asked}` : "State a price"}
      description="It holds for calls from now on, or from the day that you name. Calls that were billed keep their cost until they are priced again."
      action="Save"
      busy={save.isPending}
      error={save.error}
      onSubmit={submit}
      className="flex flex-col gap-4"
    >
      {!asked && (
        <Field label="Model" error={shown ? wrong.of : undefined}>
          {() => (
            <Select
              label="Model"
              className="w-full"
              value={draft.of}
              placeholder="Choose a model"
              onChange={(of) => setDraft(priceDraft(of, prices))}
              choices={prices.map((one) => ({
                value: nameOf(one),
                label: nameOf(one),
                note: one.free ? "free" : one.present ? "priced" : "unknown",
              }))}
            />
          )}
        </Field>
      )}
      <Amounts
        draft={draft}
        problem={shown ? wrong.dollars : undefined}
        onChange={(dollars) => setDraft({ ...draft, dollars })}
      />
      <Rest
        draft={draft}
        problems={shown ? wrong : {}}
        onChange={(next) => setDraft({ ...draft, ...next })}
      />
    </FormDialog>
  );
}

interface AmountsProps {
  draft: PriceDraft;
  problem?: string;
  onChange: (dollars: PriceDraft["dollars"]) => void;
}

/** The buckets of most models; the others when they are asked for, or already have a price. */
function Amounts({ draft, problem, onChange }: AmountsProps) {
  const [all, setAll] = useState(() => BUCKETS.slice(USUAL).some(([one]) => draft.dollars[one]));
  return (
    <fieldset>
      <legend className="mb-1 text-xs font-medium text-ink-2">
        Dollars <span className="font-normal text-ink-3">per million tokens</span>
      </legend>
      <div className="grid grid-cols-4 gap-3">
        {BUCKETS.slice(0, all ? BUCKETS.length : USUAL).map(([bucket, label]) => (
          <Field key={bucket} label={label}>
            {(props) => (
              <Input
                inputMode="decimal"
                placeholder="–"
                value={draft.dollars[bucket] ?? ""}
                onChange={(event) => onChange({ ...draft.dollars, [bucket]: event.target.value })}
                {...props}
                aria-invalid={problem ? true : undefined}
              />
            )}
          </Field>
        ))}
      </div>
      {problem && (
        <p role="alert" className="mt-1 text-xs text-bad">
          {problem}
        </p>
      )}
      {!all && (
        <Button tone="ghost" icon="plus" className="mt-2 -ml-2" onClick={() => setAll(true)}>
          Audio, images, reasoning, requests, characters
        </Button>
      )}
    </fieldset>
  );
}

interface RestProps {
  draft: PriceDraft;
  problems: PriceProblems;
  onChange: (next: Partial<PriceDraft>) => void;
}

function Rest({ draft, problems, onChange }: RestProps) {
  const input = (field: "source" | "from" | "tier" | "above", more: object) => (props: object) => (
    <Input
      value={draft[field]}
      onChange={(event) => onChange({ [field]: event.target.value })}
      {...more}
      {...props}
    />
  );
  return (
    <>
      <Field label="Source" error={problems.source}>
        {input("source", { placeholder: "contract of 1 March, page 4", maxLength: 500 })}
      </Field>
      <div className="grid grid-cols-3 gap-3">
        <Field label="Holds from" hint={draft.from ? undefined : "Always, when left empty."}>
          {input("from", { type: "date" })}
        </Field>
        <Field label="Service tier" hint={draft.tier ? undefined : "The ordinary one."}>
          {input("tier", { placeholder: "flex", maxLength: 40 })}
        </Field>
        <Field
          label="Prompts above, tokens"
          error={problems.above}
          hint={draft.above ? undefined : "Every prompt."}
        >
          {input("above", { placeholder: "200000", inputMode: "numeric" })}
        </Field>
      </div>
    </>
  );
}
