"""Exercises of lesson 12, you hold the brush: references and cases. The typical mistakes are in ``mistakes_12``."""

import math

import torch
from torch import Tensor

from .inputs import generator
from .judge import Case, Exercise


def _random(*shape: int, seed: int) -> Tensor:
    return torch.rand(*shape, generator=generator(seed))


def _shares(*shape: int, seed: int) -> Tensor:
    """Random distributions along the last dimension."""
    return torch.softmax(5 * _random(*shape, seed=seed), dim=-1)


# 12.1 A preference


def prefer(logits: Tensor, bias: Tensor, centers: Tensor) -> Tensor:
    """Mean color of each pixel with a bias added to its logits."""
    p = torch.softmax(logits + bias[:, None, None], dim=1)
    return torch.einsum("nqhw,qc->nchw", p, centers)


RED_AND_GREEN = torch.tensor([[50.0, 40.0], [-40.0, 40.0]])
SURE = torch.tensor([0.0, float("-inf")])  # red, and nothing else

PREFER = Exercise(
    "12.1",
    "A preference",
    prefer,
    lambda: [
        Case(
            "For a pixel that is red or green, and a bias of ln 3 for red",
            (torch.zeros(1, 2, 1, 1), torch.tensor([math.log(3), 0.0]), RED_AND_GREEN),
            torch.tensor([27.5, 40.0]).view(1, 2, 1, 1),  # 3/4 and 1/4
        ),
        Case(
            "For a pixel that is red for certain, and a bias of 2 for green",
            (SURE.view(1, 2, 1, 1), torch.tensor([0.0, 2.0]), RED_AND_GREEN),
            torch.tensor([50.0, 40.0]).view(1, 2, 1, 1),
        ),
        Case(
            "For two pictures of 3 x 4 pixels and five colors",
            (4 * _random(2, 5, 3, 4, seed=0), 3 * _random(5, seed=1), 100 * _random(5, 2, seed=2) - 50),
        ),
    ],
    outputs=("the color",),
    tolerance=1e-3,
)


# 12.2 Where is there a choice?


def unsure(p: Tensor, sector: Tensor, chroma: Tensor, sectors: int = 32) -> Tensor:
    """Entropy of the hue, without gray, times the expected chroma."""
    member = torch.nn.functional.one_hot(sector, sectors).float() * (chroma > 0)[:, None]  # (Q, sectors)
    hue = p @ member
    hue = hue / hue.sum(dim=1, keepdim=True).clamp(min=1e-12)
    return torch.special.entr(hue).sum(dim=1) * (p @ chroma)


# Sectors and chromas of six colors. Gray is the second, and shares its sector with a color that has a hue.
COLORS = (torch.tensor([3, 0, 3, 10, 31, 0]), torch.tensor([30.0, 0.0, 50.0, 50.0, 20.0, 40.0]))
WIDER = (torch.tensor([3, 0, 3, 10, 39, 0]), COLORS[1], 40)

UNSURE = Exercise(
    "12.2",
    "Where is there a choice?",
    unsure,
    lambda: [
        Case(
            "For a pixel that is red or green, 1/2 each, with chroma 50",
            (torch.tensor([[0.0, 0, 0.5, 0.5, 0, 0]]), *COLORS),
            torch.tensor([50 * math.log(2)]),
        ),
        Case(
            "For a pixel that is gray with 0.5, and red or green with 0.25 each",
            (torch.tensor([[0.0, 0.5, 0.25, 0.25, 0, 0]]), *COLORS),
            torch.tensor([25 * math.log(2)]),
        ),
        Case(
            "For two reds of one sector and different chroma",
            (torch.tensor([[0.5, 0, 0.5, 0, 0, 0]]), *COLORS),
            torch.tensor([0.0]),
        ),
        Case(
            "For a pixel that is gray for certain",
            (torch.tensor([[0.0, 1, 0, 0, 0, 0]]), *COLORS),
            torch.tensor([0.0]),
        ),
        Case("For four pixels", (_shares(4, 6, seed=3), *COLORS)),
        Case("For four pixels and 40 sectors", (_shares(4, 6, seed=14), *WIDER)),
    ],
    outputs=("the uncertainty",),
)


