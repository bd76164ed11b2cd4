// Every name that applications may ask for: what serves it, how it is, what it costs.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Fragment } from "react";
import { asApiError, call } from "../api/client";
import { useMay } from "../api/may";
import type { Model, TargetHealth, TestResult } from "../api/types";
import { Badge, State, type Tone } from "../ui/badge";
import { Button, buttonClass } from "../ui/button";
import { cx } from "../ui/cx";
import { ago, duration, NONE } from "../ui/format";
import { Icon } from "../ui/icons";
import { type Health, health, price, share } from "./health";

const TONE: Record<Health, Tone> = {
  healthy: "ok",
  failing: "bad",
  cooling: "warn",
  unknown: "mute",
  degraded: "warn",
  "no target": "bad",
};
const WORD: Partial<Record<Health, string>> = { unknown: "not called yet" };

interface Props {
  models: readonly Model[];
}

const HEAD = "h-7 px-2 text-left text-xs font-medium text-ink-3 whitespace-nowrap";

export function ModelTable({ models }: Props) {
  return (
    <div className="relative overflow-x-auto">
      <table className="w-full min-w-[780px] border-collapse">
        <thead>
          <tr className="border-y">
            <th scope="col" className={`${HEAD} pl-4`}>
              Model
            </th>
            <th scope="col" className={HEAD}>
              Served by
            </th>
            <th scope="col" className={HEAD}>
              Health
            </th>
            <th scope="col" className={`${HEAD} text-right max-wide:hidden`}>
              In flight
            </th>
            <th scope="col" className={`${HEAD} text-right`}>
              Input <span className="font-normal">/ Mtok</span>
            </th>
            <th scope="col" className={`${HEAD} text-right`}>
              Output <span className="font-normal">/ Mtok</span>
            </th>
            <th scope="col" className={`${HEAD} pr-4`}>
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <Rows key={model.name} model={model} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Rows({ model }: { model: Model }) {
  const client = useQueryClient();
  const trial = useMutation({
    mutationFn: () =>
      call<TestResult>(`/api/v1/models/${encodeURIComponent(model.name)}/test`, { method: "POST" }),
    onSettled: () => client.invalidateQueries({ queryKey: ["models"] }),
  });
  const state = health(model);
  const [only] = model.targets;
  const several = model.targets.length > 1;
  const alias = model.origin === "alias";
  return (
    <>
      <tr
        className={cx(
          "h-[34px] hover:bg-hover",
          !several && !trial.data && !trial.error && !only?.last_error && "border-b",
        )}
      >
        <td className="pr-2 pl-4 whitespace-nowrap">
          <span className="flex items-center gap-2">
            <Link
              to="/traces"
              search={{ requested_model: model.name }}
              title="Its traces"
              className="font-medium hover:underline"
            >
              {model.name}
            </Link>
            {model.kind === "embedding" && <Badge>embedding</Badge>}
            {alias && <Badge tone="accent">alias</Badge>}
            {model.smoke && (
              <Badge tone="warn" title="Small smoke model: do not judge quality by it.">
                small smoke model
              </Badge>
            )}
          </span>
        </td>
        <td className="max-w-[260px] max-wide:max-w-[170px] truncate px-2 text-ink-2">
          {several
            ? `${model.targets.length} targets, up to ${model.attempts} attempts`
            : only
              ? `${only.provider} / ${only.model}`
              : "nothing"}
        </td>
        <td className="px-2">
          <State tone={TONE[state]}>{WORD[state] ?? state}</State>
        </td>
        <td className="num px-2 max-wide:hidden">
          {model.targets.reduce((sum, target) => sum + target.in_flight, 0) || NONE}
        </td>
        <td className="num px-2">{!several && <Priced target={only} bucket="input" />}</td>
        <td className="num px-2">{!several && <Priced target={only} bucket="output" />}</td>
        <td className="pr-4 pl-2">
          <span className="flex justify-end gap-1">
            {model.kind === "chat" && (
              <Link
                to="/playground"
                search={{ model: model.name }}
                className={buttonClass("ghost")}
              >
                Try
              </Link>
            )}
            <Link
              to="/routes"
              search={{ route: model.name }}
              aria-label={`Route of ${model.name}`}
              className={buttonClass("ghost", "max-wide:hidden")}
            >
              Route
            </Link>
            <Button
              onClick={() => trial.mutate()}
              busy={trial.isPending}
              aria-label={`Test ${model.name}`}
            >
              Test
            </Button>
          </span>
        </td>
      </tr>
      {several &&
        model.targets.map((target) => <TargetRow key={target.id} target={target} model={model} />)}
      {!several && only?.last_error && <LastError target={only} />}
      {(trial.data || trial.error) && (
        <TrialRow result={trial.data} error={trial.error} onClose={trial.reset} />
      )}
    </>
  );
}

/** A price; one that is not known can be stated by who may. */
function Priced({ target, bucket }: { target: TargetHealth | undefined; bucket: string }) {
  const shown = price(target, bucket);
  const admin = useMay().instance("admin");
  if (shown !== "unknown" || !target || !admin) return shown;
  return (
    <Link
      to="/settings"
      search={{ price: `${target.provider}/${target.model}` }}
      title="State its price"
      className="text-warn hover:underline"
    >
      unknown
    </Link>
  );
}

function TargetRow({ target, model }: { target: TargetHealth; model: Model }) {
  return (
    <Fragment>
      <tr className="h-7 text-ink-2 last:border-b">
        <td className="pl-8 text-xs text-ink-3">{share(target, model)}</td>
        <td className="max-w-[260px] max-wide:max-w-[170px] truncate px-2" title={target.base_url}>
          {target.provider} / {target.model}
        </td>
        <td className="px-2">
          <State tone={TONE[target.state]}>{WORD[target.state] ?? target.state}</State>
        </td>
        <td className="num px-2 max-wide:hidden">{target.in_flight || NONE}</td>
        <td className="num px-2" title={target.price_source}>
          <Priced target={target} bucket="input" />
        </td>
        <td className="num px-2" title={target.price_source}>
          <Priced target={target} bucket="output" />
        </td>
        <td />
      </tr>
      {target.last_error && <LastError target={target} />}
    </Fragment>
  );
}

function LastError({ target }: { target: TargetHealth }) {
  return (
    <tr className="border-b">
      <td />
      <td colSpan={6} className="px-2 pb-1.5 text-xs break-words">
        <span className={target.state === "healthy" ? "text-ink-3" : "text-bad"}>
          Last error: {target.last_error}
        </span>
        {target.last_ok_ms !== null && (
          <span className="text-ink-3"> · last success {ago(target.last_ok_ms)}</span>
        )}
      </td>
    </tr>
  );
}

interface TrialProps {
  result: TestResult | undefined;
  error: unknown;
  onClose: () => void;
}

function TrialRow({ result, error, onClose }: TrialProps) {
  const failure = error ? asApiError(error) : null;
  const good = result?.ok ?? false;
  return (
    <tr className="border-b">
      <td colSpan={7} className="px-4 pb-2">
        <div
          role="status"
          className={cx(
            "flex items-center gap-2 rounded-md px-3 py-1.5",
            good ? "bg-ok-wash" : "bg-bad-wash",
          )}
        >
          <Icon
            name={good ? "check" : "warn"}
            size={14}
            className={cx("shrink-0", good ? "text-ok" : "text-bad")}
          />
          <span className="min-w-0 flex-1 truncate" title={result?.error || failure?.message}>
            {good
              ? `Answered: ${JSON.stringify(result?.text ?? "")}`
              : result?.error || failure?.message || `HTTP ${result?.status}`}
          </span>
          {result && <span className="shrink-0 text-ink-2">{duration(result.duration_ms)}</span>}
          {result?.trace_id && (
            <Link
              to="/traces/$traceId"
              params={{ traceId: result.trace_id }}
              search={{}}
              className="shrink-0 text-accent hover:underline"
            >
              Open trace
            </Link>
          )}
          <Button tone="ghost" icon="close" aria-label="Dismiss the result" onClick={onClose} />
        </div>
      </td>
    </tr>
  );
}
