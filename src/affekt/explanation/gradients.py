"""Integrated gradients on the PyTorch model of a folder (Sundararajan, Taly & Yan 2017), summed over word pieces."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from affekt.answering import View
from affekt.backends.torch import load_model
from affekt.cleaning import clean
from affekt.decision import Calibration, sigmoid
from affekt.errors import BackendError
from affekt.explanation.alignment import gather, locate
from affekt.explanation.choice import choose
from affekt.explanation.explanation import EmotionExplanation, Explanation, weighted
from affekt.explanation.words import split_words
from affekt.model_folder import Manifest, read_manifest, verify
from affekt.taxonomy import Taxonomy

if TYPE_CHECKING:
    import torch

STEPS = (24, 48, 96, 192, 384)
"""Gauss-Legendre points along the path: the next count is tried while more than the tolerance is unexplained."""
TOLERANCE = 0.01
TOKENS_PER_PASS = 8192


class GradientExplainer:
    """Explains texts with the gradients of a folder's PyTorch model.

    The path leads from a text of padding tokens (the special tokens stay) to the text; what is explained is the
    calibrated log-odds of each emotion, the same quantity that occlusion explains.

    Args:
        folder: a model folder with PyTorch weights.

    Raises:
        ModelFolderError: if the folder is none, or was altered.
        BackendError: if it has no PyTorch weights.
    """

    def __init__(self, folder: Path) -> None:
        self.manifest: Manifest = read_manifest(folder)
        if not any(folder.glob("*.safetensors")):
            raise BackendError(
                f"'{folder}' has no PyTorch weights, which integrated gradients need.",
                hint="Explain it by occlusion (the default), or name a folder that 'affekt train' wrote.",
            )
        verify(folder, self.manifest, only={"tokenizer.json", "config.json", "model.safetensors"}.__contains__)
        self.model = load_model(folder)
        self.model.requires_grad_(requires_grad=False)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(self.manifest.max_length)

    def explain(self, text: str, *, taxonomy: str | None = None, emotions: Sequence[str] | None = None) -> Explanation:
        """Why a text gets its emotions.

        Args:
            text: the original text.
            taxonomy: label set; the model's own by default.
            emotions: the labels to explain; those decided by default, or the nearest one if none is.

        Raises:
            SettingError: if the label set or a label does not exist.
        """
        view = View.of(self.manifest, taxonomy)
        words = split_words(text)
        cleaned = clean(text, self.manifest.cleaning)
        encoding = self.tokenizer.encode(cleaned)
        scores = sigmoid(self._odds(self._embed(encoding.ids), view)[0].numpy())
        chosen, decided = choose(view.labels, scores, view.rule, emotions)
        tokens, baseline, unexplained = self._integrate(encoding, view, chosen)
        spans = locate(words, cleaned, lambda piece: clean(piece, self.manifest.cleaning))
        by_word = gather(tokens, encoding.offsets, spans)
        return Explanation(
            text=text,
            method="gradients",
            emotions=tuple(
                EmotionExplanation(
                    emotion=view.labels[label],
                    score=float(scores[label]),
                    threshold=view.rule.thresholds[label],
                    baseline=float(sigmoid(baseline[row])),
                    words=weighted(words, by_word[:, row]),
                )
                for row, label in enumerate(chosen)
            ),
            decided=decided,
            asked=emotions is not None,
            unexplained=unexplained,
            truncated=bool(encoding.overflowing),
        )

    def _embed(self, ids: Sequence[int]) -> "torch.Tensor":
        import torch

        embedded: torch.Tensor = self.model.get_input_embeddings()(torch.tensor([list(ids)]))
        return embedded

    def _odds(self, embedded: "torch.Tensor", view: View) -> "torch.Tensor":
        """Calibrated log-odds, (texts, labels) float64, of embedded texts (texts, tokens, width)."""
        import torch

        mask = torch.ones(embedded.shape[:2], dtype=torch.long)
        logits: torch.Tensor = self.model(inputs_embeds=embedded, attention_mask=mask).logits.double()
        odds = _calibrate(logits, view.own.calibration)
        return odds if view.taxonomy is None else _calibrate(self._union(odds, view.taxonomy), view.rule.calibration)

    def _union(self, odds: "torch.Tensor", taxonomy: Taxonomy) -> "torch.Tensor":
        """Log-odds of unions of labels: :meth:`affekt.taxonomy.Taxonomy.combine`, with gradients."""
        import torch

        member = torch.tensor(taxonomy.membership(self.manifest.labels), dtype=torch.double)
        miss = torch.nn.functional.logsigmoid(-odds) @ member
        return torch.log(-torch.expm1(miss)) - miss

    def _integrate(
        self, encoding: Any, view: View, labels: Sequence[int]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
        """Attributions (tokens, labels), the log-odds at the baseline (labels,), and the worst share left open."""
        end = self._embed(encoding.ids)
        special = zip(encoding.ids, encoding.special_tokens_mask, strict=True)
        start = self._embed([token if stays else self._padding for token, stays in special])
        ends = [self._odds(point, view)[0, list(labels)].numpy() for point in (start, end)]
        delta = ends[1] - ends[0]
        for steps in STEPS:
            tokens = self._along(start, end, view, labels, steps)
            gaps = np.abs(tokens.sum(axis=0) - delta) / np.maximum(np.abs(delta), 1e-2)
            if gaps.max(initial=0.0) <= TOLERANCE:
                break
        return tokens, ends[0], float(gaps.max(initial=0.0))

    @property
    def _padding(self) -> int:
        return int(self.model.config.pad_token_id or 0)

    def _along(
        self, start: "torch.Tensor", end: "torch.Tensor", view: View, labels: Sequence[int], steps: int
    ) -> npt.NDArray[np.float64]:
        """The integral of the gradients from start to end by Gauss-Legendre quadrature: (tokens, labels)."""
        import torch

        nodes, importance = np.polynomial.legendre.leggauss(steps)
        total = np.zeros((end.shape[1], len(labels)))
        chunk = max(1, TOKENS_PER_PASS // end.shape[1])
        for first in range(0, steps, chunk):
            part = slice(first, first + chunk)
            places = torch.tensor((nodes[part] + 1) / 2, dtype=end.dtype)[:, None, None]
            points = (start + places * (end - start)).requires_grad_()
            odds = self._odds(points, view)
            for row, label in enumerate(labels):
                (slopes,) = torch.autograd.grad(odds[:, label].sum(), points, retain_graph=row + 1 < len(labels))
                mean = torch.einsum("s,std->td", torch.tensor(importance[part] / 2, dtype=end.dtype), slopes)
                total[:, row] += (mean * (end - start)[0]).sum(dim=-1).double().numpy()
        return total


def _calibrate(logits: "torch.Tensor", calibration: Calibration) -> "torch.Tensor":
    return logits * logits.new_tensor(calibration.slope) + logits.new_tensor(calibration.intercept)
