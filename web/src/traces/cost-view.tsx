import { Link } from "@tanstack/react-router";
import type { Span } from "../api/types";
import { CopyText } from "../ui/copy";
import { count, money } from "../ui/format";

const BUCKETS: Record<string, string> = {
  input: "Input",
  output: "Output",
  cache_read: "Cache read",
  cache_write: "Cache write",
  reasoning: "Reasoning",
};

/** Input tokens include cached ones; what is billed as plain input is the rest. */
function billed(span: Span): Record<string, number> {
  const { input, output, cache_read, cache_write, reasoning } = span.tokens;
  return {
    input: Math.max(0, input - cache_read - cache_write),
    output,
    cache_read,
    cache_write,
    reasoning,
  };
}

export function CostView({ span }: { span: Span }) {
  const tokens = billed(span);
  const names = Object.keys(BUCKETS).filter((name) => tokens[name] || span.cost_detail[name]);
  const others = Object.keys(span.cost_detail).filter((name) => !(name in BUCKETS));
  return (
    <div className="max-w-[620px] px-4 py-3 pb-8">
      {span.cost_nano === null && (
        <p className="mb-3 rounded-md bg-warn-wash px-3 py-2 text-warn">
          The price of {span.model || span.requested_model || "this model"} at{" "}
          {span.provider || "its provider"} is not known, so the cost is unknown, not zero.{" "}
          {span.provider && span.model ? (
            <Link
              to="/settings"
              search={{ price: `${span.provider}/${span.model}` }}
              className="underline underline-offset-2"
            >
              State its price
            </Link>
          ) : (
            <Link to="/models" className="underline underline-offset-2">
              See its targets
            </Link>
          )}
        </p>
      )}
      <table className="w-full">
        <thead>
          <tr className="border-b text-xs text-ink-3">
            <th scope="col" className="h-7 text-left font-medium">
              Bucket
            </th>
            <th scope="col" className="num font-medium">
              Tokens
            </th>
            <th scope="col" className="num font-medium">
              Cost
            </th>
            <th scope="col" className="num font-medium">
              Per million
            </th>
          </tr>
        </thead>
        <tbody>
          {[...names, ...others].map((name) => {
            const cost = span.cost_detail[name];
            const amount = tokens[name] ?? 0;
            return (
              <tr key={name} className="h-[30px] border-b">
                <td>{BUCKETS[name] ?? name}</td>
                <td className="num">{count(amount)}</td>
                <td className="num">{span.cost_nano === null ? "unknown" : money(cost ?? 0)}</td>
                <td className="num text-ink-3">
                  {cost && amount ? money(Math.round((cost / amount) * 1e6)) : ""}
                </td>
              </tr>
            );
          })}
          <tr className="h-[30px] font-semibold">
            <td>Total</td>
            <td className="num">{count(span.tokens.input + span.tokens.output)}</td>
            <td className="num">{money(span.cost_nano)}</td>
            <td />
          </tr>
        </tbody>
      </table>
      <dl className="mt-3 grid grid-cols-[110px_1fr] gap-y-1 text-ink-2">
        <dt className="text-ink-3">Price</dt>
        <dd>
          {span.price_id ? (
            <CopyText text={span.price_id} />
          ) : span.cost_nano === 0 ? (
            "free: served by this instance"
          ) : (
            "none known"
          )}
        </dd>
        <dt className="text-ink-3">Token counts</dt>
        <dd>
          {span.tokens.source === "provider" && "reported by the provider"}
          {span.tokens.source === "estimated" &&
            "estimated by the gateway: the provider reported none"}
          {span.tokens.source === "none" && "none: the call did not reach a model"}
        </dd>
      </dl>
    </div>
  );
}
