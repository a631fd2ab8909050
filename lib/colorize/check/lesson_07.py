"""Exercises of lesson 7, the full network: references and cases. The typical mistakes are in ``mistakes_07``."""

import torch
from torch import Tensor

from .inputs import generator
from .judge import Case, Exercise

# The 19 convolutions before the resolution is doubled.
STRIDES = (1, 2, 1, 2, 1, 1, 2) + (1,) * 12
DILATIONS = (1,) * 10 + (2,) * 6 + (1,) * 3


def _random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=generator(seed))


# 7.1 The layer table


def table(strides: tuple[int, ...], dilations: tuple[int, ...]) -> Tensor:
    """Accumulated stride, effective dilation and receptive field of 3 x 3 layers: (layers, 3)."""
    before = torch.tensor((1, *strides[:-1])).cumprod(0)
    apart = before * torch.tensor(dilations)
    return torch.stack((before, apart, 1 + 2 * apart.cumsum(0)), dim=1)


def _whole(low: int, high: int, n: int, seed: int) -> tuple[int, ...]:
    """Return n whole numbers from low to high."""
    return tuple(torch.randint(low, high + 1, (n,), generator=generator(seed)).tolist())


TABLE = Exercise(
    "7.1",
    "The layer table",
    table,
    lambda: [
        Case("For one layer", ((1,), (1,)), torch.tensor([[1, 1, 3]])),
        Case("For strides 2, 1", ((2, 1), (1, 1)), torch.tensor([[1, 1, 3], [2, 2, 7]])),
        Case("For dilations 2, 1", ((1, 1), (2, 1)), torch.tensor([[1, 2, 5], [1, 1, 7]])),
        Case(
            "For strides 2, 2, 1 and dilations 1, 1, 3",
            ((2, 2, 1), (1, 1, 3)),
            torch.tensor([[1, 1, 3], [2, 2, 7], [4, 12, 31]]),
        ),
        Case("For the 19 layers", (STRIDES, DILATIONS)),
        Case("For six layers", (_whole(1, 2, 6, seed=30), _whole(1, 4, 6, seed=31))),
    ],
    outputs=("the table",),
)


# 7.2 What a layer costs


def cost(inputs: Tensor, outputs: Tensor, kernel: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """Numbers in a layer, bias included, and its multiply-adds, bias left out."""
    weights = inputs * outputs * kernel.square()
    return weights + outputs, weights * places


def _layers(*columns: tuple[int, ...]) -> tuple[Tensor, ...]:
    return tuple(torch.tensor(column) for column in columns)


RANGES = ((1, 300), (1, 300), (1, 7), (1, 9999))  # of inputs, outputs, kernel, places


COST = Exercise(
    "7.2",
    "What a layer costs",
    cost,
    lambda: [
        Case(
            "For conv1_1, 1 to 64 channels, 3 x 3, at 65,536 places",
            _layers((1,), (64,), (3,), (65536,)),
            _layers((640,), (37_748_736,)),
        ),
        Case(
            "For two layers, 2 to 3 channels with 3 x 3 and 3 to 5 with 1 x 1, at 10 and 4 places",
            _layers((2, 3), (3, 5), (3, 1), (10, 4)),
            _layers((57, 20), (540, 60)),
        ),
        Case(
            "For conv8_1, 512 to 256 channels, 4 x 4, at 1,024 places",
            _layers((512,), (256,), (4,), (1024,)),
        ),
        Case(
            "For five layers",
            _layers(*(_whole(low, high, 5, seed=32 + k) for k, (low, high) in enumerate(RANGES))),
        ),
    ],
    outputs=("the count of numbers", "the count of multiply-adds"),
)


# 7.3 Folding a batch norm


def fold(weight: Tensor, bias: Tensor, scale: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """Weight and bias of the convolution that does the batch norm before it, too."""
    return weight * scale.view(1, -1, 1, 1), bias + torch.einsum("oihw,i->o", weight, shift)


def _convolution(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    scale = 0.5 + _random(4, seed=seed + 2).square()
    return _random(4, 4, 3, 3, seed=seed), _random(4, seed=seed + 1), scale, _random(4, seed=seed + 3)


def _counted() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One channel, all weights 1: 9 times the shift 2 comes to the bias 5."""
    return torch.ones(1, 1, 3, 3), torch.tensor([5.0]), torch.tensor([3.0]), torch.tensor([2.0])


FOLD = Exercise(
    "7.3",
    "Folding a batch norm",
    fold,
    lambda: [
        Case(
            "For one channel, nine weights of 1, bias 5, scale 3, shift 2",
            _counted(),
            (torch.full((1, 1, 3, 3), 3.0), torch.tensor([23.0])),
        ),
        Case("For 4 channels", _convolution(seed=0)),
        Case("For 4 other channels", _convolution(seed=10)),
    ],
    outputs=("the weight", "the bias"),
)


# 7.4 Where the fold fails


def touches(height: int, width: int, dilation: int) -> Tensor:
    """True where a 3 x 3 kernel with this dilation reaches beyond the picture."""
    y, x = torch.arange(height)[:, None], torch.arange(width)
    return (torch.minimum(y, height - 1 - y) < dilation) | (torch.minimum(x, width - 1 - x) < dilation)


TOUCHES = Exercise(
    "7.4",
    "Where the fold fails",
    touches,
    lambda: [
        Case(
            "For 3 x 4 pixels and dilation 1",
            (3, 4, 1),
            torch.tensor([[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]]).bool(),
        ),
        Case("For 9 x 12 pixels and dilation 2", (9, 12, 2)),
        Case("For 12 x 7 pixels and dilation 1", (12, 7, 1)),
        Case(
            "For 3 x 3 pixels and dilation 2, too small for the kernel",
            (3, 3, 2),
            torch.ones(3, 3, dtype=torch.bool),
        ),
        Case("For another size and dilation", (*_whole(8, 15, 2, seed=40), *_whole(1, 4, 1, seed=41))),
    ],
    outputs=("the mask",),
)


# 7.5 Two halves of a batch


def combine(
    n1: int, mean1: Tensor, var1: Tensor, n2: int, mean2: Tensor, var2: Tensor
) -> tuple[Tensor, Tensor]:
    """Mean and variance of the whole from those of two parts."""
    mean = (n1 * mean1 + n2 * mean2) / (n1 + n2)
    square = (n1 * (var1 + mean1.square()) + n2 * (var2 + mean2.square())) / (n1 + n2)
    return mean, square - mean.square()


def _part(seed: int) -> tuple[Tensor, Tensor]:
    return _random(4, seed=seed), _random(4, seed=seed + 1).square()


COMBINE = Exercise(
    "7.5",
    "Two halves of a batch",
    combine,
    lambda: [
        Case(
            "For one pixel of value 0 and one of value 2",
            (1, torch.tensor([0.0]), torch.tensor([0.0]), 1, torch.tensor([2.0]), torch.tensor([0.0])),
            (torch.tensor([1.0]), torch.tensor([1.0])),
        ),
        Case(
            "For three pixels of value 4 and one of value 0",
            (3, torch.tensor([4.0]), torch.tensor([0.0]), 1, torch.tensor([0.0]), torch.tensor([0.0])),
            (torch.tensor([3.0]), torch.tensor([3.0])),
        ),
        Case("For two halves of 4 channels", (50, *_part(seed=20), 50, *_part(seed=22))),
        Case("For parts of 30 and 10 pixels", (30, *_part(seed=24), 10, *_part(seed=26))),
    ],
    outputs=("the mean", "the variance"),
)

EXERCISES = (TABLE, COST, FOLD, TOUCHES, COMBINE)
