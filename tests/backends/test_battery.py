"""The battery that every backend passes: an answer depends on the text, and on nothing else.

int8 is held to the last bit. Engines that compute in float32 may sum in another order when the shape of a batch
changes, so they are held to ``CLOSE``.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.backends import Backend, TokenBatch, open_backend
from affekt.classifier import EmotionClassifier
from models import graphs, hugging_face_folder, random_rows

CLOSE = 2e-6
LENGTHS = (3, 3, 32, 7, 7, 19, 2, 7, 31, 3)


def packed(folder: Path, _threads: int) -> Backend:
    from affekt.backends.packed import attention_by_text
    from affekt.backends.torch import CudaBackend

    return CudaBackend(folder, "float32", "cpu", attention_by_text)


def pooled(folder: Path, threads: int) -> Backend:
    """The int8 graph of a model whose last layer takes the mean."""
    from affekt.backends.onnx import OnnxBackend
    from affekt.backends.torch import load_model

    made = folder.parent / f"{folder.name}-pooled"
    if not made.exists():
        model = load_model(hugging_face_folder(made))
        for parameter in model.bert.encoder.layer[-1].attention.self.query.parameters():
            parameter.data.zero_()
        model.save_pretrained(made)
        graphs(made)
    return OnnxBackend(made / "onnx" / "model_quantized.onnx", threads)


def opened(name: str) -> Callable[[Path, int], Backend]:
    return lambda folder, threads: open_backend(folder, name, threads)


ENGINES = {
    "onnx-int8": opened("onnx-int8"),
    "onnx-float32": opened("onnx-float32"),
    "torch-cpu": opened("torch-cpu"),
    "packed": packed,
    "onnx-int8, pooled": pooled,
}
TOLERANCE = {"onnx-int8": 0.0, "onnx-int8, pooled": 0.0}


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, tiny_model: Path) -> tuple[str, Backend]:
    return request.param, ENGINES[request.param](tiny_model, 1)


def same(name: str, found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE.get(name, CLOSE))


def alone(backend: Backend, rows: list[list[int]]) -> np.ndarray:
    return np.concatenate([backend.logits(TokenBatch.of([row])) for row in rows])


def test_a_batch_of_many_gives_what_each_text_gives_alone(engine: tuple[str, Backend]) -> None:
    name, backend = engine
    rows = random_rows([7] * 33)
    same(name, backend.logits(TokenBatch.of(rows)), alone(backend, rows))


def test_padding_does_not_matter(engine: tuple[str, Backend]) -> None:
    name, backend = engine
    rows = random_rows(LENGTHS)
    same(name, backend.logits(TokenBatch.of(rows)), alone(backend, rows))


def test_order_and_neighbours_do_not_matter(engine: tuple[str, Backend]) -> None:
    name, backend = engine
    rows = random_rows([9] * 8)
    others = random_rows([9] * 7, seed=1)
    expected = backend.logits(TokenBatch.of(rows))
    same(name, backend.logits(TokenBatch.of(rows[::-1]))[::-1], expected)
    same(name, backend.logits(TokenBatch.of([rows[0], *others]))[:1], expected[:1])


def test_many_batches_come_back_in_order(engine: tuple[str, Backend]) -> None:
    name, backend = engine
    batches = [TokenBatch.of(random_rows([length] * 3, seed=length)) for length in range(2, 20)]
    found = list(backend.many(iter(batches)))
    assert len(found) == len(batches)
    for batch, logits in zip(batches, found, strict=True):
        same(name, logits, backend.logits(batch))
    assert list(backend.many([])) == []


def test_logits_are_finite_float32_with_a_column_per_label(engine: tuple[str, Backend]) -> None:
    _, backend = engine
    found = backend.logits(TokenBatch.of(random_rows(LENGTHS)))
    assert found.dtype == np.float32
    assert found.shape == (len(LENGTHS), 28)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("name", ["onnx-int8", "onnx-float32", "torch-cpu"])
def test_threads_do_not_matter(tiny_model: Path, name: str) -> None:
    import torch

    batch = TokenBatch.of(random_rows(LENGTHS))
    before = torch.get_num_threads()
    one, two = (ENGINES[name](tiny_model, threads) for threads in (1, 2))
    same(name, two.logits(batch), one.logits(batch))
    for found, expected in zip(two.many([batch] * 9), one.many([batch] * 9), strict=True):
        same(name, found, expected)
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", ["onnx-float32", "packed"])
def test_engines_agree_with_pytorch(tiny_model: Path, name: str) -> None:
    batch = TokenBatch.of(random_rows(LENGTHS))
    expected = ENGINES["torch-cpu"](tiny_model, 1).logits(batch)
    np.testing.assert_allclose(ENGINES[name](tiny_model, 1).logits(batch), expected, rtol=0, atol=CLOSE)


def test_int8_is_near_pytorch(tiny_model: Path) -> None:
    batch = TokenBatch.of(random_rows(LENGTHS))
    expected = ENGINES["torch-cpu"](tiny_model, 1).logits(batch)
    difference = ENGINES["onnx-int8"](tiny_model, 1).logits(batch) - expected
    assert np.sqrt((difference**2).mean()) < 0.05 * expected.std()


@pytest.fixture(scope="module")
def classifiers(tiny_model: Path) -> dict[str, EmotionClassifier]:
    names = ("onnx-int8", "onnx-float32", "torch-cpu")
    return {name: EmotionClassifier.load(tiny_model, backend=name, threads=1) for name in names}


@settings(max_examples=40)
@given(st.lists(st.text(st.characters(codec=None, exclude_categories=()), max_size=60), max_size=8))
def test_any_text_has_the_same_answer_alone_and_in_company(
    classifiers: dict[str, EmotionClassifier], texts: list[str]
) -> None:
    for name, classifier in classifiers.items():
        together = classifier.scores(texts)
        apart = [classifier.scores(text) for text in texts]
        same(name, together, np.concatenate([np.empty((0, 28), np.float32), *apart]))
    same("onnx-float32", classifiers["onnx-float32"].scores(texts), classifiers["torch-cpu"].scores(texts))
