"""The exercise of lesson 0: reference and cases. The typical mistakes are in ``mistakes_00``."""

import torch
from torch import Tensor

from .inputs import generator
from .judge import Case, Exercise


def chroma(a: Tensor, b: Tensor) -> Tensor:
    """Distance from gray of each pixel."""
    return torch.sqrt(a**2 + b**2)


def _plane(seed: int) -> Tensor:
    return torch.randn(3, 4, generator=generator(seed)) * 30


CHROMA = Exercise(
    "0.1",
    "The chroma of a pixel",
    chroma,
    lambda: [
        Case("For a = 3 and b = 4", (torch.tensor([3.0]), torch.tensor([4.0])), torch.tensor([5.0])),
        Case("For gray, a = b = 0", (torch.tensor([0.0]), torch.tensor([0.0])), torch.tensor([0.0])),
        Case(
            "For a = -30 and b = 0, a green",
            (torch.tensor([-30.0]), torch.tensor([0.0])),
            torch.tensor([30.0]),
        ),
        Case("For 3 x 4 pixels", (_plane(0), _plane(1))),
    ],
    outputs=("the chroma",),
)

EXERCISES = (CHROMA,)
