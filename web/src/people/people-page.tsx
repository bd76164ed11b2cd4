import { useNavigate, useSearch } from "@tanstack/react-router";
import { needs, useMay } from "../api/may";
import { useShortcuts } from "../frame/shortcuts";
import { Button } from "../ui/button";
import { FindInput } from "../ui/find-input";
import { Empty } from "../ui/states";
import { Tabs } from "../ui/tabs";
import { Projects } from "./projects";
import type { PeopleSearch, PeopleTab } from "./search";
import { Teams } from "./teams";
import { Tokens } from "./tokens";
import { Users } from "./users";

const MAKES = {
  users: { open: "invite", label: "Invite somebody" },
  teams: { open: "team", label: "Create a team" },
  projects: { open: "project", label: "Create a project" },
  tokens: { open: "token", label: "Create a token" },
} as const;

export function PeoplePage() {
  const search = useSearch({ from: "/frame/people" });
  const navigate = useNavigate();
  const may = useMay();
  const admin = may.instance("admin");
  const tab: PeopleTab = search.part ?? (admin ? "users" : "tokens");
  const change = (next: PeopleSearch) =>
    navigate({
      to: "/people",
      search: (old) => ({ ...old, open: undefined, change: undefined, ...next }),
    });
  const close = () => change({});
  const makes = MAKES[tab];
  const allowed = tab === "tokens" || admin;
  useShortcuts([
    {
      keys: "n",
      label: "Invite, or create what is shown",
      group: "People",
      run: () => allowed && change({ open: makes.open }),
    },
  ]);
  return (
    <div className="flex min-h-full flex-col pb-10">
      <Tabs
        label="People"
        value={tab}
        onChange={(value) => change({ part: value as PeopleTab })}
        aside={
          <span className="flex items-center gap-2">
            {tab === "users" && admin && (
              <FindInput
                aria-label="Search users"
                placeholder="Search"
                className="!w-[150px]"
                value={search.q}
                onFind={(q) =>
                  navigate({ to: "/people", search: (old) => ({ ...old, q }), replace: true })
                }
              />
            )}
            <Button
              tone="primary"
              icon="plus"
              disabled={!allowed}
              title={allowed ? undefined : needs("admin")}
              onClick={() => change({ open: makes.open })}
            >
              {makes.label}
            </Button>
          </span>
        }
        tabs={[
          {
            id: "users",
            label: "Users",
            content: admin ? (
              <Users q={search.q ?? ""} inviting={search.open === "invite"} onInvited={close} />
            ) : (
              <Empty title="Users are for an admin of this instance to see">
                Who is in a project stands under Projects. To change a role, ask an admin.
              </Empty>
            ),
          },
          {
            id: "teams",
            label: "Teams",
            content: <Teams creating={admin && search.open === "team"} onCreated={close} />,
          },
          {
            id: "projects",
            label: "Projects",
            content: (
              <Projects
                only={search.project}
                changing={admin ? search.change : undefined}
                creating={admin && search.open === "project"}
                onChange={(name) => change({ change: name })}
                onClose={close}
              />
            ),
          },
          {
            id: "tokens",
            label: "API tokens",
            content: <Tokens creating={search.open === "token"} onCreated={close} />,
          },
        ]}
      />
    </div>
  );
}
