// Runs as they go on: each step that the server sends, into what the pages have read already.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { withQuery } from "../api/client";
import { EVALS, stream } from "./queries";
import type { Run, RunStep } from "./types";
import { isOver, stepped } from "./words";

/** Keeps runs of a project, or of all, as they are; where no stream is to be had, pages ask. */
export function useLiveRuns(project: string | undefined): void {
  const client = useQueryClient();
  const address = withQuery("/api/v1/evals/events", { project });
  useEffect(() => {
    const read = (...key: string[]) => client.invalidateQueries({ queryKey: [EVALS, ...key] });
    const source = new EventSource(address);
    source.onopen = () => {
      stream.open = true;
    };
    source.onerror = () => {
      if (!stream.open) return;
      stream.open = false;
      read(); // and what is read anew knows that it has to ask again
    };
    source.addEventListener("step", (event: MessageEvent<string>) => {
      const step = JSON.parse(event.data) as RunStep;
      const lists = client.getQueriesData<Run[]>({ queryKey: [EVALS, "runs"] });
      const known = lists.some(([, runs]) => runs?.some((run) => run.id === step.id));
      client.setQueriesData<Run[]>({ queryKey: [EVALS, "runs"] }, (runs) =>
        runs?.map((run) => stepped(run, step)),
      );
      client.setQueryData<Run>([EVALS, "run", step.id], (run) => run && stepped(run, step));
      if (!known || isOver(step)) read("runs");
      if (isOver(step)) read("run", step.id);
    });
    return () => {
      source.close();
      stream.open = false;
    };
  }, [address, client]);
}
