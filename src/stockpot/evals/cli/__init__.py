"""`stockpot eval`. Knows the API's paths and the terminal; works with or without `up`, as far as a
suite's target needs no gateway."""

from stockpot.evals.cli.agreement import agreement
from stockpot.evals.cli.judges import judges
from stockpot.evals.cli.looking import compare, list_, rows, runs, scorers, show_run, velocity
from stockpot.evals.cli.running import cancel, eval_, gate, push, remove, resume, run, watch

for command in (
    run, gate, compare, list_, push, remove, runs, show_run, rows, watch, resume, cancel, scorers,
    velocity, agreement, judges,
):  # fmt: skip
    eval_.add_command(command)

__all__ = ["eval_"]
