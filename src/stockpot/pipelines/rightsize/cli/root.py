"""The root of `stockpot rightsize`, whose first word may be a project: then it is a run."""

from __future__ import annotations

import click


class RunsByDefault(click.Group):
    """`stockpot rightsize PROJECT ...` is `stockpot rightsize run PROJECT ...`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `run` in front of a word that is no command."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=RunsByDefault)
def rightsize() -> None:
    """Find the cheapest model that still passes, and move traffic to it.

    With the name of a project as first word it starts a run there.

    \b
    Example:
      stockpot rightsize run menu --candidates gpt-4o-mini,llama \\
        --baseline gpt-4o --margin 0.05
      stockpot rightsize apply size_0a1b2c3d4e5f6g7h8j9k
    """
