import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import { type Role, useMay } from "../api/may";
import { projectsQuery, teamsQuery, usersQuery } from "../api/queries";
import type { Invited, SignInLink, User } from "../api/types";
import { State } from "../ui/badge";
import { Button } from "../ui/button";
import { Confirm } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { FormDialog } from "../ui/form-dialog";
import { day, fullTime } from "../ui/format";
import { Select } from "../ui/select";
import { Failure, Lines } from "../ui/states";
import { Cell, ROW, Table } from "../ui/table";
import { toast, toastError } from "../ui/toast";
import { OnceDialog } from "./once-dialog";
import { ROLE_CHOICES } from "./words";

interface Handed {
  email: string;
  link: SignInLink;
}

export function Users({
  q,
  inviting,
  onInvited,
}: {
  q: string;
  inviting: boolean;
  onInvited: () => void;
}) {
  const users = useQuery(usersQuery);
  const [handed, setHanded] = useState<Handed | null>(null);
  const [doomed, setDoomed] = useState<User | null>(null);
  const change = useChange();
  if (users.error && !users.data)
    return <Failure error={users.error} onRetry={users.refetch} className="m-4" />;
  if (!users.data) return <Lines />;
  const shown = users.data.filter((user) =>
    `${user.name} ${user.email}`.toLowerCase().includes(q.toLowerCase()),
  );
  return (
    <>
      <Table
        label="Users"
        head={[
          { title: "Name" },
          { title: "Role on the instance" },
          { title: "State" },
          { title: "Since", wide: true },
          { title: "Actions", hidden: true },
        ]}
      >
        {shown.map((user) => (
          <Row key={user.id} user={user} onLink={setHanded} onDeactivate={() => setDoomed(user)} />
        ))}
      </Table>
      {shown.length === 0 && <p className="px-4 py-3 text-ink-2">Nobody by that name.</p>}
      {inviting && (
        <InviteDialog
          onClose={onInvited}
          onDone={({ user, link }) => {
            onInvited();
            setHanded({ email: user.email, link });
          }}
        />
      )}
      {handed && (
        <OnceDialog
          title={`A link for ${handed.email}`}
          description="Hand it over yourself: it signs in once, and is shown only now."
          secret={handed.link.url}
          done="I have handed it over"
          onClose={() => setHanded(null)}
        >
          It works until {fullTime(handed.link.expires_ms, "s")}. With it a new password can be set.
        </OnceDialog>
      )}
      <Confirm
        open={doomed !== null}
        title={`Deactivate ${doomed?.email ?? ""}?`}
        action="Deactivate"
        onConfirm={async () => {
          if (doomed) await change.mutateAsync({ id: doomed.id, active: false });
        }}
        onClose={() => setDoomed(null)}
      >
        Sessions and API tokens of this user end at once. Keys go on working: they belong to
        applications. The user can be activated again.
      </Confirm>
    </>
  );
}

function useChange() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...body }: { id: string; role?: Role; active?: boolean }) =>
      call<User>(`/api/v1/users/${encodeURIComponent(id)}`, { method: "PATCH", body }),
    onSuccess: (user) => {
      client.invalidateQueries({ queryKey: ["users"] });
      toast({ text: user.active ? `${user.email} is ${user.role} now.` : `${user.email} is out.` });
    },
    onError: toastError,
  });
}

interface RowProps {
  user: User;
  onLink: (handed: Handed) => void;
  onDeactivate: () => void;
}

