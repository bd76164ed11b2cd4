"""`stockpot guardrails`. Knows the API's paths and the terminal; works with or without `up`."""

from stockpot.guardrails.cli.policies import bind, guardrails, unbind
from stockpot.guardrails.cli.testing import rails, test

for command in (bind, unbind, rails, test):
    guardrails.add_command(command)

__all__ = ["guardrails"]
