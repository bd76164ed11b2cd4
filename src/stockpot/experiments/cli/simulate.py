"""`stockpot experiments simulate`: what our statistics do when nothing is there, and when something
is. Needs no server."""

from __future__ import annotations

from typing import Any

import click

from stockpot.core.terminal import Number, json_option, print_json, show
from stockpot.experiments.cli.root import experiments


@experiments.command("simulate")
@click.option(
    "--simulations",
    type=click.IntRange(100, 1_000_000),
    default=2_000,
    show_default=True,
    help="Experiments of each sort.",
)
@click.option(
    "--units",
    type=click.IntRange(400, 10_000_000),
    default=10_000,
    show_default=True,
    help="Units of both arms together.",
)
@click.option(
    "--looks",
    type=click.IntRange(1, 100_000),
    default=500,
    show_default=True,
    help="How often each experiment is looked at.",
)
@click.option(
    "--alpha",
    type=Number(0.0001, 0.5),
    default=0.05,
    show_default=True,
    help="The chance of a false alarm that is allowed.",
)
@click.option(
    "--split",
    type=Number(0.01, 0.95),
    default=0.5,
    show_default=True,
    help="The candidate's part of the units.",
)
@click.option(
    "--effect",
    "effects",
    type=Number(0.001, 10),
    multiple=True,
    default=(0.05, 0.1, 0.2),
    show_default=True,
    help="A difference in standard deviations of units; may be given again.",
)
@click.option(
    "--seed", type=click.IntRange(0), help="Of other random numbers than the published ones."
)
@json_option
def simulate(as_json: bool, seed: int | None, effects: tuple[float, ...], **setting: Any) -> None:
    """Measure the error rates of this product's own statistics, by experiments whose truth is
    known: watched all the time, beside the t test that most people would watch.

    A rate holds when its 99 % interval includes the nominal rate or lies below. Ends with 1 when
    one of those that decide does not.

    \b
    Example:
      stockpot experiments simulate --simulations 10000
    """  # fmt: skip
    from stockpot.experiments.simulating import SEED, Setting
    from stockpot.experiments.simulating import simulate as run

    told = run(Setting(**setting, effects=effects, seed=SEED if seed is None else seed))
    if as_json:
        ratios = [one._asdict() for one in told.ratios]
        print_json({
            "setting": told.setting._asdict(), "sound": told.sound,
            "errors": [one._asdict() for one in told.errors],
            "powers": [one._asdict() for one in told.powers],
            "ratios": ratios, "uneven_split": told.uneven._asdict(),
        })  # fmt: skip
    else:
        _print(told)
    if not told.sound:
        raise SystemExit(1)


def _print(told: Any) -> None:
    setting = told.setting
    click.echo(
        f"{setting.simulations:,} experiments of each sort, {setting.units:,} units, "
        f"{setting.looks:,} looks, seed {setting.seed}\n\n"
        "Nothing is there; how often something was found at any look:"
    )
    _print_errors([*told.errors, *told.ratios])
    click.echo("\nSomething is there; how often the sequence found it by the end:")
    show(
        told.powers,
        (
            ("DIFFERENCE", lambda p: f"{p.effect:g} sd"),
            ("FOUND", lambda p: f"{100 * p.power:.1f} %"),
            ("99 % INTERVAL", lambda p: _span(p.low, p.high)),
            ("UNITS, HALF FOUND BY", lambda p: f"{p.median_units:,}" if p.median_units else "-"),
            ("T TEST ONCE, AT THE END", lambda p: f"{100 * p.once:.1f} %"),
        ),
        as_json=False,
        empty="No difference was asked for.",
    )
    uneven = told.uneven
    after = f", half of them by {uneven.median_units:,} units" if uneven.median_units else ""
    click.echo(f"\nA split that is 2 points off is noticed in {100 * uneven.power:.1f} %{after}.")


def _print_errors(rates: list[Any]) -> None:
    show(
        rates,
        (
            ("EXPERIMENTS", lambda r: r.scenario),
            ("WATCHED BY", lambda r: r.method),
            ("FALSE ALARMS", lambda r: f"{r.errors:,} = {100 * r.rate:.1f} %"),
            ("99 % INTERVAL", lambda r: _span(r.low, r.high)),
            ("NOMINAL", lambda r: f"{100 * r.nominal:g} %"),
            ("VERDICT", lambda r: "holds" if r.holds else "FAILS"),
        ),
        as_json=False,
        empty="",
    )


def _span(low: float, high: float) -> str:
    return f"[{100 * low:.1f}, {100 * high:.1f}]"
