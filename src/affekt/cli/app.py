"""The ``affekt`` command: a table of commands, each imported only when it is called."""

import importlib
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from affekt.cli.failures import exit_code, sentence

COMMANDS: dict[str, tuple[str, str]] = {
    "predict": ("affekt.cli.predict", "Find the emotions in texts, a file or standard input."),
    "data": ("affekt.cli.data", "Check, describe and split labelled tables."),
    "train": ("affekt.cli.train", "Train a model on a labelled table."),
    "doctor": ("affekt.cli.doctor", "Look at data, recipe and machine before training."),
    "search": ("affekt.cli.search", "Search for a recipe over a declared space."),
    "pretrain": ("affekt.cli.pretrain", "Let an encoder read texts before it learns their labels."),
    "distill": ("affekt.cli.distill", "Train a small model on what larger ones say."),
    "evaluate": ("affekt.cli.evaluate", "Measure a model on a labelled table."),
    "explain": ("affekt.cli.explain", "Say which words moved which emotion."),
    "behave": ("affekt.cli.behave", "Check what anybody would expect of a model, and that it treats people alike."),
    "compare": ("affekt.cli.compare", "Say what changed between two files of predictions."),
    "suggest": ("affekt.cli.suggest", "Choose the texts most worth labelling next."),
    "submit": ("affekt.cli.submit", "Write a competition's submission file."),
    "export": ("affekt.cli.export", "Write float32 and int8 ONNX graphs, gated on parity."),
    "serve": ("affekt.cli.serve", "Serve a model over HTTP, with a page on which people try it."),
    "bench": ("affekt.cli.bench", "Measure what this machine does with a model."),
}
"""Command -> (module that holds its typer ``app``, help line)."""


class LazyGroup(TyperGroup):
    """A group of stand-ins that carry the help lines; the one that is called gives way to the real command."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands.update({name: TyperCommand(name, help=line) for name, (_, line) in COMMANDS.items()})

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Name, command and remaining arguments, with the command's module imported."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in COMMANDS else command, rest

    def invoke(self, ctx: Any) -> Any:
        """Run; what the caller or the machine did wrong ends in one sentence on standard error, not in a traceback."""
        try:
            return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            code = exit_code(error)
            if code is None:
                raise
            typer.secho(sentence(error), fg=typer.colors.RED, err=True)
            raise typer.Exit(code) from None


def load(name: str) -> Any:
    """The real command of that name."""
    module, line = COMMANDS[name]
    command = typer.main.get_command(importlib.import_module(module).app)
    command.name = name
    command.help = command.help or line
    return command


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _show_version(asked: bool) -> None:
    if asked:
        import affekt

        typer.echo(f"affekt {affekt.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and leave.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Find the emotions in English texts: any number at once, each with a calibrated score."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line with these arguments, or those of the process."""
    return app(arguments, prog_name="affekt")
