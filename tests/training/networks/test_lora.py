"""Adapters: little is trained, everything is merged, and the folder stays stock."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from small_runs import make_set, small_run
from tiny_models import tiny
from transformers import AutoModelForSequenceClassification

import affekt
from affekt.errors import MissingExtraError
from affekt.training.networks.lora import add_adapters, merge_adapters

pytest.importorskip("peft")
KINDS = ["bert", "roberta", "distilbert", "mpnet", "modernbert", "deberta-v2", "electra"]
IDS = torch.tensor([[5, 6, 7, 8, 9]])


@pytest.mark.parametrize("kind", KINDS)
def test_merged_adapters_give_the_same_logits_in_a_stock_model(kind: str) -> None:
    model = tiny(kind).eval()
    names = set(model.state_dict())
    before = model(IDS).logits
    add_adapters(model, rank=4, alpha=8.0, dropout=0.0)
    assert torch.equal(model(IDS).logits, before)
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trained
    assert all("lora_" in n or "classifier" in n or "pooler" in n or "head" in n for n in trained)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.normal_(std=0.2)
    adapted = model(IDS).logits
    assert not torch.allclose(adapted, before, atol=1e-3)
    merge_adapters(model)
    assert set(model.state_dict()) == names
    assert torch.allclose(model(IDS).logits, adapted, atol=1e-4)


@pytest.mark.parametrize("kind", ["bert", "modernbert"])
def test_a_run_with_adapters_ends_in_a_stock_folder(kind: str, tmp_path: Path) -> None:
    result = small_run(tmp_path, "lora_rank=4", "lr=0.01", kind=kind)
    stock = AutoModelForSequenceClassification.from_pretrained(result.folder)
    assert not any("lora" in name for name in stock.state_dict())
    assert "lora" not in json.loads((result.folder / "config.json").read_text()).get("architectures", [""])[0].lower()
    start, end = load_file(tmp_path / "encoder" / "model.safetensors"), stock.base_model.state_dict()
    changed = {name for name in start if not torch.equal(start[name], end[name])}
    assert any("layer" in name and name.endswith("weight") for name in changed)
    assert not any("embeddings" in name for name in changed)
    assert affekt.load(result.folder, backend="torch").predict(make_set(3).texts)


def test_runs_with_adapters_resume(tmp_path: Path) -> None:
    from test_resume import At, CrashError, crash

    whole = small_run(tmp_path / "whole", "lora_rank=4", "epochs=3")
    with pytest.raises(CrashError):
        small_run(tmp_path, "lora_rank=4", "epochs=3", encoder=tmp_path / "whole" / "encoder", hooks=[At(12, crash)])
    resumed = small_run(tmp_path, "lora_rank=4", "epochs=3", encoder=tmp_path / "whole" / "encoder", resume=True)
    one, other = (load_file(run.folder / "model.safetensors") for run in (whole, resumed))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_peft_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(MissingExtraError, match=r"affekt\[lora\]"):
        add_adapters(tiny("bert"), rank=4, alpha=8.0, dropout=0.0)
