"""accelerate's view of this run: device, processes, mixed precision, and whether weights are sharded."""

import os

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedDataParallelKwargs

from affekt.errors import SettingError


def is_sharded() -> bool:
    """Whether the launcher asked for FSDP."""
    return os.environ.get("ACCELERATE_USE_FSDP", "").lower() in ("1", "true")


def make_accelerator(precision: str, device: torch.device) -> Accelerator:
    """An accelerator for one run; earlier runs of this Python process leave no trace in it.

    Launched by ``torchrun`` or ``accelerate launch``, it joins the other processes.

    Args:
        precision: ``fp32``, ``bf16`` or ``fp16``.
        device: whose type counts; the process's own index is accelerate's to choose.

    Raises:
        SettingError: if the environment asks for a way of sharding that cannot be saved and resumed.
    """
    if is_sharded() and os.environ.get("FSDP_VERSION") != "2":
        raise SettingError("Sharded training works with FSDP version 2.", hint="Set fsdp_version: 2 (FSDP_VERSION=2).")
    AcceleratorState._reset_state(reset_partial_state=not torch.distributed.is_initialized())  # noqa: SLF001
    return Accelerator(
        mixed_precision="no" if precision == "fp32" else precision,
        cpu=device.type == "cpu",
        kwargs_handlers=[DistributedDataParallelKwargs(gradient_as_bucket_view=True)],
    )


def start_processes(device: torch.device) -> torch.device:
    """Join the other processes, if the run was launched with several.

    Returns:
        this process's device.
    """
    if "LOCAL_RANK" not in os.environ:
        return device
    state = PartialState(cpu=device.type == "cpu")
    if device.type == "cuda":
        torch.cuda.set_device(state.device)
    joined: torch.device = state.device
    return joined
