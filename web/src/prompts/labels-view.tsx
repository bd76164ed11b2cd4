// Labels: where each points, moving, rolling back, who guards them, and what waits for approval.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { ApiError, call } from "../api/client";
import { useMay } from "../api/may";
import type { LabelProposal, PromptDetail } from "../api/types";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Confirm } from "../ui/dialog";
import { ago, fullTime } from "../ui/format";
import { Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { toast, toastError } from "../ui/toast";
import { MoveDialog, type Moving } from "./move-dialog";
import type { Open } from "./prompt-pane";
import { promptHistoryQuery, promptPath } from "./queries";

const ProtectDialog = lazy(() => import("./protect-dialog"));

type Label = PromptDetail["prompt"]["labels"][number];

/** What a change of labels makes stale. */
export function useAgain(project: string, name: string) {
  const client = useQueryClient();
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: ["prompt", project, name] }),
      client.invalidateQueries({ queryKey: ["prompts"] }),
    ]);
}

export function LabelsView(open: Open) {
  const { detail, project, editor } = open;
  const { name, labels } = detail.prompt;
  const [moving, setMoving] = useState<Moving | null>(null);
  const [back, setBack] = useState<Label | null>(null);
  const admin = useMay().project("admin", project);
  const again = useAgain(project, name);
  const [guarding, setGuarding] = useState<string | null>(null);
  const unprotect = useMutation({
    mutationFn: (label: string) =>
      call(`/api/v1/prompt-protections/${encodeURIComponent(label)}`, {
        method: "DELETE",
        query: { project, prompt: name },
      }),
    onSuccess: again,
    onError: toastError,
  });
  return (
    <div className="pb-8">
      {detail.proposals.length > 0 && <Proposals {...open} />}
      <div className="flex items-center px-4 py-2">
        <p className="mr-auto text-ink-2">
          A label says which version is live. A move is in force everywhere within a second.
        </p>
        <Button
          icon="plus"
          disabled={!editor}
          onClick={() =>
            setMoving({
              label: labels.some((one) => one.label === "production") ? "staging" : "production",
              fixed: false,
            })
          }
        >
          Set a label
        </Button>
      </div>
      {labels.length > 0 && (
        <Table
          label="Labels"
          min={560}
          head={[
            { title: "Label" },
            { title: "Version" },
            { title: "Moved" },
            { title: "Actions", hidden: true },
          ]}
        >
          {labels.map((one) => (
            <tr key={one.label} className={ROW}>
              <Cell className="font-medium">
                {one.label}{" "}
                {one.protected && <Badge tone="warn">{guardOf(detail, one.label)}</Badge>}
              </Cell>
              <Cell>v{one.version}</Cell>
              <Cell className="text-ink-2" title={fullTime(one.moved_ms)}>
                {ago(one.moved_ms)} by {one.moved_by}
              </Cell>
              <Cell>
                <span className="flex justify-end gap-1">
                  {admin && (
                    <Button
                      tone="ghost"
                      aria-label={`${one.protected ? "Do not protect" : "Protect"} ${one.label}`}
                      onClick={() =>
                        one.protected ? unprotect.mutate(one.label) : setGuarding(one.label)
                      }
                    >
                      {one.protected ? "Unprotect" : "Protect"}
                    </Button>
                  )}
                  <Button
                    disabled={!editor}
                    aria-label={`Roll ${one.label} back`}
                    onClick={() => setBack(one)}
                  >
                    Roll back
                  </Button>
                  <Button
                    disabled={!editor}
                    aria-label={`Move ${one.label}`}
                    onClick={() => setMoving({ label: one.label, fixed: true })}
                  >
                    Move
                  </Button>
                </span>
              </Cell>
            </tr>
          ))}
        </Table>
      )}
      <History name={name} project={project} />
      {moving && <MoveDialog {...open} moving={moving} onClose={() => setMoving(null)} />}
      {guarding && (
        <Suspense>
          <ProtectDialog
            project={project}
            prompt={name}
            label={guarding}
            onClose={() => setGuarding(null)}
          />
        </Suspense>
      )}
      <Confirm
        open={back !== null}
        title={`Roll ${back?.label ?? ""} back?`}
        action="Roll back"
        onConfirm={async () => {
          if (!back) return;
          const to = await call<{ version: number }>(
            promptPath(name, `/labels/${encodeURIComponent(back.label)}/rollback`),
            { method: "POST", query: { project }, body: {} },
          );
          toast({ text: `${back.label} points at version ${to.version} again.` });
          await again();
        }}
        onClose={() => setBack(null)}
      >
        It goes back to the version at which it was before v{back?.version}, at once, also when it
        is protected: that version was approved.
      </Confirm>
    </div>
  );
}

