"""`stockpot demo`: traffic, break, mend."""

from __future__ import annotations

import asyncio

import click

from stockpot.core import config
from stockpot.core.errors import NotFound
from stockpot.core.instance import Instance
from stockpot.core.terminal import json_option, printed
from stockpot.core.urls import console_url, gateway_url


@click.group()
def demo() -> None:
    """Drive the demo that `stockpot up --demo` sets up.

    \b
    Example:
      stockpot demo traffic --calls 200
    """


@demo.command("traffic")
@click.option("--calls", default=200, show_default=True, help="How many questions guests ask.")
@click.option("--per-second", default=0.0, help="At this rate; without it as fast as answers come.")
@click.option("--seed", type=int, help="The same guests and questions again.")
@json_option
def traffic(calls: int, per_second: float, seed: int | None, as_json: bool) -> None:
    """Let guests ask questions and give thumbs.

    \b
    Example:
      stockpot demo traffic --calls 500 --per-second 20
    """
    from stockpot.up.demo.traffic import Guests

    settings, key = config.load(), _key()
    guests = Guests(gateway_url(settings), settings.control_url or console_url(settings), key, seed)
    sent = asyncio.run(guests.ask(calls, per_second))
    if printed(sent._asdict(), as_json=as_json):
        return
    click.echo(
        f"{sent.calls} questions, {sent.failed} failed, {sent.thumbs_up} thumbs up"
        + (f", {sent.unrated} without feedback" if sent.unrated else "")
    )


@demo.command("break")
def break_() -> None:
    """Spoil the answers of the candidate's model, and watch the experiment roll back by itself.

    \b
    Example:
      stockpot demo break
      stockpot demo traffic --calls 300
      stockpot experiments show shorter-answers --project menu-desk
    """
    from stockpot.up.demo import seeding, story

    _key()
    seeding.spoil(Instance(config.load().home))
    click.echo(
        f"recorded/{story.CANDIDATE} helps nobody from now on. Send traffic and look:\n"
        "  stockpot demo traffic --calls 300\n"
        f"  stockpot experiments show {story.EXPERIMENT} --project {story.PROJECT}"
    )


@demo.command("mend")
def mend() -> None:
    """Let the candidate's model answer as before.

    \b
    Example:
      stockpot demo mend
    """
    from stockpot.up.demo import seeding, story

    _key()
    seeding.mend(Instance(config.load().home))
    click.echo(f"recorded/{story.CANDIDATE} answers as before.")


def _key() -> str:
    from stockpot.up.demo.seeding import kept_key

    key = kept_key(Instance(config.load().home))
    if not key:
        raise NotFound("there is no demo here", hint="stockpot up --demo")
    return key
