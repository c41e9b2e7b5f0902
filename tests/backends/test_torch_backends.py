"""PyTorch engines: packed rows for known architectures, padded rows for the others, and honest failures."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from affekt.backends import TokenBatch
from affekt.backends.packed import Attention, PackedRow, attention_by_text, flash_attention
from affekt.backends.torch import CudaBackend, TorchBackend
from affekt.errors import BackendError
from models import hugging_face_folder, random_rows

LENGTHS = (5, 30, 2, 17, 17)
KINDS: dict[str, dict[str, Any]] = {
    "bert": {},
    "roberta": {"type_vocab_size": 1},
    "electra": {"embedding_size": 16},
    "distilbert": {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 4},
    "mpnet": {},
    "albert": {"embedding_size": 16},
}


def on_cpu(folder: Path, **settings: Any) -> CudaBackend:
    return CudaBackend(folder, settings.pop("dtype", "float32"), "cpu", attention_by_text, **settings)


@pytest.mark.parametrize("kind", KINDS)
def test_packed_and_padded_engines_give_the_models_own_logits(tmp_path: Path, kind: str) -> None:
    hugging_face_folder(tmp_path, kind=kind, **KINDS[kind])
    batch = TokenBatch.of(random_rows(LENGTHS))
    expected = TorchBackend(tmp_path, threads=1).logits(batch)
    np.testing.assert_allclose(on_cpu(tmp_path).logits(batch), expected, rtol=0, atol=2e-6)


def test_a_padding_id_inside_a_text_shifts_positions_as_in_the_model(tmp_path: Path) -> None:
    hugging_face_folder(tmp_path, kind="roberta", pad_token_id=9)
    rows = [[2, 11, 9, 12, 9, 3], [2, 9, 3]]
    batch = TokenBatch.of(rows, 9)
    expected = TorchBackend(tmp_path, threads=1).logits(batch)
    np.testing.assert_allclose(on_cpu(tmp_path).logits(batch), expected, rtol=0, atol=2e-6)


def test_a_packed_row_says_where_each_text_begins() -> None:
    batch = TokenBatch.of([[7, 8, 9], [5], [6, 4]], 0)
    row = PackedRow.of(batch.input_ids, batch.attention_mask, None, torch.device("cpu"))
    assert row.ids.tolist() == [7, 8, 9, 5, 6, 4]
    assert row.positions.tolist() == [0, 1, 2, 0, 0, 1]
    assert row.starts.tolist() == [0, 3, 4, 6]
    assert row.starts.dtype == torch.int32
    assert row.longest == 3
    counted = PackedRow.of(batch.input_ids, batch.attention_mask, 4, torch.device("cpu"))
    assert counted.positions.tolist() == [5, 6, 7, 5, 5, 4]


def test_bfloat16_is_near_float32(tmp_path: Path) -> None:
    hugging_face_folder(tmp_path)
    batch = TokenBatch.of(random_rows(LENGTHS))
    exact, rough = (on_cpu(tmp_path, dtype=dtype).logits(batch) for dtype in ("float32", "bfloat16"))
    assert rough.dtype == np.float32
    assert 0 < np.abs(rough - exact).max() < 0.1


def test_activations_that_outgrow_the_precision_are_refused(tmp_path: Path) -> None:
    from affekt.backends.torch import load_model

    model = load_model(hugging_face_folder(tmp_path))
    with torch.no_grad():
        model.bert.encoder.layer[0].output.LayerNorm.weight.fill_(1e7)
    model.save_pretrained(tmp_path)
    engine = on_cpu(tmp_path, dtype="float16")
    with pytest.raises(BackendError, match="outgrow float16"):
        engine.logits(TokenBatch.of(random_rows(LENGTHS)))
    with pytest.raises(BackendError, match="torch-cuda-bfloat16"):
        list(engine.many([TokenBatch.of(random_rows(LENGTHS))]))


def test_a_folder_without_a_model_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="PyTorch cannot load"):
        TorchBackend(tmp_path)


def test_this_pytorch_has_variable_length_attention_or_says_so() -> None:
    assert flash_attention() is None or callable(flash_attention())


@pytest.mark.parametrize("attention", [None, attention_by_text])
def test_warming_stays_within_what_a_model_reads(tmp_path: Path, attention: Attention | None) -> None:
    """A model of 80 positions was once warmed with 512 tokens, which spoils a GPU for the whole process."""
    hugging_face_folder(tmp_path, kind="roberta", **KINDS["roberta"])
    backend = CudaBackend(tmp_path, "float32", "cpu", attention)
    backend.plan = replace(backend.plan, token_budget=640)
    seen: list[int] = []
    run = backend._run
    backend._run = lambda batch: (seen.append(batch.input_ids.shape[1]), run(batch))[1]
    backend._warm(80)
    assert max(seen) == 64
    assert len(set(seen)) == 4


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("kind", KINDS)
def test_a_gpu_gives_the_models_logits_in_half_precision(tmp_path: Path, kind: str) -> None:
    hugging_face_folder(tmp_path, kind=kind, **KINDS[kind])
    batch = TokenBatch.of(random_rows(LENGTHS))
    expected = TorchBackend(tmp_path).logits(batch)
    for dtype in ("float16", "bfloat16", "float32"):
        found = CudaBackend(tmp_path, dtype)
        np.testing.assert_allclose(found.logits(batch), expected, rtol=0, atol=0.1)
        for logits in found.many([batch] * 7):
            np.testing.assert_allclose(logits, expected, rtol=0, atol=0.1)
