"""One kernel for a whole AdamW update: clip, moments, decay, step, publish, and gradients back to zero.

It moves 30 bytes per parameter where separate kernels for the cast, the update, the copy and the zeroing move 46, and
an update is nothing but memory traffic.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

BLOCK = 1024


@triton.jit  # type: ignore[untyped-decorator]
def _kernel(  # type: ignore[no-untyped-def]
    master, compute, grad, first, second, scalars,
    lr, decay, beta1, rest1, beta2, rest2, eps, elements,
    PUBLISH: tl.constexpr, BLOCK: tl.constexpr,  # noqa: N803
):  # fmt: skip
    """Scalars: stopped, clip factor, rate factor, 1 - beta1^t, sqrt(1 - beta2^t)."""
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = place < elements
    if tl.load(scalars) == 0.0:
        g = tl.load(grad + place, mask=inside, other=0.0).to(tl.float32) * tl.load(scalars + 1)
        rate = lr * tl.load(scalars + 2)
        m = beta1 * tl.load(first + place, mask=inside, other=0.0) + rest1 * g
        v = beta2 * tl.load(second + place, mask=inside, other=0.0) + rest2 * g * g
        w = tl.load(master + place, mask=inside, other=0.0)
        root = tl.sqrt(v) / tl.load(scalars + 4) + eps
        w = w - rate * decay * w - rate / tl.load(scalars + 3) * m / root
        tl.store(first + place, m, mask=inside)
        tl.store(second + place, v, mask=inside)
        tl.store(master + place, w, mask=inside)
        if PUBLISH:
            tl.store(compute + place, w.to(compute.dtype.element_ty), mask=inside)
    tl.store(grad + place, tl.zeros((BLOCK,), dtype=grad.dtype.element_ty), mask=inside)


def update(
    master: Tensor,
    compute: Tensor,
    grad: Tensor,
    first: Tensor,
    second: Tensor,
    scalars: Tensor,
    *,
    lr: float,
    decay: float,
    betas: tuple[float, float],
    eps: float,
) -> None:
    """Update flat buffers in place; see :class:`affekt.training.engines.updates.TritonAdamW`.

    Args:
        master: (elements,) float32 weights.
        compute: (elements,) their copy in the compute type; may be ``master`` itself.
        grad: (elements,) in the compute type; zero afterwards.
        first: (elements,) float32 first moments.
        second: (elements,) float32 second moments.
        scalars: (5,) float32: whether to leave all as it is but for ``grad``, the clip factor, the rate factor,
            ``1 - beta1^t`` and ``sqrt(1 - beta2^t)``.
        lr: peak rate.
        decay: decoupled weight decay.
        betas: decay of the moments.
        eps: added to the root of the second moment.
    """
    beta1, beta2 = betas
    elements = master.numel()
    publish = compute.data_ptr() != master.data_ptr()
    _kernel[(triton.cdiv(elements, BLOCK),)](
        master, compute, grad, first, second, scalars,
        lr, decay, beta1, 1.0 - beta1, beta2, 1.0 - beta2, eps, elements,
        PUBLISH=publish, BLOCK=BLOCK,
    )  # fmt: skip


def works(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether the kernel can be compiled and run here; compiles it."""
    try:
        master, first, second = (torch.ones(256, device=device) for _ in range(3))
        compute, grad = (torch.ones(256, device=device, dtype=dtype) for _ in range(2))
        scalars = torch.tensor([0.0, 1.0, 1.0, 1.0, 1.0], device=device)
        compute = master if dtype == torch.float32 else compute
        update(master, compute, grad, first, second, scalars, lr=0.1, decay=0.0, betas=(0.9, 0.999), eps=1e-8)
        return bool((master < 1.0).all().item())
    except Exception:  # noqa: BLE001  (no compiler, no driver, a version that does not fit: anything)
        return False
