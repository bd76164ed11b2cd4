// The first two steps from here: a policy to begin with, and letting a policy hold.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { needs, useMay } from "../api/may";
import type { GuardrailPolicy } from "../api/types";
import { Button } from "../ui/button";
import { Confirm } from "../ui/dialog";
import { Failure } from "../ui/states";
import { toast } from "../ui/toast";
import { bindToProject, GUARDRAILS, putPolicy } from "./queries";

/** The policy that the page shows where there is none. */
export const FIRST = {
  name: "careful",
  rules: [
    { id: "hide-data", rail: "pii", action: "mask", reversible: true },
    { id: "no-secrets", rail: "secrets", on: ["input", "output"] },
    { id: "injection", rail: "injection", action: "flag" },
  ],
} as const;

export function MakeFirst({ project }: { project: string }) {
  const client = useQueryClient();
  const allowed = useMay().project("editor", project);
  const make = useMutation({
    mutationFn: () => putPolicy(project, FIRST),
    onSuccess: () => {
      client.invalidateQueries({ queryKey: [GUARDRAILS] });
      toast({ text: `${FIRST.name} is made. It holds nowhere yet: try it on a text first.` });
    },
  });
  return (
    <>
      <Button
        tone="primary"
        icon="plus"
        busy={make.isPending}
        disabled={!allowed}
        title={allowed ? undefined : needs("editor", `the project ${project}`)}
        onClick={() => make.mutate()}
      >
        Make this policy in {project}
      </Button>
      {make.error && <Failure error={make.error} className="mt-4" />}
    </>
  );
}

/** For a policy that holds nowhere. */
export function LetHold({ policy }: { policy: GuardrailPolicy }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const allowed = useMay().project("editor", policy.project);
  const bind = async () => {
    await bindToProject(policy);
    await client.invalidateQueries({ queryKey: [GUARDRAILS] });
    toast({
      text: `${policy.name} holds for the project ${policy.project} from the next call on.`,
    });
  };
  return (
    <>
      <Button
        className="ml-2"
        disabled={!allowed}
        title={allowed ? undefined : needs("editor", `the project ${policy.project}`)}
        onClick={() => setAsking(true)}
      >
        Let it hold
      </Button>
      <Confirm
        open={asking}
        title={`Let ${policy.name} hold for the project ${policy.project}?`}
        action="Let it hold"
        onConfirm={bind}
        onClose={() => setAsking(false)}
      >
        From the next call on, what applications send and what models answer there goes through its
        rules. A policy of a single route or key goes before it.
      </Confirm>
    </>
  );
}
