"""Memory estimates against tensors that are really kept, and plans that keep their budget in the documented order."""

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedModel

from affekt.errors import SettingError
from affekt.training.engines.memory import (
    EncoderShape,
    Estimate,
    _activations,
    _evaluation,
    _token_layer,
    estimate_memory,
    parse_memory,
    plan_memory,
)
from affekt.training.recipe import RECIPES, Recipe

torch.set_num_threads(1)
LARGE = EncoderShape(parameters=355_000_000, layers=24, hidden=1024, intermediate=4096, heads=16)
TINY = {"hidden_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 384, "vocab_size": 50}
ENDS = {"bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2}
DEBERTA = {"relative_attention": True, "position_biased_input": False, "pos_att_type": ["p2c", "c2p"]}
ARCHITECTURES = {
    "Roberta": TINY,
    "Bert": TINY,
    "MPNet": TINY,
    "Electra": TINY | {"embedding_size": 96},
    "DistilBert": {"dim": 96, "n_layers": 3, "n_heads": 4, "hidden_dim": 384, "vocab_size": 50},
    "DebertaV2": TINY | DEBERTA,
    "ModernBert": TINY | ENDS,
}


def build(name: str) -> PreTrainedModel:
    config = getattr(transformers, f"{name}Config")(pad_token_id=0, **ARCHITECTURES[name])
    config._attn_implementation = "eager"
    model: PreTrainedModel = getattr(transformers, f"{name}ForSequenceClassification")(config)
    return model


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("16GB", 16 * 10**9),
        ("16GiB", 16 * 2**30),
        ("1.5 gb", 1_500_000_000),
        ("512M", 512 * 10**6),
        ("7", 7),
        ("2gi", 2**31),
    ],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "lots", "GB", "-3GB", "0GB", "3PB", "3 GB of it", "1e9", "16iB"])
def test_other_texts_are_no_sizes(text: str) -> None:
    with pytest.raises(SettingError, match="not a size"):
        parse_memory(text)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_shapes_are_read_from_models(name: str) -> None:
    model = build(name)
    model.base_model.requires_grad_(requires_grad=False)
    shape = EncoderShape.of(model)
    assert (shape.layers, shape.hidden, shape.intermediate, shape.heads) == (3, 96, 384, 4)
    assert shape.parameters == sum(p.numel() for n, p in model.named_parameters() if p.requires_grad)
    assert shape.parameters + shape.frozen == model.num_parameters()
    assert shape.gated == (name == "ModernBert")
    assert shape.relative_span == (512 if name == "DebertaV2" else 0)
    assert shape.matrices


def kept_bytes(model: PreTrainedModel, texts: int, length: int) -> int:
    """Bytes of all storages that the backward pass would read, weights aside."""
    own = {tensor.untyped_storage().data_ptr() for tensor in [*model.parameters(), *model.buffers()]}
    kept: dict[int, torch.Tensor] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage().data_ptr() not in own:
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    ids = torch.randint(3, 50, (texts, length))
    model.train()
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    assert logits.requires_grad
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("length", [32, 96])
def test_activations_are_near_and_not_below_what_is_kept(name: str, precision: str, length: int) -> None:
    model = build(name).to(torch.bfloat16 if precision == "bf16" else torch.float32)
    recipe = Recipe(precision=precision, max_length=length, batching="padded")  # type: ignore[arg-type]
    shape = EncoderShape.of(model)
    estimate = _activations(shape, recipe, "captured", 4 * length, length, checkpointing=False)
    kept = kept_bytes(model, 4, length)
    assert kept <= estimate * 1.1  # the allocator's slack
    assert estimate <= (2.5 if name == "DebertaV2" else 1.5) * kept


def total(**changes: object) -> Estimate:
    arguments: dict[str, object] = {"engine": "plain", "micro_batch": 8, "optimizer": "adamw"} | changes
    recipe = arguments.pop("recipe", Recipe())
    return estimate_memory(LARGE, recipe, **arguments)  # type: ignore[arg-type]


