"""Exercises of lesson 13, your own pictures: references and cases. The typical mistakes are in ``mistakes_13``."""

import math

import torch
from torch import Tensor

from .inputs import generator
from .judge import Case, Exercise


def _random(*shape: int, seed: int) -> Tensor:
    return torch.rand(*shape, generator=generator(seed))


def _shares(*shape: int, seed: int) -> Tensor:
    """Random distributions along the last dimension, float64."""
    p = _random(*shape, seed=seed).double() ** 2
    return p / p.sum(dim=-1, keepdim=True)


# 13.1 Gray from a faded print


def gray_of_print(lab: Tensor, share: float = 0.01) -> Tensor:
    """L of a scan, stretched between two quantiles and cut off."""
    ends = torch.tensor([share, 1 - share], dtype=lab.dtype)
    low, high = torch.quantile(lab[0].flatten(), ends)
    return ((lab[0] - low) / (high - low)).clamp(0, 1) * 100


def _scan(lightness: Tensor) -> Tensor:
    """A print with this L, brown in its middle tones."""
    share = 4 * (lightness / 100) * (1 - lightness / 100)
    return torch.stack((lightness, 10 * share, 24 * share))


GRAY_OF_PRINT = Exercise(
    "13.1",
    "Gray from a faded print",
    gray_of_print,
    lambda: [
        Case(
            "For L = 40, 45, 50, 60 and a share of 0",
            (_scan(torch.tensor([[40.0, 45.0], [50.0, 60.0]])), 0.0),
            torch.tensor([[0.0, 25.0], [50.0, 100.0]]),
        ),
        Case(
            "For L = 40, 41, ..., 60 and a share of 0.1, so that 42 becomes 0 and 58 becomes 100",
            (_scan(torch.arange(40.0, 61.0).view(3, 7)), 0.1),
            ((torch.arange(40.0, 61.0).view(3, 7) - 42) / 16 * 100).clamp(0, 100),
        ),
        # Mostly dark: a share of the pixels is something else than a share of the way from the darkest to the lightest.
        Case("For a dark print of 20 x 30 pixels", (_scan(30 + 45 * _random(20, 30, seed=1) ** 3),)),
    ],
    outputs=("the gray picture",),
    tolerance=1e-2,  # a quantile may be one of the pixels, or lie between two of them
)


# 13.2 Twice the same photo


def bits_apart(gray: Tensor) -> Tensor:
    """In how many bits the difference hashes of pictures differ."""
    plus = (gray[:, :, :-1] < gray[:, :, 1:]).flatten(1).float()
    return (plus @ (1 - plus).T + (1 - plus) @ plus.T).round().long()


RISING = torch.arange(72.0).view(8, 9)  # brighter to the right, all 64 times
FLAT = torch.zeros(8, 9)
BUMP = torch.zeros(8, 9)
BUMP[2, 5] = 1.0

BITS_APART = Exercise(
    "13.2",
    "Twice the same photo",
    bits_apart,
    lambda: [
        Case(
            "For a picture that brightens to the right, its mirror image, and one of a single gray",
            (torch.stack((RISING, RISING.flip(1), FLAT)),),
            torch.tensor([[0, 64, 64], [64, 0, 0], [64, 0, 0]]),
        ),
        Case(
            "For a picture of a single gray, and one with a bright pixel",
            (torch.stack((FLAT, BUMP)),),
            torch.tensor([[0, 1], [1, 0]]),
        ),
        Case("For five pictures", (_random(5, 8, 9, seed=2),)),
    ],
    outputs=("the numbers of bits",),
)


# 13.3 How much it flickers


def flicker(first: Tensor, second: Tensor, step: int) -> Tensor:
    """Mean distance of the colors of the points that both frames show."""
    width = first.shape[2]
    apart = first.narrow(2, step, width - step) - second.narrow(2, 0, width - step)
    return apart.square().sum(dim=0).sqrt().mean()


def _frames(seed: int, step: int) -> tuple[Tensor, Tensor]:
    """Two frames of one film, whose colors differ a little."""
    photo = 80 * _random(2, 6, 12, seed=seed) - 40
    return photo[..., :9], photo[..., step : step + 9] + 10 * _random(2, 6, 9, seed=seed + 1)


