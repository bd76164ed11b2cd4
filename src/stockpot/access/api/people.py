"""Routes of users, teams, and who is in which project."""

from fastapi import APIRouter

from stockpot.access.access import Access
from stockpot.access.api.who import Admin, Anyone, ProjectAdmin, ProjectViewer
from stockpot.access.guard import demand_project
from stockpot.access.models import (
    Invitation,
    Invited,
    NewTeam,
    ProjectAccess,
    RoleGiven,
    SignInLink,
    Team,
    User,
    UserSettings,
)
from stockpot.access.service.people import PeopleService


def people_routes(routes: APIRouter, access: Access) -> None:
    """Users, teams, projects' members."""
    _user_routes(routes, access)
    _team_routes(routes, access.people)
    _project_routes(routes, access.people)


def _user_routes(routes: APIRouter, access: Access) -> None:
    @routes.get("/users")
    async def list_users(_: Admin) -> tuple[User, ...]:
        """Everybody who can sign in, or could."""
        return await access.people.users()

    @routes.post("/users", status_code=201)
    async def invite_user(wanted: Invitation, principal: Admin) -> Invited:
        """Somebody new, with a link to hand over that signs them in once."""
        return await access.people.invite(principal, wanted)

    @routes.patch("/users/{user_id}")
    async def change_user(user_id: str, wanted: UserSettings, principal: Admin) -> User:
        """Change what is given; null keeps. Deactivating ends sessions and tokens at once."""
        return await access.people.change_user(principal, user_id, wanted)

    @routes.post("/users/{user_id}/link", status_code=201)
    async def create_user_link(user_id: str, principal: Admin) -> SignInLink:
        """A one-time sign-in link for a user, who may set a new password with it."""
        token, expires_ms = await access.sign_in.new_link(principal, user_id)
        return access.people.shown_link(token, expires_ms)


def _team_routes(routes: APIRouter, people: PeopleService) -> None:
    @routes.get("/teams")
    async def list_teams(principal: Anyone) -> tuple[Team, ...]:
        """All teams for an admin, else those of the caller."""
        return await people.teams(principal)

    @routes.post("/teams", status_code=201)
    async def create_team(wanted: NewTeam, principal: Admin) -> Team:
        """A team without members."""
        return await people.create_team(principal, wanted.name)

    @routes.delete("/teams/{team_id}", status_code=204)
    async def remove_team(team_id: str, principal: Admin) -> None:
        """Remove a team; what was open to it is closed to its members."""
        await people.remove_team(principal, team_id)

    @routes.put("/teams/{team_id}/members/{user_id}")
    async def put_team_member(
        team_id: str, user_id: str, wanted: RoleGiven, principal: Admin
    ) -> Team:
        """Put a user into a team; the role bounds what the team's projects give them."""
        return await people.put_member(principal, team_id, user_id, wanted.role)

    @routes.delete("/teams/{team_id}/members/{user_id}", status_code=204)
    async def remove_team_member(team_id: str, user_id: str, principal: Admin) -> None:
        """Take a user out of a team."""
        await people.remove_member(principal, team_id, user_id)


def _project_routes(routes: APIRouter, people: PeopleService) -> None:
    @routes.get("/projects/{project}/access")
    async def list_project_access(
        project: str, principal: ProjectViewer
    ) -> tuple[ProjectAccess, ...]:
        """Who is in a project, besides those whose role on the instance holds everywhere."""
        demand_project(principal, "viewer", project)
        return await people.access_to(project)

    @routes.put("/projects/{project}/access/{subject_id}")
    async def put_project_access(
        project: str, subject_id: str, wanted: RoleGiven, principal: ProjectAdmin
    ) -> ProjectAccess:
        """Open a project to a user or a team, or change their role in it."""
        demand_project(principal, "admin", project)
        return await people.put_access(principal, project, subject_id, wanted.role)

    @routes.delete("/projects/{project}/access/{subject_id}", status_code=204)
    async def remove_project_access(project: str, subject_id: str, principal: ProjectAdmin) -> None:
        """Close a project to a user or a team."""
        demand_project(principal, "admin", project)
        await people.remove_access(principal, project, subject_id)
