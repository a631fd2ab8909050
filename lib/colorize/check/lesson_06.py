"""Exercises of lesson 6, from a distribution to one color: references and cases. The typical mistakes are in ``mistakes_06``."""

import torch
from torch import Tensor

from ..bins import gamut_bins
from .inputs import generator
from .judge import Case, Exercise


def _logits(*shape: int, seed: int, scale: float = 3.0) -> Tensor:
    """Logits of any shape, without ties."""
    return scale * torch.randn(shape, generator=generator(seed))


def _two(*values: float) -> tuple[Tensor, Tensor]:
    """One pixel and two colors, (40, 0) and (0, 80), with these probabilities."""
    logits = torch.tensor(values).log().view(1, 2, 1, 1)
    return logits, torch.tensor([[40.0, 0.0], [0.0, 80.0]])


def _pixel(a: float, b: float) -> Tensor:
    return torch.tensor([a, b]).view(1, 2, 1, 1)


# 6.1 The mean


def mean_color(logits: Tensor, centers: Tensor) -> Tensor:
    """Mean color of each pixel's distribution."""
    return expectation(torch.softmax(logits, dim=1), centers)


def expectation(p: Tensor, centers: Tensor) -> Tensor:
    """Sum of the centers, each times its weight: (N, Q, H, W), (Q, 2) -> (N, 2, H, W)."""
    return torch.einsum("nqhw,qc->nchw", p, centers)


MEAN = Exercise(
    "6.1",
    "The mean",
    mean_color,
    lambda: [
        # 3/4 of (40, 0) and 1/4 of (0, 80): by hand
        Case("For 3/4 of (40, 0) and 1/4 of (0, 80)", _two(0.75, 0.25), _pixel(30.0, 20.0)),
        Case(
            "For 313 equal logits",
            (torch.full((1, 313, 1, 1), 7.0), gamut_bins()),
            gamut_bins().mean(dim=0).view(1, 2, 1, 1),
        ),
        Case("For 2 pictures of 3 x 4 pixels", (_logits(2, 313, 3, 4, seed=0), gamut_bins())),
        Case("For 7 colors", (_logits(3, 7, 2, 5, seed=1), _logits(7, 2, seed=2, scale=30.0))),
    ],
    outputs=("the color",),
)


# 6.2 The mode


def mode_color(logits: Tensor, centers: Tensor) -> Tensor:
    """Color of the most likely bin of each pixel."""
    return centers[logits.argmax(dim=1)].movedim(-1, 1)


MODE = Exercise(
    "6.2",
    "The mode",
    mode_color,
    lambda: [
        Case("For 0.6 of (40, 0) and 0.4 of (0, 80)", _two(0.6, 0.4), _pixel(40.0, 0.0)),
        Case("For 0.1 of (40, 0) and 0.9 of (0, 80)", _two(0.1, 0.9), _pixel(0.0, 80.0)),
        Case("For 2 pictures of 3 x 4 pixels", (_logits(2, 313, 3, 4, seed=3), gamut_bins())),
        Case("For 7 colors", (_logits(3, 7, 2, 5, seed=4), _logits(7, 2, seed=5, scale=30.0))),
    ],
    outputs=("the color",),
)


# 6.3 The median


def marginal_median(p: Tensor, levels: Tensor) -> Tensor:
    """Median of each row: the mass of a level lies evenly on the interval around it."""
    k, below, mass, spacing = crossing(p, levels)
    return levels[k] - spacing / 2 + spacing * (0.5 - below) / mass


