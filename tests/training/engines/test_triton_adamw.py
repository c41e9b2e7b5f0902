"""The one-kernel update gives what PyTorch's AdamW gives; run by Triton's interpreter where there is no GPU."""

import importlib.util
import os
import subprocess
import sys

import pytest

CHECK = """
import torch
from affekt.training.engines.triton_adamw import update, works

def check(dtype):
    torch.manual_seed(0)
    size, lr, decay, betas, eps = 2048 + 256, 0.01, 0.1, (0.9, 0.999), 1e-8
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    master = torch.randn(size, device=device)
    compute = master if dtype == torch.float32 else master.to(dtype)
    first, second, own = torch.zeros_like(master), torch.zeros_like(master), torch.nn.Parameter(master.clone())
    reference = torch.optim.AdamW([own], lr=lr, weight_decay=decay, betas=betas, eps=eps)
    taken = 0
    for step in range(5):
        stopped, factor, rate = float(step == 2), 0.5 + 0.1 * step, 1.0 - 0.1 * step
        grad = torch.randn(size, device=device).to(dtype)
        if stopped:
            grad[7] = float("nan")
        else:
            taken += 1
            own.grad = grad.float() * factor
            reference.param_groups[0]["lr"] = lr * rate
            reference.step()
        corrections = [1 - betas[0] ** max(taken, 1), (1 - betas[1] ** max(taken, 1)) ** 0.5]
        scalars = torch.tensor([stopped, factor, rate, *corrections], device=device)
        update(master, compute, grad, first, second, scalars, lr=lr, decay=decay, betas=betas, eps=eps)
        assert (grad == 0).all()
        assert torch.allclose(master, own, rtol=1e-5, atol=1e-6), (master - own).abs().max()
        assert torch.allclose(compute.float(), master, rtol=2**-7 if dtype == torch.bfloat16 else 0)

assert works(torch.device("cuda" if torch.cuda.is_available() else "cpu"), torch.bfloat16)
check(torch.float32)
check(torch.bfloat16)
print("same")
"""


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton comes with PyTorch for CUDA")
def test_the_kernel_is_adamw() -> None:
    import torch

    environment = os.environ | ({} if torch.cuda.is_available() else {"TRITON_INTERPRET": "1"})
    ran = subprocess.run([sys.executable, "-c", CHECK], env=environment, capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "same", ran.stderr
