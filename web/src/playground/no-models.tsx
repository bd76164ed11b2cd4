import { Link } from "@tanstack/react-router";
import { buttonClass } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { Empty } from "../ui/states";

/** No model answers yet: the two ways to get one. */
export function NoModels({ kind = "chat model" }: { kind?: string }) {
  return (
    <Empty
      title={`No ${kind} yet`}
      action={
        <Link to="/providers" search={{ connect: "" }} className={buttonClass("primary")}>
          Connect a provider
        </Link>
      }
    >
      <p>
        Connect a vendor or a model server that you already run, or let stockpot run a small open
        model itself:
      </p>
      <CodeBlock text="stockpot models pull smollm2-135m" className="mt-3 text-ink" />
    </Empty>
  );
}
