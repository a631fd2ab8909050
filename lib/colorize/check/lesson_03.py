"""Exercises of lesson 3, the L2 baseline: references and cases. The typical mistakes are in ``mistakes_03``."""

import torch
from torch import Tensor

from ..toyworld import ToyWorld
from .inputs import generator
from .judge import Case, Exercise


def _maps(n: int, height: int, width: int, seed: int, reach: float = 60.0) -> Tensor:
    """(n, 2, height, width) colors, anywhere within reach."""
    random = generator(seed)
    return (torch.rand(n, 2, height, width, generator=random) * 2 - 1) * reach


def _pixel(a: float, b: float) -> Tensor:
    return torch.tensor([a, b]).view(1, 2, 1, 1)


# 3.1 The L2 loss


def l2_loss(pred_ab: Tensor, true_ab: Tensor) -> Tensor:
    """Mean over pixels of half the squared distance."""
    a, b = (pred_ab - true_ab).unbind(dim=1)
    return ((a * a + b * b) / 2).mean()


L2 = Exercise(
    "3.1",
    "The L2 loss",
    l2_loss,
    lambda: [
        # (3^2 + 4^2) / 2, by hand
        Case("For one pixel that is 3 off in a and 4 in b", (_pixel(3.0, 4.0), _pixel(0.0, 0.0)), torch.tensor(12.5)),
        Case("For a prediction that is right", (_maps(2, 3, 4, 0), _maps(2, 3, 4, 0)), torch.tensor(0.0)),
        Case("For two pictures of 3 x 5 pixels", (_maps(2, 3, 5, 1), _maps(2, 3, 5, 2))),
        Case("For four pictures of 6 x 4 pixels", (_maps(4, 6, 4, 3, 20.0), _maps(4, 6, 4, 4))),
    ],
    outputs=("the loss",),
    trains=(0,),
)  # fmt: skip


# 3.2 The best answer under L2


def best_answer(colors: Tensor, probabilities: Tensor) -> Tensor:
    """Mean color."""
    return probabilities @ colors


def _palette(kind: str) -> tuple[Tensor, Tensor]:
    palette = ToyWorld().palette(kind)
    return palette.colors, palette.probabilities


def _any_palette(k: int, seed: int) -> tuple[Tensor, Tensor]:
    random = generator(seed)
    share = torch.rand(k, generator=random, dtype=torch.float64) + 0.1
    return (torch.rand(k, 2, generator=random, dtype=torch.float64) * 2 - 1) * 60, share / share.sum()


BEST = Exercise(
    "3.2",
    "The best answer under L2",
    best_answer,
    lambda: [
        # 0.7 (33, -28) + 0.3 (7, 42), by hand
        Case("For a plum", _palette("plum"), torch.tensor([25.2, -7.0], dtype=torch.float64)),
        Case("For a lemon, which has one color", _palette("lemon"), torch.tensor([-3.0, 68.0], dtype=torch.float64)),
        Case("For a palette of 2 colors", _any_palette(2, 1)),
        Case("For a palette of 5 colors", _any_palette(5, 0)),
    ],
    outputs=("the best answer",),
)  # fmt: skip


# 3.3 What the best answer costs


def floor(colors: Tensor, probabilities: Tensor) -> Tensor:
    """Half the variance of the palette, a and b together: mean of the squares minus square of the mean."""
    mean = probabilities @ colors
    return 0.5 * (probabilities @ colors.square().sum(dim=1) - mean.square().sum())


FLOOR = Exercise(
    "3.3",
    "What the best answer costs",
    floor,
    lambda: [
        # both colors are 45 from their mean: 45^2 / 2, by hand
        Case("For an apple", _palette("apple"), torch.tensor(1012.5, dtype=torch.float64)),
        Case("For a lemon, which has one color", _palette("lemon"), torch.tensor(0.0, dtype=torch.float64)),
        Case("For a plum", _palette("plum")),
        Case("For a palette of 5 colors", _any_palette(5, 2)),
    ],
    outputs=("the floor",),
)


# 3.4 The mean answer for one kind


def answer_for(answer: Tensor, kinds: Tensor, number: int) -> Tensor:
    """Mean of a and b where the kind is the number."""
    here = (kinds == number).unsqueeze(1)  # (N, 1, H, W)
    return (answer * here).sum(dim=(0, 2, 3)) / here.sum()


def _kinds(n: int, height: int, width: int, seed: int) -> Tensor:
    random = generator(seed)
    return torch.randint(0, 4, (n, height, width), generator=random)


def _four_pixels() -> tuple[Tensor, Tensor]:
    ab = torch.tensor([[[0.0, 30.0], [30.0, 60.0]], [[-1.0, -2.0], [-3.0, -8.0]]])  # a 0 counts, too
    return ab.unsqueeze(0), torch.tensor([[[7, 7], [5, 7]]])


