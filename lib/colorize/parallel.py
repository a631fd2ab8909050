"""Several processes that train one network: one for each GPU, on one machine or many.

``torchrun`` starts the processes and tells each its number through variables of the environment; here is what the training
loop needs of them. Each process computes the gradients of its share of a batch, their mean is what all of them use. So the
networks stay the same everywhere, and a loss that is a mean over the batch has the gradient of the whole batch.

One layer breaks that promise: batch norm, which looks at the other pictures of its own share only. On GPUs it is
exchanged for one that looks at all shares (SyncBatchNorm); on CPUs PyTorch has none.
"""

import contextlib
import os
import platform
from collections.abc import Iterator

import torch
import torch.distributed as dist
from torch import nn


def machine() -> str:
    """Say in a few words what this runs on, to be kept beside a result."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{os.cpu_count()} cores ({platform.machine()}), {gpu}, PyTorch {torch.__version__}"


def world() -> int:
    """Return the number of processes that train together: 1 if there is no other."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Return this process's number among them, from 0. Number 0 prints, measures, and writes files."""
    return dist.get_rank() if world() > 1 else 0


def find_device(name: str = "auto") -> torch.device:
    """Return a device by its name, after trying it.

    Parameters
    ----------
    name : "auto" (a GPU if there is one: CUDA or Apple's), "cpu", "cuda", "cuda:1", "mps".

    Raises
    ------
    ValueError if the device is not there.

    >>> find_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        chosen = torch.device(name)
        torch.empty(1, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError):
        there = ", ".join(devices())
        raise ValueError(f"the device {name!r} is not there; this machine has {there}") from None
    return chosen


@contextlib.contextmanager
def processes(device: str = "auto") -> Iterator[torch.device]:
    """Join the processes that ``torchrun`` started, for as long as the block lasts; without it, be the only one.

    Parameters
    ----------
    device : as :func:`find_device` takes it.

    Returns
    -------
    The device that this process trains on.

    Raises
    ------
    ValueError if the device is not there.
    """
    chosen = find_device(device)
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield chosen
        return
    if chosen.type == "cuda":
        chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield chosen
    finally:
        dist.destroy_process_group()


def devices() -> list[str]:
    """Name the devices of this machine that PyTorch can use."""
    found = ["cpu", *(f"cuda:{k}" for k in range(torch.cuda.device_count()))]
    return [*found, "mps"] if torch.backends.mps.is_available() else found


def shared(network: nn.Module) -> nn.Module:
    """Wrap a network so that its gradients are the mean over all processes; alone, return it as it is.

    All processes begin with the weights of number 0.
    """
    if world() == 1:
        return network
    device = next(network.parameters()).device
    ids = [device.index] if device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(network, device_ids=ids)


def synchronized(network: nn.Module) -> nn.Module:
    """Exchange batch norms for ones that look at the shares of all processes, where that exists: on CUDA GPUs."""
    if world() == 1 or next(network.parameters()).device.type != "cuda":
        return network
    return nn.SyncBatchNorm.convert_sync_batchnorm(network)


def anywhere(flag: bool, device: torch.device) -> bool:
    """Tell whether the flag is true in any process, so that all of them stop after the same step."""
    if world() == 1:
        return flag
    found = torch.tensor(float(flag), device=device)
    dist.all_reduce(found, dist.ReduceOp.MAX)
    return bool(found.item())
