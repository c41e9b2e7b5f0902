"""Every training run of the experiments, by name: what is learned from what, in which stage."""

from dataclasses import dataclass, replace

FOLDS, SEEDS = range(5), range(3)


@dataclass(frozen=True)
class Run:
    """One model.

    Attributes:
        name: also of its files.
        encoder: ``minilm``, ``mpnet``, one of these after task-adaptive pretraining (``minilm-tapt``), or a run that
            was carried out and kept its weights.
        after: a run whose model of the same fold or seed is the encoder.
        settings: over those of ``recipe``.
        recipe: a recipe's name.
        fold: left out of training and scored; None learns from all texts.
        taught: whether the teachers' scores are mixed into the targets.
        pool: whether it also learns from texts that only the teachers label.
        several: whether it also learns from XED and BRIGHTER, with their own labels.
        doubts: whether texts whose labels look wrong to the teachers count for a third.
        core14: whether it learns the fourteen labels from the texts that have one.
        scores_pool: whether it scores the pool, as a teacher must.
        keeps: whether its weights are kept.
    """

    name: str
    encoder: str
    settings: tuple[str, ...] = ()
    recipe: str = "best"
    fold: int | None = None
    taught: bool = False
    pool: bool = False
    several: bool = False
    doubts: bool = False
    core14: bool = False
    after: str = ""
    scores_pool: bool = False
    keeps: bool = False


def over_folds(run: Run) -> list[Run]:
    """The run once per fold."""
    return [replace(_part(run, f"fold{fold}"), fold=fold) for fold in FOLDS]


def over_seeds(run: Run, seeds: range = SEEDS) -> list[Run]:
    """The run once per seed."""
    return [replace(_part(run, f"seed{n}"), settings=(*run.settings, f"seed={n}")) for n in seeds]


def _part(run: Run, part: str) -> Run:
    return replace(run, name=f"{run.name}-{part}", encoder=f"{run.after}-{part}" if run.after else run.encoder)


MPNET = ("lr=8e-5", "batch_size=64", "epochs=4", "average_decay=0.998")

TEACHERS = [
    Run("mpnet-g4-rdrop", "mpnet", (*MPNET, "r_drop=0.5"), scores_pool=True),
    Run("mpnet-g4-rdrop1", "mpnet", (*MPNET, "r_drop=1.0", "seed=1"), scores_pool=True),
    Run(
        "mpnet-g3-rdrop1",
        "mpnet",
        (*MPNET, "r_drop=1.0", "loss_options.gamma_neg=3", "epochs=3", "seed=2"),
        scores_pool=True,
    ),
    Run("minilm-g4-rdrop", "minilm", ("r_drop=0.5", "seed=3"), scores_pool=True),
]
"""Those whose out-of-fold scores are averaged, each trained five times on gold labels."""

SHORT = ("epochs=3", "batch_size=64", "lr=3e-4")
"""Three epochs at twice the batch: enough for a student, and what an ingredient does shows as well."""

STUDENT = Run("student-short", "minilm", SHORT, taught=True, pool=True, keeps=True)
"""The student at its full width."""

AGAIN = ("epochs=3", "batch_size=64", "lr=2e-4", "pooling=first", "feed_forward=512")
"""Made smaller only after it learned, and then taught on."""

SHIPPED = Run("student-thin", "", (*AGAIN, "dropout=0.05"), taught=True, pool=True, keeps=True, after=STUDENT.name)
"""What ships: the best of its seeds, with thresholds from its five fold models."""

LARGER_STUDENT = Run("student-short-mpnet", "mpnet", (*MPNET, "epochs=2"), taught=True, pool=True)
"""What the larger encoder learns from the same teachers."""

LONGER_STUDENT = Run("student-five-rdrop", "minilm", ("r_drop=0.5",), taught=True, pool=True)
"""The recipe's own five epochs at half the batch, with R-Drop."""

REFERENCE = ("precision=bf16", "optimizer=adamw", "batching=packed", "micro_batch=32")
"""The reference settings in the arithmetic of the fast engine: the same steps, to rounding."""


def short(name: str, *settings: str, encoder: str = "minilm", **more: object) -> Run:
    """MiniLM with one thing changed."""
    return replace(Run(name, encoder, (*SHORT, *settings)), **more)


ABLATIONS: dict[str, Run] = {
    "the best recipe on gold labels alone": short("gold"),
    "distilled": short("distilled", taught=True),
    "distilled, with texts that only the teachers label": short("distilled-pool", taught=True, pool=True),
    "first token in place of the mean-pooling layer": short("first-token", "pooling=first"),
    "binary cross-entropy": short("bce", "loss=bce", 'loss_options={"reduction": "sum"}'),
    "no average of the weights": short("no-average", "average_decay=0"),
    "R-Drop 0.5": short("rdrop", "r_drop=0.5"),
    "equal rates in all layers": short("equal-rates", "layer_decay=1"),
    "asymmetric loss, gamma 2": short("gamma2", "loss_options.gamma_neg=2"),
    "suspect labels at a third of the weight": short("doubts", doubts=True),
    "label smoothing 0.05": short("smoothing", "loss_options.smoothing=0.05"),
    "label correlations, global 0.5": short("global", "loss_options.global_correlation=0.5"),
    "label correlations, local 0.5": short("local", "loss_options.local_correlation=0.5"),
    "cross-entropy, positive weights up to 10": short(
        "bce-weighted", "loss=bce", 'loss_options={"reduction": "sum", "pos_weight_cap": 10}'
    ),
    "XED and BRIGHTER beside it": short("several", several=True),
    "six epochs at half the rate": short("long", "epochs=6", "lr=1.5e-4"),
    "encoder pretrained on the training texts": short("tapt", encoder="minilm-tapt"),
}
"""What each change does to MiniLM, three seeds each."""

