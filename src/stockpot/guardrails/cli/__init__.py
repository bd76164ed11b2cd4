"""`stockpot guardrails`. Knows the API's paths and the terminal; works with or without `up`."""

from stockpot.guardrails.cli.calibrate import calibrate
from stockpot.guardrails.cli.measure import measure
from stockpot.guardrails.cli.policies import bind, guardrails, unbind
from stockpot.guardrails.cli.testing import rails, test

for command in (bind, unbind, rails, test, measure, calibrate):
    guardrails.add_command(command)

__all__ = ["guardrails"]