MEAN = Exercise(
    "3.4",
    "The mean answer for one kind",
    answer_for,
    lambda: [
        # a: (0 + 30 + 60) / 3, b: (-1 - 2 - 8) / 3, by hand
        Case("For a picture of 2 x 2 pixels, three of them of kind 7", (*_four_pixels(), 7), torch.tensor([30.0, -11 / 3])),
        Case("For its one pixel of kind 5", (*_four_pixels(), 5), torch.tensor([30.0, -3.0])),
        Case("For three pictures of 4 x 6 pixels", (_maps(3, 4, 6, 5), _kinds(3, 4, 6, 6), 2)),
        Case("For kind 0, in two pictures of 5 x 5 pixels", (_maps(2, 5, 5, 7), _kinds(2, 5, 5, 8), 0)),
    ],
    outputs=("the mean answer",),
)  # fmt: skip


# 3.5 Smooth L1


def smooth_l1_loss(pred_ab: Tensor, true_ab: Tensor, beta: float = 1.0) -> Tensor:
    """Squared within beta of the truth, linear beyond; a and b summed, the rest averaged."""
    d = (pred_ab - true_ab).abs()
    inner = d.clamp(max=beta)  # the part of the way that is still on the parabola
    return (inner.square() / (2 * beta) + (d - inner)).sum(dim=1).mean()


SMOOTH = Exercise(
    "3.5",
    "Smooth L1",
    smooth_l1_loss,
    lambda: [
        # 3 - 1/2 and 0.5^2 / 2, by hand
        Case("For one pixel that is 3 off in a and 0.5 in b", (_pixel(3.0, 0.5), _pixel(0.0, 0.0), 1.0), torch.tensor(2.625)),
        # -6 is as far off as 6: 2^2 / 8 and 6 - 2, by hand
        Case("For 2 off in a, -6 in b, and beta = 4", (_pixel(2.0, -6.0), _pixel(0.0, 0.0), 4.0), torch.tensor(4.5)),
        Case("For two pictures of 3 x 5 pixels", (_maps(2, 3, 5, 9, 2.0), _maps(2, 3, 5, 10, 2.0), 1.0)),
        Case("For beta = 30", (_maps(3, 4, 4, 11), _maps(3, 4, 4, 12), 30.0)),
        Case("For colors divided by 110", (_maps(2, 4, 4, 13) / 110, _maps(2, 4, 4, 14) / 110, 1.0)),
    ],
    outputs=("the loss",),
    trains=(0,),
)  # fmt: skip


# 3.6 The force on an answer


def force(x: Tensor, colors: Tensor, probabilities: Tensor, beta: float = 1.0) -> Tensor:
    """Slope of the expected smooth L1 loss on one axis."""
    error = x.unsqueeze(1) - colors  # (M, k)
    slope = torch.where(error.abs() < beta, error / beta, error.sign())
    return (slope * probabilities).sum(dim=1)


def _axis(kind: str, axis: int) -> tuple[Tensor, Tensor]:
    colors, probabilities = _palette(kind)
    return colors[:, axis], probabilities


def _answers(n: int, low: float = -70.0, high: float = 80.0) -> Tensor:
    return torch.linspace(low, high, n, dtype=torch.float64)


def _any_axis(answers: int, colors: int, seed: int) -> tuple[Tensor, Tensor, Tensor, float]:
    values = torch.rand(answers + colors, generator=generator(seed), dtype=torch.float64) * 120 - 60
    share = torch.rand(colors, generator=generator(seed + 1), dtype=torch.float64) + 0.1
    return values[:answers], values[answers:], share / share.sum(), 8.0


FORCE = Exercise(
    "3.6",
    "The force on an answer",
    force,
    lambda: [
        # Between green (-37) and red (53) the two forces of 1 cancel; beyond red both pull back. By hand
        Case(
            "For an apple's a, answers 8, 52.5 and 60",
            (torch.tensor([8.0, 52.5, 60.0], dtype=torch.float64), *_axis("apple", 0), 1.0),
            torch.tensor([0.0, 0.25, 1.0], dtype=torch.float64),
        ),
        Case(
            "For a plum's a, answers 0 and 20",
            (torch.tensor([0.0, 20.0], dtype=torch.float64), *_axis("plum", 0), 1.0),
            torch.tensor([-1.0, -0.4], dtype=torch.float64),
        ),
        Case("For an apple's a and beta = 110", (_answers(7), *_axis("apple", 0), 110.0)),
        Case("For a balloon's b and beta = 20", (_answers(9), *_axis("balloon", 1), 20.0)),
        Case("For a roof's b and beta = 0.5", (_answers(31, -15.0, 40.0), *_axis("roof", 1), 0.5)),
        Case("For five colors and beta = 8", _any_axis(12, 5, 15)),
    ],
    outputs=("the force",),
)

EXERCISES = (L2, BEST, FLOOR, MEAN, SMOOTH, FORCE)
