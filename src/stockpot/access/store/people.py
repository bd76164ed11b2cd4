"""Users, teams, who is in which project, and under which name other providers know a user."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from stockpot.access.models import Member, ProjectAccess, Role, Team, User, higher, lower
from stockpot.access.store.tables import identities, project_access, team_members, teams, users
from stockpot.core.ids import record_id

# --- users ----------------------------------------------------------------------------------------


def user_of(row: sa.RowMapping) -> User:
    """A user out of a row that holds the columns of `users`."""
    return User(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        role=row["role"],
        created_ms=row["created_ms"],
        has_password=row["password_hash"] is not None,
        active=row["active"],
    )


def list_users(c: sa.Connection) -> tuple[User, ...]:
    """Everybody, oldest first."""
    return tuple(user_of(r) for r in c.execute(sa.select(users).order_by(users.c.id)).mappings())


def user_by_id(c: sa.Connection, user_id: str) -> User | None:
    """One user."""
    row = c.execute(sa.select(users).where(users.c.id == user_id)).mappings().first()
    return user_of(row) if row else None


def user_by_email(c: sa.Connection, email: str) -> User | None:
    """The user with this address."""
    found = credentials_of(c, email)
    return found[0] if found else None


def credentials_of(c: sa.Connection, email: str) -> tuple[User, str | None] | None:
    """The user with this address and the hash of their password."""
    row = c.execute(sa.select(users).where(users.c.email == email)).mappings().first()
    return (user_of(row), row["password_hash"]) if row else None


def password_hash_of(c: sa.Connection, user_id: str) -> str | None:
    """The hash of a user's password, None when none was set."""
    return c.scalar(sa.select(users.c.password_hash).where(users.c.id == user_id))


def add_user(c: sa.Connection, email: str, name: str, role: Role, now_ms: int) -> User:
    """An active user without a password."""
    values = {"id": record_id("usr"), "email": email, "name": name, "role": role}
    c.execute(sa.insert(users).values(**values, created_ms=now_ms, active=True))
    return User.model_validate({**values, "created_ms": now_ms})


def change_user(c: sa.Connection, user_id: str, **values: Any) -> None:
    """Set columns of one user."""
    c.execute(sa.update(users).where(users.c.id == user_id).values(**values))


def active_admins(c: sa.Connection) -> tuple[str, ...]:
    """The ids of everybody who can govern the instance."""
    query = sa.select(users.c.id).where(users.c.role == "admin", users.c.active)
    return tuple(c.scalars(query.order_by(users.c.id)))


# --- identities -----------------------------------------------------------------------------------


def user_id_of(c: sa.Connection, issuer: str, subject: str) -> str | None:
    """Whom a provider means by a subject."""
    same = (identities.c.issuer == issuer) & (identities.c.subject == subject)
    return c.scalar(sa.select(identities.c.user_id).where(same))


def add_identity(c: sa.Connection, issuer: str, subject: str, user_id: str) -> None:
    """From now on this subject is this user."""
    c.execute(sa.insert(identities).values(issuer=issuer, subject=subject, user_id=user_id))


# --- teams ----------------------------------------------------------------------------------------


def list_teams(c: sa.Connection, of_user: str | None = None) -> tuple[Team, ...]:
    """Teams by name with their members; of one user, or all."""
    joined = sa.select(team_members, users.c.email).join_from(team_members, users)
    members: dict[str, list[Member]] = {}
    for row in c.execute(joined.order_by(users.c.email)).mappings():
        member = Member(user_id=row["user_id"], email=row["email"], role=row["role"])
        members.setdefault(row["team_id"], []).append(member)
    query = sa.select(teams).order_by(teams.c.name)
    if of_user is not None:
        mine = sa.select(team_members.c.team_id).where(team_members.c.user_id == of_user)
        query = query.where(teams.c.id.in_(mine))
    return tuple(
        Team(**row, members=tuple(members.get(row["id"], ())))
        for row in c.execute(query).mappings()
    )


def team_named(c: sa.Connection, wanted: str) -> Team | None:
    """The team of this id or name."""
    return next((team for team in list_teams(c) if wanted in (team.id, team.name)), None)


def add_team(c: sa.Connection, name: str, now_ms: int) -> str:
    """A new team; returns its id."""
    team_id = record_id("tea")
    c.execute(sa.insert(teams).values(id=team_id, name=name, created_ms=now_ms))
    return team_id


def remove_team(c: sa.Connection, team_id: str) -> None:
    """A team with its members and what was open to it."""
    c.execute(sa.delete(project_access).where(project_access.c.subject_id == team_id))
    c.execute(sa.delete(team_members).where(team_members.c.team_id == team_id))
    c.execute(sa.delete(teams).where(teams.c.id == team_id))


def put_member(c: sa.Connection, team_id: str, user_id: str, role: Role) -> None:
    """A user is in a team, with this role."""
    remove_member(c, team_id, user_id)
    c.execute(sa.insert(team_members).values(team_id=team_id, user_id=user_id, role=role))


def remove_member(c: sa.Connection, team_id: str, user_id: str) -> int:
    """A user leaves a team; returns whether they were in it."""
    same = (team_members.c.team_id == team_id) & (team_members.c.user_id == user_id)
    return c.execute(sa.delete(team_members).where(same)).rowcount


# --- projects -------------------------------------------------------------------------------------


def grants_of(c: sa.Connection, user_id: str) -> dict[str, Role]:
    """A user's role in each project, their own or by a team, whichever is higher."""
    own = sa.select(project_access.c.project, project_access.c.role, sa.null().label("bound"))
    own = own.where(project_access.c.subject_id == user_id)
    member = team_members.c.team_id == project_access.c.subject_id
    by_team = sa.select(
        project_access.c.project, project_access.c.role, team_members.c.role.label("bound")
    )
    by_team = by_team.join_from(team_members, project_access, member)
    by_team = by_team.where(team_members.c.user_id == user_id)
    grants: dict[str, Role] = {}
    for project, role, bound in c.execute(sa.union_all(own, by_team)):
        given = lower(role, bound) if bound else role
        grants[project] = higher(grants.get(project), given) or given
    return grants


def access_to(c: sa.Connection, project: str) -> tuple[ProjectAccess, ...]:
    """Who is in a project: users by address, then teams by name."""
    here = project_access.c.project == project
    people = sa.select(project_access, users.c.email.label("subject")).where(here)
    people = people.join_from(project_access, users, users.c.id == project_access.c.subject_id)
    groups = sa.select(project_access, teams.c.name.label("subject")).where(here)
    groups = groups.join_from(project_access, teams, teams.c.id == project_access.c.subject_id)
    return (
        *(
            ProjectAccess(**r, kind="user")
            for r in c.execute(people.order_by("subject")).mappings()
        ),
        *(
            ProjectAccess(**r, kind="team")
            for r in c.execute(groups.order_by("subject")).mappings()
        ),
    )


def put_access(c: sa.Connection, project: str, subject_id: str, role: Role, now_ms: int) -> None:
    """A user or a team has this role in a project."""
    remove_access(c, project, subject_id)
    values = {"project": project, "subject_id": subject_id, "role": role, "created_ms": now_ms}
    c.execute(sa.insert(project_access).values(**values))


def remove_access(c: sa.Connection, project: str, subject_id: str) -> int:
    """A user or a team leaves a project; returns whether they were in it."""
    same = (project_access.c.project == project) & (project_access.c.subject_id == subject_id)
    return c.execute(sa.delete(project_access).where(same)).rowcount
