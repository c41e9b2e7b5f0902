"""``affekt explain``: which words moved which emotion."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from affekt.explanation import Explanation

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Method(StrEnum):
    """What computes the weights."""

    occlusion = "occlusion"
    gradients = "gradients"


@app.command()
def explain(
    texts: Annotated[list[str], typer.Argument(help="Texts to explain.", show_default=False)],
    model: Annotated[str | None, typer.Option("--model", help="Model folder; the shipped model by default.")] = None,
    taxonomy: Annotated[
        str | None, typer.Option("--taxonomy", help="Label set: goemotions, core14, ekman, sentiment.")
    ] = None,
    emotions: Annotated[
        str | None, typer.Option("--emotions", help="Emotions to explain, joined by commas; those decided by default.")
    ] = None,
    method: Annotated[
        Method, typer.Option("--method", help="gradients needs PyTorch and a folder with its weights.")
    ] = Method.occlusion,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page to look at, with weights on hover.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    backend: Annotated[str, typer.Option("--backend", help="Engine for occlusion, as for predict.")] = "auto",
    threads: Annotated[int | None, typer.Option("--threads", help="Processors to use; all by default.")] = None,
) -> None:
    """Say, for each decided emotion, how far every word moved it."""
    names = [name.strip() for name in emotions.split(",")] if emotions else None
    if method is Method.gradients:
        found = _gradients(texts, model, taxonomy, names)
    else:
        from affekt.classifier import EmotionClassifier
        from affekt.explanation import explain as by_occlusion

        classifier = EmotionClassifier.load(model, backend=backend, threads=threads)
        found = [by_occlusion(classifier, text, taxonomy=taxonomy, emotions=names) for text in texts]
    _show(found, html, as_json=as_json)


def _gradients(
    texts: list[str], model: str | None, taxonomy: str | None, emotions: list[str] | None
) -> list["Explanation"]:
    from affekt.explanation.gradients import GradientExplainer
    from affekt.models import SHIPPED

    explainer = GradientExplainer(Path(model) if model else SHIPPED)
    return [explainer.explain(text, taxonomy=taxonomy, emotions=emotions) for text in texts]


def _show(found: list["Explanation"], html: Path | None, *, as_json: bool) -> None:
    from affekt.explanation import render

    if html is not None:
        from affekt.files import atomic_file

        with atomic_file(html) as temporary:
            temporary.write_text(render.to_page(found), encoding="utf-8")
        typer.echo(f"Written to {html}.", err=True)
    if as_json:
        import json

        typer.echo(json.dumps([item.to_dict() for item in found], ensure_ascii=False, indent=2))
    elif html is None:
        from rich.console import Console

        console = Console(highlight=False)
        for item in found:
            console.print(render.to_terminal(item))
