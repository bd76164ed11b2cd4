"""`stockpot feedback`: give it, list it, sum it up; `stockpot feedback keys`: public keys."""

from __future__ import annotations

import time
from typing import Any

import click

from stockpot.core.client import Client
from stockpot.core.durations import milliseconds
from stockpot.core.errors import NotFound, did_you_mean
from stockpot.core.terminal import NUMBER, json_option, say, show, when
from stockpot.traces import badge_words

_API, _KEYS = "/api/v1/feedback", "/api/v1/public-keys"
_SIGNALS = click.Choice(
    ["copied", "regenerated", "escalated", "citation_click", "accepted", "edited", "abandoned",
     "appealed"]
)  # fmt: skip


@click.group()
def feedback() -> None:
    """Give, list and sum up what users say about answers; keys for browsers.

    \b
    Example:
      stockpot feedback summary
    """


@feedback.command("give")
@click.argument("trace_id", metavar="TRACE")
@click.option("--thumb", type=click.Choice(["up", "down", "none"]), help="`none` takes it back.")
@click.option("--name", help="What --value or --label rate; `rating` when left out.")
@click.option("--value", type=NUMBER, help="A number.")
@click.option("--label", help="A class.")
@click.option("--comment", help="What was said.")
@click.option("--correction", help="What the answer should have been.")
@click.option(
    "--signal",
    type=_SIGNALS,
    metavar="SIGNAL",
    help=f"What was done in silence: {', '.join(_SIGNALS.choices)}.",
)
@click.option("--user", help="Who says so.")
@click.option("--span", "span_id", help="The span that is meant.")
@click.option("--project", default="default", show_default=True)
@json_option
@click.pass_obj
def give(client: Client, /, trace_id: str, as_json: bool, **given: Any) -> None:
    """Say what somebody thinks of an answer.

    \b
    Example:
      stockpot feedback give 4bf92f3577b34da6a3ce929d0e0e4736 --thumb down \\
        --comment "cold"
    """
    item = {name: value for name, value in given.items() if value is not None}
    done = client.post(_API, {"trace_id": trace_id, **item})
    say(done, f"wrote {', '.join(done['ids'])}", as_json=as_json)


@feedback.command("list")
@click.option("--project", help="Only of this project.")
@click.option("--prompt", "prompt_name", help="Only of calls with this prompt.")
@click.option("--name", help="Only of this name: thumbs, correction, copied ...")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@json_option
@click.pass_obj
def list_(client: Client, /, as_json: bool, **given: Any) -> None:
    """List what users said and did, newest first.

    \b
    Example:
      stockpot feedback list --name thumbs
    """
    show(
        client.get("/api/v1/scores", by_people=True, annotated=False, **given)["items"],
        (
            ("TIME", lambda s: when(s["created_ms"])),
            ("TRACE", lambda s: (s["trace_id"] or s["session"] or s["item"] or "")[:16]),
            ("WHAT", lambda s: s["name"]),
            ("SAID", _said),
            ("USER", lambda s: s["author"] or s["user"]),
            ("PROMPT", lambda s: " v".join(filter(None, (s["prompt_name"], s["prompt_version"])))),
            ("COMMENT", lambda s: " ".join(s["comment"].split())[:40]),
        ),
        as_json=as_json,
        empty="No feedback yet. Give some:  stockpot feedback give TRACE --thumb up",
    )


@feedback.command("summary")
@click.option("--project", help="Only of this project.")
@click.option("--prompt", "prompt_name", help="Only of calls with this prompt.")
@click.option(
    "--by",
    type=click.Choice(["prompt", "model", "variant", "environment", "day"]),
    default="prompt",
    show_default=True,
)
@click.option("--last", "last_ms", type=milliseconds, default="30d", metavar="DURATION")
@json_option
@click.pass_obj
def summary(client: Client, /, as_json: bool, by: str, last_ms: int, **given: Any) -> None:
    """Sum up satisfaction and trust, each figure with its 95 % interval.

    \b
    Example:
      stockpot feedback summary --project default --last 7d
    """
    since = time.time() * 1000 - last_ms
    show(
        client.get(f"{_API}/summary", by=by, from_ms=since, **given),
        (
            (by.upper(), lambda s: " v".join(filter(None, s["key"].values())) or "-"),
            ("RATED", lambda s: s["rated"]),
            ("SATISFIED", lambda s: _share(s["satisfied"])),
            ("EDITED", lambda s: _share(s["edited"])),
            ("GROUNDED", lambda s: _share(s["grounded"])),
            ("COMMENTS", lambda s: s["comments"]),
            ("SIGNALS", lambda s: "  ".join(
                f"{name} {_share(share)}" for name, share in s["signals"].items()
            )),
        ),
        as_json=as_json,
        empty="No feedback yet. Give some:  stockpot feedback give TRACE --thumb up",
    )  # fmt: skip


