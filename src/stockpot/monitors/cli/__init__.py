"""`stockpot monitors`. Knows the API's paths and the terminal; works with or without `up`."""

from stockpot.monitors.cli.channels import channels, deliveries, retry
from stockpot.monitors.cli.monitors import monitors
from stockpot.monitors.cli.silences import silence, silences, unsilence

for command in (channels, deliveries, retry, silence, silences, unsilence):
    monitors.add_command(command)

__all__ = ["monitors"]
