"""Recipes: the reference is the published one, and every mistake is one sentence."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from affekt.errors import SettingError
from affekt.training.losses.losses import make_loss
from affekt.training.recipe import RECIPES, Recipe, get_recipe


def test_the_reference_is_the_published_one() -> None:
    """Setting by setting, as the model card has them."""
    recipe = get_recipe("reference")
    assert recipe.loss == "focal"
    assert recipe.loss_options == {"alpha": 0.25, "gamma": 2.0, "reduction": "mean"}
    assert (recipe.micro_batch, recipe.batch_size, recipe.lr, recipe.epochs) == (4, 32, 2e-5, 3)
    assert (recipe.schedule, recipe.optimizer, recipe.precision) == ("cosine", "adamw8bit", "fp16")
    assert (recipe.max_length, recipe.batching, recipe.decisions, recipe.threshold) == (128, "padded", "fixed", 0.5)
    assert not recipe.r_drop + recipe.average_decay + recipe.lora_rank + recipe.checkpointing


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_are_named_and_their_losses_exist(name: str) -> None:
    assert get_recipe(name).name == name
    make_loss(get_recipe(name).loss, **get_recipe(name).loss_options)  # type: ignore[arg-type]


def test_settings_are_overridden_in_order() -> None:
    recipe = get_recipe("fast", ["lr=1e-5", "epochs=7", "lr=2e-5", "loss_options.gamma_neg=2", "cleaning.emoji=false"])
    assert (recipe.lr, recipe.epochs, recipe.loss_options["gamma_neg"]) == (2e-5, 7, 2)
    assert recipe.loss_options["clip"] == 0.05
    assert not recipe.cleaning.emoji
    assert recipe.cleaning.urls
    assert get_recipe("fast").lr == 3e-5


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("lr=-1", "'lr'.*greater than 0"),
        ("epochs=2.5", "'epochs'"),
        ("learning_rate=1", r"no setting 'learning_rate'.*average_decay"),
        ("loss_options=3", "'loss_options'"),
        ("lr.x=3", "'lr' has no parts"),
        ("cleaning.smileys=true", "'cleaning"),
        ("lr", "does not set anything"),
        ("=3", "does not set anything"),
        ("batching=stacked", "'batching'"),
        ("micro_batch=64", "micro_batch 64 is larger than batch_size 32"),
        ("max_length=4", "'max_length'"),
    ],
)
def test_bad_settings_are_named(override: str, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        get_recipe("fast", [override])


def test_adapters_cannot_learn_a_new_layer() -> None:
    with pytest.raises(SettingError, match="pooling=first"):
        get_recipe("fast", ["pooling=mean", "lora_rank=8"])


def test_recipes_are_read_from_files(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"name": "reference", "epochs": 9}))
    recipe = get_recipe(str(path), ["lr=1e-4"])
    assert (recipe.epochs, recipe.loss, recipe.lr) == (9, "focal", 1e-4)
    path.write_text(json.dumps(recipe.model_dump(mode="json")))
    assert get_recipe(str(path)) == recipe
    path.write_text("[1]")
    with pytest.raises(SettingError, match="JSON object"):
        get_recipe(str(path))
    path.write_text("{")
    with pytest.raises(SettingError, match="not a JSON file"):
        get_recipe(str(path))
    with pytest.raises(SettingError, match=r"no recipe 'nowhere'.*reference"):
        get_recipe("nowhere")


def test_recipes_do_not_change() -> None:
    with pytest.raises(ValidationError):
        get_recipe("fast").lr = 3.0  # type: ignore[misc]


@given(st.sampled_from(sorted(RECIPES)), st.integers(1, 50), st.floats(1e-7, 1e-2))
def test_what_is_saved_is_read_again(name: str, epochs: int, lr: float) -> None:
    recipe = get_recipe(name).replace(epochs=epochs, lr=lr)
    assert Recipe.model_validate(json.loads(json.dumps(recipe.model_dump(mode="json")))) == recipe
