"""A training run in a process of its own: to be killed, or to be one of several.

    python trainee.py OUT NETWORK SECONDS
    torchrun ... trainee.py OUT NETWORK ...

writes what it has learned to OUT/NETWORK.pt; alone it keeps its checkpoint, OUT/run.pt, beside it. NETWORK is "plain" (no batch norm), "frozen"
(batch norm with frozen statistics), "live" (batch norm as usual) or "dropout". Each step waits SECONDS for its pictures.
"""

import sys
import time
from pathlib import Path

import torch
from torch import nn

from colorize import parallel
from colorize.losses import l2
from colorize.networks import SmallNet, ZhangNet
from colorize.training import fit

STEPS = 60


class Noise:
    """Pictures of colored noise: every pixel matters, nothing is learned."""

    def __init__(self, seconds: float = 0) -> None:
        self.seconds = seconds

    def batch(self, n: int, seed: int) -> torch.Tensor:
        time.sleep(self.seconds)
        random = torch.Generator().manual_seed(seed)
        return torch.randint(256, (n, 3, 16, 16), generator=random, dtype=torch.uint8)


class Forgetful(nn.Module):
    """A network with dropout: the draws of PyTorch's own random numbers must go on, too."""

    stride = 2

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Dropout(0.4), nn.Conv2d(8, 2, 1))

    def forward(self, lightness):
        return self.body(lightness / 50 - 1)


def make(kind: str) -> nn.Module:
    """Make one of the networks, the same in every process."""
    torch.manual_seed(0)
    if kind == "dropout":
        return Forgetful()
    return ZhangNet(2, width=1 / 16, norm=False) if kind == "plain" else SmallNet(2, width=4)


def run(kind: str, steps: int = STEPS, batch_size: int = 4, seconds: float = 0, **options):
    """Train it."""
    network = make(kind)
    network.train()
    options = {"learning_rate": 1e-3, "progress": False, "frozen_norm": kind == "frozen", **options}
    return network, fit(network, Noise(seconds), l2, steps, batch_size, **options)


def keep(out: Path, kind: str, network: nn.Module, history) -> None:
    """Write what a network has learned, in the first process."""
    if parallel.rank() == 0:
        torch.save({"network": network.state_dict(), "losses": history.losses}, out / f"{kind}.pt")


if __name__ == "__main__":
    out, kinds = Path(sys.argv[1]), sys.argv[2:]
    torch.set_num_threads(1)
    with parallel.processes("cpu"):
        if parallel.world() > 1:
            for kind in kinds:
                keep(out, kind, *run(kind, steps=4, batch_size=8, learning_rate=1e-4))
        else:
            print("begins", flush=True)
            kind, seconds = kinds[0], float(kinds[1])
            # A checkpoint at every step: most kills hit one that is being written.
            keep(out, kind, *run(kind, seconds=seconds, checkpoint=out / "run.pt", checkpoint_every=1))
