// What stands in for a page: while it loads, when it fails, when it does not exist.
import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { asApiError } from "../api/client";
import { Button, buttonClass } from "../ui/button";
import { Failure, Lines } from "../ui/states";

export function Pending() {
  return <Lines rows={10} className="max-w-[900px] p-6" />;
}

export function Crash({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const stale = /dynamically imported module|module script failed/i.test(asApiError(error).message);
  const retry = () => {
    reset();
    router.invalidate();
  };
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
