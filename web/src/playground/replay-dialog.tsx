// A trace run again: each step, and what came out otherwise.
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { call } from "../api/client";
import type { Model, PlaygroundReplay } from "../api/types";
import { Badge, type Tone } from "../ui/badge";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code";
import { Dialog } from "../ui/dialog";
import { duration } from "../ui/format";
import { NativeSelect } from "../ui/native-select";
import { Failure, Lines } from "../ui/states";

const TONES: Record<string, Tone> = { identical: "ok", differs: "warn", failed: "bad" };

interface Props {
  trace: string;
  models: readonly Model[];
  onClose: () => void;
}

export default function ReplayDialog({ trace, models, onClose }: Props) {
  const [model, setModel] = useState("");
  const [follow, setFollow] = useState(false);
  const replay = useMutation({
    mutationFn: () =>
      call<PlaygroundReplay>("/api/v1/playground/replays", {
        method: "POST",
        body: { trace_id: trace, model: model || null, follow },
      }),
  });
  const { mutate } = replay;
  useEffect(() => mutate(), [mutate]);
  const { data } = replay;
  return (
    <Dialog
      open
      onClose={onClose}
      width={760}
      title="Run the whole trace again"
      description="Every call of a model, as it was recorded; tools and retrievers are not asked again."
      footer={
        <>
          <span className="mr-auto flex items-center gap-3">
            <NativeSelect
              label="Model of the replay"
              value={model}
              choices={[
                { value: "", label: "as recorded" },
                ...models.map(({ name }) => ({ value: name, label: name })),
              ]}
              onChange={setModel}
            />
            <label className="flex items-center gap-1.5">
              <input
                type="checkbox"
                className="size-3.5 accent-accent"
                checked={follow}
                onChange={(event) => setFollow(event.target.checked)}
              />
              Go on from the new answers
            </label>
          </span>
          <Button icon="play" tone="primary" busy={replay.isPending} onClick={() => mutate()}>
            Run again
          </Button>
        </>
      }
    >
      {replay.error ? (
        <Failure error={replay.error} />
      ) : !data ? (
        <Lines rows={4} />
      ) : (
        <>
          <p role="status" className="mb-3 flex items-center gap-2">
            <Badge tone={data.identical ? "ok" : "warn"}>
              {data.identical ? "identical" : "differs"}
            </Badge>
            {data.steps.filter((step) => step.state === "identical").length} of {data.steps.length}{" "}
            steps said the same, byte for byte.
            <Link
              to="/traces/$traceId"
              params={{ traceId: data.replay_trace_id }}
              search={{}}
              className="text-accent underline"
            >
              The new trace
            </Link>
          </p>
          <ol className="flex flex-col gap-3">
            {data.steps.map((step) => (
              <li key={step.span_id} className="rounded-lg border px-3 py-2">
                <p className="flex flex-wrap items-center gap-2">
                  <span className="text-ink-3">{step.number}.</span>
                  <span className="font-medium">{step.name}</span>
                  <Badge tone={TONES[step.state] ?? "mute"}>{step.state.replace("_", " ")}</Badge>
                  {step.recorded && step.replayed && (
                    <span className="text-xs text-ink-3">
                      {duration(step.recorded.latency_ms)} then,{" "}
                      {duration(step.replayed.latency_ms)} now
                    </span>
                  )}
                </p>
                {step.why && <p className="text-ink-2">{step.why}</p>}
                {step.differences.map((one) => (
                  <div key={one.field} className="mt-1.5">
                    <p className="text-xs font-medium">{one.field}</p>
                    <CodeBlock
                      text={one.diff || `-${one.before}\n+${one.after}`}
                      className="max-h-52 overflow-auto"
                    />
                  </div>
                ))}
              </li>
            ))}
          </ol>
          {data.stubbed.length > 0 && (
            <p className="mt-3 text-ink-2">
              Recorded results used again: {data.stubbed.map((one) => one.name).join(", ")}.
            </p>
          )}
        </>
      )}
    </Dialog>
  );
}
