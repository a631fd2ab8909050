"""Exercises of lesson 11, learning the loss: references and cases. The typical mistakes are in ``mistakes_11``."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .inputs import generator
from .judge import Case, Exercise

UNIT = 110.0  # ab units that are 1 in the L1 loss


def _random(*shape: int, seed: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(*shape, generator=generator(seed))


# 11.1 The discriminator's loss


def judge_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Half the mean of -ln D over true patches, and half that of -ln(1 - D) over made-up ones, from logits."""
    return (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2


JUDGE_LOSS = Exercise(
    "11.1",
    "The discriminator's loss",
    judge_loss,
    lambda: [
        Case(
            "For logits of 0, a discriminator that guesses",
            (torch.zeros(4), torch.zeros(4)),
            torch.tensor(math.log(2)),
        ),
        Case(
            "For one true patch with D = 0.8 and one made up with D = 0.4",
            (torch.tensor([0.8]).logit(), torch.tensor([0.4]).logit()),
            torch.tensor(-(math.log(0.8) + math.log(0.6)) / 2),
        ),
        Case(
            "For three true patches and two made up",
            (torch.tensor([2.0, -1.0, 0.5]), torch.tensor([-3.0, 1.5])),
        ),
        Case(
            "For logits of -200 and 200, sure and wrong about both",
            (torch.tensor([-200.0]), torch.tensor([200.0])),
            torch.tensor(200.0),
        ),
        Case(
            "For two maps of 3 x 3 patches",
            (_random(2, 1, 3, 3, seed=0), _random(2, 1, 3, 3, seed=1, scale=3)),
        ),
    ],
    outputs=("the loss",),
    trains=(0, 1),
)


# 11.2 The generator's loss


def painter_loss(fake: Tensor, made: Tensor, true: Tensor, weight: float = 100.0) -> Tensor:
    """Mean of -ln D over made-up patches, plus ``weight`` times L1 in units of 110."""
    return F.softplus(-fake).mean() + weight * (made - true).abs().mean() / UNIT


PAINTER_LOSS = Exercise(
    "11.2",
    "The generator's loss",
    painter_loss,
    lambda: [
        Case(
            "For patches with D = 0.25, and colors that are exact",
            (torch.tensor([0.25, 0.25]).logit(), torch.zeros(1, 2, 1, 1), torch.zeros(1, 2, 1, 1)),
            torch.tensor(math.log(4)),
        ),
        Case(
            "For a pixel that is 11 units off in a and 0 in b, and one patch with D = 0.5",
            (torch.zeros(1), torch.tensor([11.0, 0.0]).view(1, 2, 1, 1), torch.zeros(1, 2, 1, 1)),
            torch.tensor(math.log(2) + 5),
        ),
        Case(
            "For the same with a weight of 2.5",
            (torch.zeros(1), torch.tensor([11.0, 0.0]).view(1, 2, 1, 1), torch.zeros(1, 2, 1, 1), 2.5),
            torch.tensor(math.log(2) + 0.125),
        ),
        Case(
            "For two pictures of 4 x 5 pixels",
            (
                _random(2, 1, 3, 3, seed=2, scale=2),
                _random(2, 2, 4, 5, seed=4, scale=20),
                _random(2, 2, 4, 5, seed=3, scale=20),
            ),
        ),
        Case(
            "For a logit of -200, surely found out",
            (torch.tensor([-200.0]), torch.zeros(1, 2, 1, 1), torch.zeros(1, 2, 1, 1)),
            torch.tensor(200.0),
        ),
    ],
    outputs=("the loss",),
    trains=(0, 1),
)


# 11.3 The best discriminator


def best_judge(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    """Best answer D for each color, p / (p + q) or 1/2 where both are 0, and the loss of exercise 11.1 that it has."""
    both = p + q
    D = torch.where(both > 0, p / both.clamp(min=1e-30), 0.5)
    return D, -(torch.xlogy(p, D) + torch.xlogy(q, 1 - D)).sum() / 2


def _shares(k: int, seed: int) -> Tensor:
    return _random(k, seed=seed).softmax(dim=0)


BEST_JUDGE = Exercise(
    "11.3",
    "The best discriminator",
    best_judge,
    lambda: [
        Case(
            "For colors that are made up as often as they are true",
            (torch.tensor([0.5, 0.25, 0.25]), torch.tensor([0.5, 0.25, 0.25])),
            (torch.full((3,), 0.5), torch.tensor(math.log(2))),
        ),
        Case(
            "For two colors that are never made up as they are, and a third that is never true",
            (torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.0, 0.0, 1.0])),
            (torch.tensor([1.0, 1.0, 0.0]), torch.tensor(0.0)),
        ),
        Case("For five colors", (_shares(5, seed=5), _shares(5, seed=6))),
        Case(
            "For a painter that makes red alone, and a color that nobody has",
            (torch.tensor([0.5, 0.5, 0.0]), torch.tensor([1.0, 0.0, 0.0])),
            (torch.tensor([1 / 3, 1.0, 0.5]), torch.tensor((0.5 * math.log(3) + math.log(1.5)) / 2)),
        ),
    ],
    outputs=("D", "the loss"),
)


