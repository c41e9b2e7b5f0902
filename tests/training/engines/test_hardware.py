"""What a recipe asks of a machine: settled, said, or refused with the equivalent; the GPU ones pretend to have one."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tiny_models import SETTINGS, tiny

from affekt.errors import SettingError
from affekt.training.engines import hardware
from affekt.training.engines.hardware import (
    choose_engine,
    fit_to_device,
    fit_to_encoder,
    fit_to_memory,
    has_8bit,
    longest,
)
from affekt.training.recipe import Recipe, get_recipe

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def modern_gpu(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A GPU of 80 GB with bf16; the memory fractions that were set."""
    fractions: list[float] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=80 * 10**9))

    def set_fraction(share: float, device: int) -> None:
        assert isinstance(device, int), "PyTorch takes no device without a number here"
        fractions.append(share)

    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", set_fraction)
    monkeypatch.setattr(hardware, "require_8bit", lambda _: None)
    return fractions


def test_auto_precision_is_settled() -> None:
    assert fit_to_device(Recipe(), CPU).precision == "fp32"


def test_a_modern_gpu_computes_in_bf16(modern_gpu: Any) -> None:
    assert fit_to_device(Recipe(), GPU).precision == "bf16"
    assert fit_to_device(get_recipe("reference"), GPU) == get_recipe("reference")


def test_an_older_gpu_computes_in_fp16(modern_gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    assert fit_to_device(Recipe(), GPU).precision == "fp16"
    with pytest.raises(SettingError, match=r"no bf16 arithmetic.*--set precision=fp16"):
        fit_to_device(Recipe(precision="bf16"), GPU)


def test_the_reference_on_a_cpu_is_explained() -> None:
    with pytest.raises(SettingError) as raised:
        fit_to_device(get_recipe("reference"), CPU)
    text = str(raised.value)
    assert "fp16 with loss scaling needs a CUDA GPU" in text
    assert "--set precision=fp32 --set optimizer=adamw" in text
    equivalent = get_recipe("reference", ["precision=fp32", "optimizer=adamw"])
    assert fit_to_device(equivalent, CPU) == equivalent


def test_missing_bitsandbytes_is_said(modern_gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from affekt.training.engines import optimizers

    monkeypatch.setattr(hardware, "require_8bit", optimizers.require_8bit)
    monkeypatch.setattr(optimizers.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SettingError, match=r"bitsandbytes.*--set optimizer=adamw.*affekt\[gpu\]"):
        fit_to_device(get_recipe("reference"), GPU)
    assert not has_8bit(GPU)
    assert not has_8bit(CPU)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_missing_gpu_is_said() -> None:
    with pytest.raises(SettingError, match="no CUDA device"):
        fit_to_device(Recipe(), GPU)


@pytest.mark.parametrize("kind", SETTINGS)
def test_encoders_that_cannot_run_packed_run_padded(kind: str) -> None:
    recipe, notes = fit_to_encoder(Recipe(max_length=32), tiny(kind))
    assert (recipe.batching == "packed") == (kind != "deberta-v2")
    assert bool(notes) == (kind == "deberta-v2")
    assert fit_to_encoder(Recipe(max_length=32, batching="padded"), tiny(kind)) == (
        Recipe(max_length=32, batching="padded"), []
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "reads"), [("bert", 80), ("roberta", 78), ("mpnet", 78), ("modernbert", 80)])
def test_texts_are_no_longer_than_the_encoder_reads(kind: str, reads: int) -> None:
    model = tiny(kind)
    assert longest(model) == reads
    assert fit_to_encoder(Recipe(max_length=reads), model)[0].max_length == reads
    with pytest.raises(SettingError, match=f"encoder reads {reads}"):
        fit_to_encoder(Recipe(max_length=reads + 1), model)


def test_relative_positions_have_no_end() -> None:
    assert longest(tiny("deberta-v2", position_biased_input=False)) is None


@pytest.mark.parametrize(
    ("settings", "kind", "engine"),
    [
        ({}, "bert", "captured"),
        ({"optimizer": "adamw8bit"}, "roberta", "captured"),
        ({}, "deberta-v2", "plain"),
        ({"precision": "fp16"}, "bert", "plain"),
        ({"batching": "dynamic"}, "bert", "plain"),
        ({"checkpointing": True}, "bert", "plain"),
        ({"lora_rank": 4}, "bert", "plain"),
    ],
)
def test_the_fast_engine_is_chosen_where_it_can_run(settings: dict[str, Any], kind: str, engine: str) -> None:
    recipe = Recipe(precision="bf16").replace(**settings)
    assert choose_engine(recipe, tiny(kind), GPU) == engine
    assert choose_engine(recipe, tiny(kind), CPU) == "plain"
    assert choose_engine(recipe, tiny(kind), GPU, sharded=True) == "plain"


def test_memory_budgets_choose_settings_and_are_kept(modern_gpu: Any) -> None:
    recipe, model = Recipe(precision="bf16", max_length=32), tiny("bert")
    roomy, engine, said = fit_to_memory(recipe, model, GPU, 40 * 10**9, longest_text=30, has_8bit=True)
    assert (roomy.micro_batch, roomy.checkpointing, engine) == (32, False, "captured")
    assert "micro-batch 32" in said
    assert 0.4 < modern_gpu[0] < 0.5
    with pytest.raises(SettingError, match="too small"):
        fit_to_memory(recipe, model, GPU, 10**8, longest_text=30, has_8bit=True)
    with pytest.raises(SettingError, match="for GPUs"):
        fit_to_memory(recipe, model, CPU, 10**9, longest_text=30, has_8bit=True)


def test_a_tight_budget_gives_up_capture_before_the_optimizer(modern_gpu: Any) -> None:
    recipe, model = Recipe(precision="bf16", max_length=64, batch_size=2048), tiny("bert")
    needed = []
    for budget in range(900, 5000, 50):
        try:
            chosen, engine, _ = fit_to_memory(recipe, model, GPU, budget * 10**6, longest_text=64, has_8bit=True)
        except SettingError:
            continue
        needed.append((chosen.optimizer, chosen.checkpointing, engine))
    assert needed[-1] == ("adamw", False, "captured")
    assert len(set(needed)) > 1
