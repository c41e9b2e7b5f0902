"""``affekt behave``: does a model do what anybody would expect, and does it treat people alike?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from affekt.evaluation.behaviour import Suite
    from affekt.evaluation.behaviour.fairness import Fairness
    from affekt.evaluation.behaviour.run import Behaviour

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def behave(
    model: Annotated[str | None, typer.Option("--model", help="Model folder; the shipped model by default.")] = None,
    taxonomy: Annotated[
        str | None, typer.Option("--taxonomy", help="Label set: goemotions, core14, ekman, sentiment.")
    ] = None,
    suites: Annotated[
        list[Path] | None, typer.Option("--suite", help="A TOML file of your own tests, beside those that ship.")
    ] = None,
    own: Annotated[bool, typer.Option("--own-only", help="Run only the suites given with --suite.")] = False,
    only: Annotated[
        str | None, typer.Option("--only", help="Capabilities to run, joined by commas; all by default.")
    ] = None,
    fairness: Annotated[
        bool, typer.Option("--fairness/--no-fairness", help="Compare names, pronouns, nationalities and more.")
    ] = True,
    failures: Annotated[int, typer.Option("--failures", min=0, help="Failures to show of each test.")] = 1,
    out: Annotated[Path | None, typer.Option("--out", help="Write everything, all failures included, as JSON.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of the samples of large templates.")] = 0,
    backend: Annotated[str, typer.Option("--backend", help="Engine, as for predict.")] = "auto",
) -> None:
    """Run behavioural tests and fairness templates; a table of pass rates, and the failures."""
    import json

    from affekt.classifier import EmotionClassifier
    from affekt.evaluation.behaviour import Subject, read_fairness_suite, run_fairness, run_suites

    chosen = _suites(suites or [], own)
    names = [name.strip() for name in only.split(",")] if only else []
    subject = Subject.of(EmotionClassifier.load(model, backend=backend), taxonomy)
    behaviour = run_suites(subject, chosen, only=names, seed=seed)
    gaps = run_fairness(subject, read_fairness_suite(), seed=seed) if fairness and not names else None
    everything = {"behaviour": behaviour.to_dict(), "fairness": gaps.to_dict() if gaps else None}
    if out is not None:
        from affekt.files import atomic_file

        with atomic_file(out) as temporary:
            temporary.write_text(json.dumps(everything, ensure_ascii=False, indent=1), encoding="utf-8")
        typer.echo(f"Written to {out}.", err=True)
    if as_json:
        typer.echo(json.dumps(everything, ensure_ascii=False))
    else:
        _show(behaviour, gaps, failures)


def _suites(paths: list[Path], own: bool) -> "list[Suite]":
    from affekt.errors import SettingError
    from affekt.evaluation.behaviour import read_suite

    if own and not paths:
        raise SettingError("--own-only needs at least one --suite.")
    shipped = read_suite()
    return [*([] if own else [shipped]), *(read_suite(path, base=shipped) for path in paths)]


def _show(behaviour: "Behaviour", gaps: "Fairness | None", failures: int) -> None:
    from rich.console import Console

    from affekt.evaluation.behaviour.tables import behaviour_table, fairness_table

    console = Console(highlight=False)
    console.print(behaviour_table(behaviour, failures))
    if gaps is not None:
        console.print(fairness_table(gaps))
