// What stands in for a page: while it loads, when it fails, when it does not exist.
import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { ApiError, asApiError, request } from "../api/client";
import { Button, buttonClass } from "../ui/button";
import { Failure, Lines } from "../ui/states";

export function Pending() {
  return <Lines rows={10} className="max-w-[900px] p-6" />;
}

/** A page's code, asked for late. Without a connection it cannot come, and loading the whole console
 * again, which the router does for a part that is gone, would leave the reader with nothing. */
export function part<T>(load: () => Promise<T>): () => Promise<T> {
  return () =>
    load().catch(async (cause) => {
      await request("/api/v1/session", { keepSession: true }).catch((away) => {
        if (away instanceof ApiError && away.status === 0) throw away;
      });
      throw cause;
    });
}

export function Crash({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const away = asApiError(error).code === "unreachable";
  const stale = /dynamically imported module|module script failed/i.test(asApiError(error).message);
  const retry = () => {
    reset();
    router.invalidate();
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: one clock as long as it is away
  useEffect(() => {
    if (!away) return;
    const clock = setInterval(retry, 3_000);
    return () => clearInterval(clock);
  }, [away]);
  if (stale) {
    return (
      <div className="mx-auto max-w-[680px] p-6" role="alert">
        <h1 className="text-lg font-semibold">The console was updated.</h1>
        <p className="mt-1 mb-4 text-ink-2">
          Part of the version that you have open is gone from the server.
        </p>
        <Button tone="primary" onClick={() => location.reload()}>
          Load the new version
        </Button>
      </div>
    );
  }
  return (
    <div className="mx-auto max-w-[680px] p-6">
      <Failure error={asApiError(error)} onRetry={retry} />
    </div>
  );
}

export function NotFound() {
  return (
    <div className="mx-auto max-w-[680px] px-6 py-16">
      <p className="font-mono text-xs text-ink-3">404</p>
      <h1 className="mt-1 text-xl font-semibold">There is no page at this address.</h1>
      <p className="mt-1 mb-4 text-ink-2">
        <code className="font-mono text-xs break-all">{location.pathname}</code> may have been moved
        or mistyped.
      </p>
      <Link to="/overview" className={buttonClass("primary")}>
        Go to the overview
      </Link>
    </div>
  );
}