# 12.3 Colors by rank


def match_ranks(source: Tensor, reference: Tensor) -> Tensor:
    """The reference's values in the order of the source."""
    result = torch.empty_like(reference)
    result[source.argsort()] = reference.sort().values
    return result


RANKS = Exercise(
    "12.3",
    "Colors by rank",
    match_ranks,
    lambda: [
        Case(
            "For 5, 1, 3 and the reference 60, 10, 20",
            (torch.tensor([5.0, 1.0, 3.0]), torch.tensor([60.0, 10.0, 20.0])),
            torch.tensor([60.0, 10.0, 20.0]),
        ),
        Case(
            "For 3, 9, 1, 5 and the reference 40, 30, 20, 10",
            (torch.tensor([3.0, 9.0, 1.0, 5.0]), torch.tensor([40.0, 30.0, 20.0, 10.0])),
            torch.tensor([20.0, 40.0, 10.0, 30.0]),
        ),
        Case(
            "For 2, 1, 2, 3 and the reference 10, 20, 20, 40",  # two equal values, whose results are equal, too
            (torch.tensor([2.0, 1.0, 2.0, 3.0]), torch.tensor([10.0, 20.0, 20.0, 40.0])),
            torch.tensor([20.0, 10.0, 20.0, 40.0]),
        ),
        Case("For 50 values", (_random(50, seed=4), 10 * _random(50, seed=5) ** 3)),
    ],
    outputs=("the matched values",),
)


# 12.4 The energy of a bias


def energy(log_y: Tensor, bias: Tensor, target: Tensor, lam: float = 10.0) -> Tensor:
    """Mean KL of the biased distributions from the given ones, plus lambda times the chi-square of their mean."""
    biased = log_y + bias
    y = torch.softmax(biased, dim=1)
    m = y.mean(dim=0)
    kl = y @ bias - biased.logsumexp(dim=1)  # log_y is normalized: the logarithms of y cancel
    return kl.mean() + lam * ((m - target) ** 2 / (m + target)).sum() / 2


ENERGY = Exercise(
    "12.4",
    "The energy of a bias",
    energy,
    lambda: [
        Case(
            "For no bias, one pixel (0.5, 0.5), the target (1, 0) and lambda 6",
            (torch.tensor([[0.5, 0.5]]).log(), torch.zeros(2), torch.tensor([1.0, 0.0]), 6.0),
            torch.tensor(2.0),  # 6 / 2 * (0.25 / 1.5 + 0.25 / 0.5)
        ),
        Case(
            "For lambda 0, one pixel (0.5, 0.5) and a bias of ln 3 for the first color",
            (
                torch.tensor([[0.5, 0.5]]).log(),
                torch.tensor([math.log(3), 0.0]),
                torch.tensor([0.5, 0.5]),
                0.0,
            ),
            torch.tensor(0.75 * math.log(1.5) + 0.25 * math.log(0.5)),
        ),
        Case(
            "For two pixels that are certain of one color each, together just like the target",
            (torch.tensor([[0.999, 0.001], [0.001, 0.999]]).log(), torch.zeros(2), torch.tensor([0.5, 0.5])),
            torch.tensor(0.0),
        ),
        Case(
            "For 30 pixels and six colors",
            (_shares(30, 6, seed=6).log(), 2 * _random(6, seed=7), _shares(6, seed=8)),
        ),
    ],
    outputs=("the energy",),
)


# 12.5 Whom a pixel takes after


def shares(y: Tensor, near: Tensor, spread: float = 0.6) -> Tensor:
    """Weight of each neighbor by its contrast, measured by the variance of pixel and neighbors."""
    both = torch.cat((y[:, None], near), dim=1)
    variance = (both - both.mean(dim=1, keepdim=True)).square().mean(dim=1)
    return torch.softmax(-((near - y[:, None]) ** 2) / (spread * variance.clamp(min=2e-6))[:, None], dim=1)