# 11.4 What a patch sees


def sees(strides: tuple[int, ...], pixels: int) -> tuple[int, int]:
    """Side of the square that one logit sees, and of the map of logits, for kernels of 4 with padding 1."""
    side, cells = 1, pixels
    for stride in reversed(strides):
        side = stride * (side - 1) + 4
    for stride in strides:
        cells = (cells - 2) // stride + 1
    return side, cells


def _layers(seed: int) -> tuple[tuple[int, ...], int]:
    """Strides 1, 2, 2 and 3 in any order, and the side of a picture that is large enough for them."""
    random = generator(seed)
    order = torch.randperm(4, generator=random).tolist()
    return tuple((1, 2, 2, 3)[k] for k in order), int(torch.randint(150, 300, (1,), generator=random))


SEES = Exercise(
    "11.4",
    "What a patch sees",
    sees,
    lambda: [
        Case("For one convolution of stride 1 and 10 pixels", ((1,), 10), (4, 9)),
        Case("For strides 2, 1 and 20 pixels", ((2, 1), 20), (10, 9)),
        Case("For strides 1, 2 and 20 pixels", ((1, 2), 20), (7, 9)),
        Case("For strides 2, 2, 1, 1 and 64 pixels", ((2, 2, 1, 1), 64), (34, 14)),
        Case("For the same and 16 pixels, fewer than a patch has", ((2, 2, 1, 1), 16), (34, 2)),
        Case("For strides 2, 2, 2, 1, 1 and 256 pixels", ((2, 2, 2, 1, 1), 256), (70, 30)),
        Case("For four other strides", _layers(seed=9)),
    ],
    outputs=("the side of the square", "the side of the map"),
)


# 11.5 Alone and together


def likeliest(joint: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    """Color of the likeliest a and the likeliest b, each by itself, and of the likeliest pair."""
    K = len(centers)
    a, b = joint.sum(dim=1).argmax(), joint.sum(dim=0).argmax()
    pair = joint.argmax()
    return torch.stack((centers[a], centers[b])), torch.stack((centers[pair // K], centers[pair % K]))


def _colors(*colors: tuple[int, int, float]) -> Tensor:
    """Probabilities of 10 x 10 bins, a down and b to the right, from (bin of a, bin of b, probability)."""
    joint = torch.zeros(10, 10)
    for i, j, p in colors:
        joint[i, j] += p
    return joint


_CENTERS = torch.arange(-90.0, 91.0, 20.0)

LIKELIEST = Exercise(
    "11.5",
    "Alone and together",
    likeliest,
    lambda: [
        Case(
            "For one color, a = 50 and b = -30",
            (_colors((7, 3, 1.0)), _CENTERS),
            (torch.tensor([50.0, -30.0]), torch.tensor([50.0, -30.0])),
        ),
        Case(
            "For (50, 30) with 0.4, and (-30, 10) and (-30, -50) with 0.3 each",
            (_colors((7, 6, 0.4), (3, 5, 0.3), (3, 2, 0.3)), _CENTERS),
            (torch.tensor([-30.0, 30.0]), torch.tensor([50.0, 30.0])),
        ),
        Case(
            "For (-70, -10) with 0.34, and (10, 50), (50, 50) and (90, 50) with 0.22 each",
            (_colors((1, 4, 0.34), (5, 7, 0.22), (7, 7, 0.22), (9, 7, 0.22)), _CENTERS),
            (torch.tensor([-70.0, 50.0]), torch.tensor([-70.0, -10.0])),
        ),
        Case(
            "For random probabilities and 7 bins of other widths",
            (
                _random(49, seed=7, scale=2).softmax(dim=0).view(7, 7),
                _random(7, seed=8, scale=40).sort().values,
            ),
        ),
    ],
    outputs=("the color of the likeliest bins", "the color of the likeliest pair"),
)

EXERCISES = (JUDGE_LOSS, PAINTER_LOSS, BEST_JUDGE, SEES, LIKELIEST)
