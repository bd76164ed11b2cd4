"""Users, teams, and what is open to them. Knows of projects only which names there are."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

import sqlalchemy as sa

from stockpot.access.audit_log import audit
from stockpot.access.guard import no_project
from stockpot.access.models import (
    Invitation,
    Invited,
    Principal,
    ProjectAccess,
    Role,
    SignInLink,
    Team,
    User,
    UserSettings,
)
from stockpot.access.service.gate import Clock, GateService
from stockpot.access.service.sign_in import add_link
from stockpot.access.store import people, sessions, tokens
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, InvalidInput, NotFound, did_you_mean

T = TypeVar("T")

INVITED_MS = 7 * 24 * 3600 * 1000

Projects = Callable[[sa.Connection], Collection[str]]
"""The names of all projects, inside a transaction."""


class PeopleService:
    """Who is here, in which teams, and in which projects."""

    def __init__(
        self,
        db: Database,
        gate: GateService,
        projects: Projects,
        sign_in_url: str,
        clock: Clock = now_ms,
    ) -> None:
        self._db = db
        self._gate = gate
        self._projects = projects
        self._sign_in_url = sign_in_url
        self._now = clock

    # users

    async def users(self) -> tuple[User, ...]:
        """Everybody."""
        return await self._db.read(people.list_users)

    async def invite(self, actor: Principal, wanted: Invitation) -> Invited:
        """Somebody new, with a link that signs them in once within a week."""
        email, now = wanted.email.strip().lower(), self._now()

        def write(c: sa.Connection) -> Invited:
            if people.user_by_email(c, email) is not None:
                raise Conflict(f"{email!r} is here already", hint="stockpot users link EMAIL")
            user = people.add_user(c, email, wanted.name or email, wanted.role, now)
            audit(c, actor, "user.invite", user.id, after=user, email=email, role=user.role)
            for team in wanted.teams:
                self._put_member(c, actor, existing_team(c, team), user.id, "admin")
            for project, role in wanted.projects.items():
                self._put_access(c, actor, project, user.id, role)
            token, end = add_link(c, actor, user, now, INVITED_MS)
            return Invited(user=user, link=self.shown_link(token, end))

        return await self._changed(write)

    def shown_link(self, token: str, expires_ms: int) -> SignInLink:
        """A one-time token as an address to open."""
        return SignInLink(url=f"{self._sign_in_url}#token={token}", expires_ms=expires_ms)

    async def change_user(self, actor: Principal, user_id: str, wanted: UserSettings) -> User:
        """Change what is given. Deactivating ends every session, link and token at once."""
        changes = {n: v for n in UserSettings.model_fields if (v := getattr(wanted, n)) is not None}

        def write(c: sa.Connection) -> User:
            before = existing_user(c, user_id)
            if changes:
                people.change_user(c, before.id, **changes)
            if not people.active_admins(c):
                raise Conflict(
                    f"{before.email!r} is the last admin of this instance",
                    hint="make somebody else an admin first",
                )
            if wanted.active is False:
                end_access(c, before.id)
            after = existing_user(c, before.id)
            audit(c, actor, "user.change", before.id, before=before, after=after, **changes)
            return after

        return await self._changed(write)

    # teams

    async def teams(self, actor: Principal) -> tuple[Team, ...]:
        """All teams for an admin, else those of the caller."""
        of_user = None if actor.role == "admin" else actor.user_id
        return await self._db.read(lambda c: people.list_teams(c, of_user))

    async def create_team(self, actor: Principal, name: str) -> Team:
        """A team without members."""

        def write(c: sa.Connection) -> Team:
            if people.team_named(c, name) is not None:
                raise Conflict(f"there is a team {name!r} already")
            team = existing_team(c, people.add_team(c, name, self._now()))
            audit(c, actor, "team.create", team.id, after=team, name=name)
            return team

        return await self._changed(write)

    async def remove_team(self, actor: Principal, team_id: str) -> None:
        """A team is gone; what was open to it is closed to its members."""

        def write(c: sa.Connection) -> None:
            team = existing_team(c, team_id)
            people.remove_team(c, team.id)
            audit(c, actor, "team.remove", team.id, before=team, name=team.name)

        await self._changed(write)

    async def put_member(self, actor: Principal, team_id: str, user_id: str, role: Role) -> Team:
        """A user is in a team, with this role."""

        def write(c: sa.Connection) -> Team:
            team = existing_team(c, team_id)
            self._put_member(c, actor, team, existing_user(c, user_id).id, role)
            return existing_team(c, team.id)

        return await self._changed(write)

    async def remove_member(self, actor: Principal, team_id: str, user_id: str) -> None:
        """A user leaves a team."""

        def write(c: sa.Connection) -> None:
            before, user = existing_team(c, team_id), existing_user(c, user_id)
            if not people.remove_member(c, before.id, user.id):
                raise NotFound(f"no member {user_id!r} in the team {before.name!r}")
            after = existing_team(c, before.id)
            audit(c, actor, "team.drop", before.id, before=before, after=after, user=user.id)

        await self._changed(write)

    def _put_member(
        self, c: sa.Connection, actor: Principal, before: Team, user_id: str, role: Role
    ) -> None:
        people.put_member(c, before.id, user_id, role)
        after = existing_team(c, before.id)
        told = {"user": user_id, "role": role}
        audit(c, actor, "team.add", before.id, before=before, after=after, **told)

    # projects

    async def access_to(self, project: str) -> tuple[ProjectAccess, ...]:
        """Who is in a project, besides those whose role on the instance holds everywhere."""
        return await self._db.read(lambda c: people.access_to(c, project))

    async def put_access(
        self, actor: Principal, project: str, subject_id: str, role: Role
    ) -> ProjectAccess:
        """Open a project to a user or a team, or change their role in it."""

        def write(c: sa.Connection) -> ProjectAccess:
            return self._put_access(c, actor, project, subject_id, role)

        return await self._changed(write)

    async def remove_access(self, actor: Principal, project: str, subject_id: str) -> None:
        """Close a project to a user or a team."""

        def write(c: sa.Connection) -> None:
            before = _access(c, project, subject_id, by_name=True)
            if before is None:
                raise NotFound(
                    f"no {subject_id!r} in the project {project!r}",
                    hint=f"stockpot access list {project}",
                )
            people.remove_access(c, project, before.subject_id)
            audit(c, actor, "access.revoke", before.subject_id, before=before, project=project)

        await self._changed(write)

    def _put_access(
        self, c: sa.Connection, actor: Principal, project: str, subject_id: str, role: Role
    ) -> ProjectAccess:
        known = self._projects(c)
        if project not in known:
            raise no_project(project, known, actor)
        subject = _subject(c, subject_id)
        before = _access(c, project, subject.id)
        people.put_access(c, project, subject.id, role, self._now())
        after = _access(c, project, subject.id)
        assert after is not None  # it was put there one line above
        told = {"project": project, "role": role}
        audit(c, actor, "access.grant", subject.id, before=before, after=after, **told)
        return after

    async def _changed(self, write: Callable[[sa.Connection], T]) -> T:
        done = await self._db.write(write)
        self._gate.forget()
        return done


def end_access(c: sa.Connection, user_id: str) -> None:
    """Every session, link and token of a user ends."""
    sessions.end_sessions_of(c, user_id)
    sessions.drop_links_of(c, user_id)
    tokens.delete_tokens_of(c, user_id)


def existing_user(c: sa.Connection, wanted: str) -> User:
    """The user with this id or address."""
    found = people.user_by_id(c, wanted) or people.user_by_email(c, wanted.lower())
    if found is None:
        near = did_you_mean(wanted, [user.email for user in people.list_users(c)])
        raise NotFound(f"no user {wanted!r}.{near}", hint="stockpot users list")
    return found


def existing_team(c: sa.Connection, wanted: str) -> Team:
    """The team with this id or name."""
    found = people.team_named(c, wanted)
    if found is None:
        near = did_you_mean(wanted, [team.name for team in people.list_teams(c)])
        raise NotFound(f"no team {wanted!r}.{near}", hint="stockpot teams list")
    return found


def _subject(c: sa.Connection, wanted: str) -> User | Team:
    found = people.user_by_id(c, wanted) or people.user_by_email(c, wanted.lower())
    if found is None:
        found_team = people.team_named(c, wanted)
        if found_team is None:
            raise InvalidInput(
                f"{wanted!r} is no user and no team",
                hint="stockpot users list",
            )
        return found_team
    return found


def _access(
    c: sa.Connection, project: str, wanted: str, *, by_name: bool = False
) -> ProjectAccess | None:
    def meant(row: ProjectAccess) -> bool:
        return wanted == row.subject_id or (by_name and wanted.lower() == row.subject)

    return next((row for row in people.access_to(c, project) if meant(row)), None)
