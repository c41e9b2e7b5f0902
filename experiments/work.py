"""Carry out training runs, one after another, until a stage is done; start it as often as there is room on the GPUs.

    python experiments/work.py --data DIR --encoders DIR --work DIR teachers students thin

Workers share a stage through the work folder: each run is claimed by one of them, and what is there is not made again.
A run keeps its logits of dev, of the fold that it left out and, if it teaches, of the pool.
"""

import argparse
import gc
import json
import os
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from corpus import Corpus, Floats, Place
from runs import STAGES, TEACHERS, Run, over_folds

from affekt.evaluation.noise import suspect_rows
from affekt.files import atomic_file
from affekt.training.distilling.teachers import fold_calibrations, out_of_fold_scores, pool_scores
from affekt.training.engines.hardware import fit_to_device
from affekt.training.engines.processes import Processes
from affekt.training.inputs import Inputs, ScoredTexts, with_pool
from affekt.training.loop.progress import Hook
from affekt.training.networks.stock import save_stock
from affekt.training.prepare import prepare, train_in_memory
from affekt.training.pretrain import pretrain
from affekt.training.recipe import get_recipe

LABELS = 28


def logits_path(place: Place, run: Run) -> Path:
    """Where a run's logits are kept."""
    return place.work / "logits" / f"{run.name}.npz"


def pool_path(place: Place, run: Run) -> Path:
    """Where a teacher's logits of the pool are kept."""
    return place.work / "pool" / f"{run.name}.npy"


def mixed_path(place: Place) -> Path:
    """Where the mean scores of the teachers are kept."""
    return place.work / "teachers.npz"


@contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Whether this process alone may make ``path``; a claim of a process that is gone counts for nothing."""
    claim = path.with_suffix(".claim")
    claim.parent.mkdir(parents=True, exist_ok=True)
    if claim.is_file() and not Path(f"/proc/{claim.read_text() or 0}").is_dir():
        claim.unlink(missing_ok=True)
    try:
        with open(claim, "x") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        yield False
        return
    try:
        yield not path.is_file()
    finally:
        claim.unlink(missing_ok=True)


def learns(corpus: Corpus, run: Run) -> Inputs:
    """What a run learns from."""
    if run.core14:
        return Inputs(corpus.core14(corpus.train), None)
    whole = corpus.several if run.several else corpus.train
    rows = np.arange(len(whole))
    if run.fold is not None:
        rows = np.setdiff1d(rows, corpus.folds[run.fold][1])
    if not run.taught:
        return Inputs(whole.subset(rows), None, weights=trust(corpus)[rows] if run.doubts else None)
    own, more = mixed(corpus)
    inputs = Inputs(whole.subset(rows), None, own[rows])
    if not run.pool:
        return inputs
    free = np.flatnonzero(corpus.pool.folds != run.fold) if run.fold is not None else np.arange(len(more))
    return with_pool(inputs, ScoredTexts(tuple(corpus.pool.texts[i] for i in free), more[free]))


def mixed(corpus: Corpus) -> tuple[Floats, Floats]:
    """Mean scores of the teachers for the training texts and the pool."""
    with np.load(mixed_path(corpus.place), allow_pickle=False) as scores:
        return scores["train"].astype(np.float32), scores["pool"].astype(np.float32)


def trust(corpus: Corpus) -> Floats:
    """(training texts,) weights: a third where the labels look wrong to the teachers (confident learning)."""
    scores, _ = mixed(corpus)
    weights = np.ones(len(scores), dtype=np.float32)
    weights[[suspect.row for suspect in suspect_rows(scores, corpus.train.positives, len(scores))]] = 1 / 3
    return weights


def scored_texts(corpus: Corpus, run: Run) -> dict[str, list[str]]:
    """What a run scores."""
    texts = {"dev": list(corpus.core14(corpus.dev).texts if run.core14 else corpus.dev.texts)}
    if run.fold is not None:
        texts["held"] = [corpus.train.texts[i] for i in corpus.folds[run.fold][1]]
    if run.scores_pool:
        assert run.fold is not None
        texts["pool"] = [corpus.pool.texts[i] for i in corpus.pool.scored_by(run.fold)]
    return texts


def carry_out(corpus: Corpus, run: Run, device: torch.device) -> dict[str, Any]:
    """Train a model and keep what it says; its seconds."""
    began = time.monotonic()
    place, recipe = corpus.place, fit_to_device(get_recipe(run.recipe, run.settings), device)
    job = prepare(
        recipe, learns(corpus, run), ready_encoder(corpus, run.encoder), Processes(device=device), hooks=[Hook()]
    )
    ready = time.monotonic()
    progress, weights = train_in_memory(job)
    trained = time.monotonic()
    texts = scored_texts(corpus, run)
    logits = job.score(weights, [text for part in texts.values() for text in part])
    ends = np.cumsum([len(part) for part in texts.values()])
    found = dict(zip(texts, np.split(logits[:, :LABELS].astype(np.float16), ends[:-1]), strict=True))
    if run.keeps:
        keep_weights(place, run, job, weights)
    if run.scores_pool:
        keep(pool_path(place, run), found.pop("pool"))
    keep(logits_path(place, run), found)
    last = progress.epochs[-1]["loss"]
    done = time.monotonic()
    return {"name": run.name, "prepare": ready - began, "train": trained - ready, "score": done - trained, "loss": last}


def ready_encoder(corpus: Corpus, name: str) -> str:
    """The folder of an encoder; ``NAME-tapt`` is NAME after it read the training texts, made when first asked for."""
    base = name.removesuffix("-tapt")
    made = corpus.place.work / "encoders" / name
    while name != base and not made.is_dir():
        with claimed(made) as mine:
            if mine and not made.is_dir():
                pretrain(corpus.train.texts, encoder=corpus.place.encoder(base), out=made)
        time.sleep(1)
    return corpus.place.encoder(name)


def keep(path: Path, found: Any) -> None:
    """An array or several, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **found) if isinstance(found, dict) else np.save(file, found)