@feedback.group("keys")
def keys() -> None:
    """Create and manage public keys, with which browsers give feedback and do nothing else.

    \b
    Example:
      stockpot feedback keys create --name my-site \\
        --origin https://menu.example.org
    """


@keys.command("create")
@click.option("--name", required=True, help="Which site it is for.")
@click.option("--project", default="default", show_default=True)
@click.option("--origin", "origins", multiple=True, help="A web page's origin; repeat for more.")
@click.option("--rpm", type=int, help="Items a minute, of all callers together.")
@click.option("--caller-rpm", type=int, help="Items a minute from one address.")
@json_option
@click.pass_obj
def create(client: Client, /, as_json: bool, **given: Any) -> None:
    """Create a public key and print it.

    \b
    Example:
      stockpot feedback keys create --name my-site \\
        --origin https://menu.example.org
    """
    made = client.post(_KEYS, {name: value for name, value in given.items() if value})
    say(made, made["key"], as_json=as_json)


@keys.command("list")
@click.option("--all", "everything", is_flag=True, help="Show revoked keys too.")
@json_option
@click.pass_obj
def list_keys(client: Client, everything: bool, as_json: bool) -> None:
    """List public keys, newest first.

    \b
    Example:
      stockpot feedback keys list
    """
    show(
        client.get(_KEYS, include_revoked=everything or None),
        (
            ("ID", lambda k: k["id"]),
            ("NAME", lambda k: k["name"]),
            ("KEY", lambda k: k["key"]),
            ("PROJECT", lambda k: k["project"]),
            ("STATE", lambda k: k["state"]),
            ("ORIGINS", lambda k: " ".join(k["origins"])),
            ("A MINUTE", lambda k: f"{k['rpm']}, {k['caller_rpm']} a caller"),
        ),
        as_json=as_json,
        empty="No public keys yet. Make one:  stockpot feedback keys create --name my-site",
    )


@keys.command("change")
@click.argument("key")
@click.option("--origin", "origins", multiple=True, help="Replaces those it has; may repeat.")
@click.option("--rpm", type=int, help="Items a minute, of all callers together.")
@click.option("--caller-rpm", type=int, help="Items a minute from one address.")
@json_option
@click.pass_obj
def change(client: Client, /, key: str, as_json: bool, **given: Any) -> None:
    """Change which pages may use a key, and how often.

    \b
    Example:
      stockpot feedback keys change my-site --origin https://menu.example.org
    """
    found = _named(client, key)
    changes = {name: value for name, value in given.items() if value}
    made = client.patch(f"{_KEYS}/{found['id']}", changes)
    say(made, f"changed {found['name']} ({found['id']})", as_json=as_json)


@keys.command("revoke")
@click.argument("key")
@click.pass_obj
def revoke(client: Client, key: str) -> None:
    """End a key; what it brought stays.

    \b
    Example:
      stockpot feedback keys revoke my-site
    """
    found = _named(client, key)
    client.delete(f"{_KEYS}/{found['id']}")
    click.echo(f"revoked {found['name']} ({found['id']})")


def _said(score: dict[str, Any]) -> str:
    if score["correction"] is not None:
        return " ".join(score["correction"].split())[:40]
    return score["label"] or ("" if score["value"] is None else f"{score['value']:g}")


def _share(interval: dict[str, Any] | None) -> str:
    if interval is None:
        return "-"
    told = f"{interval['value']:.0%}"
    judged = "".join(f" [{badge_words(badge)}]" for badge in interval["badges"])
    if interval["low"] is None:
        return f"{told} (n={interval['n']}){judged}"
    return f"{told} [{interval['low']:.0%}, {interval['high']:.0%}] (n={interval['n']}){judged}"


def _named(client: Client, wanted: str) -> dict[str, Any]:
    known: list[dict[str, Any]] = client.get(_KEYS)
    found = next((key for key in known if wanted in (key["id"], key["name"], key["key"])), None)
    if found is None:
        near = did_you_mean(wanted, [key["name"] for key in known])
        raise NotFound(f"no public key {wanted!r}.{near}", hint="stockpot feedback keys list")
    return found
