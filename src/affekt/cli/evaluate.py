"""``affekt evaluate``: a model measured on labelled texts, alone or beside another."""

from pathlib import Path
from typing import Annotated, Any

import typer

from affekt.cli import table_options as table
from affekt.cli.training_options import Data

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Against = Annotated[
    str | None, typer.Option("--against", help="Another model folder ('shipped' for the shipped model) to compare.")
]
TaxonomyName = Annotated[
    str | None, typer.Option("--taxonomy", help="Label set: goemotions, core14, ekman, sentiment.")
]
LabelledOnly = Annotated[bool, typer.Option("--labelled-only", help="Leave out texts that have none of the labels.")]
KnownOnly = Annotated[bool, typer.Option("--known-only", help="Leave out texts of which a label is not known.")]
Report = Annotated[Path | None, typer.Option("--report", help="Folder to write a page, pictures and JSON into.")]


@app.command()
@table.reads_table
def evaluate(
    data: Data,
    model: Annotated[str | None, typer.Option("--model", help="Model folder; the shipped model by default.")] = None,
    against: Against = None,
    taxonomy: TaxonomyName = None,
    labelled_only: LabelledOnly = False,
    known_only: KnownOnly = False,
    backend: Annotated[str, typer.Option("--backend", help="Engine, as for predict.")] = "auto",
    resamples: Annotated[int, typer.Option("--resamples", min=1, help="Bootstrap resamples for intervals.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="Of folds and resamples.")] = 0,
    report: Report = None,
    json: table.Json = False,
    *,
    read: table.Read = table.USUAL,
) -> None:
    """Measure a model on labelled texts: at 0.5, at tuned thresholds (cross-fitted), and as it is saved."""
    import affekt
    from affekt.data import load_dataset
    from affekt.evaluation import Resampling, compare_models
    from affekt.evaluation import evaluate as measured

    dataset = load_dataset(data, options=read)
    models = [
        affekt.load(None if name == "shipped" else name, backend=backend)
        for name in (model, *([against] if against else []))
    ]
    how: dict[str, Any] = {"taxonomy": taxonomy, "labelled_only": labelled_only, "known_only": known_only}
    drawn = Resampling(resamples=resamples, seed=seed)
    found = [measured(classifier, dataset, **how, resampling=drawn) for classifier in models]
    match = compare_models(*found, seed=seed) if against else None
    if report is not None:
        from affekt.evaluation.report import report_on

        shown = dataset.fully_labelled() if known_only else dataset
        page = report_on(models[0], shown, found[0], report, match=match, seed=seed)
        typer.echo(f"Written to {page}.", err=True)
    if json:
        typer.echo(match.to_json() if match else found[0].to_json())
        return
    from rich.console import Console

    console = Console()
    console.print(match.table() if match else found[0].table())
