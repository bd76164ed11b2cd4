// Every project: what it may cost and ask for, and who is in it besides those whose role on the
// instance holds everywhere.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { call } from "../api/client";
import { needs, type Role, useMay } from "../api/may";
import { accessQuery, projectsQuery, teamsQuery, usersQuery } from "../api/queries";
import type { Project } from "../api/types";
import { limitWords } from "../keys/words";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { money } from "../ui/format";
import { Select } from "../ui/select";
import { Failure, Lines } from "../ui/states";
import { toastError } from "../ui/toast";
import { ROLE_CHOICES } from "./words";

const ProjectDialog = lazy(() => import("./project-dialog"));

interface ProjectsProps {
  only: string | undefined;
  changing: string | undefined;
  creating: boolean;
  onChange: (name: string) => void;
  onClose: () => void;
}

export function Projects({ only, changing, creating, onChange, onClose }: ProjectsProps) {
  const projects = useQuery(projectsQuery);
  const may = useMay();
  if (projects.error && !projects.data)
    return <Failure error={projects.error} onRetry={projects.refetch} className="m-4" />;
  if (!projects.data) return <Lines />;
  const known = projects.data.find((one) => one.name === changing);
  return (
    <>
      {projects.data
        .filter((one) => (!only || one.name === only) && may.project("viewer", one.name))
        .map((one) => (
          <One key={one.id} project={one} onChange={() => onChange(one.name)} />
        ))}
      <Suspense>
        {(known || creating) && (
          <ProjectDialog key={known?.id ?? ""} known={known} onClose={onClose} />
        )}
      </Suspense>
    </>
  );
}

function One({ project, onChange }: { project: Project; onChange: () => void }) {
  const may = useMay();
  const client = useQueryClient();
  const access = useQuery(accessQuery(project.name));
  const decides = may.project("admin", project.name);
  const { data: users = [] } = useQuery({ ...usersQuery, enabled: may.instance("admin") });
  const { data: teams = [] } = useQuery(teamsQuery);
  const write = useMutation({
    mutationFn: ({ subject, role }: { subject: string; role: Role | null }) =>
      call(
        `/api/v1/projects/${encodeURIComponent(project.name)}/access/${encodeURIComponent(subject)}`,
        role ? { method: "PUT", body: { role } } : { method: "DELETE" },
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["access", project.name] }),
    onError: toastError,
  });
  const inside = new Set(access.data?.map((one) => one.subject_id));
  const others = [
    ...teams.map((team) => ({ value: team.id, label: team.name, note: "team" })),
    ...users
      .filter((user) => user.active)
      .map((user) => ({ value: user.id, label: user.email, note: user.role })),
  ].filter((one) => !inside.has(one.value));
  return (
    <section aria-label={`Project ${project.name}`} className="border-b px-4 py-3">
      <div className="flex h-7 items-center gap-2">
        <h2 className="mr-auto font-semibold">{project.name}</h2>
        {decides && others.length > 0 && (
          <Select
            label={`Open ${project.name} to`}
            className="w-[210px]"
            value=""
            placeholder="Open it to…"
            onChange={(subject) => write.mutate({ subject, role: "viewer" })}
            choices={others}
          />
        )}
        <Button
          disabled={!may.instance("admin")}
          title={may.instance("admin") ? undefined : needs("admin")}
          aria-label={`Change ${project.name}`}
          onClick={onChange}
        >
          Change
        </Button>
      </div>
      <About project={project} />
      {access.error ? (
        <Failure error={access.error} onRetry={access.refetch} className="mt-2" />
      ) : access.data?.length === 0 ? (
        <p className="text-ink-3">Only those whose role on the instance holds everywhere.</p>
      ) : (
        <ul className="mt-1">
          {access.data?.map((one) => (
            <li key={one.subject_id} className="flex h-8 items-center gap-2">
              <span className="truncate">{one.subject}</span>
              {one.kind === "team" && <Badge>team</Badge>}
              <span className="mr-auto" />
              <Select
                label={`Role of ${one.subject} in ${project.name}`}
                className="w-[110px]"
                value={one.role}
                disabled={!decides}
                onChange={(role) => write.mutate({ subject: one.subject_id, role: role as Role })}
                choices={ROLE_CHOICES}
              />
              {decides && (
                <Button
                  tone="ghost"
                  icon="close"
                  aria-label={`Close ${project.name} to ${one.subject}`}
                  onClick={() => write.mutate({ subject: one.subject_id, role: null })}
                />
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** What the project says of itself, in one line; the cap leads to what was spent of it. */
function About({ project }: { project: Project }) {
  const { budget, limits } = project;
  const words = [
    project.description.replace(/\.$/, ""),
    project.owner && `owner ${project.owner}`,
    `${project.archetype}, stage ${project.stage}, risk ${project.risk_tier}`,
    limitWords(limits) !== "none" && limitWords(limits),
  ].filter(Boolean);
  return (
    <p className="text-ink-2">
      {words.join(" · ")} ·{" "}
      {budget ? (
        <Link to="/cost" search={{ project: project.name }} className="hover:underline">
          {money(budget.spent_nano)} of {money(budget.spec.limit_nano)}{" "}
          {budget.spec.period === "total" ? "in total" : `a ${budget.spec.period}`}
        </Link>
      ) : (
        <span className="text-ink-3">no budget</span>
      )}
    </p>
  );
}
