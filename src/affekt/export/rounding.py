"""Weights rounded one input channel after another, each making up for what rounding those before it did.

Rounding every weight to its nearest integer treats the inputs as if they had nothing to do with each other. They have:
what the error of one channel adds to the output, the channels that move with it can take back. On calibration texts the
output of a product stays nearer to what it was, with the same integers and scales (GPTQ: Frantar et al. 2023, after
Hassibi and Stork 1993). On MiniLM it halves the decisions that the int8 graph flips.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import onnx
import torch

from affekt.backends.base import TokenBatch
from affekt.export.calibrate import FloatArray, grams
from affekt.export.quantize import WEIGHT_TOP, Rounded, constants_of, linear_inputs, linears, oriented, symmetric

DAMPING = 0.01
"""Added to the diagonal of an activation's products with itself, as a share of their mean."""

BLOCK = 64
"""Input channels after which the channels that follow are brought up to date."""

MEMORY = 2**30
"""Bytes of products of activations that are held at a time."""

Matrix = npt.NDArray[np.float64]


def round_linears(model: onnx.ModelProto, batches: Sequence[TokenBatch]) -> dict[str, Rounded]:
    """Integers and scales for every product of a float32 graph with constant weights.

    Args:
        model: the float32 graph.
        batches: texts to round for, without padding.

    Returns:
        The product's output -> its weights.
    """
    constants, products = constants_of(model), linears(model)
    found: dict[str, Rounded] = {}
    for widths in _groups(linear_inputs(model)):
        for name, gram in grams(model, widths, batches).items():
            weights = [oriented(node, constants) for node in products[name]]
            integers, scale = compensated(np.concatenate(weights, axis=1), gram)
            ends = np.cumsum([weight.shape[1] for weight in weights])[:-1]
            parts = zip(np.split(integers, ends, axis=1), np.split(scale, ends, axis=1), strict=True)
            found |= {node.output[0]: part for node, part in zip(products[name], parts, strict=True)}
    return found


def _groups(widths: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Activations whose products with themselves fit into ``MEMORY`` together."""
    group: dict[str, int] = {}
    for name, width in widths.items():
        if group and 4 * (width**2 + sum(other**2 for other in group.values())) > MEMORY:
            yield group
            group = {}
        group[name] = width
    if group:
        yield group


def compensated(weight: FloatArray, gram: FloatArray) -> Rounded:
    """A weight matrix as integers and one scale per column, with the least change of ``inputs @ weight``.

    Args:
        weight: (in, out). Rows of zeros stay zeros: nothing is moved into them.
        gram: (in, in), ``inputs.T @ inputs`` of the inputs to round for.
    """
    nearest, scale = symmetric(weight, WEIGHT_TOP, axis=0)
    chain = _chain(gram.astype(np.float64), silent=~np.any(weight, axis=1))
    values, integers = weight.astype(np.float64), np.zeros_like(nearest)
    for start in range(0, len(values), BLOCK):
        block = slice(start, start + BLOCK)
        errors = _round_block(values[block], integers[block], scale.astype(np.float64), chain[block, block])
        values[start + BLOCK :] -= chain[block, start + BLOCK :].T @ errors
    return integers, scale


def _chain(gram: Matrix, silent: npt.NDArray[np.bool_]) -> Matrix:
    """How an error of one channel is shared out over those after it: (in, in), the upper factor of the inverse."""
    gram[silent] = gram[:, silent] = 0.0
    mean = gram.trace() / len(gram)
    gram /= mean or 1.0
    gram[np.diag_indices_from(gram)] += DAMPING
    # gram = root @ root.T with root upper triangular: the lower factor of the channels in reverse
    root = torch.linalg.cholesky(torch.from_numpy(gram[::-1, ::-1].copy())).flip(0, 1)
    chain: Matrix = torch.linalg.solve_triangular(root, torch.eye(len(gram), dtype=root.dtype), upper=True).numpy()
    return chain


def _round_block(values: Matrix, integers: npt.NDArray[np.int8], scale: Matrix, chain: Matrix) -> Matrix:
    """Round rows in order, in place, each error shared out over the rows after it; the errors of all rows."""
    errors = np.zeros_like(values)
    for row in range(len(values)):
        rounded = np.clip(np.round(values[row] / scale[0]), -WEIGHT_TOP, WEIGHT_TOP)
        integers[row] = rounded
        errors[row] = (values[row] - rounded * scale[0]) / chain[row, row]
        values[row + 1 :] -= np.outer(chain[row, row + 1 :], errors[row])
    return errors
