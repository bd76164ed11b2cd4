"""The root of the command line. Knows where each command lives and loads it when it is asked for.

`ctx.obj` is a `stockpot.core.client.Client` that opens on first use: of the running control plane,
else of the same application in this process.
"""

from __future__ import annotations

import errno
import gc
import importlib
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from stockpot import __version__
from stockpot.core.errors import InvalidInput, StockpotError
from stockpot.core.loading import spare_httpx_its_command

if TYPE_CHECKING:
    from stockpot.core.client import Client
    from stockpot.core.inprocess import ASGIApp


# What is computed here, and in the processes that are started from here, are small vectors: threads
# of the linear algebra would only wait for each other (16 s instead of 1.4 s for a refit).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


class Row(NamedTuple):
    """A command: where its object is, and its line in `stockpot --help` (which loads no module)."""

    section: str
    name: str
    where: str
    line: str


COMMANDS: tuple[Row, ...] = (
    Row("Run", "up", "stockpot.up.cli:up", "Start everything and print how to use it."),
    Row("Run", "status", "stockpot.up.cli:status", "Show the processes of the running instance."),
    Row("Run", "demo", "stockpot.up.demo.cli:demo", "Drive the demo of `stockpot up --demo`."),
    Row("Run", "down", "stockpot.up.cli:down", "Stop the running instance, letting calls finish."),
    Row("Run", "doctor", "stockpot.doctor:doctor", "Say what is wrong and how to mend it."),
    Row("Run", "backup", "stockpot.backup.cli:backup", "Write an archive of the instance."),
    Row("Run", "restore", "stockpot.backup.cli:restore", "Unpack an archive to an empty home."),
    Row("Run", "migrate", "stockpot.backup.cli:migrate", "Move the control store to a database."),
    Row("Run", "models", "stockpot.engines.cli:models", "Pull, list and remove local models."),
    Row("Govern", "keys", "stockpot.catalog.cli:keys", "Create and manage virtual keys."),
    Row("Govern", "projects", "stockpot.catalog.cli:projects", "Manage projects, limits, budgets."),
    Row("Govern", "providers", "stockpot.catalog.cli:providers", "Connect vendors and servers."),
    Row("Govern", "prices", "stockpot.catalog.cli:prices", "Show and state what models cost."),
    Row(
        "Govern",
        "guardrails",
        "stockpot.guardrails.cli:guardrails",
        "Rails, policies, rates, tests.",
    ),
    Row("Govern", "aliases", "stockpot.catalog.cli:aliases", "Route a model name to targets."),
    Row("Change", "plan", "stockpot.revisions.cli:plan", "Show what a file would change."),
    Row("Change", "apply", "stockpot.revisions.cli:apply", "Release what a file says, watched."),
    Row("Change", "rollback", "stockpot.revisions.cli:rollback", "Go back to a revision."),
    Row("Change", "diff", "stockpot.revisions.cli:diff", "Compare two revisions."),
    Row("Change", "revisions", "stockpot.revisions.cli:revisions", "List and show revisions."),
    Row("Change", "export", "stockpot.revisions.cli:export", "Print the present state as a file."),
    Row("Change", "import", "stockpot.catalog.cli:import_", "Take over another's configuration."),
    Row("Look", "traces", "stockpot.traces.cli:traces", "List, show, follow and verify traces."),
    Row("Look", "scores", "stockpot.traces.scores.cli:scores", "Write, list and sum up scores."),
    Row("Look", "monitors", "stockpot.monitors.cli:monitors", "Alert when figures are amiss."),
    Row("Look", "replay", "stockpot.playground.cli:replay", "Run a trace again, compare answers."),
    Row("Look", "bench", "stockpot.bench.cli:bench", "Measure the gateway on this machine."),
    Row("Improve", "prompts", "stockpot.prompts.cli:prompts", "Versions, labels, files in git."),
    Row("Improve", "feedback", "stockpot.feedback.cli:feedback", "What users say; public keys."),
    Row("Improve", "datasets", "stockpot.datasets.cli:datasets", "Rows to evaluate with."),
    Row("Improve", "annotate", "stockpot.datasets.cli:annotate", "Let people label rows, traces."),
    Row(
        "Improve",
        "rightsize",
        "stockpot.pipelines.rightsize.cli:rightsize",
        "Find the cheapest model that passes.",
    ),
    Row("Improve", "eval", "stockpot.evals.cli:eval_", "Run suites, compare, gate releases."),
    Row("Improve", "online", "stockpot.monitors.checks.cli:online", "Score production answers."),
    Row("Improve", "drift", "stockpot.monitors.checks.cli:drift", "Scores and texts that moved."),
    Row("Improve", "canaries", "stockpot.monitors.checks.cli:canaries", "Models that changed."),
    Row("Improve", "pipelines", "stockpot.monitors.checks.cli:pipelines", "Steps on a schedule."),
    Row("Improve", "readiness", "stockpot.usecases.cli:readiness", "From demo to production."),
    Row(
        "Improve",
        "experiments",
        "stockpot.experiments.cli:experiments",
        "Split live traffic, decide safely.",
    ),
    Row(
        "Access", "sign-in", "stockpot.access.cli:sign_in", "Print a sign-in link for the console."
    ),
    Row("Access", "users", "stockpot.access.cli:users", "Invite people, change and end access."),
    Row("Access", "teams", "stockpot.access.cli:teams", "Put people together."),
    Row("Access", "access", "stockpot.access.cli:access", "Open projects to people and teams."),
    Row("Access", "requests", "stockpot.catalog.cli:requests", "Ask for access, and decide."),
    Row("Access", "audit", "stockpot.access.cli:audit", "See who changed what; verify the log."),
    Row("Access", "tokens", "stockpot.access.cli:tokens", "Create and revoke API tokens."),
    Row("Access", "secrets", "stockpot.catalog.cli:secrets", "Rotate the instance's secrets."),
    Row("Access", "version", "stockpot.cli:version", "Print the versions of what runs."),
)


