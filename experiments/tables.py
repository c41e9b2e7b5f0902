"""What the finished runs reach on dev, as tables: each kind of run over its seeds or folds, and the teachers together.

    python experiments/tables.py --data DIR --encoders DIR --work DIR

Macro-F1 at a score of 0.5; cross-fitted on dev; and, for runs over folds, by rules fitted on their out-of-fold logits
of the training texts. ± is the standard error over runs.
"""

import re
from collections.abc import Sequence

import numpy as np
from corpus import Corpus, Floats
from rich.console import Console
from rich.table import Table
from runs import STAGES, TEACHERS, Run
from work import arguments, logits_path, out_of_fold

from affekt.decision import logit
from affekt.tuning.arrays import macro_f1
from affekt.tuning.rules import cross_fitted_macro_f1, fit_rule

Bools = np.ndarray


def show(corpus: Corpus) -> None:
    """Print the tables."""
    table = Table("runs", "number", "at 0.5", "cross-fitted", "out of fold", title="Macro-F1 on dev")
    for name, members in groups(corpus).items():
        truth = corpus.core14(corpus.dev).positives if members[0].core14 else corpus.dev.positives
        found = [dev_logits(corpus, run) for run in members]
        halves = [macro_f1(truth, one >= 0) for one in found]
        crossed = [cross_fitted(one, truth) for one in found]
        table.add_row(
            name, str(len(found)), spread(halves), spread(crossed), out_of_fold_figure(corpus, members, found)
        )
    if all(logits_path(corpus.place, run).is_file() for run in STAGES["teachers"]):
        table.add_row(
            "teachers, averaged",
            str(len(TEACHERS)),
            "",
            f"{cross_fitted(teachers(corpus), corpus.dev.positives):.3f}",
            "",
        )
    Console().print(table)


def groups(corpus: Corpus) -> dict[str, list[Run]]:
    """Name without seed or fold -> the finished runs."""
    found: dict[str, list[Run]] = {}
    for run in (one for stage in STAGES.values() for one in stage):
        if logits_path(corpus.place, run).is_file():
            kind = "folds" if run.fold is not None else "all texts"
            found.setdefault(f"{re.sub('-(seed|fold)[0-9]+$', '', run.name)}, {kind}", []).append(run)
    return found


def dev_logits(corpus: Corpus, run: Run) -> Floats:
    """Logits (dev texts, labels)."""
    with np.load(logits_path(corpus.place, run), allow_pickle=False) as kept:
        return kept["dev"].astype(np.float32)


def cross_fitted(logits: Floats, truth: Bools) -> float:
    """Macro-F1, every text decided by a rule that did not see it."""
    return cross_fitted_macro_f1(logits, truth, repeats=3).mean


def out_of_fold_figure(corpus: Corpus, members: Sequence[Run], found: Sequence[Floats]) -> str:
    """Mean macro-F1 of fold models by the rule of their out-of-fold logits; empty for other runs."""
    if any(run.fold is None for run in members) or len(members) < len(corpus.folds):
        return ""
    base = Run(members[0].name.removesuffix("-fold0"), members[0].encoder)
    rule = fit_rule(out_of_fold(corpus, base), corpus.train.positives)
    return spread([macro_f1(corpus.dev.positives, rule.decide(one)) for one in found])


def teachers(corpus: Corpus) -> Floats:
    """Logits of dev from the mean of all teachers' calibrated scores, each the mean of its fold models."""
    total = np.zeros((len(corpus.dev), len(corpus.dev.labels)))
    for run in TEACHERS:
        rule = fit_rule(out_of_fold(corpus, run), corpus.train.positives)
        folds = [one for one in STAGES["teachers"] if one.name.startswith(f"{run.name}-fold")]
        total += rule.calibration.apply(np.mean([dev_logits(corpus, one) for one in folds], axis=0)) / len(TEACHERS)
    return logit(total.astype(np.float32))


def spread(values: Sequence[float]) -> str:
    """Mean and standard error."""
    mean = f"{np.mean(values):.3f}"
    return f"{mean} ± {np.std(values, ddof=1) / len(values) ** 0.5:.3f}" if len(values) > 1 else mean


def main() -> None:
    """Print the tables of a work folder."""
    show(Corpus.at(arguments(__doc__).parse_args()))


if __name__ == "__main__":
    main()
