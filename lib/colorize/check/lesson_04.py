"""Exercises of lesson 4, classification: references and cases. The typical mistakes are in ``mistakes_04``."""

import math

import torch
from torch import Tensor

from ..bins import soft_encode
from .inputs import generator
from .judge import Case, Exercise, Wrong

BINS = 313


def _random(*shape: int, seed: int, spread: float = 2.0) -> Tensor:
    return spread * torch.randn(*shape, generator=generator(seed))


def _codes(colors: int, seed: int) -> tuple[Tensor, Tensor]:
    """Soft codes of random colors, (colors, 5) each."""
    index, weight = soft_encode(_random(1, 2, colors, 1, seed=seed, spread=25.0))
    return index[0, :, :, 0].T.contiguous(), weight[0, :, :, 0].T.contiguous()


# 4.1 From scores to logarithms of probabilities


def log_softmax(logits: Tensor) -> Tensor:
    """Logarithms of the softmax over the bins, whatever the size of the logits."""
    return logits - torch.logsumexp(logits, dim=1, keepdim=True)


def _sums_to_one(result: Tensor, case: Case) -> None:
    sums = torch.as_tensor(result).double().exp().sum(dim=1)
    worst = int((sums - 1).abs().argmax())
    if not abs(sums[worst] - 1) < 1e-3:
        raise Wrong(f"the probabilities of pixel {worst} sum to {sums[worst]:.4g}, not to 1.")


LOG_SOFTMAX = Exercise(
    "4.1",
    "A softmax that survives",
    log_softmax,
    lambda: [
        Case(
            "For the logits 0 and ln 3, whose probabilities are 1/4 and 3/4",
            (torch.tensor([[0.0, math.log(3)]]),),
            torch.tensor([[0.25, 0.75]]).log(),
        ),
        Case("For 6 pixels and 5 bins", (_random(6, 5, seed=0),)),
        Case("For one pixel with logits near 1000", (1000 + _random(1, 4, seed=1),)),
        Case("For one pixel with logits near -1000", (_random(1, 4, seed=2) - 1000,)),
        Case(
            "For logits 0 and -200",
            (torch.tensor([[0.0, -200.0]]),),
            torch.tensor([[0.0, -200.0]]),
        ),
        Case(
            "For two pixels, one near 1000 and one near -1000",
            (_random(2, 4, seed=3) + torch.tensor([[1000.0], [-1000.0]]),),
        ),
    ],
    outputs=("the log-probability",),
    inspect=_sums_to_one,
)


# 4.2 The price of an answer