FLICKER = Exercise(
    "13.3",
    "How much it flickers",
    flicker,
    lambda: [
        Case(
            "For two frames of one colored photo, the window 3 pixels to the right",
            (torch.arange(24.0).view(2, 2, 6), torch.arange(24.0).view(2, 2, 6) + 3, 3),
            torch.tensor(0.0),
        ),
        Case(
            "For a gray frame, then one of a = 3, b = 4",
            (torch.zeros(2, 4, 5), torch.tensor([3.0, 4.0]).view(2, 1, 1).expand(2, 4, 5).clone(), 2),
            torch.tensor(5.0),
        ),
        Case("For two frames, the window 3 pixels to the right", (*_frames(3, 3), 3)),
        Case("For two frames, the window at rest", (*_frames(5, 0), 0)),
    ],
    outputs=("the flicker",),
    tolerance=1e-3,
)


# 13.4 Two histograms


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """Jensen-Shannon divergence along the last dimension, in nats."""
    m = (p + q) / 2
    return (torch.special.entr(m) - torch.special.entr(p) / 2 - torch.special.entr(q) / 2).sum(dim=-1)


DIVERGENCE = Exercise(
    "13.4",
    "Two histograms",
    divergence,
    lambda: [
        Case(
            "For two histograms that share no color",
            (torch.tensor([[0.5, 0.5, 0, 0]]).double(), torch.tensor([[0, 0, 0.5, 0.5]]).double()),
            torch.tensor([math.log(2)]).double(),
        ),
        Case(
            "For (1, 0) and (1/2, 1/2)",
            (torch.tensor([[1.0, 0.0]]).double(), torch.tensor([[0.5, 0.5]]).double()),
            # The mean is (3/4, 1/4).
            torch.tensor([0.5 * math.log(4 / 3) + 0.25 * math.log(2 / 3) + 0.25 * math.log(2)]).double(),
        ),
        Case(
            "For two equal histograms with an empty bin",
            (torch.tensor([[0.0, 0.3, 0.7]]).double(), torch.tensor([[0.0, 0.3, 0.7]]).double()),
            torch.tensor([0.0]).double(),
        ),
        Case("For two frames with three channels", (_shares(3, 8, seed=7), _shares(3, 8, seed=8))),
    ],
    outputs=("the divergence",),
)


# 13.5 Two clouds of features


def distance(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> Tensor:
    """Squared Frechet distance of two Gaussians."""
    values, vectors = torch.linalg.eigh(cov1)
    half = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    between = torch.linalg.eigvalsh(half @ cov2 @ half).clamp(min=0).sqrt().sum()
    return ((mean1 - mean2) ** 2).sum() + torch.diagonal(cov1 + cov2).sum() - 2 * between


def _gaussian(size: int, seed: int) -> tuple[Tensor, Tensor]:
    mixed = _random(size, size, seed=seed).double() - 0.3
    return _random(size, seed=seed + 1).double(), mixed @ mixed.T


def _diagonal(mean: list[float], variances: list[float]) -> tuple[Tensor, Tensor]:
    return torch.tensor(mean, dtype=torch.float64), torch.diag(torch.tensor(variances, dtype=torch.float64))


DISTANCE = Exercise(
    "13.5",
    "Two clouds of features",
    distance,
    lambda: [
        Case(
            "For two clouds of one form, the second shifted by (3, 4)",
            (*_diagonal([0, 0], [2, 2]), *_diagonal([3, 4], [2, 2])),
            torch.tensor(25.0).double(),
        ),
        Case(
            "For standard deviations of 1 and 3 in one direction, of 2 and 2 in the other",
            (*_diagonal([0, 0], [1, 4]), *_diagonal([0, 0], [9, 4])),
            torch.tensor(4.0).double(),
        ),
        Case("For the same cloud twice", (*_gaussian(3, 9), *_gaussian(3, 9)), torch.tensor(0.0).double()),
        Case("For two clouds of four features", (*_gaussian(4, 11), *_gaussian(4, 13))),
    ],
    outputs=("the distance",),
    tolerance=1e-3,
)

EXERCISES = (GRAY_OF_PRINT, BITS_APART, FLICKER, DIVERGENCE, DISTANCE)
