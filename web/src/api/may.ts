// What the signed-in person may do, so that a page offers only that. The server decides each time.
import { useQuery } from "@tanstack/react-query";
import { sessionQuery } from "./frame-queries";
import type { SessionInfo } from "./types";

export type Role = SessionInfo["user"]["role"];

export const ROLES: readonly Role[] = ["own", "viewer", "editor", "admin"];
const rank = (role: Role) => ROLES.indexOf(role);

export interface May {
  /** On the instance as a whole. */
  instance: (role: Role) => boolean;
  /** In one project: the role on the instance counts there too, unless it is `own`. */
  project: (role: Role, project: string) => boolean;
  somewhere: (role: Role) => boolean;
  userId: string;
}

export function mayOf(session: Pick<SessionInfo, "user" | "projects"> | undefined): May {
  if (!session)
    return { instance: () => false, project: () => false, somewhere: () => false, userId: "" };
  const { user, projects } = session;
  const reaches = (held: Role | undefined, role: Role) =>
    held !== undefined && rank(held) >= rank(role);
  const everywhere = user.role === "own" ? undefined : user.role;
  return {
    instance: (role) => reaches(user.role, role),
    project: (role, project) => reaches(everywhere, role) || reaches(projects[project], role),
    somewhere: (role) =>
      reaches(everywhere, role) || Object.values(projects).some((held) => reaches(held, role)),
    userId: user.id,
  };
}

export function useMay(): May {
  return mayOf(useQuery(sessionQuery).data);
}

/** Why a control is not to be used: shown as its title. */
export function needs(role: Role, where = "this instance"): string {
  return `Needs the role ${role} in ${where}: ask an admin.`;
}
