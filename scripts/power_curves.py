"""Draw what our statistics do to experiments whose truth is known: `docs/images/*.svg`.

    .venv/bin/python -m scripts.power_curves [--simulations N]

Plain SVG, light and dark by the reader's own preference, out of the same simulation as `stockpot
experiments simulate`; the seed is fixed, so the pictures change only when the statistics do.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from stockpot.experiments.simulating import Setting, false_alarms, power_of

OUT = Path(__file__).resolve().parents[1] / "docs" / "images"
EFFECTS = (0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3)
WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 150, 34, 44
STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #374151 }
  .title { font-weight: 600; fill: #111827 } .grid { stroke: #e5e7eb } .mark { stroke: #6b7280 }
  .back { fill: #ffffff } path { fill: none; stroke-width: 2 }
  .ours { stroke: #0f766e } .naive { stroke: #b91c1c } .once { stroke: #6b7280 }
  text.ours { stroke: none; fill: #0f766e } text.naive { stroke: none; fill: #b91c1c }
  text.once { stroke: none; fill: #6b7280 }
  @media (prefers-color-scheme: dark) {
    text { fill: #d1d5db } .title { fill: #f9fafb } .grid { stroke: #374151 }
    .back { fill: #111827 } .ours { stroke: #2dd4bf } .naive { stroke: #f87171 }
    .once { stroke: #9ca3af } text.ours { fill: #2dd4bf } text.naive { fill: #f87171 }
    text.once { fill: #9ca3af }
  }"""


class Curve(NamedTuple):
    """One line with its name and its class in the style sheet."""

    name: str
    style: str
    xs: Sequence[float]
    ys: Sequence[float]
    lower: float = 0.0
    """How much further down its name stands."""


class Axis(NamedTuple):
    """From 0 to `most`, with marks."""

    name: str
    most: float
    marks: Sequence[float]
    form: str


def at(x: Axis, y: Axis, one: float, other: float) -> tuple[float, float]:
    """Where a point is drawn."""
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    return LEFT + wide * one / x.most, TOP + high * (1 - other / y.most)


def picture(title: str, x: Axis, y: Axis, curves: Sequence[Curve], level: float | None) -> str:
    """A chart as SVG; `level` is a dashed line across it."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{title}"><style>{STYLE}</style>',
        f'<rect class="back" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
        f'<text class="title" x="{LEFT}" y="20">{title}</text>',
        *frame(x, y),
    ]
    if level is not None:
        _, down = at(x, y, 0, level)
        parts.append(
            f'<line class="mark" stroke-dasharray="4 4" x1="{LEFT}" x2="{WIDTH - RIGHT}" '
            f'y1="{down:.1f}" y2="{down:.1f}"/>'
        )
    for curve in curves:
        points = [at(x, y, one, other) for one, other in zip(curve.xs, curve.ys, strict=True)]
        drawn = " L".join(f"{right:.1f} {down:.1f}" for right, down in points)
        right, down = points[-1]
        place = f'x="{right + 6:.1f}" y="{down + 4 + curve.lower:.1f}"'
        parts.append(f'<path class="{curve.style}" d="M{drawn}"/>')
        parts.append(f'<text class="{curve.style}" {place}>{curve.name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def frame(x: Axis, y: Axis) -> list[str]:
    """The axes with their marks."""
    parts = []
    for mark in y.marks:
        _, down = at(x, y, 0, mark)
        ends = f'x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{down:.1f}" y2="{down:.1f}"'
        place = f'x="{LEFT - 8}" y="{down + 4:.1f}" text-anchor="end"'
        parts.append(f'<line class="grid" {ends}/><text {place}>{y.form.format(mark)}</text>')
    for mark in x.marks:
        right, _ = at(x, y, mark, 0)
        place = f'x="{right:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle"'
        parts.append(f"<text {place}>{x.form.format(mark)}</text>")
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{x.name}</text>')
    return parts


def peeking(setting: Setting) -> str:
    """How false alarms gather while an experiment without a difference is watched."""
    ends, found = false_alarms(setting)
    ours, naive = found.values()
    curves = [
        Curve("t test, watched", "naive", ends.tolist(), (100 * naive).tolist()),
        Curve("sequence, watched", "ours", ends.tolist(), (100 * ours).tolist()),
    ]
    x = Axis("units so far", setting.units, range(0, setting.units + 1, 2_000), "{:,}")
    y = Axis("", 50, (0, 10, 20, 30, 40, 50), "{:g} %")
    return picture("No difference: experiments with a false alarm so far", x, y, curves, 5)


def power(setting: Setting) -> tuple[str, str]:
    """How often, and how soon, a difference is found."""
    told = [power_of(setting, effect) for effect in EFFECTS]
    shown = [one for one in told if one.effect <= 0.2]
    xs = [one.effect for one in shown]
    x = Axis("difference, in standard deviations of units", 0.2, (0, 0.05, 0.1, 0.15, 0.2), "{:g}")
    share = Axis("", 100, (0, 20, 40, 60, 80, 100), "{:g} %")
    often = picture(
        f"A difference: found by {setting.units:,} units", x, share,
        [
            Curve("t test once, at the end", "once", xs, [100 * p.once for p in shown], 18),
            Curve("sequence, watched", "ours", xs, [100 * one.power for one in shown]),
        ], 80,
    )  # fmt: skip
    decided = [(one.effect, one.median_units) for one in told if one.median_units]
    x = Axis(x.name, 0.3, (0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3), "{:g}")
    units = Axis("", setting.units, range(0, setting.units + 1, 2_000), "{:,}")
    soon = picture(
        "A difference: units by which half of the experiments have found it", x, units,
        [Curve("sequence, watched", "ours", [e for e, _ in decided], [n for _, n in decided])],
        None,
    )  # fmt: skip
    return often, soon


def main(simulations: int) -> None:
    setting = Setting(simulations=simulations)
    often, soon = power(setting)
    drawn = {"peeking": peeking(setting), "power": often, "decided": soon}
    for name, text in drawn.items():
        target = OUT / f"experiments-{name}.svg"
        target.write_text(text, "utf-8")
        print(target.relative_to(OUT.parents[1]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=2_000)
    main(parser.parse_args().simulations)
