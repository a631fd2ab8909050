"""Exercises of lesson 10, a glance at the whole: references and cases. The typical mistakes are in ``mistakes_10``."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .inputs import generator
from .judge import Case, Exercise


def _random(*shape: int, seed: int) -> Tensor:
    return torch.rand(*shape, generator=generator(seed))


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=generator(seed))


# 10.1 What a message costs


def cost(colors: Tensor, told: Tensor, answers: Tensor) -> Tensor:
    """Expected half squared distance: colors (S, 2), told (S, M) with rows that sum to 1, answers (M, 2)."""
    off = (colors[:, None] - answers[None]).square().sum(dim=2)  # (S, M)
    return 0.5 * (told * off).sum(dim=1).mean()


# Two colors 10 units apart: 1/2 d^2 is 50.
TWO = torch.tensor([[0.0, 0.0], [6.0, 8.0]])


def _messages(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Three seasons, three messages, answers that are no one's color."""
    told = _random(3, 3, seed=seed)
    return (
        40 * _normal(3, 2, seed=seed + 1),
        told / told.sum(dim=1, keepdim=True),
        40 * _normal(3, 2, seed=seed + 2),
    )


COST = Exercise(
    "10.1",
    "What a message costs",
    cost,
    lambda: [
        Case(
            "For two colors 10 units apart and messages that are always wrong",
            (TWO, torch.tensor([[0.0, 1.0], [1.0, 0.0]]), TWO),
            torch.tensor(50.0),
        ),
        Case(
            "For the same colors, one message that says nothing, and the mean as the answer",
            (TWO, torch.ones(2, 1), TWO.mean(dim=0, keepdim=True)),
            torch.tensor(12.5),
        ),
        Case(
            "For the same colors and messages that are right with 0.9 in the first season and 0.7 in the second",
            (TWO, torch.tensor([[0.9, 0.1], [0.3, 0.7]]), TWO),
            torch.tensor(10.0),
        ),
        Case("For three seasons and three messages", _messages(seed=0)),
    ],
    outputs=("the cost",),
)


# 10.2 The whole beside every place


def beside(local: Tensor, embedding: Tensor) -> Tensor:
    """Local features (N, C, h, w) and, behind them at every place, the embedding (N, E): (N, C + E, h, w)."""
    return torch.cat((local, embedding[:, :, None, None].expand(-1, -1, *local.shape[2:])), dim=1)


BESIDE = Exercise(
    "10.2",
    "The whole beside every place",
    beside,
    lambda: [
        Case(
            "For one feature at two places, 5 and 7, and the embedding 1, 2",
            (torch.tensor([[[[5.0, 7.0]]]]), torch.tensor([[1.0, 2.0]])),
            torch.tensor([[[[5.0, 7.0]], [[1.0, 1.0]], [[2.0, 2.0]]]]),
        ),
        Case("For two pictures of 3 x 4 places", (_normal(2, 3, 3, 4, seed=10), _normal(2, 5, seed=11))),
    ],
)


# 10.3 The same without repeating


def fuse(local: Tensor, embedding: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A 1 x 1 convolution, weight (K, C + E), bias (K,), of features with the embedding beside them: (N, K, h, w)."""
    return F.conv2d(beside(local, embedding), weight[:, :, None, None], bias)


FUSE = Exercise(
    "10.3",
    "The same without repeating",
    fuse,
    lambda: [
        Case(
            "For features 5 and 7, the embedding 1, 2, the weights 1, 10, 100 and the shift 3",
            (
                torch.tensor([[[[5.0, 7.0]]]]),
                torch.tensor([[1.0, 2.0]]),
                torch.tensor([[1.0, 10.0, 100.0]]),
                torch.tensor([3.0]),
            ),
            torch.tensor([[[[218.0, 220.0]]]]),
        ),
        Case(
            "For two pictures of 3 x 5 places, 4 local and 3 global features",
            (
                _normal(2, 4, 3, 5, seed=20),
                _normal(2, 3, seed=21),
                _normal(6, 7, seed=22),
                _normal(6, seed=23),
            ),
        ),
    ],
)


# 10.4 What Inception is shown


def stack(gray: Tensor, side: int = 299) -> Tensor:
    """Gray pictures (N, 1, H, W) in [0, 1], squashed to a square, three times, in -1..1: (N, 3, side, side)."""
    small = F.interpolate(gray, (side, side), mode="bilinear", antialias=True)
    return 2 * small.expand(-1, 3, -1, -1) - 1


STACK = Exercise(
    "10.4",
    "What Inception is shown",
    stack,
    lambda: [
        Case(
            "For a picture of 2 x 2 pixels, side 2",
            (torch.tensor([[[[0.0, 0.5], [0.75, 1.0]]]]), 2),
            torch.tensor([[-1.0, 0.0], [0.5, 1.0]]).expand(1, 3, 2, 2),
        ),
        Case("For a wide picture of 6 x 16 pixels, side 5", (_random(1, 1, 6, 16, seed=30), 5)),
        Case("For two upright pictures of 20 x 9 pixels, side 8", (_random(2, 1, 20, 9, seed=31), 8)),
    ],
)


# 10.5 Color and class in one loss


def joint_loss(ab: Tensor, true_ab: Tensor, logits: Tensor, label: Tensor, alpha: float = 1 / 300) -> Tensor:
    """Half the squared distance of the colors plus alpha 220^2 times the cross-entropy of the classes."""
    color = 0.5 * (ab - true_ab).square().sum(dim=1).mean()
    return color + alpha * 220**2 * F.cross_entropy(logits, label)


def _off_by(a: float, b: float) -> tuple[Tensor, Tensor]:
    """Colors (1, 2, 2, 3) that are off by so much everywhere, and the true ones."""
    true = 30 * _normal(1, 2, 2, 3, seed=40)
    return true + torch.tensor([a, b]).view(1, 2, 1, 1), true


JOINT = Exercise(
    "10.5",
    "Color and class in one loss",
    joint_loss,
    lambda: [
        Case(
            "For colors that are off by a = 3, b = 4, and alpha = 0",
            (*_off_by(3, 4), torch.zeros(1, 2), torch.tensor([1]), 0.0),
            torch.tensor(12.5),
        ),
        Case(
            "For colors that are right, and even odds for each of 10 classes",
            (*_off_by(0, 0), torch.zeros(1, 10), torch.tensor([3])),
            torch.tensor(220**2 / 300 * math.log(10)),
        ),
        Case(
            "For three pictures, and alpha = 0.01",
            (
                30 * _normal(3, 2, 4, 5, seed=41),
                30 * _normal(3, 2, 4, 5, seed=42),
                2 * _normal(3, 4, seed=43),
                torch.tensor([2, 0, 3]),
                0.01,
            ),
        ),
    ],
    outputs=("the loss",),
    trains=(0, 2),
)

EXERCISES = (COST, BESIDE, FUSE, STACK, JOINT)