ALSO = {"evals": "eval"}
"""Other names of commands, for those whose fingers know them so."""


class Refused(click.ClickException):
    """A StockpotError as the terminal shows it: what is wrong, then the next step."""

    def __init__(self, error: StockpotError) -> None:
        super().__init__(error.message)
        self.hint = error.hint

    def show(self, file: Any = None) -> None:
        click.echo(f"{click.style('error:', fg='red')} {self.message}", file=file, err=True)
        if self.hint:
            click.echo(f"       {self.hint}", file=file, err=True)


class Root(click.Group):
    """A group that reads COMMANDS, so that help and completion cost no import."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [row.name for row in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = ALSO.get(cmd_name, cmd_name)
        row = next((row for row in COMMANDS if row.name == name), None)
        if row is None:
            return None
        spare_httpx_its_command()
        module, _, attribute = row.where.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command), row.where
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from stockpot.core.errors import did_you_mean

            near = did_you_mean(args[0], self.list_commands(ctx))
            ctx.fail(f"No such command {args[0]!r}.{near}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(len(row.name) for row in COMMANDS)
        for section in dict.fromkeys(row.section for row in COMMANDS):
            rows = [(r.name.ljust(width), r.line) for r in COMMANDS if r.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except StockpotError as error:
            raise Refused(error) from error
        except UnicodeDecodeError as error:
            raise Refused(InvalidInput("what was given to read is not text in UTF-8")) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # `| head`: click ends in silence
                raise
            raise Refused(_by_the_system(error)) from error


def _by_the_system(error: OSError) -> StockpotError:
    """A file that cannot be read or written, a full disk: in the words of the system."""
    what = f"{error.filename!r} cannot be used: " if error.filename is not None else ""
    return InvalidInput(
        f"{what}{error.strerror or error}", hint="look at the path, its permissions and the disk"
    )


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="stockpot")
@click.pass_context
def main(ctx: click.Context) -> None:
    """One pot for the whole LLM stack: gateway, span log, console and local models.

    \b
    Example:
      stockpot up
      stockpot keys create --name my-app
      stockpot traces tail
    """
    if ctx.obj is None:
        client = _OnDemand()
        ctx.obj = client
        ctx.call_on_close(client.close)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def version(as_json: bool) -> None:
    """Print the versions of what runs.

    \b
    Example:
      stockpot version --json
    """
    import platform

    from stockpot.core.db import sqlite_library
    from stockpot.core.terminal import print_json

    facts = {
        "stockpot": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite_library().version,
        "platform": platform.platform(),
    }
    if as_json:
        print_json(facts)
    else:
        for name, value in facts.items():
            click.echo(f"{name:10} {value}")


class _OnDemand:
    """Stands for the Client until a command first uses it."""

    _client: Client | None = None

    def __getattr__(self, name: str) -> Any:
        if self._client is None:
            self._client = _open()
        return getattr(self._client, name)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


def _open() -> Client:
    from stockpot.core.client import Client
    from stockpot.core.config import load
    from stockpot.core.instance import Instance

    settings = load()
    instance = Instance(settings.home)

    def app() -> ASGIApp:
        # What is loaded here stays: looking for garbage among it took a quarter of a command.
        gc.disable()
        from stockpot.app import control_app

        made = control_app(settings, instance)
        gc.freeze()
        gc.enable()
        return made

    return Client.open(settings, instance, app)


if __name__ == "__main__":
    main(prog_name="stockpot")