SHARES = Exercise(
    "12.5",
    "Whom a pixel takes after",
    shares,
    lambda: [
        Case(
            "For neighbors that are 0.1 lighter and 0.1 darker",
            (torch.tensor([0.5]), torch.tensor([[0.4, 0.6]])),
            torch.tensor([[0.5, 0.5]]),
        ),
        Case(
            # Variance of 0.5, 0.5, 0.8: 0.02. So the weights are 1 and exp(-0.09 / 0.012).
            "For neighbors that are as light, and 0.3 lighter",
            (torch.tensor([0.5]), torch.tensor([[0.5, 0.8]])),
            torch.tensor([[1.0, math.exp(-7.5)]]) / (1 + math.exp(-7.5)),
        ),
        Case(
            # Their variance, 0.0000009, counts as 0.000002: the weights are 1 and exp(-0.000004 / 0.0000012).
            "For neighbors that are as light, and 0.002 lighter",
            (torch.tensor([0.5]), torch.tensor([[0.5, 0.502]])),
            torch.tensor([[1.0, math.exp(-10 / 3)]]) / (1 + math.exp(-10 / 3)),
        ),
        Case(
            "For four pixels that are all alike",
            (torch.full((1,), 0.25), torch.full((1, 3), 0.25)),
            torch.full((1, 3), 1 / 3),
        ),
        Case("For six pixels with eight neighbors", (_random(6, seed=9), _random(6, 8, seed=10))),
        Case("For the same with a spread of 2", (_random(6, seed=9), _random(6, 8, seed=10), 2.0)),
    ],
    outputs=("the weights",),
)


# 12.6 A mean of one's like


def mean_of_like(
    ab: Tensor, lightness: Tensor, distance: Tensor, sigma_s: float = 3.0, sigma_l: float = 4.0
) -> Tensor:
    """Joint bilateral filter at one pixel, the first of its surroundings."""
    away = (distance / sigma_s) ** 2 + ((lightness - lightness[0]) / sigma_l) ** 2
    return torch.softmax(-away / 2, dim=0) @ ab


MEAN_OF_LIKE = Exercise(
    "12.6",
    "A mean of one's like",
    mean_of_like,
    lambda: [
        Case(
            "For a pixel, and one 3 pixels away that is as light",
            (torch.tensor([[10.0, 0.0], [0.0, 20.0]]), torch.tensor([50.0, 50.0]), torch.tensor([0.0, 3.0])),
            torch.tensor([10.0, 20 * math.exp(-0.5)]) / (1 + math.exp(-0.5)),
        ),
        Case(
            "For a pixel, and one right beside it that is 4 units lighter, with a sigma of 1000 pixels",
            (
                torch.tensor([[10.0, 0.0], [0.0, 20.0]]),
                torch.tensor([50.0, 54.0]),
                torch.tensor([0.0, 1.0]),
                1000.0,
            ),
            torch.tensor([10.0, 20 * math.exp(-0.5)]) / (1 + math.exp(-0.5)),
        ),
        Case(
            "For seven pixels of one color",
            (torch.tensor([[30.0, -20.0]]).repeat(7, 1), 90 * _random(7, seed=11), torch.arange(7.0)),
            torch.tensor([30.0, -20.0]),
        ),
        Case(
            "For 20 pixels",
            (60 * _random(20, 2, seed=12), 40 + 8 * _random(20, seed=13), torch.arange(20.0) / 3),
        ),
        Case(
            "For the same with sigmas of 2 pixels and 7 units of L",
            (60 * _random(20, 2, seed=12), 40 + 8 * _random(20, seed=13), torch.arange(20.0) / 3, 2.0, 7.0),
        ),
    ],
    outputs=("the color",),
)

EXERCISES = (PREFER, UNSURE, RANKS, ENERGY, SHARES, MEAN_OF_LIKE)