VARIANTS: dict[str, Run] = {
    "teachers' share 0.7": short("teacher7", "teacher_weight=0.7", taught=True, pool=True),
    "two thirds of the texts are the teachers'": short("share67", "pool_share=0.67", taught=True, pool=True),
    "two epochs": short("two", "epochs=2", taught=True, pool=True),
    "teachers' share 0.85": short("teacher85", "teacher_weight=0.85", taught=True, pool=True),
    "no dropout": short("dropout0", "dropout=0", taught=True, pool=True),
    "dropout 0.2": short("dropout2", "dropout=0.2", taught=True, pool=True),
    "peak rate 2e-4": short("rate2", "lr=2e-4", taught=True, pool=True),
    "peak rate 5e-4": short("rate5", "lr=5e-4", taught=True, pool=True),
    "asymmetric loss, gamma 3": short("gamma3", "loss_options.gamma_neg=3", taught=True, pool=True),
    "asymmetric loss, gamma 6": short("gamma6", "loss_options.gamma_neg=6", taught=True, pool=True),
    "rates 0.8 a layer": short("decay8", "layer_decay=0.8", taught=True, pool=True),
}
"""The student with one thing changed, three seeds each."""


def thinner(name: str, *settings: str) -> Run:
    """The student with fewer layers or narrower ones."""
    return replace(STUDENT, name=f"thin-{name}", settings=(*SHORT, *settings), keeps=False)


THINNER: dict[str, Run] = {
    "1,024 neurons": thinner("1024", "feed_forward=1024"),
    "768 neurons": thinner("768", "feed_forward=768"),
    "512 neurons": thinner("512", "feed_forward=512"),
    "768 neurons, four epochs": thinner("768-four", "feed_forward=768", "epochs=4"),
    "without the second layer": thinner("less1", "drop_layers=[1]"),
    "without the third layer": thinner("less2", "drop_layers=[2]"),
    "without the fifth layer": thinner("less4", "drop_layers=[4]"),
    "without the third layer, 768 neurons": thinner("less2-768", "drop_layers=[2]", "feed_forward=768"),
    "without the second and fourth layer": thinner("less13", "drop_layers=[1, 3]"),
    "without the second and fourth layer, 1,024 neurons": thinner(
        "less13-1024", "drop_layers=[1, 3]", "feed_forward=1024"
    ),
}
"""Students made smaller before they learn, three seeds each."""


def afterwards(name: str, *settings: str) -> Run:
    """The student made smaller once it has learned, and taught on in another way than what ships."""
    return replace(SHIPPED, name=f"after-{name}", settings=(*AGAIN, *settings), keeps=False)


AFTERWARDS: dict[str, Run] = {
    "dropout 0.1": afterwards("three"),
    "no dropout, two epochs": afterwards("dropout0", "epochs=2", "dropout=0"),
    "two epochs": afterwards("512", "epochs=2"),
    "two epochs, 384 neurons": afterwards("384", "epochs=2", "feed_forward=384"),
    "two epochs, peak rate 1e-4": afterwards("rate1", "epochs=2", "lr=1e-4"),
    "two epochs, peak rate 3e-4": afterwards("rate3", "epochs=2", "lr=3e-4"),
    "peak rate 3e-4": afterwards("three-rate3", "lr=3e-4"),
    "two epochs, teachers' share 0.7": afterwards("teacher7", "epochs=2", "teacher_weight=0.7"),
}
"""Students that learned before they were made smaller, five seeds each."""

STAGES: dict[str, list[Run]] = {
    "teachers": [one for run in TEACHERS for one in over_folds(run)],
    "students": [*over_folds(STUDENT), *over_seeds(STUDENT, range(5))],
    "thin": [*over_folds(SHIPPED), *over_seeds(SHIPPED, range(5))],
    "larger": [*over_folds(LARGER_STUDENT), *over_seeds(LARGER_STUDENT, range(5))],
    "longer": [
        *over_folds(LONGER_STUDENT),
        *over_seeds(LONGER_STUDENT, range(5)),
        *over_seeds(Run("student-five", "minilm", taught=True, pool=True)),
    ],
    "variants": [one for run in VARIANTS.values() for one in over_seeds(run)],
    "thinner": [one for run in THINNER.values() for one in over_seeds(run)],
    "afterwards": [one for run in AFTERWARDS.values() for one in over_seeds(run, range(5))],
    "reference": [
        *over_seeds(Run("reference", "minilm", REFERENCE, recipe="reference")),
        *over_seeds(Run("reference14", "minilm", REFERENCE, recipe="reference", core14=True)),
    ],
    "ablations": [one for run in ABLATIONS.values() for one in over_seeds(run)],
}
"""Name -> runs. The teachers are mixed as soon as their stage is done; what ships needs the first three stages."""
