"""`stockpot guardrails policies ... | bind | unbind`."""

from __future__ import annotations

import json
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.errors import InvalidInput
from stockpot.core.terminal import JsonFile, json_option, printed, say, show

API = "/api/v1/guardrails"
project_option = click.option(
    "--project", default="default", show_default=True, help="Whose policy it is."
)


@click.group()
def guardrails() -> None:
    """Rails on what goes to models and what comes back.

    \b
    Example:
      stockpot guardrails rails
      stockpot guardrails policies apply careful.json
      stockpot guardrails bind careful --route support
    """


@guardrails.group()
def policies() -> None:
    """Policies: rails in order, with what is done about what they find.

    \b
    Example:
      stockpot guardrails policies list
    """


@policies.command("list")
@click.option("--project", help="Of one project only.")
@json_option
@click.pass_obj
def list_(client: Client, project: str | None, as_json: bool) -> None:
    """List policies, and where they hold.

    \b
    Example:
      stockpot guardrails policies list
    """
    show(
        client.get(f"{API}/policies", **({"project": project} if project else {})),
        (
            ("PROJECT", lambda p: p["project"]),
            ("POLICY", lambda p: p["name"]),
            ("RULES", lambda p: len(p["rules"])),
            ("ACTIONS", _actions),
            ("HOLDS FOR", lambda p: ", ".join(map(_where, p["bindings"])) or "(nothing)"),
        ),
        as_json=as_json,
        empty="No policies yet. Write one: stockpot guardrails policies apply FILE",
    )


def _acts(rule: dict[str, Any]) -> str:
    return f"{rule['action']} (shadow)" if rule["shadow"] else str(rule["action"])


def _actions(policy: dict[str, Any]) -> str:
    told = dict.fromkeys(map(_acts, policy["rules"]))
    return ", ".join([*told, *(["some only flagged"] if policy["only_flags"] else [])])


def _say_only_flags(policy: dict[str, Any]) -> None:
    """Nobody may believe that something is masked which is not."""
    for rule in policy["rules"]:
        if loose := policy["only_flags"].get(rule["id"]):
            click.secho(
                f"the rule {rule['id']} does not {rule['action']} {', '.join(loose)}: what has no "
                f"form of its own is only flagged, unless settings.act_on names it",
                fg="yellow",
            )


def _where(binding: dict[str, Any]) -> str:
    return f"{binding['kind']} {binding['subject']}".strip()


@policies.command("show")
@click.argument("policy")
@project_option
@json_option
@click.pass_obj
def show_(client: Client, policy: str, project: str, as_json: bool) -> None:
    """Show a policy with its rules, in order.

    \b
    Example:
      stockpot guardrails policies show careful
    """
    found = client.get(f"{API}/policies/{policy}", project=project)
    if printed(found, as_json=as_json):
        return
    held = ", ".join(map(_where, found["bindings"])) or "nothing yet (stockpot guardrails bind)"
    click.echo(f"{found['project']}/{found['name']}: {found['description']}".rstrip(": "))
    click.echo(f"holds for {held}; flagged calls go to {found['queue'] or 'no queue'}")
    show(
        found["rules"],
        (
            ("RULE", lambda r: r["id"]),
            ("RAIL", lambda r: r["rail"]),
            ("ON", lambda r: ", ".join(r["on"])),
            ("ACTION", _acts),
            ("FAILS", lambda r: r["on_error"]),
            ("BUDGET", lambda r: f"{r['budget_ms']:g} ms" if r["budget_ms"] else "default"),
            ("SETTINGS", lambda r: json.dumps(r["settings"]) if r["settings"] else ""),
        ),
        as_json=False,
        empty="It has no rules.",
    )
    _say_only_flags(found)


@policies.command()
@click.argument("body", metavar="FILE", type=JsonFile(dict))
@click.option("--project", help="Instead of the file's.")
@json_option
@click.pass_obj
def apply(client: Client, body: dict[str, Any], project: str | None, as_json: bool) -> None:
    """Write the policy of a JSON file; it is in force everywhere at once.

    \b
    Example:
      stockpot guardrails policies apply careful.json
    """
    bindings = body.pop("bindings", [])
    if project:
        body["project"] = project
    made = client.put(f"{API}/policies", body)
    for binding in bindings:
        path = f"{API}/policies/{made['name']}/bindings"
        made = client.put(path, binding, project=made["project"])
    held = ", ".join(map(_where, made["bindings"]))
    told = f"{made['name']}: {len(made['rules'])} rules, in force for {held or 'nothing yet'}"
    say(made, told, as_json=as_json)
    if as_json:
        return
    if not held:
        click.echo(f"bind it: stockpot guardrails bind {made['name']} --route NAME")
    _say_only_flags(made)
    body = {"project": made["project"], "policy": made["name"], "text": ""}
    rules = client.post(f"{API}/test", body)["rules"]
    whole = [rule["rule"] for rule in rules if rule["holds"] == "the whole answer"]
    if whole:
        click.echo(f"streamed answers are held until their end, by: {', '.join(whole)}")


@policies.command()
@click.argument("policy")
@project_option
@json_option
@click.pass_obj
def delete(client: Client, policy: str, project: str, as_json: bool) -> None:
    """Remove a policy, everywhere where it holds.

    \b
    Example:
      stockpot guardrails policies delete careful
    """
    client.delete(f"{API}/policies/{policy}", project=project)
    say({"removed": policy}, f"removed {policy}", as_json=as_json)


def _binding(route: str | None, key: str | None) -> dict[str, str]:
    if route and key:
        raise InvalidInput("name a --route or a --key, not both")
    if route:
        return {"kind": "route", "subject": route}
    return {"kind": "key", "subject": key} if key else {"kind": "project", "subject": ""}


@click.command()
@click.argument("policy")
@project_option
@click.option("--route", help="Only calls to this model name.")
@click.option("--key", help="Only calls with this key (its id).")
@json_option
@click.pass_obj
def bind(
    client: Client, policy: str, project: str, route: str | None, key: str | None, as_json: bool
) -> None:
    """Let a policy hold: for its project, or for a route or a key of it. The narrowest decides.

    \b
    Example:
      stockpot guardrails bind careful --route support
    """
    path = f"{API}/policies/{policy}/bindings"
    made = client.put(path, _binding(route, key), project=project)
    held = ", ".join(map(_where, made["bindings"]))
    say(made, f"{policy} holds for {held}", as_json=as_json)


@click.command()
@project_option
@click.option("--route", help="Only calls to this model name.")
@click.option("--key", help="Only calls with this key (its id).")
@json_option
@click.pass_obj
def unbind(client: Client, project: str, route: str | None, key: str | None, as_json: bool) -> None:
    """Let no policy hold there any more.

    \b
    Example:
      stockpot guardrails unbind --route support
    """
    binding = _binding(route, key)
    client.delete(f"{API}/bindings", **binding, project=project)
    say(binding, "no policy holds there now", as_json=as_json)
