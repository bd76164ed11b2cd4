"""`stockpot users`, `stockpot teams` and `stockpot access`. People are named by e-mail address."""

from __future__ import annotations

from typing import Any

import click

from stockpot.access.cli.tokens import ROLES
from stockpot.core.client import Client
from stockpot.core.terminal import json_option, say, show, when

_ROLE = click.option("--role", type=ROLES, default="viewer", show_default=True)


@click.group()
def users() -> None:
    """Invite people, change their role, end their access.

    \b
    Example:
      stockpot users invite ana@example.org --project menu=editor
    """


@users.command("list")
@json_option
@click.pass_obj
def list_users(client: Client, as_json: bool) -> None:
    """List everybody who can sign in, or could.

    \b
    Example:
      stockpot users list --json
    """
    show(
        client.get("/api/v1/users"),
        (
            ("ID", lambda u: u["id"]),
            ("E-MAIL", lambda u: u["email"]),
            ("NAME", lambda u: u["name"]),
            ("ROLE", lambda u: u["role"]),
            ("STATE", lambda u: "active" if u["active"] else "deactivated"),
            ("SINCE", lambda u: when(u["created_ms"])),
        ),
        as_json=as_json,
        empty="Nobody yet.",
    )


@users.command("invite")
@click.argument("email")
@click.option("--name", help="How they are called.")
@click.option("--role", type=ROLES, default="own", show_default=True, help="On the instance.")
@click.option("--team", "teams", multiple=True, help="Put them into this team; repeat.")
@click.option("--project", "projects", multiple=True, metavar="NAME=ROLE", help="Repeat.")
@json_option
@click.pass_obj
def invite(client: Client, /, projects: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Make a user and print a link for them. It signs in once, within a week.

    \b
    Example:
      stockpot users invite ana@example.org --project menu=editor
      stockpot users invite ben@example.org --role admin
    """
    pairs = [text.partition("=") for text in projects]
    opened = {name: role or "viewer" for name, _, role in pairs}
    wanted = {k: v for k, v in given.items() if v} | {"projects": opened}
    made = client.post("/api/v1/users", wanted)
    say(made, made["link"]["url"], as_json=as_json)


@users.command("link")
@click.argument("user")
@json_option
@click.pass_obj
def link(client: Client, user: str, as_json: bool) -> None:
    """Print a one-time sign-in link for a user, who may set a new password with it.

    \b
    Example:
      stockpot users link ana@example.org
    """
    made = client.post(f"/api/v1/users/{user}/link")
    say(made, made["url"], as_json=as_json)


@users.command("change")
@click.argument("user")
@click.option("--role", type=ROLES, help="On the instance.")
@click.option("--name", help="How they are called.")
@click.pass_obj
def change(client: Client, user: str, role: str | None, name: str | None) -> None:
    """Change a user's role or name.

    \b
    Example:
      stockpot users change ana@example.org --role editor
    """
    done = client.patch(f"/api/v1/users/{user}", {"role": role, "name": name})
    click.echo(f"{done['email']} is {done['role']}")


@users.command("deactivate")
@click.argument("user")
@click.pass_obj
def deactivate(client: Client, user: str) -> None:
    """End a user's access: sessions, links and tokens stop working at once.

    \b
    Example:
      stockpot users deactivate ana@example.org
    """
    done = client.patch(f"/api/v1/users/{user}", {"active": False})
    click.echo(f"deactivated {done['email']}")


@users.command("activate")
@click.argument("user")
@click.pass_obj
def activate(client: Client, user: str) -> None:
    """Let a deactivated user sign in again. Their tokens stay revoked.

    \b
    Example:
      stockpot users activate ana@example.org
    """
    done = client.patch(f"/api/v1/users/{user}", {"active": True})
    click.echo(f"activated {done['email']}")


@click.group()
def teams() -> None:
    """Put people together, so that projects can be opened to all of them.

    \b
    Example:
      stockpot teams create kitchen
    """


@teams.command("list")
@json_option
@click.pass_obj
def list_teams(client: Client, as_json: bool) -> None:
    """List teams with their members.

    \b
    Example:
      stockpot teams list --json
    """
    show(
        client.get("/api/v1/teams"),
        (
            ("ID", lambda t: t["id"]),
            ("NAME", lambda t: t["name"]),
            ("MEMBERS", lambda t: ", ".join(m["email"] for m in t["members"]) or "-"),
        ),
        as_json=as_json,
        empty="No teams yet. Make one:  stockpot teams create kitchen",
    )


@teams.command("create")
@click.argument("name")
@click.pass_obj
def create_team(client: Client, name: str) -> None:
    """Make a team without members.

    \b
    Example:
      stockpot teams create kitchen
    """
    click.echo(f"made the team {client.post('/api/v1/teams', {'name': name})['name']}")


@teams.command("remove")
@click.argument("team")
@click.pass_obj
def remove_team(client: Client, team: str) -> None:
    """Remove a team; what was open to it is closed to its members.

    \b
    Example:
      stockpot teams remove kitchen
    """
    client.delete(f"/api/v1/teams/{team}")
    click.echo(f"removed the team {team}")


@teams.command("add")
@click.argument("team")
@click.argument("user")
@click.option(
    "--role", type=ROLES, default="admin", show_default=True, help="At most, in projects."
)
@click.pass_obj
def add(client: Client, team: str, user: str, role: str) -> None:
    """Put a user into a team; the role bounds what the team's projects give them.

    \b
    Example:
      stockpot teams add kitchen ana@example.org --role editor
    """
    client.put(f"/api/v1/teams/{team}/members/{user}", {"role": role})
    click.echo(f"{user} is in {team}")


@teams.command("drop")
@click.argument("team")
@click.argument("user")
@click.pass_obj
def drop(client: Client, team: str, user: str) -> None:
    """Take a user out of a team.

    \b
    Example:
      stockpot teams drop kitchen ana@example.org
    """
    client.delete(f"/api/v1/teams/{team}/members/{user}")
    click.echo(f"{user} is not in {team} any more")


@click.group()
def access() -> None:
    """Open projects to people and teams, and close them.

    \b
    Example:
      stockpot access grant menu kitchen --role editor
    """


@access.command("list")
@click.argument("project")
@json_option
@click.pass_obj
def list_access(client: Client, project: str, as_json: bool) -> None:
    """List who is in a project, besides those whose role on the instance holds everywhere.

    \b
    Example:
      stockpot access list menu --json
    """
    show(
        client.get(f"/api/v1/projects/{project}/access"),
        (
            ("WHO", lambda a: a["subject"]),
            ("KIND", lambda a: a["kind"]),
            ("ROLE", lambda a: a["role"]),
            ("SINCE", lambda a: when(a["created_ms"])),
        ),
        as_json=as_json,
        empty=f"Nobody. Open it:  stockpot access grant {project} ana@example.org --role viewer",
    )


@access.command("grant")
@click.argument("project")
@click.argument("who")
@_ROLE
@click.pass_obj
def grant(client: Client, project: str, who: str, role: str) -> None:
    """Open a project to a user or a team, or change their role in it.

    \b
    Example:
      stockpot access grant menu ana@example.org --role viewer
    """
    done = client.put(f"/api/v1/projects/{project}/access/{who}", {"role": role})
    click.echo(f"{done['subject']} is {done['role']} in {project}")


@access.command("revoke")
@click.argument("project")
@click.argument("who")
@click.pass_obj
def revoke(client: Client, project: str, who: str) -> None:
    """Close a project to a user or a team.

    \b
    Example:
      stockpot access revoke menu ana@example.org
    """
    client.delete(f"/api/v1/projects/{project}/access/{who}")
    click.echo(f"{who} is not in {project} any more")
