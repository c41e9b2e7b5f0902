"""Options that several commands share, or that are too many for one: a command takes them as one object."""

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import Parameter, signature
from typing import Any


def gathering(
    name: str, options: Iterable[tuple[str, Any, Any]], build: Callable[[dict[str, Any]], Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command options that it takes together.

    Args:
        name: the keyword argument that the command takes them by.
        options: of each the name of its parameter, what typer is told of it (``Annotated``), and its default.
        build: what the command gets, from the options' values by name.

    Returns:
        A decorator that makes the command as typer shall see it: the options in place of ``name``, behind its own.
    """
    added = [Parameter(one, Parameter.KEYWORD_ONLY, default=usual, annotation=told) for one, told, usual in options]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = signature(command, eval_str=True)
        kept = [parameter for parameter in own.parameters.values() if parameter.name != name]

        @wraps(command)
        def run(**given: Any) -> None:
            chosen = {parameter.name: given.pop(parameter.name) for parameter in added}
            command(**given, **{name: build(chosen)})

        run.__signature__ = own.replace(parameters=[*kept, *added])  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*kept, *added)}
        return run

    return decorate
