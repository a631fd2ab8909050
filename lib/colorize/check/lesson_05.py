"""Exercises of lesson 5, rare colors: references and cases. The typical mistakes are in ``mistakes_05``."""

import torch
from torch import Tensor

from ..bins import gamut_bins, nearest_bin
from .inputs import generator
from .judge import Case, Exercise, Wrong

BINS = 313


def _prior(n: int, seed: int) -> Tensor:
    """(n,) shares that differ by orders of magnitude, sum 1."""
    return (3 * torch.randn(n, generator=generator(seed))).softmax(dim=0)


def _must_sum_to_one(result, case: Case) -> None:
    total = torch.as_tensor(result).double().sum().item()
    if abs(total - 1) > 1e-4:
        raise Wrong(f"your shares sum to {total:.4g}, not to 1.")


# 5.1 Count the colors


def color_prior(ab: Tensor) -> Tensor:
    """Share of each bin among all pixels: by comparing the bin numbers of the pixels with all numbers."""
    number = nearest_bin(ab).flatten()
    return (number[:, None] == torch.arange(BINS)).double().mean(dim=0)


def _picture(*colors: tuple[float, float]) -> Tensor:
    """One row of pixels, (1, 2, 1, n)."""
    return torch.tensor(colors).T.reshape(1, 2, 1, -1)


def _three_quarters_gray() -> Tensor:
    shares = torch.zeros(BINS)
    shares[[120, 139]] = torch.tensor([0.75, 0.25])  # the bins of (0, 0) and (10, 0)
    return shares


def _ab(n: int, seed: int) -> Tensor:
    """(n, 2, 5, 8), more of them near gray than far."""
    return torch.randn(n, 2, 5, 8, generator=generator(seed)) * torch.tensor([22.0, 30.0]).view(2, 1, 1) + 3


COUNT = Exercise(
    "5.1",
    "Count the colors",
    color_prior,
    lambda: [
        Case(
            "For three gray pixels and one of (11, 1)",
            (_picture((0.0, 0.0), (2.0, -3.0), (-4.0, 4.0), (11.0, 1.0)),),
            _three_quarters_gray(),
        ),
        Case("For one picture of 40 pixels", (_ab(1, 0),)),
        Case("For a batch of three pictures", (_ab(3, 1),)),
    ],
    outputs=("the prior",),
    inspect=_must_sum_to_one,
)


# 5.2 Smooth in the plane


def gaussian(centers: Tensor, sigma: float) -> Tensor:
    """Gaussian of the distance between all pairs of centers: (Q, 2) -> (Q, Q)."""
    return torch.exp(-torch.cdist(centers, centers).square() / (2 * sigma**2))


def smooth_prior(prior: Tensor, centers: Tensor, sigma: float = 5.0) -> Tensor:
    """Spread the share of each bin over the plane; each row of the table of shares sums to 1."""
    spread = gaussian(centers, sigma)
    return prior @ (spread / spread.sum(dim=1, keepdim=True))


def _two_bins() -> tuple[Tensor, Tensor]:
    return torch.tensor([1.0, 0.0]), torch.tensor([[0.0, 0.0], [10.0, 0.0]])


def _at(number: int) -> Tensor:
    return torch.nn.functional.one_hot(torch.tensor(number), BINS).float()


SMOOTH = Exercise(
    "5.2",
    "Smooth in the plane",
    smooth_prior,
    lambda: [
        # The weights of the distances 0 and 10 are 1 and exp(-100 / 50) = 0.1353: by hand.
        Case(
            "For two bins, 10 apart, and everything in the first",
            (*_two_bins(), 5.0),
            torch.tensor([1 / 1.1353353, 0.1353353 / 1.1353353]),
        ),
        Case("For everything in (-10, 100), at the rim", (_at(112), gamut_bins(), 5.0)),
        Case("For a prior over 313 bins", (_prior(BINS, 0), gamut_bins(), 5.0)),
        Case("For sigma 12", (_prior(BINS, 1), gamut_bins(), 12.0)),
        Case("For seven bins at random places", (_prior(7, 2), _ab(1, 3).flatten(2)[0, :, :7].T, 20.0)),
    ],
    outputs=("the smoothed prior",),
    tolerance=1e-5,
    inspect=_must_sum_to_one,
)


# 5.3 How much a rare color counts


def mixed(prior: Tensor, lam: float) -> Tensor:
    """Prior and equal shares, mixed."""
    return prior + lam * (1 / len(prior) - prior)


def rebalancing_weights(prior: Tensor, lam: float = 0.5) -> Tensor:
    """One over the mixture, scaled to an expected weight of 1."""
    weight = 1 / mixed(prior, lam)
    return weight / (prior * weight).sum()


