"""The commands of the catalog. Knows the API's paths; every command works with or without `up`."""

from stockpot.catalog.cli.aliases import aliases
from stockpot.catalog.cli.importing import import_
from stockpot.catalog.cli.keys import keys
from stockpot.catalog.cli.prices import prices
from stockpot.catalog.cli.projects import projects
from stockpot.catalog.cli.providers import providers, secrets
from stockpot.catalog.cli.requests import requests

__all__ = ["aliases", "import_", "keys", "prices", "projects", "providers", "requests", "secrets"]
