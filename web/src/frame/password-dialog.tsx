import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { call } from "../api/client";
import { sessionQuery } from "../api/queries";
import type { NewPassword, SessionInfo, User } from "../api/types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { Failure } from "../ui/states";
import { toast } from "../ui/toast";
import { queryClient } from "./client";

/** Sets or changes the password and the address that goes with it. */
export function PasswordDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const [email, setEmail] = useState(user.email);
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const save = useMutation({
    mutationFn: () => {
      const body: NewPassword = { password, current, email: email === user.email ? null : email };
      return call<User>("/api/v1/session/password", { method: "POST", body });
    },
    onSuccess: (changed) => {
      queryClient.setQueryData(sessionQuery.queryKey, (session: SessionInfo | undefined) =>
        session ? { ...session, user: changed } : session,
      );
      toast({
        text: `Sign in as ${changed.email} from now on.`,
        hint: "Your other sessions have ended.",
      });
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      width={420}
      title="Set a password"
      description="With it you can sign in without a link."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" type="submit" form="password" busy={save.isPending}>
            Save
          </Button>
        </>
      }
    >
      <form id="password" onSubmit={submit} className="flex flex-col gap-3">
        <Field label="E-mail">
          {(props) => (
            <Input
              type="email"
              required
              autoComplete="username"
              value={email}
              onChange={(event) => setEmail(event.target.value)}
              {...props}
            />
          )}
        </Field>
        <Field label="New password" hint="At least 8 characters.">
          {(props) => (
            <Input
              type="password"
              required
              minLength={8}
              autoComplete="new-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
              {...props}
            />
          )}
        </Field>
        <Field label="Present password" hint="Not needed right after signing in by a link.">
          {(props) => (
            <Input
              type="password"
              autoComplete="current-password"
              value={current}
              onChange={(event) => setCurrent(event.target.value)}
              {...props}
            />
          )}
        </Field>
      </form>
      {save.error && <Failure error={save.error} className="mt-4" />}
    </Dialog>
  );
}
