"""``affekt export``: float32 and int8 graphs into a model folder, if they give the model's own answers."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from affekt.backends import FILES, TokenBatch
from affekt.backends.onnx import OnnxBackend
from affekt.backends.torch import TorchBackend
from affekt.batching import batches
from affekt.cleaning import clean
from affekt.data import Dataset
from affekt.encoders.families import encoder_of
from affekt.engine import Engine
from affekt.errors import DataError
from affekt.export.calibrate import observe
from affekt.export.encoder import encoder_graph
from affekt.export.graph import save
from affekt.export.outsize import apart
from affekt.export.parity import Parity, compare, passes_int8, require_float, require_int8
from affekt.export.quantize import linear_inputs, quantize
from affekt.export.rounding import round_linears
from affekt.files import atomic_file, atomic_folder
from affekt.model_folder import Manifest, read_manifest, update_manifest, verify
from affekt.tokenizing import TextTokenizer

CALIBRATION_TEXTS = 500
"""Most texts that fix the scales and weights of the int8 graph: evenly spaced in the given set."""


@dataclass(frozen=True)
class ExportReport:
    """What was written and how near it is to the model.

    Attributes:
        texts: texts compared.
        float32: the float32 graph beside PyTorch.
        int8: the int8 graph beside PyTorch; None if it was not asked for.
        apart: whether the largest channels are computed apart in the int8 graph, which makes it larger and slower.
        sizes: file -> bytes.
    """

    texts: int
    float32: Parity
    int8: Parity | None
    apart: bool
    sizes: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, ready for JSON."""
        return asdict(self)


def export(
    folder: Path, dataset: Dataset, *, int8: bool = True, calibration: Sequence[str] = (), threads: int | None = None
) -> ExportReport:
    """Write ``onnx/model.onnx`` and ``onnx/model_quantized.onnx``, laid out as transformers.js expects.

    Args:
        folder: a model folder with PyTorch weights.
        dataset: labelled texts to compare with; its labels are the model's.
        int8: write the int8 graph as well.
        calibration: texts that fix the scales and weights of the int8 graph; those of ``dataset`` if there are none.
        threads: processors to use.

    Raises:
        ModelFolderError: if the folder is missing, incomplete or altered.
        DataError: if the labels are not the model's.
        ParityError: if a graph's answers differ too much; nothing is written then.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    verify(folder, manifest)
    truth = _truth(dataset, manifest)
    source = _Source.open(folder, manifest, threads)
    with atomic_folder(folder / "onnx") as inside:
        yardstick = _Yardstick(source, dataset.texts, truth, source.logits(source.torch, dataset.texts), threads)
        graph, small, split = source.graph(), None, False
        save(graph, inside / Path(FILES["onnx-float32"]).name)
        float32 = yardstick.parity(inside / Path(FILES["onnx-float32"]).name)
        require_float(float32)
        if int8:
            texts = list(source.calibration(calibration if len(calibration) else dataset.texts))
            small, split = _write_int8(graph, texts, yardstick, inside / Path(FILES["onnx-int8"]).name)
            require_int8(small)
        sizes = {f"onnx/{file.name}": file.stat().st_size for file in sorted(inside.iterdir())}
    _cap_length(folder, manifest.max_length)
    report = ExportReport(len(dataset), float32, small, split, sizes)
    update_manifest(folder, lambda old: _with_report(old, report))
    return report


def _write_int8(
    graph: onnx.ModelProto, texts: list[TokenBatch], yardstick: "_Yardstick", path: Path
) -> tuple[Parity, bool]:
    """Write the int8 graph: the plain one, or the one with outsize channels apart if the plain one would be refused.

    Returns:
        How near it is, and whether channels are apart.
    """
    extremes = observe(graph, linear_inputs(graph), texts)
    save(quantize(graph, extremes, round_linears(graph, texts)), path)
    plain = yardstick.parity(path)
    if passes_int8(plain):
        return plain, False
    split, others = apart(graph, extremes)
    save(quantize(split, others, round_linears(split, texts)), path)
    return yardstick.parity(path), True


def _cap_length(folder: Path, max_length: int) -> None:
    """Let tokenizers elsewhere cut where the graphs' positions end."""
    path = folder / "tokenizer_config.json"
    if not path.is_file():
        return
    settings = {**json.loads(path.read_text(encoding="utf-8")), "model_max_length": max_length}
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _with_report(manifest: Manifest, report: ExportReport) -> Manifest:
    return manifest.model_copy(update={"metrics": {**manifest.metrics, "export": report.to_json()}})