def _expected_weight(result, case: Case) -> None:
    weight = torch.as_tensor(result).double()
    if weight.shape == case.args[0].shape:
        expected = (case.args[0].double() * weight).sum().item()
        if abs(expected - 1) > 1e-3:
            raise Wrong(f"the expected weight, the sum of p times w, is {expected:.4g}. It should be 1.")


WEIGHTS = Exercise(
    "5.3",
    "How much a rare color counts",
    rebalancing_weights,
    lambda: [
        # 1 / (0.45 + 0.25) and 1 / (0.05 + 0.25), divided by 0.9 / 0.7 + 0.1 / 0.3: by hand
        Case(
            "For shares of 0.9 and 0.1 and lambda 1/2",
            (torch.tensor([0.9, 0.1]), 0.5),
            torch.tensor([1 / 0.7, 1 / 0.3]) / (0.9 / 0.7 + 0.1 / 0.3),
        ),
        Case("For lambda 1", (_prior(6, 3), 1.0), torch.ones(6)),
        Case("For lambda 1/4 and six colors", (_prior(6, 4), 0.25)),
        Case("For a color that never occurs", (torch.tensor([0.7, 0.3, 0.0]), 0.5)),
        Case("For 313 bins and lambda 3/4", (_prior(BINS, 5), 0.75)),
    ],
    outputs=("the weight",),
    inspect=_expected_weight,
)


# 5.4 The gradient of a pixel that counts


def pixel_weights(target: Tensor, bin_weight: Tensor) -> Tensor:
    """Weight of each pixel, by its nearest bin: (M, Q), (Q,) -> (M, 1)."""
    return bin_weight[target.argmax(dim=1)].unsqueeze(1)


def errors(logits: Tensor, target: Tensor) -> Tensor:
    """Gradient of the cross-entropy of each pixel with respect to its logits."""
    return logits.softmax(dim=1) - target


def weighted_gradient(logits: Tensor, target: Tensor, bin_weight: Tensor) -> Tensor:
    """Gradient of the mean weighted cross-entropy, by PyTorch."""
    with torch.enable_grad():
        z = logits.detach().clone().requires_grad_()
        loss = -(target * z.log_softmax(dim=1)).sum(dim=1)
        (gradient,) = torch.autograd.grad((loss * bin_weight[target.argmax(dim=1)]).mean(), z)
    return gradient


def _pixels(m: int, q: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, soft targets and bin weights, with no two largest numbers alike."""
    random = generator(seed)
    logits = 2 * torch.randn(m, q, generator=random)
    target = (3 * torch.randn(m, q, generator=random)).softmax(dim=1)
    return logits, target, 0.2 + 5 * torch.rand(q, generator=random)


GRADIENT = Exercise(
    "5.4",
    "The gradient of a pixel that counts",
    weighted_gradient,
    lambda: [
        # softmax is (1/2, 1/2) in both pixels; the weights are 3 and 1, the mean is over two: by hand
        Case(
            "For two pixels and two bins, logits 0, weights 3 and 1",
            (torch.zeros(2, 2), torch.tensor([[1.0, 0.0], [0.2, 0.8]]), torch.tensor([3.0, 1.0])),
            torch.tensor([[-0.75, 0.75], [0.15, -0.15]]),
        ),
        Case("For 6 pixels and 4 bins", _pixels(6, 4, 6)),
        Case("For 5 pixels and 5 bins", _pixels(5, 5, 7)),
        Case("For equal weights", (*_pixels(4, 7, 8)[:2], torch.ones(7))),
    ],
    outputs=("the gradient",),
    tolerance=1e-5,
)


# 5.5 What a rebalanced network believes


def rebalanced(probabilities: Tensor, weights: Tensor) -> Tensor:
    """Probability of each color after each counts with its weight."""
    counted = torch.einsum("k,k->k", probabilities, weights)
    return counted / counted.sum()


BELIEF = Exercise(
    "5.5",
    "What a rebalanced network believes",
    rebalanced,
    lambda: [
        # 0.8 and 0.2 * 12 = 2.4, of 3.2: by hand
        Case(
            "For 0.8 with weight 1 and 0.2 with weight 12",
            (torch.tensor([0.8, 0.2]), torch.tensor([1.0, 12.0])),
            torch.tensor([0.25, 0.75]),
        ),
        Case("For one certain color", (torch.tensor([1.0]), torch.tensor([9.0])), torch.tensor([1.0])),
        Case("For equal weights", (torch.tensor([0.5, 0.3, 0.2]), torch.full((3,), 4.0))),
        Case("For five colors", (_prior(5, 9), 0.2 + 5 * torch.rand(5, generator=generator(10)))),
    ],
    outputs=("the probability",),
    inspect=_must_sum_to_one,
)

EXERCISES = (COUNT, SMOOTH, WEIGHTS, GRADIENT, BELIEF)
