"""The experiments from end to end on a handful of texts: teachers, their mixture, students, and who may learn what."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import runs
import ship
import tables
import torch
import work
from corpus import Corpus, Place
from small_runs import make_encoder, make_set

import affekt
from affekt.taxonomy import TAXONOMIES
from affekt.training.recipe import get_recipe
from affekt.tuning.rules import fit_taxonomy_rules

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


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    folder = tmp_path / "experiments"
    write_corpus(folder / "data")
    for name in ("minilm", "mpnet"):
        make_encoder(folder / "encoders" / name, "bert" if name == "minilm" else "mpnet")
    return Corpus(Place(folder / "data", folder / "encoders", folder / "work"))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two teachers and one student."""
    teachers = [runs.Run("a", "mpnet", QUICK, scores_pool=True), runs.Run("b", "minilm", QUICK, scores_pool=True)]
    student = replace(runs.STUDENT, settings=QUICK)
    shipped = replace(runs.SHIPPED, settings=(*QUICK, "pooling=first", "feed_forward=32"))
    others = [
        runs.Run("r", "minilm", QUICK, core14=True),
        runs.Run("v", "minilm", QUICK, several=True),
        runs.Run("d", "minilm", QUICK, doubts=True),
    ]
    stages = {
        "teachers": [one for run in teachers for one in runs.over_folds(run)],
        "students": [*runs.over_folds(student), *runs.over_seeds(student, range(2))],
        "thin": [*runs.over_folds(shipped), *runs.over_seeds(shipped, range(2))],
        "others": others,
    }
    monkeypatch.setattr(work, "STAGES", stages)
    monkeypatch.setattr(work, "TEACHERS", teachers)
    monkeypatch.setattr(ship, "SHIPPED", shipped)
    monkeypatch.setattr(tables, "STAGES", stages)
    monkeypatch.setattr(tables, "TEACHERS", teachers)


def test_every_stage_is_made_once_and_what_ships_answers(
    corpus: Corpus, few: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for stage in work.STAGES:
        work.work(corpus, stage, torch.device("cpu"))
    own, more = work.mixed(corpus)
    assert own.shape == (90, 28)
    assert more.shape == (len(corpus.pool), 28)
    assert all(((part > 0) & (part < 1)).all() for part in (own, more))
    for run in (one for stage in work.STAGES.values() for one in stage):
        with np.load(work.logits_path(corpus.place, run)) as found:
            assert np.isfinite(found["dev"]).all()
            assert ("held" in found) == (run.fold is not None)
    assert not list(corpus.place.work.rglob("*.claim"))
    monkeypatch.setattr(work, "carry_out", None)
    for stage in work.STAGES:
        work.work(corpus, stage, torch.device("cpu"))
    made = ship.make(corpus)
    ship.install(corpus, made, tmp_path / "installed")
    raw = ship.dev_logits(corpus)
    said = capsys.readouterr().out
    assert "int8 flips" in said
    assert json.loads((tmp_path / "installed" / "config.json").read_bytes())["intermediate_size"] == 32
    classifier = affekt.load(tmp_path / "installed")
    assert set(classifier.manifest.rules) == {"goemotions", "core14", "ekman", "sentiment"}
    rules = fit_taxonomy_rules(
        work.out_of_fold(corpus, ship.SHIPPED), corpus.train.positives, corpus.train.labels
    )  # fmt: skip
    found = affekt.load(made).scores(corpus.dev.texts)
    expected = [rules["goemotions"].rule.calibration.apply(one) for one in raw.values()]
    assert min(np.abs(found - one).max() for one in expected) < 2e-2
    tables.show(corpus)
    assert "student" in capsys.readouterr().out


def test_a_run_says_which_earlier_one_it_lacks(corpus: Corpus) -> None:
    with pytest.raises(SystemExit, match=r"no encoder 'student-short-seed0'.*an earlier stage makes it"):
        work.ready_encoder(corpus, runs.over_seeds(runs.SHIPPED)[0].encoder)


def test_no_model_learns_what_it_scores(corpus: Corpus) -> None:
    for run in runs.STAGES["teachers"]:
        learned = set(work.learns(corpus, run).train.texts)
        assert not learned & set(work.scored_texts(corpus, run)["held"])


def test_texts_made_from_a_left_out_fold_are_left_out_too(corpus: Corpus) -> None:
    work.keep(
        work.mixed_path(corpus.place), {"train": np.zeros((90, 28)), "pool": np.zeros((len(corpus.pool), 28))}
    )  # fmt: skip
    inputs = work.learns(corpus, runs.Run("x", "minilm", fold=2, taught=True, pool=True))
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


def test_every_run_has_a_name_of_its_own_and_a_recipe() -> None:
    every = [run for stage in runs.STAGES.values() for run in stage]
    assert len({run.name for run in every}) == len(every)
    for run in every:
        get_recipe(run.recipe, run.settings)
