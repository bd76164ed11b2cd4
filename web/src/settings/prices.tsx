// What models cost here: where published prices come from, and the prices that were stated.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { call } from "../api/client";
import { needs, useMay } from "../api/may";
import { pricesQuery } from "../api/queries";
import type { ModelPrices, Price } from "../api/types";
import { Button } from "../ui/button";
import { Confirm } from "../ui/dialog";
import { day, plural } from "../ui/format";
import { Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { toast } from "../ui/toast";
import { dollars, ownPrices, unpriced } from "./groups";
import { nameOf } from "./price-draft";
import { Section } from "./section";

const PriceDialog = lazy(() => import("./price-dialog"));

export function Prices() {
  const prices = useQuery(pricesQuery);
  const { price: asked } = useSearch({ from: "/frame/settings" });
  const navigate = useNavigate();
  const admin = useMay().instance("admin");
  const [doomed, setDoomed] = useState<Price | null>(null);
  if (prices.error && !prices.data)
    return <Failure error={prices.error} onRetry={prices.refetch} className="m-4" />;
  if (!prices.data) return <Lines rows={3} />;
  const state = (price: string | undefined) =>
    navigate({ to: "/settings", search: (old) => ({ ...old, price }) });
  const own = ownPrices(prices.data);
  return (
    <Section title="Prices">
      <div className="flex items-start gap-3">
        <Told prices={prices.data} onState={admin ? state : undefined} />
        <Button
          icon="plus"
          disabled={!admin}
          title={admin ? undefined : needs("admin")}
          onClick={() => state("")}
        >
          State a price
        </Button>
      </div>
      {own.length > 0 && (
        <OwnPrices own={own} admin={admin} onChange={state} onRemove={setDoomed} />
      )}
      <Removal doomed={doomed} onClose={() => setDoomed(null)} />
      <Suspense>
        {admin && asked !== undefined && (
          <PriceDialog
            key={asked}
            asked={asked}
            prices={prices.data}
            onClose={() => state(undefined)}
          />
        )}
      </Suspense>
    </Section>
  );
}

interface ToldProps {
  prices: readonly ModelPrices[];
  onState?: (of: string) => void;
}

/** Which models have a price and by whom; each without one can be given one. */
function Told({ prices, onState }: ToldProps) {
  const unknown = unpriced(prices);
  const rows = prices.flatMap((model) => model.rows.filter((row) => !row.own));
  const sources = [...new Set(rows.map((row) => row.source.split(",")[0]))];
  return (
    <div className="mr-auto min-w-0 text-ink-2">
      <p>
        {plural(prices.length, "model")} at a provider
        {sources.length > 0 && `; published prices from ${sources.join(", ")}`}. A price of your own
        stands above a published one.
      </p>
      {unknown.length > 0 && (
        <p>
          <Link to="/traces" search={{ unpriced: true }} className="text-warn hover:underline">
            {plural(unknown.length, "model")} of unknown price: their calls are counted, not billed.
          </Link>{" "}
          {onState &&
            unknown.slice(0, 12).map((model) => (
              <Button key={nameOf(model)} tone="ghost" onClick={() => onState(nameOf(model))}>
                {nameOf(model)}
              </Button>
            ))}
        </p>
      )}
    </div>
  );
}

interface OwnProps {
  own: readonly Price[];
  admin: boolean;
  onChange: (id: string) => void;
  onRemove: (price: Price) => void;
}

function OwnPrices({ own, admin, onChange, onRemove }: OwnProps) {
  return (
    <div className="-mx-4 mt-2 -mb-3 [&_tr:last-child]:border-b-0">
      <Table
        label="Own prices"
        head={[
          { title: "Model" },
          { title: "Dollars per million" },
          { title: "Holds for", wide: true },
          { title: "Source" },
          { title: "Actions", hidden: true },
        ]}
      >
        {own.map((price) => (
          <tr key={price.id} className={ROW}>
            <Cell className="font-medium">{nameOf(price)}</Cell>
            <Cell>{dollars(price)}</Cell>
            <Cell wide className="text-ink-2">
              {holdsFor(price)}
            </Cell>
            <Cell className="max-w-[280px] truncate text-ink-2" title={price.source}>
              {price.source}
            </Cell>
            <Cell>
              {admin && (
                <span className="flex justify-end">
                  <Button
                    tone="ghost"
                    icon="edit"
                    aria-label={`Change the price of ${nameOf(price)}`}
                    onClick={() => onChange(price.id)}
                  />
                  <Button
                    tone="ghost"
                    icon="trash"
                    aria-label={`Remove the price of ${nameOf(price)}`}
                    onClick={() => onRemove(price)}
                  />
                </span>
              )}
            </Cell>
          </tr>
        ))}
      </Table>
    </div>
  );
}

function holdsFor({ valid_from_ms, tier, above }: Price): string {
  const words = [
    tier && `tier ${tier}`,
    above > 0 && `prompts above ${above} tokens`,
    valid_from_ms > 0 && `from ${day(valid_from_ms)} ${new Date(valid_from_ms).getFullYear()}`,
  ].filter(Boolean);
  return words.join(", ") || "every call";
}

function Removal({ doomed, onClose }: { doomed: Price | null; onClose: () => void }) {
  const client = useQueryClient();
  return (
    <Confirm
      open={doomed !== null}
      title={`Remove the price of ${doomed ? nameOf(doomed) : ""}?`}
      action="Remove"
      onConfirm={async () => {
        if (!doomed) return;
        const id = doomed.id.replace(/^own\//, "");
        await call(`/api/v1/prices/${encodeURIComponent(id)}`, { method: "DELETE" });
        toast({ text: `The price of ${nameOf(doomed)} is removed.` });
        for (const key of ["prices", "models"]) client.invalidateQueries({ queryKey: [key] });
      }}
      onClose={onClose}
    >
      Calls from now on cost what is published, or are of unknown cost. What was billed stays.
    </Confirm>
  );
}
