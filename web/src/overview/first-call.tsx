// What the overview shows while there is nothing to see: the call that changes that.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { instanceQuery, keysQuery } from "../api/queries";
import type { Scope } from "../frame/search";
import { buttonClass } from "../ui/button";
import { Snippet } from "../ui/snippet";
import { Empty } from "../ui/states";

export function FirstCall({
  scope,
  what = "No calls in this window",
}: {
  scope: Scope;
  what?: string;
}) {
  const { data: instance } = useQuery(instanceQuery);
  const { data: keys = [] } = useQuery(keysQuery);
  const narrowed = scope.project || scope.environment || scope.range || scope.from_ms;
  return (
    <Empty
      title={narrowed ? what : "No calls yet"}
      action={
        <div className="flex flex-wrap gap-2">
          <Link to="/playground" className={buttonClass("primary")}>
            Try a model in the playground
          </Link>
          <Link to="/keys" search={{ create: true }} className={buttonClass()}>
            Create a key
          </Link>
          {narrowed && (
            <Link
              to="."
              search={{
                project: undefined,
                environment: undefined,
                range: "30d",
                from_ms: undefined,
                to_ms: undefined,
              }}
              className={buttonClass("ghost")}
            >
              Show the last 30 days of all projects
            </Link>
          )}
        </div>
      }
    >
      <p>
        Point any OpenAI client at the gateway and its calls appear here within seconds.{" "}
        {keys.length === 0
          ? "You need a key first: create one below; it is shown once and comes with this snippet filled in."
          : `Use one of your ${keys.length} keys in place of YOUR_KEY.`}
      </p>
      {instance && (
        <div className="mt-4 text-ink">
          <Snippet
            gateway={instance.gateway_url}
            model={instance.default_model}
            secret="YOUR_KEY"
          />
        </div>
      )}
    </Empty>
  );
}