def test_every_saving_saves() -> None:
    assert total(checkpointing=True).activations < total().activations
    assert total(optimizer="adamw8bit").optimizer < total().optimizer / 3
    assert total(micro_batch=16).activations > total(micro_batch=8).activations
    assert total(longest=20).activations < total().activations
    assert total(recipe=Recipe(precision="fp32")).activations > total().activations
    assert total(recipe=Recipe(r_drop=1.0)).activations > total().activations
    assert total(recipe=Recipe(average_decay=0.99)).average == 4 * LARGE.parameters
    assert total(engine="captured").total < total().total


def test_an_evaluation_comes_on_top_of_what_captured_steps_keep() -> None:
    """A budget of 8 GB ran out on an H100: the memory of captured steps is not there for anything else."""
    recipe = Recipe(precision="bf16")
    training = _activations(LARGE, recipe, "captured", 8 * 128, 128, checkpointing=False)
    evaluation = _evaluation(LARGE, recipe, 128)
    together = total(recipe=recipe, engine="captured", longest=128).activations
    assert together == int(1.1 * (training + evaluation))
    shared = total(recipe=recipe, longest=128).activations
    plain = _activations(LARGE, recipe, "plain", 8 * 128, 128, checkpointing=False)
    assert shared == int(1.1 * max(plain, evaluation))


def test_padding_is_counted() -> None:
    padded = Recipe(batching="padded")
    assert total(recipe=padded, longest=20) == total(recipe=padded)


@pytest.mark.parametrize("engine", ["plain", "captured"])
@given(
    budget=st.floats(1e9, 64e9),
    batch=st.integers(1, 256),
    longest=st.integers(4, 300),
    padded=st.booleans(),
)
def test_a_plan_keeps_its_budget(engine: str, budget: float, batch: int, longest: int, *, padded: bool) -> None:
    recipe = Recipe(batch_size=batch, batching="padded" if padded else "packed")
    try:
        plan = plan_memory(LARGE, recipe, int(budget), engine=engine, longest=longest)  # type: ignore[arg-type]
    except SettingError:
        assert budget < 10e9
        return
    assert plan.estimate.total <= budget
    assert 1 <= plan.micro_batch <= batch
    if engine == "captured":
        assert not plan.checkpointing
        assert plan.optimizer == "adamw"


def test_plans_give_up_what_costs_least_first() -> None:
    recipe = Recipe(batch_size=32, batching="padded")
    plans = [plan_memory(LARGE, recipe, int(size * 1e9)) for size in (16, 10, 6)]
    settings = [(plan.micro_batch, plan.checkpointing, plan.optimizer) for plan in plans]
    assert settings[0] == (32, False, "adamw")
    assert settings[1][1:] == (False, "adamw")
    assert 4 <= settings[1][0] < 32
    assert settings[-1][2] == "adamw8bit"


def test_without_8bit_it_is_not_chosen() -> None:
    with pytest.raises(SettingError, match="needs at least"):
        plan_memory(LARGE, Recipe(), int(6e9), has_8bit=False)


def test_the_reference_recipe_fits_a_16_gb_card_as_it_is() -> None:
    plan = plan_memory(LARGE, RECIPES["reference"], parse_memory("16GB"))
    assert (plan.micro_batch, plan.checkpointing, plan.optimizer) == (4, False, "adamw8bit")


def test_a_plan_is_a_sentence() -> None:
    sentence = str(plan_memory(LARGE, Recipe(), parse_memory("16GB")))
    assert sentence.startswith("Within 16.0 GB: micro-batch ")
    assert "optimizer 2.8" in sentence
    assert sentence.endswith(").")


def test_gated_layers_cost_more() -> None:
    gated = EncoderShape(parameters=1, layers=1, hidden=8, intermediate=32, heads=1, gated=True)
    plain = EncoderShape(parameters=1, layers=1, hidden=8, intermediate=32, heads=1)
    assert _token_layer(gated, Recipe(), "captured", 8) > _token_layer(plain, Recipe(), "captured", 8)