function Row({ user, onLink, onDeactivate }: RowProps) {
  const may = useMay();
  const change = useChange();
  const self = may.userId === user.id;
  const link = useMutation({
    mutationFn: () =>
      call<SignInLink>(`/api/v1/users/${encodeURIComponent(user.id)}/link`, { method: "POST" }),
    onSuccess: (made) => onLink({ email: user.email, link: made }),
    onError: toastError,
  });
  return (
    <tr className={`${ROW} h-[40px]`}>
      <Cell className="max-w-[280px]">
        <span className="block truncate font-medium">
          {user.name || user.email}
          {self && <span className="font-normal text-ink-3"> (you)</span>}
        </span>
        <span className="block truncate text-2xs text-ink-3">{user.email}</span>
      </Cell>
      <Cell>
        <span title={self ? "Nobody changes their own role." : undefined}>
          <Select
            label={`Role of ${user.email}`}
            className="w-[110px]"
            value={user.role}
            disabled={self || !user.active || change.isPending}
            onChange={(role) => change.mutate({ id: user.id, role: role as Role })}
            choices={ROLE_CHOICES}
          />
        </span>
      </Cell>
      <Cell className="whitespace-nowrap">
        <State tone={!user.active ? "mute" : user.has_password ? "ok" : "mute"}>
          {!user.active ? "deactivated" : user.has_password ? "active" : "signs in by link or SSO"}
        </State>
      </Cell>
      <Cell wide className="text-ink-2">
        {day(user.created_ms)}
      </Cell>
      <Cell>
        <span className="flex justify-end gap-1">
          {user.active ? (
            <>
              <Button tone="ghost" busy={link.isPending} onClick={() => link.mutate()}>
                New link
              </Button>
              <Button
                tone="ghost"
                disabled={self}
                title={self ? "You would lock yourself out." : undefined}
                onClick={onDeactivate}
              >
                Deactivate
              </Button>
            </>
          ) : (
            <Button
              tone="ghost"
              busy={change.isPending}
              onClick={() => change.mutate({ id: user.id, active: true })}
            >
              Activate
            </Button>
          )}
        </span>
      </Cell>
    </tr>
  );
}

function InviteDialog({
  onClose,
  onDone,
}: {
  onClose: () => void;
  onDone: (invited: Invited) => void;
}) {
  const client = useQueryClient();
  const { data: projects = [] } = useQuery(projectsQuery);
  const { data: teams = [] } = useQuery(teamsQuery);
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("own");
  const [project, setProject] = useState("");
  const [within, setWithin] = useState<Role>("editor");
  const [team, setTeam] = useState("");
  const [wrong, setWrong] = useState("");
  const invite = useMutation({
    mutationFn: () =>
      call<Invited>("/api/v1/users", {
        method: "POST",
        body: {
          email: email.trim(),
          name: name.trim() || null,
          role,
          teams: team ? [team] : [],
          projects: project ? { [project]: within } : {},
        },
      }),
    onSuccess: (invited) => {
      for (const key of ["users", "teams", "access"]) client.invalidateQueries({ queryKey: [key] });
      onDone(invited);
    },
  });
  const submit = () => {
    const good = /^[^@\s]+@[^@\s]+$/.test(email.trim());
    setWrong(good ? "" : "An e-mail address such as ada@example.org.");
    if (good) invite.mutate();
  };
  const select = (
    label: string,
    value: string,
    onChange: (value: string) => void,
    choices: readonly { value: string; label: string; note?: string }[],
  ) => (
    <Field label={label}>
      {({ id }) => <Select {...{ id, label, value, onChange, choices }} className="w-full" />}
    </Field>
  );
  return (
    <FormDialog
      onClose={onClose}
      title="Invite somebody"
      description="You get a link to hand over; no mail is sent."
      action="Make a link"
      busy={invite.isPending}
      error={invite.error}
      onSubmit={submit}
      className="grid grid-cols-2 gap-3"
    >
      <Field label="E-mail address" error={wrong}>
        {(props) => (
          <Input
            type="email"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
            {...props}
          />
        )}
      </Field>
      <Field label="Name" hint="Optional.">
        {(props) => (
          <Input value={name} onChange={(event) => setName(event.target.value)} {...props} />
        )}
      </Field>
      {select("Role on the instance", role, (value) => setRole(value as Role), ROLE_CHOICES)}
      {select("Team", team, setTeam, [
        { value: "", label: "none" },
        ...teams.map((one) => ({ value: one.id, label: one.name })),
      ])}
      {select("Project", project, setProject, [
        { value: "", label: "none" },
        ...projects.map((one) => ({ value: one.name, label: one.name })),
      ])}
      {project && select("Role there", within, (value) => setWithin(value as Role), ROLE_CHOICES)}
    </FormDialog>
  );
}
