"""Masked words: chosen as they should be, learned, resumed exactly, and of use to training."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small_runs import make_encoder, make_set, small_run
from test_resume import At, CrashError, crash
from tiny_models import SETTINGS
from transformers import AutoConfig, AutoModelForMaskedLM
from typer.testing import CliRunner

from affekt.cli.app import app
from affekt.errors import DataError, SettingError, TrainingError
from affekt.training.batching.batches import MicroBatch, PaddedTokens, pad
from affekt.training.batching.packing import pack
from affekt.training.loop.progress import EpochReport, Hook
from affekt.training.pretrain import DEFAULT, IGNORED, MaskedObjective, Masking, pretrain
from models import vocabulary

torch.set_num_threads(1)
MASKING = Masking(0.5, mask_id=4, special=(0, 1, 2, 3, 4), vocabulary=100)
SMALL = DEFAULT.replace(epochs=4, batch_size=8, lr=2e-3, max_length=32)
TEXTS = make_set(48).texts


class Losses(Hook):
    def __init__(self) -> None:
        self.values: list[float] = []

    def epoch(self, report: EpochReport) -> None:
        self.values.append(report.loss)


def some_tokens() -> PaddedTokens:
    rng = np.random.default_rng(0)
    return pad([np.concatenate([[2], rng.integers(5, 100, 40), [3]]).astype(np.int32) for _ in range(200)], 50, 0)


def test_tokens_are_chosen_in_the_right_shares() -> None:
    torch.manual_seed(0)
    tokens = some_tokens()
    inputs, wanted = MASKING.apply(tokens)
    chosen = wanted != IGNORED
    ordinary = tokens.input_ids >= 5
    assert not chosen[~ordinary].any()
    assert chosen.sum() / ordinary.sum() == pytest.approx(0.5, abs=0.02)
    assert torch.equal(wanted[chosen], tokens.input_ids[chosen])
    assert torch.equal(inputs[~chosen], tokens.input_ids[~chosen])
    assert (inputs[chosen] == 4).float().mean() == pytest.approx(0.8, abs=0.02)
    assert (inputs[chosen] == tokens.input_ids[chosen]).float().mean() == pytest.approx(0.1, abs=0.02)


def test_every_text_counts_alike() -> None:
    class Model(torch.nn.Module):
        def forward(self, attention_mask: Any, **_: Any) -> Any:
            return type("Output", (), {"logits": torch.zeros(*attention_mask.shape, 100)})()

    class Wrapped:
        model = Model()

    tokens = some_tokens()
    weights = torch.arange(200.0)
    total = MaskedObjective(MASKING)(Wrapped(), MicroBatch(tokens, torch.zeros(200, 1), weights))
    assert total.item() == pytest.approx(float(np.log(100)) * weights.sum().item(), rel=1e-5)
    packed = pack([np.arange(5, 9)], 8, pad_id=0, first_position=0)
    with pytest.raises(TrainingError, match="padded"):
        MaskedObjective(MASKING)(Wrapped(), MicroBatch(packed, torch.zeros(1, 1), torch.ones(1)))


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "mpnet", "modernbert", "deberta-v2"])
def test_what_it_writes_is_an_encoder(kind: str, tmp_path: Path) -> None:
    encoder, losses = make_encoder(tmp_path / "encoder", kind), Losses()
    folder = pretrain(
        TEXTS, encoder=encoder, out=tmp_path / "read", recipe=SMALL, share=0.6, device="cpu", hooks=[losses]
    )
    assert losses.values[-1] < losses.values[0]
    result = small_run(tmp_path, encoder=folder)
    assert result.macro_f1 is not None
    before, after = load_file(encoder / "model.safetensors"), load_file(folder / "model.safetensors")
    assert len(before) < len(after)


def test_it_resumes_exactly(tmp_path: Path) -> None:
    encoder = make_encoder(tmp_path / "encoder")
    settings: dict[str, Any] = {"encoder": encoder, "recipe": SMALL, "device": "cpu"}
    whole = pretrain(TEXTS, out=tmp_path / "whole", **settings)
    with pytest.raises(CrashError):
        pretrain(TEXTS, out=tmp_path / "died", hooks=[At(12, crash)], **settings)
    again = pretrain(TEXTS, out=tmp_path / "died", resume=True, **settings)
    one, other = (load_file(folder / "model.safetensors") for folder in (whole, again))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_bad_calls_are_one_sentence(tmp_path: Path) -> None:
    encoder = make_encoder(tmp_path / "encoder")
    with pytest.raises(DataError, match="no texts"):
        pretrain([], encoder=encoder, out=tmp_path / "out")
    with pytest.raises(SettingError, match="between 0 and 1"):
        pretrain(TEXTS, encoder=encoder, out=tmp_path / "out", share=1.0)
    with pytest.raises(SettingError, match="already exists"):
        pretrain(TEXTS, encoder=encoder, out=encoder)


def test_the_command(tmp_path: Path) -> None:
    encoder = make_encoder(tmp_path / "encoder")
    (tmp_path / "texts.csv").write_text("text\n" + "\n".join(TEXTS) + "\n")
    ran = CliRunner().invoke(app, [
        "pretrain", "--texts", str(tmp_path / "texts.csv"), "--encoder", str(encoder), "--out", str(tmp_path / "read"),
        "--device", "cpu", "--set", "epochs=1", "--set", "max_length=32",
    ])  # fmt: skip
    assert ran.exit_code == 0, ran.output
    assert AutoModelForMaskedLM.from_config(AutoConfig.from_pretrained(tmp_path / "read")).config.vocab_size == len(
        vocabulary()
    )
    assert "bert" in SETTINGS
