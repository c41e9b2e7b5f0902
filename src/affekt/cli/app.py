"""The ``affekt`` command: a table of commands, each loaded only when it is called, and one way to report errors."""

import importlib
import sys
from typing import Any

import click
import typer
from typer.core import TyperGroup

from affekt.errors import AffektError

COMMANDS: dict[str, tuple[str, str]] = {
    "predict": ("affekt.cli.predict", "Find the emotions in texts, a file or standard input."),
    "data": ("affekt.cli.data", "Check, describe and split labelled tables."),
    "train": ("affekt.cli.train", "Train a model on a labelled table."),
    "evaluate": ("affekt.cli.evaluate", "Measure a model on a labelled table."),
    "submit": ("affekt.cli.submit", "Write a competition's submission file."),
    "export": ("affekt.cli.export", "Write float32 and int8 ONNX graphs, gated on parity."),
    "serve": ("affekt.cli.serve", "Serve a model over HTTP, with a page on which people try it."),
    "bench": ("affekt.cli.bench", "Measure what this machine does with a model."),
}
"""Command -> (module that holds ``app``, help line)."""


class LazyGroup(TyperGroup):
    """A group that knows its commands by name and imports one only when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The real command when it is to run; a stand-in with the help line when only ``--help`` asks."""
        if cmd_name not in COMMANDS:
            return None
        module, help_line = COMMANDS[cmd_name]
        if ctx.resilient_parsing or not _is_called(cmd_name):
            return click.Command(cmd_name, help=help_line)
        loaded: typer.Typer = importlib.import_module(module).app
        command: click.Command = typer.main.get_command(loaded)
        command.name = cmd_name
        command.help = command.help or help_line
        return command


def _is_called(name: str) -> bool:
    return name in sys.argv[1:]


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Show the version and leave."),
) -> None:
    """Find the emotions in English texts: any number at once, each with a calibrated score."""
    if version:
        import affekt

        typer.echo(f"affekt {affekt.__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; a mistake of the caller ends in one sentence and exit code 2."""
    try:
        return app(arguments)
    except AffektError as error:
        typer.secho(f"error[{error.code}]: {error}", fg=typer.colors.RED, err=True)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        typer.secho("Interrupted.", err=True)
        raise SystemExit(130) from None
