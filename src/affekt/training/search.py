"""Search for a recipe over a declared space: resumable, and trials without promise are given up; see :func:`search`."""

import gc
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from affekt.errors import DataError, MissingExtraError, SettingError, TrainingError
from affekt.files import atomic_file
from affekt.training.engines.hardware import fit_to_device
from affekt.training.engines.processes import Processes
from affekt.training.inputs import Inputs
from affekt.training.loop.progress import EpochReport, Hook
from affekt.training.networks.build import pick_device
from affekt.training.prepare import prepare, train_in_memory
from affekt.training.recipe import Recipe

DEFAULT_SPACE: Mapping[str, Any] = {
    "lr": {"low": 1e-5, "high": 2e-4, "log": True},
    "epochs": {"low": 2, "high": 5},
    "layer_decay": {"low": 0.8, "high": 1.0},
    "weight_decay": {"low": 1e-3, "high": 0.1, "log": True},
    "loss_options.gamma_neg": {"low": 1.0, "high": 5.0},
    "loss_options.clip": {"low": 0.0, "high": 0.1},
}
"""What is searched unless a space is given."""


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        recipe: the best one.
        score: its macro-F1 on dev, at the recipe's threshold; chosen as the best of many, so it flatters.
        trials: every trial's settings, score and end, the best first.
    """

    recipe: Recipe
    score: float
    trials: tuple[dict[str, Any], ...]


def read_space(path: Path) -> dict[str, Any]:
    """A space from a JSON file: setting -> ``{"low", "high", "log"}``, or a list of choices.

    Raises:
        SettingError: if the file is no such thing.
    """
    try:
        space = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingError(f"'{path}' cannot be read as a space to search: {error}.") from error
    if not isinstance(space, dict):
        raise SettingError(f"'{path}' must hold a JSON object: setting -> range or choices.")
    return space


def search(
    inputs: Inputs,
    encoder: str,
    *,
    out: Path,
    base: Recipe,
    space: Mapping[str, Any] = DEFAULT_SPACE,
    trials: int = 20,
    device: str = "auto",
    hooks: Sequence[Hook] = (),
) -> Found:
    """Train with many settings, and write the best recipe.

    Trials are kept in ``out/trials.db``: the same call goes on where it was, until there are ``trials`` of them. After
    each epoch a trial that is below the median of the earlier ones at that epoch is given up.

    Args:
        inputs: with a dev set to score on.
        encoder: a local folder or a Hub id.
        out: a folder for the trials and for ``recipe.json``.
        base: what is not searched.
        space: setting -> ``{"low": ..., "high": ..., "log": ...}`` or choices.
        trials: how many to end up with.
        device: ``auto``, ``cpu`` or ``cuda``.
        hooks: told of every trial's training.

    Raises:
        DataError: if there is no dev set.
        SettingError: if the space has a setting that a recipe does not have, or a range that it does not allow.
        TrainingError: if no trial came to an end.
        MissingExtraError: if optuna is not installed.
    """
    if inputs.dev is None:
        raise DataError("A search needs a dev set to score on.")
    for setting, choice in space.items():
        for value in _ends(setting, choice):
            base.override([f"{setting}={json.dumps(value)}"])
    study = _study(inputs, encoder, out, base, space)
    left = trials - len([trial for trial in study.get_trials() if trial.state.is_finished()])
    for _ in range(max(0, left)):
        study.optimize(lambda trial: _score(trial, inputs, encoder, base, space, device, hooks), n_trials=1)
    return _found(study, base, out)


def _ends(setting: str, choice: Any) -> list[Any]:
    if isinstance(choice, list) and choice:
        return choice
    if isinstance(choice, Mapping) and {"low", "high"} <= set(choice) <= {"low", "high", "log"}:
        return [choice["low"], choice["high"]]
    raise SettingError(f"'{setting}' must have choices, or low and high (and log), not {choice!r}.")


def _study(inputs: Inputs, encoder: str, out: Path, base: Recipe, space: Mapping[str, Any]) -> Any:
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError("A search", "search") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    out.mkdir(parents=True, exist_ok=True)
    said = [*inputs.parts(), encoder, json.dumps([base.model_dump(mode="json"), dict(space)], sort_keys=True)]
    name = hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]
    storage = f"sqlite:///{(out / 'trials.db').absolute()}"
    held = [summary.study_name for summary in optuna.get_all_study_summaries(storage)]
    if held and name not in held:
        raise SettingError(
            f"'{out}' holds a search of other data, another encoder or another space.", hint="Give another --out."
        )
    return optuna.create_study(
        study_name=name, storage=storage, direction="maximize", load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=base.seed + 1000 * bool(held), multivariate=False),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3),
    )  # fmt: skip


class _GiveUp(Hook):
    """Reports a trial's scores, and ends it where they promise nothing."""

    def __init__(self, trial: Any) -> None:
        self.trial = trial

    def epoch(self, report: EpochReport) -> None:
        """Tell optuna."""
        import optuna

        if math.isfinite(report.score):
            self.trial.report(report.score, report.epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned


def _score(
    trial: Any,
    inputs: Inputs,
    encoder: str,
    base: Recipe,
    space: Mapping[str, Any],
    device: str,
    hooks: Sequence[Hook],
) -> float:
    import optuna

    recipe = base.override([f"{setting}={json.dumps(_draw(trial, setting, space[setting]))}" for setting in space])
    for hook in hooks:
        hook.note(f"Trial {trial.number + 1}: {json.dumps(trial.params)}")
    where = pick_device(device)
    try:
        run = prepare(
            fit_to_device(recipe, where), inputs, encoder, Processes(device=where), hooks=[*hooks, _GiveUp(trial)]
        )
        progress, _ = train_in_memory(run)
    except TrainingError as error:  # gradients that are not finite: these settings are no good
        for hook in hooks:
            hook.note(str(error))
        raise optuna.TrialPruned from error
    finally:
        gc.collect()
        if where.type == "cuda":
            torch.cuda.empty_cache()
    return progress.best_score if math.isfinite(progress.best_score) else 0.0


def _draw(trial: Any, setting: str, choice: Any) -> Any:
    if isinstance(choice, list):
        return trial.suggest_categorical(setting, choice)
    low, high, log = choice["low"], choice["high"], bool(choice.get("log"))
    whole = isinstance(low, int) and isinstance(high, int)
    return (trial.suggest_int if whole else trial.suggest_float)(setting, low, high, log=log)


def _found(study: Any, base: Recipe, out: Path) -> Found:
    done = [trial for trial in study.get_trials() if trial.state.is_finished()]
    ended = [trial for trial in done if trial.value is not None and trial.state.name == "COMPLETE"]
    if not ended:
        raise TrainingError(f"None of the {len(done)} trials came to an end.", hint="Allow more, or a narrower space.")
    best = max(ended, key=lambda trial: trial.value)
    recipe = base.override([f"{setting}={json.dumps(value)}" for setting, value in best.params.items()])
    recipe = recipe.replace(name=f"{base.name} after {len(done)} trials")
    with atomic_file(out / "recipe.json") as path:
        path.write_text(json.dumps(recipe.model_dump(mode="json"), indent=1) + "\n", encoding="utf-8")
    rows = [
        {"trial": t.number + 1, "end": t.state.name.lower(), "score": t.value, "settings": dict(t.params)} for t in done
    ]
    rows.sort(key=lambda row: -math.inf if row["score"] is None else row["score"], reverse=True)
    return Found(recipe, float(best.value), tuple(rows))
