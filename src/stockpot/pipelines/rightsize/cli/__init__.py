"""`stockpot rightsize`: run, list, show, resume, cancel, plan, apply, savings."""

from stockpot.pipelines.rightsize.cli import changing, running
from stockpot.pipelines.rightsize.cli.root import rightsize

for _command in (*running.COMMANDS, *changing.COMMANDS):
    rightsize.add_command(_command)

__all__ = ["rightsize"]