def _truth(dataset: Dataset, manifest: Manifest) -> Any:
    """Gold labels in the order of the model's."""
    missing = [label for label in manifest.labels if label not in dataset.labels]
    if missing:
        raise DataError(
            f"'{dataset.name}' has no label {', '.join(map(repr, missing[:5]))}, which the model has.",
            hint="Give labelled texts of the kind that the model was trained on.",
        )
    if not len(dataset):
        raise DataError(f"'{dataset.name}' has no texts to compare answers on.")
    return dataset.targets[:, [dataset.labels.index(label) for label in manifest.labels]]


@dataclass(frozen=True)
class _Source:
    """The model that is exported.

    Attributes:
        manifest: of its folder.
        tokenizer: its own.
        torch: the engine that its answers are compared with.
    """

    manifest: Manifest
    tokenizer: TextTokenizer
    torch: TorchBackend

    @classmethod
    def open(cls, folder: Path, manifest: Manifest, threads: int | None) -> "_Source":
        """The model in a folder."""
        tokenizer = TextTokenizer.of(folder, manifest.max_length)
        return cls(manifest, tokenizer, TorchBackend(folder, "cpu", threads))

    def graph(self) -> onnx.ModelProto:
        """The float32 graph."""
        encoder = encoder_of(self.torch.model)
        if encoder is not None:
            first = 0 if encoder.position_pad is None else encoder.position_pad + 1
            used = encoder.positions[: first + self.manifest.max_length]
            return encoder_graph(replace(encoder, positions=used))
        from affekt.export.traced import traced_graph

        return traced_graph(self.torch.model)

    def logits(self, backend: Any, texts: tuple[str, ...]) -> Any:
        """(texts, labels) as ``backend`` finds them."""
        engine = Engine(self.manifest.cleaning, self.tokenizer, backend)
        return np.concatenate([part.logits for part in engine.stream(texts)])

    def calibration(self, texts: Sequence[str]) -> Iterator[TokenBatch]:
        """Batches of some of the texts, without padding.

        Raises:
            DataError: if nothing is left of any of them.
        """
        sample = texts[:: max(1, math.ceil(len(texts) / CALIBRATION_TEXTS))]
        cleaned = [text for text in (clean(one, self.manifest.cleaning) for one in sample) if text]
        if not cleaned:
            raise DataError("There is no text to calibrate on once they are cleaned.", hint="Give a table of texts.")
        tokens = self.tokenizer.many(cleaned)
        for group in batches(tokens.lengths(), 2048, equal=True):
            yield TokenBatch.of([tokens.rows[i] for i in group])


@dataclass(frozen=True)
class _Yardstick:
    """What the graphs are compared with.

    Attributes:
        source: the model.
        texts: to compare on.
        truth: (texts, labels) gold labels.
        reference: (texts, labels) logits of PyTorch.
        threads: processors to use.
    """

    source: _Source
    texts: tuple[str, ...]
    truth: Any
    reference: Any
    threads: int | None

    def parity(self, path: Path) -> Parity:
        """How near the graph in a file is."""
        manifest = self.source.manifest
        found = self.source.logits(OnnxBackend(path, self.threads), self.texts)
        return compare(found, self.reference, self.truth, manifest.rules[manifest.taxonomy].rule)
