"""Training from a table and an encoder to a model folder; see :func:`train`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from affekt.data import Dataset, ReadOptions
from affekt.errors import CheckpointError
from affekt.evaluation.measure import Resampling
from affekt.training import finish
from affekt.training.checkpoints.fingerprint import Fingerprint
from affekt.training.checkpoints.keeping import DiskKeeper, final_weights
from affekt.training.checkpoints.run_folder import RunFolder
from affekt.training.engines.accelerators import start_processes
from affekt.training.engines.hardware import fit_to_device
from affekt.training.engines.processes import Processes
from affekt.training.inputs import DEV_SHARE, Floats, ScoredTexts, gather
from affekt.training.loop.progress import Hook, Progress
from affekt.training.loop.watching import JsonLog, ProgressBar, TensorBoardLog
from affekt.training.networks.build import load_tokenizer, pick_device
from affekt.training.prepare import Run, prepare
from affekt.training.recipe import Recipe, get_recipe


@dataclass(frozen=True)
class TrainResult:
    """A finished run.

    Attributes:
        folder: the model folder.
        recipe: as resolved.
        metrics: of the dev set, as the model folder keeps them.
        epochs: figures of each epoch.
        seconds: of training, evaluation included.
    """

    folder: Path
    recipe: Recipe
    metrics: dict[str, Any]
    epochs: list[dict[str, Any]]
    seconds: float

    @property
    def macro_f1(self) -> float | None:
        """The figure to quote: macro-F1 on dev by rules that did not see the texts; None without a dev set."""
        dev = self.metrics.get("dev")
        return None if dev is None else float(dev["outcomes"][dev["headline"]]["macro_f1"]["value"])


@dataclass(frozen=True)
class Options:
    """How a run is carried out; nothing here changes the weights that it ends with.

    Attributes:
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.
        memory: a budget of GPU memory such as ``16GB``, which chooses micro-batch, checkpointing and optimizer.
        resume: go on from the last checkpoint, if there is one.
        overwrite: begin anew, and replace the model folder that is there.
        allow_changes: resume even though data, recipe, encoder or code are not what they were.
        every_steps: optimizer steps between checkpoints inside epochs; 0 for none by steps.
        every_minutes: minutes between checkpoints inside epochs; 0 for none by time.
        tensorboard: write curves for TensorBoard.
        progress: show a progress bar.
        resampling: of the figures on dev.
    """

    device: str = "auto"
    memory: str | None = None
    resume: bool = False
    overwrite: bool = False
    allow_changes: bool = False
    every_steps: int = 0
    every_minutes: float = 10.0
    tensorboard: bool = False
    progress: bool = True
    resampling: Resampling = field(default_factory=Resampling)


def train(
    data: Dataset | str | Path,
    dev: Dataset | str | Path | None = None,
    *,
    encoder: str | Path,
    out: str | Path,
    recipe: Recipe | str = "fast",
    overrides: Sequence[str] = (),
    read: ReadOptions | None = None,
    dev_share: float = DEV_SHARE,
    teacher: Floats | None = None,
    weights: Floats | None = None,
    also: Sequence[Dataset | str | Path] = (),
    also_weight: float = 1.0,
    scored: ScoredTexts | None = None,
    hooks: Sequence[Hook] = (),
    options: Options | None = None,
    **more: Any,
) -> TrainResult:
    """Train a classifier and write its model folder.

    While it lasts, the run lives in a folder beside ``out``, with ``.run`` after its name: checkpoints and log.

    Args:
        data: the training set, or a table in any layout that :func:`affekt.data.load_dataset` reads.
        dev: the set that chooses the best epoch and fits the decision rules; split off from ``data`` by default.
        encoder: a local folder or a Hub id.
        out: the model folder to write.
        recipe: a name, a JSON file or the settings themselves.
        overrides: settings such as ``lr=1e-5``.
        read: how to read tables.
        dev_share: what to split off; 0 trains on everything and fits nothing.
        teacher: (texts of ``data``, labels) scores in [0, 1], mixed into the targets by ``recipe.teacher_weight``.
        weights: (texts of ``data``,) of their losses.
        also: further sets to learn from, for the labels they have in common with ``data``; the others are unknown.
        also_weight: of each of their texts.
        scored: texts that only a teacher labels; ``recipe.pool_share`` says how many of them an epoch sees.
        hooks: told of everything that happens, besides the log and the progress bar.
        options: how to carry it out.
        more: single options, by name; see :class:`Options`.

    Raises:
        DataError: if a table cannot be used.
        SettingError: if the machine cannot do what the recipe says, or something would be overwritten.
        TrainingError: if the encoder cannot be read, or training fails.
        StoppedError: if a signal asked to stop; everything is saved.
        CheckpointError: if a run cannot be resumed.

    Example:
        >>> result = train("train.csv", encoder="roberta-large", out="runs/a", device="cuda")  # doctest: +SKIP
        >>> affekt.load(result.folder).predict("I love this!")  # doctest: +SKIP
    """
    how = options or Options(**more)
    device = start_processes(pick_device(how.device))
    processes = Processes.current(device)
    settings = recipe if isinstance(recipe, Recipe) else get_recipe(recipe)
    settings = fit_to_device(settings.override(overrides), device)
    folder = RunFolder(Path(out))
    if done := _open(folder, how, processes):
        return _same_result(folder, done, settings, how)
    inputs = gather(
        data, dev,
        seed=settings.seed, options=read, teacher=teacher, weights=weights, dev_share=dev_share,
        also=also, also_weight=also_weight, scored=scored,
    )  # fmt: skip
    watchers = [*_watchers(folder, how, processes), *hooks]
    run = prepare(settings, inputs, str(encoder), processes, hooks=watchers, memory=how.memory)
    if processes.first:
        folder.begin(resume=how.resume)
    processes.wait()
    progress, trained = _train(run, folder, how)
    if processes.first:
        _finish(run, folder, how, progress, trained)
    processes.wait()
    return _result(folder, folder.open(resume=True, overwrite=False) or {})


def _open(folder: RunFolder, how: Options, processes: Processes) -> dict[str, Any] | None:
    done = folder.open(resume=how.resume, overwrite=how.overwrite) if processes.first or how.resume else None
    processes.wait()
    return done


def _watchers(folder: RunFolder, how: Options, processes: Processes) -> list[Hook]:
    if not processes.first:
        return []
    made: list[Hook] = [JsonLog(folder.log)]
    made += [ProgressBar()] if how.progress else []
    made += [TensorBoardLog(folder.path / "tensorboard")] if how.tensorboard else []
    return made


def _train(run: Run, folder: RunFolder, how: Options) -> tuple[Progress, dict[str, Tensor]]:
    """Take the steps that are left, and give back the best weights."""
    fingerprint = Fingerprint.of(run.inputs.parts(), run.recipe.model_dump(mode="json"), run.start)
    engine = run.engine()
    keeper = DiskKeeper(
        folder.checkpoints, fingerprint, run.processes,
        note=run.note, every_steps=how.every_steps, every_minutes=how.every_minutes,
    )  # fmt: skip
    progress = Progress()
    if how.resume and (checkpoint := keeper.latest(allow_changes=how.allow_changes)) is not None:
        progress = keeper.restore(engine, checkpoint)
        if checkpoint.state["complete"]:
            last = progress.best_step in (0, progress.step)
            return progress, final_weights(checkpoint) if last else keeper.best_weights(engine, progress)
    progress = run.loop(engine, keeper).run(progress)
    trained = keeper.best_weights(engine, progress)
    keeper.finish()
    return progress, trained


def _finish(run: Run, folder: RunFolder, how: Options, progress: Progress, trained: dict[str, Tensor]) -> None:
    recipe, inputs = run.recipe, run.inputs
    finish.stage(folder.stage, run.model, trained, load_tokenizer(run.encoder))
    logits = None
    if inputs.dev is not None:
        pad_id = run.tokenizer.pad_token_id
        logits = finish.staged_logits(folder.stage, recipe, run.dev_ids, pad_id, run.processes.device)
    made = finish.Finished(
        name=folder.out.name,
        encoder=f"./{Path(run.encoder).name}" if Path(run.encoder).exists() else run.encoder,
        recipe=recipe,
        labels=inputs.train.labels,
        train=inputs.labelled,
        dev=inputs.dev,
        pool=inputs.pool,
        table=inputs.table,
        history=progress.epochs,
        resampling=how.resampling,
    )
    folder.end()
    manifest = finish.write(folder.out, folder.stage, finish.make_manifest(made, logits))
    folder.finish({
        "recipe": recipe.model_dump(mode="json"),
        "metrics": manifest.metrics,
        "epochs": progress.epochs,
        "seconds": progress.seconds,
    })  # fmt: skip


def _same_result(folder: RunFolder, done: dict[str, Any], asked: Recipe, how: Options) -> TrainResult:
    """The result of a finished run, if it is the run that is asked for."""
    chosen = {"batching", *(("micro_batch", "checkpointing", "optimizer") if how.memory else ())}
    made = _result(folder, done)
    other = [
        f"{key} was {value!r} and is {getattr(asked, key)!r}"
        for key, value in made.recipe
        if value != getattr(asked, key) and key not in chosen
    ]
    if other and not how.allow_changes:
        raise CheckpointError(
            f"'{folder.out}' is finished, and was made with other settings: {'; '.join(other)}.",
            hint="Give another --out, or begin anew with --overwrite.",
        )
    return made


def _result(folder: RunFolder, record: dict[str, Any]) -> TrainResult:
    recipe = Recipe.model_validate(record["recipe"])
    return TrainResult(folder.out, recipe, record["metrics"], record["epochs"], record["seconds"])
