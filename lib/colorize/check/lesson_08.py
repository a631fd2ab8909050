"""Exercises of lesson 8, how good is it: references and cases. The typical mistakes are in ``mistakes_08``."""

import math

import torch
from torch import Tensor

from .inputs import generator
from .judge import Case, Exercise

CAP = 58.92  # dB, what rounding to 8 bits alone costs: metrics.PSNR_CAP


def _random(*shape: int, seed: int) -> Tensor:
    return torch.rand(*shape, generator=generator(seed))


def _numbers(high: int, *shape: int, seed: int) -> Tensor:
    return torch.randint(high, shape, generator=generator(seed))


# 8.1 The area under the curve


def auc_by_hand(distance: Tensor) -> tuple[Tensor, Tensor]:
    """Share of pixels within 0, 1, ..., 150 units of the truth, (151,), and the area below it as a share of all."""
    curve = (distance[:, None] <= torch.arange(151)).float().mean(dim=0)
    return curve, torch.trapezoid(curve) / 150


def _step(at: int) -> Tensor:
    """The curve of pixels that are all ``at`` units off."""
    return (torch.arange(151) >= at).float()


AUC = Exercise(
    "8.1",
    "The area under the curve",
    auc_by_hand,
    lambda: [
        Case("For one pixel, 50 units off", (torch.tensor([50.0]),), (_step(50), torch.tensor(100.5 / 150))),
        Case(
            "For two pixels, 0 and 200 units off",
            (torch.tensor([0.0, 200.0]),),
            (torch.full((151,), 0.5), torch.tensor(0.5)),
        ),
        Case("For 1,000 pixels", (300 * _random(1000, seed=0) ** 2,)),
    ],
    outputs=("the curve", "the area"),
)


# 8.2 What a pixel weighs


def rarity(bin_number: Tensor) -> Tensor:
    """One over the share of each pixel's bin among all pixels."""
    share = torch.bincount(bin_number.flatten(), minlength=313) / bin_number.numel()
    return 1 / share[bin_number]


