"""The experiments from end to end on a handful of texts: teachers, their mixture, students, and who may learn what."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import runs
import torch
import work
from corpus import Corpus, Place
from small_runs import make_encoder, make_set

from affekt.taxonomy import TAXONOMIES

torch.set_num_threads(1)
LABELS = TAXONOMIES["goemotions"].labels
QUICK = ("epochs=1", "batch_size=16", "max_length=32", "precision=fp32")


def write_corpus(folder: Path) -> None:
    """GoEmotions' layout with random labels, and both further corpora."""
    (folder / "aux").mkdir(parents=True)
    (folder / "labels.txt").write_text("\n".join(LABELS))
    draw = np.random.default_rng(0)
    for part, size, seed in (("train", 90, 0), ("dev", 30, 1)):
        texts = make_set(size, seed=seed).texts
        lines = [f"{text}\t{draw.integers(28)}\tid{row}" for row, text in enumerate(texts)]
        (folder / f"{part}.tsv").write_text("\n".join(lines) + "\n")
    more = make_set(12, seed=5).texts
    (folder / "aux" / "xed_en.tsv").write_text("\n".join(f"{text} .\t1, 8" for text in more) + "\n")
    rows = [f"{row},{text} !,1,0,0,0,0" for row, text in enumerate(more)]
    header = "id,text,anger,fear,joy,sadness,surprise\n"
    (folder / "aux" / "brighter_eng_train.csv").write_text(header + "\n".join(rows) + "\n")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("experiments")
    write_corpus(folder / "data")
    for name in ("minilm", "mpnet"):
        make_encoder(folder / "encoders" / name, "bert" if name == "minilm" else "mpnet")
    return Corpus(Place(folder / "data", folder / "encoders", folder / "work"))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two teachers, one that learns from them, and one student."""
    first = [
        runs.Run("a", "mpnet", QUICK, scores_pool=True),
        runs.Run("b", "minilm", QUICK, several=True, scores_pool=True),
    ]
    second = replace(first[0], name="c", teacher="first", pool=True)
    student = runs.Run("s", "minilm", QUICK, teacher="second", pool=True, keeps=True)
    plain = runs.Run("r", "minilm", QUICK, core14=True)
    stages = {
        "reference": [plain],
        "first": [one for run in first for one in runs.over_folds(run)],
        "second": runs.over_folds(second),
        "students": runs.over_seeds(student, range(1)),
    }
    monkeypatch.setattr(work, "STAGES", stages)
    monkeypatch.setattr(work, "TEACHERS", {"first": first, "second": [*first, second]})


def test_every_stage_is_made_once(corpus: Corpus, few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for stage in work.STAGES:
        work.work(corpus, stage, torch.device("cpu"))
    with np.load(work.mixed_path(corpus.place, "second")) as scores:
        assert scores["train"].shape == (90, 28)
        assert scores["pool"].shape == (len(corpus.pool), 28)
        assert all(((scores[part] > 0) & (scores[part] < 1)).all() for part in scores)
    for run in (one for stage in work.STAGES.values() for one in stage):
        with np.load(work.logits_path(corpus.place, run)) as found:
            assert np.isfinite(found["dev"]).all()
            assert ("held" in found) == (run.fold is not None)
    assert (corpus.place.work / "models" / "s-seed0" / "model.safetensors").is_file()
    assert not list(corpus.place.work.rglob("*.claim"))
    monkeypatch.setattr(work, "carry_out", None)
    for stage in work.STAGES:
        work.work(corpus, stage, torch.device("cpu"))


def test_no_model_learns_what_it_scores(corpus: Corpus) -> None:
    for stage in ("first", "second", "students"):
        for run in runs.STAGES[stage]:
            if run.fold is None or run.teacher is not None:
                continue
            learned = set(work.learns(corpus, run).train.texts)
            scored = work.scored_texts(corpus, run)
            assert not learned & set(scored["held"])


def test_texts_made_from_a_left_out_fold_are_left_out_too(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = {"train": np.zeros((90, 28)), "pool": np.zeros((len(corpus.pool), 28))}
    work.keep(work.mixed_path(corpus.place, "nobody"), zeros)
    run = runs.Run("x", "minilm", fold=2, teacher="nobody", pool=True)
    inputs = work.learns(corpus, run)
    made = {text for text, fold in zip(corpus.pool.texts, corpus.pool.folds, strict=True) if fold == 2}
    assert made
    assert not made & set(inputs.train.texts)
    assert inputs.pool == len(corpus.pool) - len(made)
    assert not set(inputs.train.texts) & {corpus.train.texts[i] for i in corpus.folds[2][1]}


def test_a_claim_of_a_dead_process_counts_for_nothing(tmp_path: Path) -> None:
    target = tmp_path / "made.npz"
    with work.claimed(target) as mine, work.claimed(target) as other:
        assert mine
        assert not other
    target.with_suffix(".claim").write_text("999999999")
    with work.claimed(target) as mine:
        assert mine


def test_names_are_distinct_and_teachers_are_run() -> None:
    names = [run.name for stage in runs.STAGES.values() for run in stage]
    assert len(names) == len(set(names))
    for members in runs.TEACHERS.values():
        assert all(f"{run.name}-fold{fold}" in names for run in members for fold in runs.FOLDS)