def crossing(p: Tensor, levels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Number of the level in whose interval the sum passes 1/2, the mass below it, its own mass, and the spacing."""
    total = p.cumsum(dim=1)
    k = (total < 0.5).sum(dim=1, keepdim=True)
    mass = p.gather(1, k)[:, 0]
    return k[:, 0], total.gather(1, k)[:, 0] - mass, mass, levels[1] - levels[0]


def _marginals(m: int, k: int, seed: int) -> Tensor:
    return torch.softmax(_logits(m, k, seed=seed, scale=1.0), dim=1)


MEDIAN = Exercise(
    "6.3",
    "The median",
    marginal_median,
    lambda: [
        # the interval of 10 is 5 to 15, of mass 0.7: 0.5 is reached after 5/7 of it, by hand
        Case(
            "For 0.7 of a = 10 and 0.3 of a = 20",
            (torch.tensor([[0.0, 0.7, 0.3]]), torch.tensor([0.0, 10.0, 20.0])),
            torch.tensor([5 + 10 * 5 / 7]),
        ),
        # 0.4 lies below the interval 5 to 15, a fourth of its 0.4 is missing: by hand
        Case(
            "For 0.4, 0.4 and 0.2 of a = 0, 10 and 20",
            (torch.tensor([[0.4, 0.4, 0.2]]), torch.tensor([0.0, 10.0, 20.0])),
            torch.tensor([7.5]),
        ),
        Case("For all mass on one level", (torch.eye(4)[1:3], torch.arange(4) * 10.0)),
        Case("For 20 distributions", (_marginals(20, 20, seed=6), torch.arange(20) * 10.0 - 90)),
        Case("For levels 4 apart", (_marginals(9, 6, seed=7), torch.arange(6) * 4.0 + 1)),
    ],
    outputs=("the median",),
)


# 6.4 The annealed mean


def annealed_mean(logits: Tensor, centers: Tensor, T: float = 0.38) -> Tensor:
    """Mean color after dividing the logits by the temperature."""
    return expectation(torch.softmax(logits / T, dim=1), centers)


def _sure() -> Tensor:
    """Logits of a network that is very sure of three pixels: one bin wins there. The fourth is as unsure as any.

    At T = 0.1 their exponentials are infinite; and next to the largest logit of the picture those of the unsure pixel
    are 0, all of them.
    """
    logits = _logits(1, 313, 2, 2, seed=8)
    logits[0, [40, 41, 42], [0, 0, 1], [0, 1, 0]] = torch.tensor([45.0, 45.0, 30.0])
    return logits


ANNEAL = Exercise(
    "6.4",
    "The annealed mean",
    annealed_mean,
    lambda: [
        # at T = 1/2 the weights are squared, 0.64 and 0.04, and divided by their sum: by hand
        Case(
            "For 0.8 of (40, 0) and 0.2 of (0, 80) at T = 0.5",
            (*_two(0.8, 0.2), 0.5),
            _pixel(40 * 0.64 / 0.68, 80 * 0.04 / 0.68),
        ),
        Case("For the same at T = 1, the mean", (*_two(0.8, 0.2), 1.0), _pixel(32.0, 16.0)),
        Case("For 2 pictures at T = 0.38", (_logits(2, 313, 3, 4, seed=9), gamut_bins(), 0.38)),
        Case(
            "For 7 colors at T = 0.2",
            (_logits(3, 7, 2, 5, seed=10), _logits(7, 2, seed=11, scale=30.0), 0.2),
        ),
        Case("For a network that is very sure of some pixels, at T = 0.1", (_sure(), gamut_bins(), 0.1)),
    ],
    outputs=("the color",),
)


# 6.5 Entropy


def entropy(logits: Tensor) -> Tensor:
    """Entropy of each pixel's distribution, in nats."""
    return torch.special.entr(torch.softmax(logits, dim=1)).sum(dim=1)


def _ruled_out() -> Tensor:
    """Logits of four bins, two of which are impossible; the others have 1/2 each."""
    return torch.tensor([2.0, -torch.inf, 2.0, -torch.inf]).view(1, 4, 1, 1)


ENTROPY = Exercise(
    "6.5",
    "Entropy",
    entropy,
    lambda: [
        Case("For 313 equal logits", (torch.zeros(1, 313, 1, 1),), torch.tensor([[[5.7462032]]])),
        Case("For 2 pictures of 3 x 4 pixels", (_logits(2, 313, 3, 4, seed=12),)),
        Case("For 7 bins", (_logits(3, 7, 2, 5, seed=13),)),
        Case(
            "For two bins with 1/2 each and two with logits of minus infinity",
            (_ruled_out(),),
            torch.tensor([[[0.6931472]]]),
        ),
    ],
    outputs=("the entropy",),
)

EXERCISES = (MEAN, MODE, MEDIAN, ANNEAL, ENTROPY)
