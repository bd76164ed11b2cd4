import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import { type Role, useMay } from "../api/may";
import { teamsQuery, usersQuery } from "../api/queries";
import type { Team } from "../api/types";
import { Button } from "../ui/button";
import { Confirm } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { FormDialog } from "../ui/form-dialog";
import { plural } from "../ui/format";
import { Select } from "../ui/select";
import { Empty, Failure, Lines } from "../ui/states";
import { toastError } from "../ui/toast";
import { ROLE_CHOICES } from "./words";

export function Teams({ creating, onCreated }: { creating: boolean; onCreated: () => void }) {
  const teams = useQuery(teamsQuery);
  const [doomed, setDoomed] = useState<Team | null>(null);
  const write = useTeamWrite();
  if (teams.error && !teams.data)
    return <Failure error={teams.error} onRetry={teams.refetch} className="m-4" />;
  if (!teams.data) return <Lines />;
  return (
    <>
      {teams.data.length === 0 && (
        <Empty title="No teams yet">
          A team is opened to a project as a whole: who joins it is in all of its projects.
        </Empty>
      )}
      {teams.data.map((team) => (
        <One key={team.id} team={team} onRemove={() => setDoomed(team)} />
      ))}
      {creating && <TeamDialog onClose={onCreated} />}
      <Confirm
        open={doomed !== null}
        title={`Remove the team ${doomed?.name ?? ""}?`}
        action="Remove"
        onConfirm={async () => {
          if (doomed) await write.mutateAsync({ method: "DELETE", path: doomed.id });
        }}
        onClose={() => setDoomed(null)}
      >
        What was open to it is closed to its members at once. The members stay users.
      </Confirm>
    </>
  );
}

interface Write {
  method: "POST" | "PUT" | "DELETE";
  path?: string;
  body?: unknown;
}

function useTeamWrite() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ method, path, body }: Write) =>
      call(path ? `/api/v1/teams/${path}` : "/api/v1/teams", { method, body }),
    onSuccess: () => {
      for (const key of ["teams", "access"]) client.invalidateQueries({ queryKey: [key] });
    },
  });
}

function One({ team, onRemove }: { team: Team; onRemove: () => void }) {
  const may = useMay();
  const admin = may.instance("admin");
  const { data: users = [] } = useQuery({ ...usersQuery, enabled: admin });
  const write = useTeamWrite();
  const put = (userId: string, role: string) =>
    write.mutate(
      { method: "PUT", path: `${team.id}/members/${userId}`, body: { role } },
      { onError: toastError },
    );
  const others = users.filter(
    (user) => user.active && !team.members.some((member) => member.user_id === user.id),
  );
  return (
    <section aria-label={`Team ${team.name}`} className="border-b px-4 py-3">
      <div className="flex items-center gap-2">
        <h2 className="font-semibold">{team.name}</h2>
        <p className="mr-auto text-ink-3">{plural(team.members.length, "member")}</p>
        {admin && others.length > 0 && (
          <Select
            label={`Add to ${team.name}`}
            className="w-[190px]"
            value=""
            placeholder="Add a member"
            onChange={(id) => put(id, "editor")}
            choices={others.map((user) => ({ value: user.id, label: user.email }))}
          />
        )}
        {admin && (
          <Button tone="ghost" icon="trash" aria-label={`Remove ${team.name}`} onClick={onRemove} />
        )}
      </div>
      <ul className="mt-1">
        {team.members.map((member) => (
          <li key={member.user_id} className="flex h-8 items-center gap-2">
            <span className="mr-auto truncate">{member.email}</span>
            <Select
              label={`Role of ${member.email} in ${team.name}`}
              className="w-[110px]"
              value={member.role}
              disabled={!admin}
              onChange={(role) => put(member.user_id, role as Role)}
              choices={ROLE_CHOICES}
            />
            {admin && (
              <Button
                tone="ghost"
                icon="close"
                aria-label={`Take ${member.email} out of ${team.name}`}
                onClick={() =>
                  write.mutate(
                    { method: "DELETE", path: `${team.id}/members/${member.user_id}` },
                    { onError: toastError },
                  )
                }
              />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function TeamDialog({ onClose }: { onClose: () => void }) {
  const write = useTeamWrite();
  const [name, setName] = useState("");
  const submit = () => {
    write.mutate({ method: "POST", body: { name: name.trim() } }, { onSuccess: onClose });
  };
  return (
    <FormDialog
      onClose={onClose}
      title="Create a team"
      width={420}
      action="Create"
      busy={write.isPending}
      disabled={!name.trim()}
      error={write.error}
      onSubmit={submit}
    >
      <Field label="Name" hint="Small letters, digits, dots and dashes.">
        {(props) => (
          <Input value={name} onChange={(event) => setName(event.target.value)} {...props} />
        )}
      </Field>
    </FormDialog>
  );
}