def keep_weights(place: Place, run: Run, job: Any, weights: Any) -> None:
    """The Hugging Face files of a model."""
    folder = place.work / "models" / run.name
    folder.mkdir(parents=True, exist_ok=True)
    save_stock(job.model, weights, folder)
    job.tokenizer.save_pretrained(folder)


def out_of_fold(corpus: Corpus, run: Run) -> Floats:
    """Logits (training texts, labels), each from the model that did not learn the text."""
    logits = np.zeros((len(corpus.train), LABELS), dtype=np.float32)
    for one, (_, held) in zip(over_folds(run), corpus.folds, strict=True):
        with np.load(logits_path(corpus.place, one), allow_pickle=False) as found:
            logits[held] = found["held"]
    return logits


def mix(corpus: Corpus) -> None:
    """Average the calibrated out-of-fold scores of the teachers."""
    scores, more = np.zeros((len(corpus.train), LABELS)), np.zeros((len(corpus.pool), LABELS))
    for run in TEACHERS:
        logits = out_of_fold(corpus, run)
        per_fold = [np.load(pool_path(corpus.place, one)).astype(np.float32) for one in over_folds(run)]
        rules = fold_calibrations(logits, corpus.train, corpus.folds)
        scores += out_of_fold_scores(logits, corpus.folds, rules) / len(TEACHERS)
        more += pool_scores(corpus.pool, per_fold, rules) / len(TEACHERS)
    keep(mixed_path(corpus.place), {"train": scores.astype(np.float16), "pool": more.astype(np.float16)})


def work(corpus: Corpus, stage: str, device: torch.device) -> None:
    """Runs of a stage until none is left, then its teachers mixed."""
    waiting = STAGES[stage]
    while waiting := [run for run in waiting if not logits_path(corpus.place, run).is_file()]:
        busy = True
        for run in waiting:
            with claimed(logits_path(corpus.place, run)) as mine:
                if mine:
                    busy = False
                    attempt(corpus, run, device)
        if busy:
            time.sleep(1)
    while stage == "teachers" and not mixed_path(corpus.place).is_file():
        with claimed(mixed_path(corpus.place)) as mine:
            if mine:
                mix(corpus)
        time.sleep(1)


def attempt(corpus: Corpus, run: Run, device: torch.device) -> None:
    """One run; what goes wrong is kept and ends the worker."""
    try:
        took = carry_out(corpus, run, device)
    except Exception:
        (corpus.place.work / f"{run.name}.error").write_text(traceback.format_exc())
        raise
    with open(corpus.place.work / "seconds.jsonl", "a") as file:
        file.write(json.dumps(took) + "\n")
    print(json.dumps(took), flush=True)
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Where things lie."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="GoEmotions, with aux/ beside it")
    parser.add_argument("--encoders", type=Path, required=True, help="folders minilm and mpnet")
    parser.add_argument("--work", type=Path, required=True, help="kept between calls")
    return parser


def main() -> None:
    """The stages asked for, in order."""
    parser = arguments(__doc__)
    parser.add_argument("stages", nargs="+", choices=STAGES)
    asked = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.set_num_threads(4)
    corpus = Corpus.at(asked)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    for stage in asked.stages:
        work(corpus, stage, device)


if __name__ == "__main__":
    main()