RARITY = Exercise(
    "8.2",
    "What a pixel weighs",
    rarity,
    lambda: [
        Case(
            "For one photo of four pixels, three in bin 5 and one in bin 9",
            (torch.tensor([[[5, 5], [5, 9]]]),),
            torch.tensor([[[4 / 3, 4 / 3], [4 / 3, 4.0]]]),
        ),
        Case(
            "For two photos of two pixels, bins 5, 5 and 5, 312",
            (torch.tensor([[[5, 5]], [[5, 312]]]),),
            torch.tensor([[[4 / 3, 4 / 3]], [[4 / 3, 4.0]]]),
        ),
        Case("For three photos", (_numbers(40, 3, 8, 6, seed=1).square() // 6,)),
    ],
    # A common factor changes no AuC: any scale is right. The message says in which one the numbers are compared.
    outputs=("the weight divided by the mean weight",),
    sort=lambda weight: weight / weight.mean(),
)


# 8.3 PSNR


def psnr(pred_rgb: Tensor, true_rgb: Tensor, cap: float = CAP) -> Tensor:
    """PSNR of each picture in dB, at most ``cap``; pictures of 8 bits count from 0 to 1."""
    pair = [x.float() / 255 if x.dtype == torch.uint8 else x for x in (pred_rgb, true_rgb)]
    squares = (pair[0] - pair[1]).square().mean(dim=(1, 2, 3))
    return (-10 * squares.log10()).clamp(max=cap)


def _bytes(*shape: int, seed: int) -> Tensor:
    return _numbers(256, *shape, seed=seed).to(torch.uint8)


def _near(seed: int) -> tuple[Tensor, Tensor]:
    """Two pictures of 8 bits, the second a little darker here and lighter there."""
    one = _bytes(2, 3, 4, 5, seed=seed)
    other = (one.int() + _numbers(41, 2, 3, 4, 5, seed=seed + 1) - 20).clamp(0, 255).to(torch.uint8)
    return one, other


PSNR = Exercise(
    "8.3",
    "PSNR",
    psnr,
    lambda: [
        Case(
            "For a picture whose values are all 0.1 too large",
            (torch.full((1, 3, 2, 2), 0.6), torch.full((1, 3, 2, 2), 0.5)),
            torch.tensor([20.0]),
        ),
        Case(
            "For a picture of 8 bits, 10 everywhere where 0 is right, and one that is right",
            (
                torch.stack((torch.full((3, 2, 2), 10), torch.full((3, 2, 2), 7))).to(torch.uint8),
                torch.stack((torch.full((3, 2, 2), 0), torch.full((3, 2, 2), 7))).to(torch.uint8),
            ),
            torch.tensor([20 * math.log10(25.5), CAP]),
        ),
        Case("For three random pictures", (_random(3, 3, 4, 5, seed=2), _random(3, 3, 4, 5, seed=3))),
        Case("For two pictures of 8 bits", _near(seed=4)),
        Case(
            "For a picture of 8 bits, 1 everywhere where 0 is right",
            (torch.ones(1, 3, 2, 2, dtype=torch.uint8), torch.zeros(1, 3, 2, 2, dtype=torch.uint8)),
            torch.tensor([20 * math.log10(255)]),
        ),
        Case(
            "For a cap of 30 dB and values that are 0.1 and 0.0001 too large",
            (
                torch.stack((torch.full((3, 2, 2), 0.1), torch.full((3, 2, 2), 0.0001))),
                torch.zeros(2, 3, 2, 2),
                30.0,
            ),
            torch.tensor([20.0, 30.0]),
        ),
        Case(
            "For values that are 0.0001 too large, which would be 80 dB",
            (torch.full((1, 3, 2, 2), 0.0001), torch.zeros(1, 3, 2, 2)),
            torch.tensor([CAP]),
        ),
    ],
    outputs=("the PSNR",),
)


# 8.4 Is a difference real


def interval(one: Tensor, other: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
    """Where 95 % of the resampled mean differences of two methods lie."""
    means = (one - other)[drawn].mean(dim=1)
    return means.quantile(0.025), means.quantile(0.975)


def _photos(n: int, draws: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Two methods on photos that are easy or hard for both, and photos drawn with replacement."""
    hard = 20 * _random(n, seed=seed)
    ahead = 0.8 + 2 * _random(n, seed=seed + 1) ** 2
    return 90 - hard + ahead, 90 - hard, _numbers(n, draws, n, seed=seed + 2)


def _behind(n: int, draws: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """The same, but the second method is ahead."""
    ahead, other, drawn = _photos(n, draws, seed)
    return other, ahead, drawn


INTERVAL = Exercise(
    "8.4",
    "Is a difference real?",
    interval,
    lambda: [
        Case(
            "For a method that is 2 ahead on each of three photos",
            (
                torch.tensor([5.0, 7.0, 9.0]),
                torch.tensor([3.0, 5.0, 7.0]),
                torch.tensor([[0, 0, 1], [2, 1, 0], [2, 2, 2]]),
            ),
            (torch.tensor(2.0), torch.tensor(2.0)),
        ),
        Case(
            "For differences of 0 and 4, and five draws of two photos with the means 0, 0, 2, 2, 4",
            (
                torch.tensor([3.0, 9.0]),
                torch.tensor([3.0, 5.0]),
                torch.tensor([[0, 0], [1, 0], [0, 0], [0, 1], [1, 1]]),
            ),
            # Between five values lie four steps; 0.975 of them end nine tenths of the way from the fourth to the fifth.
            (torch.tensor(0.0), torch.tensor(3.8)),
        ),
        Case("For 30 photos and 500 draws", _photos(30, 500, seed=10)),
        Case("For 20 photos on which the first method is behind", _behind(20, 200, seed=20)),
    ],
    outputs=("the lower end", "the upper end"),
)


# 8.5 How often was a person fooled


def fooling(practice: Tensor, fooled: Tensor, z: float = 1.96) -> tuple[float, float, float]:
    """Fooling rate of the trials that are no practice, with Wilson's interval."""
    counted = fooled[~practice].double()
    n, k = len(counted), counted.sum().item()
    middle, half = k + z**2 / 2, z * math.sqrt(k * (n - k) / n + z**2 / 4)
    return k / n, (middle - half) / (n + z**2), (middle + half) / (n + z**2)


def _answers(practice: int, tests: int, fooled: int) -> tuple[Tensor, Tensor]:
    """Some practice trials, the first half of which fooled, then the tests."""
    answers = [k < practice // 2 for k in range(practice)] + [k % tests < fooled for k in range(tests)]
    return torch.tensor([k < practice for k in range(practice + tests)]), torch.tensor(answers)


def _two_players(fooled: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The trials of two people, one after the other, each with practice first."""
    first, second = zip(*(_answers(4, 20, k) for k in fooled), strict=True)
    return torch.cat(first), torch.cat(second)


FOOLING = Exercise(
    "8.5",
    "How often was a person fooled?",
    fooling,
    lambda: [
        # k = n / 2: the ends are 1/2 -+ z / (2 sqrt(n + z^2)). No case has k = 0: there max(0, low) is the whole number 0.
        Case(
            "For 4 practice trials and 40 others, of which 20 fooled",
            _answers(4, 40, 20),
            (0.5, 0.5 - 0.98 / math.sqrt(40 + 1.96**2), 0.5 + 0.98 / math.sqrt(40 + 1.96**2)),
        ),
        Case("For 4 practice trials and 40 others, of which 1 fooled", _answers(4, 40, 1)),
        Case("For 10 practice trials and 40 others, of which 13 fooled", _answers(10, 40, 13)),
        Case("For 2 practice trials and 8 others, of which 5 fooled", _answers(2, 8, 5)),
        Case("For two people in a row, each with 4 practice trials and 20 others", _two_players((3, 9))),
        Case("For 60 trials in any order", (_random(60, seed=40) < 0.2, _random(60, seed=41) < 0.4)),
    ],
    outputs=("the rate", "the lower end", "the upper end"),
)


# 8.6 What recoloring confuses


def added(recolored: Tensor, true: Tensor) -> Tensor:
    """Percentage points by which each wrong answer became more frequent, 0 on the diagonal."""
    shares = [100 * counts.double() / counts.sum(dim=1, keepdim=True) for counts in (recolored, true)]
    return (shares[0] - shares[1]) * (1 - torch.eye(len(true)))


def _counts(seed: int) -> tuple[Tensor, Tensor]:
    """Two confusions of the same pictures: 20, 30, 40 and 50 of four classes."""
    found = []
    for k in range(2):
        random = generator(seed + k)
        rows = [
            torch.bincount(
                torch.multinomial(torch.eye(4)[c] + 0.2, 20 + 10 * c, replacement=True, generator=random),
                minlength=4,
            )
            for c in range(4)
        ]
        found.append(torch.stack(rows))
    return found[0], found[1]


ADDED = Exercise(
    "8.6",
    "What recoloring confuses",
    added,
    lambda: [
        Case(
            "For 10 apples, of which 3 instead of 1 are called lemons, and 4 lemons, of which 1 is called an apple",
            (torch.tensor([[7, 3], [1, 3]]), torch.tensor([[9, 1], [0, 4]])),
            torch.tensor([[0.0, 20.0], [25.0, 0.0]], dtype=torch.float64),
        ),
        Case("For four classes", _counts(seed=20)),
        Case("For four other classes", _counts(seed=30)),
    ],
    outputs=("the table",),
)

EXERCISES = (AUC, RARITY, PSNR, INTERVAL, FOOLING, ADDED)