/** What a protected label asks for, in a few words. */
function guardOf(detail: PromptDetail, label: string): string {
  const guard = detail.protections.find((one) => one.label === label);
  const by = guard?.role === "admin" ? "protected, by an admin" : "protected";
  return guard?.evaluation ? `${by}, evaluated` : by;
}

function Proposals({ detail, project, editor }: Open) {
  const { userId } = useMay();
  const again = useAgain(project, detail.prompt.name);
  const decide = useMutation({
    mutationFn: ({ one, verb }: { one: LabelProposal; verb: string }) =>
      call(`/api/v1/prompt-proposals/${encodeURIComponent(one.id)}/${verb}`, {
        method: "POST",
        body: verb === "withdraw" ? undefined : { note: "" },
      }),
    onSuccess: async (_, { one, verb }) => {
      if (verb === "approve") toast({ text: `${one.label} points at version ${one.version} now.` });
      await again();
    },
    onError: (error) => {
      if (error instanceof ApiError && error.code === "not_evaluated")
        toast({ tone: "bad", text: error.message, hint: error.hint });
      else toastError(error);
    },
  });
  return (
    <section aria-label="Waiting for approval" className="border-b bg-warn-wash px-4 py-3">
      <h3 className="mb-2 font-medium">Waiting for approval</h3>
      <ul className="flex flex-col gap-2">
        {detail.proposals.map((one) => {
          const mine = one.asked_by === userId;
          const act = (verb: string) => decide.mutate({ one, verb });
          return (
            <li key={one.id} className="flex flex-wrap items-center gap-2">
              <span className="mr-auto">
                <b>{one.asked_label}</b> wants <b>{one.label}</b> at version {one.version}
                {one.before !== null && <> (now {one.before})</>}
                {one.reason && <span className="text-ink-2">: {one.reason}</span>}
              </span>
              {mine ? (
                <Button onClick={() => act("withdraw")}>Withdraw</Button>
              ) : (
                <>
                  <Button disabled={!editor} onClick={() => act("reject")}>
                    Reject
                  </Button>
                  <Button tone="primary" disabled={!editor} onClick={() => act("approve")}>
                    Approve
                  </Button>
                </>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function History({ name, project }: { name: string; project: string }) {
  const { data } = useQuery(promptHistoryQuery(name, project));
  if (!data) return <Lines rows={3} />;
  if (data.length === 0) return null;
  return (
    <section aria-label="History of labels" className="px-4 pt-4">
      <h3 className="mb-2 font-medium">History</h3>
      <ol className="flex flex-col gap-1 text-ink-2">
        {data.map((one) => (
          <li key={one.id} className="flex flex-wrap gap-2">
            <time className="w-24 text-ink-3" title={fullTime(one.at_ms)}>
              {ago(one.at_ms)}
            </time>
            <span>
              <b className="font-medium text-ink">{one.label}</b>{" "}
              {one.before === null ? "set" : `v${one.before}`} →{" "}
              {one.after === null ? "removed" : `v${one.after}`} by {one.actor}
              {one.reason && `: ${one.reason}`}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
