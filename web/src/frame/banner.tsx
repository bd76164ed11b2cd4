import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useConnected } from "../api/connection";
import { instanceQuery } from "../api/frame-queries";
import { Icon } from "../ui/icons";

/** Says that the control plane is away, and what that does and does not mean. */
export function Banner() {
  const connected = useConnected();
  const instance = useQuery({
    ...instanceQuery,
    refetchInterval: connected ? false : 2_000,
  });
  const client = useQueryClient();
  useEffect(() => {
    if (!connected) return;
    client.refetchQueries({ type: "active", predicate: ({ state }) => state.status === "error" });
  }, [connected, client]);
  if (connected) return null;
  return (
    <div
      role="alert"
      className="flex items-center gap-2 border-b bg-warn-wash px-4 py-1.5 text-warn"
    >
      <Icon name="warn" size={14} className="shrink-0" />
      <span className="font-medium">Connection lost.</span>
      <span className="min-w-0 truncate">
        The control plane does not answer; the gateway goes on serving from its last snapshot.
        Trying again…
      </span>
      <button
        type="button"
        className="ml-auto underline underline-offset-2"
        onClick={() => instance.refetch()}
      >
        Try now
      </button>
    </div>
  );
}