def soft_cross_entropy(logits: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Mean over the pixels of the cross-entropy against soft codes."""
    dense = torch.zeros_like(logits).scatter_(1, index, weight)
    return -(dense * log_softmax(logits)).sum(dim=1).mean()


def _two_pixels() -> tuple[Tensor, Tensor, Tensor]:
    """Probabilities 1/8, 7/8 and 1/2, 1/2: the codes are all of bin 0, and half and half."""
    logits = torch.tensor([[1 / 8, 7 / 8], [1 / 2, 1 / 2]]).log()
    return logits, torch.tensor([[0, 1], [1, 0]]), torch.tensor([[1.0, 0.0], [0.5, 0.5]])


CROSS_ENTROPY = Exercise(
    "4.2",
    "The price of an answer",
    soft_cross_entropy,
    lambda: [
        Case(
            "For logits that are all 0, where the price is ln 313",
            (torch.zeros(4, BINS), *_codes(4, seed=4)),
            torch.tensor(math.log(BINS)),
        ),
        # ln 8 for the first pixel, ln 2 for the second: their mean is 2 ln 2
        Case(
            "For two pixels that pay ln 8 and ln 2",
            _two_pixels(),
            torch.tensor((math.log(8) + math.log(2)) / 2),
        ),
        Case("For 7 pixels", (_random(7, BINS, seed=5), *_codes(7, seed=6))),
        Case("For 3 pixels with logits near 1000", (1000 + _random(3, BINS, seed=16), *_codes(3, seed=17))),
    ],
    outputs=("the loss",),
    trains=(0,),
)


# 4.3 What the gradient says


def gradient(logits: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Gradient of each pixel's cross-entropy with respect to its logits: softmax minus code."""
    code = torch.zeros_like(logits).scatter_(1, index, weight)
    return log_softmax(logits).exp() - code


def _sums_to_zero(result: Tensor, case: Case) -> None:
    sums = torch.as_tensor(result).double().sum(dim=1)
    if sums.abs().max() > 1e-3:
        worst = int(sums.abs().argmax())
        raise Wrong(
            f"the row of pixel {worst} sums to {sums[worst]:.3g}. It must sum to 0: softmax and code both sum to 1."
        )


GRADIENT = Exercise(
    "4.3",
    "What the gradient says",
    gradient,
    lambda: [
        Case(
            "For four bins at 1/4 each and a code of 0.7 on bin 2 and 0.3 on bin 0",
            (torch.zeros(1, 4), torch.tensor([[2, 0]]), torch.tensor([[0.7, 0.3]])),
            torch.tensor([[-0.05, 0.25, -0.45, 0.25]]),
        ),
        Case("For 5 pixels", (_random(5, BINS, seed=7), *_codes(5, seed=8))),
        Case("For 6 pixels and 2 of 9 bins", (_random(6, 9, seed=9), *_few(6, 9, seed=10))),
        Case("For 2 pixels with logits near 1000", (1000 + _random(2, 9, seed=18), *_few(2, 9, seed=19))),
    ],
    outputs=("the gradient",),
    inspect=_sums_to_zero,
)


def _few(pixels: int, bins: int, seed: int) -> tuple[Tensor, Tensor]:
    """Codes over 2 of a few bins: index, weight (pixels, 2)."""
    random = generator(seed)
    index = torch.stack([torch.randperm(bins, generator=random)[:2] for _ in range(pixels)])
    share = 0.5 + 0.4 * torch.rand(pixels, 1, generator=random)
    return index, torch.cat((share, 1 - share), dim=1)


# 4.4 The best answer there is


def best_answer(index: Tensor, weight: Tensor, probabilities: Tensor, bins: int = BINS) -> Tensor:
    """Mean of the codes of a palette, each weighed with its color's probability."""
    codes = torch.zeros(len(index), bins).scatter_(1, index, weight)
    return (probabilities[:, None] * codes).sum(dim=0)


def _palette(*colors: tuple[float, float]) -> tuple[Tensor, Tensor]:
    index, weight = soft_encode(torch.tensor(colors).T[None, :, :, None])
    return index[0, :, :, 0].T.contiguous(), weight[0, :, :, 0].T.contiguous()


def _says_sum(result: Tensor, case: Case) -> None:
    total = torch.as_tensor(result).double().sum().item()
    if abs(total - 1) > 1e-3:
        raise Wrong(f"your distribution sums to {total:.3g}, not to 1.")


BEST = Exercise(
    "4.4",
    "The best answer there is",
    best_answer,
    lambda: [
        Case(
            "For two colors at 3/4 and 1/4, with the codes (0.6 of bin 1, 0.4 of bin 2) and (all of bin 2)",
            (
                torch.tensor([[1, 2], [2, 0]]),
                torch.tensor([[0.6, 0.4], [1.0, 0.0]]),
                torch.tensor([0.75, 0.25]),
                4,
            ),
            torch.tensor([0.0, 0.45, 0.55, 0.0]),
        ),
        Case(
            "For an apple, red or green",
            (*_palette((53, 38), (-37, 38)), torch.tensor([0.5, 0.5]), BINS),
        ),
        Case(
            "For three colors, two of them neighbors",
            (*_palette((13, 8), (22, 9), (-40, 31)), torch.tensor([0.5, 0.3, 0.2]), BINS),
        ),
        Case("For six colors", (*_codes(6, seed=30), _random(6, seed=31).softmax(dim=0), BINS)),
    ],
    outputs=("the distribution",),
    inspect=_says_sum,
)


# 4.5 Ten bins on each axis


def axis_bins(ab: Tensor, bins: int = 10) -> Tensor:
    """Number of the bin of equal width, -100 to 100 on each axis; what lies outside goes to the first or last bin."""
    edges = torch.linspace(-100, 100, bins + 1, dtype=torch.float64)[1:-1]
    return torch.bucketize(ab.double().contiguous(), edges, right=True)


def _off_edges(*shape: int, seed: int) -> Tensor:
    """Colors that lie clearly inside a bin, for 10, 30 and 50 bins."""
    width = 200 / 150  # every edge of the three grids is a multiple of this, counted from -100
    cells = torch.randint(-4, 154, shape, generator=generator(seed))
    return (cells + 0.5) * width - 100


AXIS = Exercise(
    "4.5",
    "Ten bins on each axis",
    axis_bins,
    lambda: [
        Case(
            "For the plum's (33, -28) and (7, 42)",
            (torch.tensor([[33.0, -28.0], [7.0, 42.0]]), 10),
            torch.tensor([[6, 3], [5, 7]]),
        ),
        Case(
            "For a = -120 and b = 104, outside the range",
            (torch.tensor([[-120.0, 104.0]]), 10),
            torch.tensor([[0, 9]]),
        ),
        Case(
            "For 0, 20 and 100, which lie on borders",
            (torch.tensor([0.0, 20.0, 100.0]), 10),
            torch.tensor([5, 6, 9]),
        ),
        Case("For 40 colors", (_off_edges(40, 2, seed=11), 10)),
        Case("For 40 colors and 30 bins", (_off_edges(40, 2, seed=12), 30)),
        Case("For a picture, (1, 2, 4, 5), and 50 bins", (_off_edges(1, 2, 4, 5, seed=13), 50)),
    ],
    outputs=("the bin number",),
)


# 4.6 Two answers, each by itself


def separate(joint: Tensor) -> Tensor:
    """Probabilities of the pairs when a and b are drawn each from its own marginal."""
    return torch.outer(joint.sum(dim=1), joint.sum(dim=0))


def _joint(rows: int, columns: int, seed: int) -> Tensor:
    return torch.softmax(_random(rows * columns, seed=seed), dim=0).view(rows, columns)


SEPARATE = Exercise(
    "4.6",
    "Two answers, each by itself",
    separate,
    lambda: [
        Case(
            "For a plum, 0.7 and 0.3 on the diagonal",
            (torch.tensor([[0.7, 0.0], [0.0, 0.3]]),),
            torch.tensor([[0.49, 0.21], [0.21, 0.09]]),
        ),
        Case(
            "For an a and a b that have nothing to do with each other",
            (torch.tensor([[0.06, 0.14], [0.24, 0.56]]),),
            torch.tensor([[0.06, 0.14], [0.24, 0.56]]),
        ),
        Case("For 4 bins of a and 3 of b", (_joint(4, 3, seed=14),)),
        Case("For 5 bins each", (_joint(5, 5, seed=15),)),
    ],
    outputs=("the probability",),
    inspect=_says_sum,
)

EXERCISES = (LOG_SOFTMAX, CROSS_ENTROPY, GRADIENT, BEST, AXIS, SEPARATE)
