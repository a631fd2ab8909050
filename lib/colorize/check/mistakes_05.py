"""Typical mistakes in lesson 5, each with the message it gets."""

import torch
from torch import Tensor

from ..bins import nearest_bin
from .lesson_05 import BINS, errors, gaussian, mixed, pixel_weights, rebalanced, weighted_gradient


def _count(ab: Tensor) -> Tensor:
    return torch.bincount(nearest_bin(ab).flatten(), minlength=BINS).double()


def _along_the_list(prior: Tensor, _centers: Tensor, sigma: float) -> Tensor:
    """Spread over the neighbors in the list, one bin taken as 10 units."""
    number = 10.0 * torch.arange(len(prior))
    spread = torch.exp(-(number[:, None] - number).square() / (2 * sigma**2))
    return prior @ (spread / spread.sum(dim=1, keepdim=True))


def _normalized(prior: Tensor, exponent: Tensor) -> Tensor:
    return prior @ exponent.softmax(dim=1)


MISTAKES = {
    "5.1": (
        (_count, "You return the counts. Divide them by their sum: a prior sums to 1."),
        (
            lambda ab: torch.bincount(nearest_bin(ab).flatten()).double() / (ab.numel() // 2),
            "Your list ends with the last bin that occurs. `minlength=313` keeps the empty bins after it.",
        ),
        (
            lambda ab: _count(ab) / ab[0, 0].numel(),
            "You divide by the pixels of one picture. Divide by those of the whole batch.",
        ),
        (
            lambda ab: _count(ab) / ab.numel(),
            "You divide by the number of values, and each pixel has two, a and b: your shares sum to 1/2.",
        ),
        (
            lambda ab: _count(ab) / _count(ab).max(),
            "You divide by the largest count. Divide by the sum of all counts.",
        ),
        (
            lambda ab: (_count(ab) > 0).double() / (_count(ab) > 0).sum(),
            "Every color that occurs gets the same share from you. Count its pixels.",
        ),
        (
            lambda ab: _count(ab.flip(1)) / (ab.numel() // 2),
            "a and b are swapped: the colors have come to other bins.",
        ),
    ),
    "5.2": (
        (
            lambda prior, centers, sigma: prior @ gaussian(centers, sigma),
            "Mass has appeared from nowhere: what one bin keeps and gives away must sum to 1. Divide "
            "each row of the Gaussian by its sum.",
        ),
        (
            lambda prior, centers, sigma: prior @ gaussian(centers, sigma).softmax(dim=1),
            "The softmax takes the exponential itself. Give it the exponent, -d² / (2 sigma²).",
        ),
        (
            lambda prior, centers, sigma: (
                (prior @ gaussian(centers, sigma)) / (prior @ gaussian(centers, sigma)).sum()
            ),
            "You repair the sum at the end. So bins at the rim, with few neighbors, lose a part of "
            "their share to all others. Divide each row of the Gaussian by its own sum.",
        ),
        (
            lambda prior, centers, sigma: (
                (gaussian(centers, sigma) / gaussian(centers, sigma).sum(dim=1, keepdim=True)) @ prior
            ),
            "You normalize what a bin receives, not what it gives: wrong at the rim, where mass is lost "
            "or made. Each row says where the mass of one bin goes: `prior @ table`, rows summing to 1.",
        ),
        (
            _along_the_list,
            "You smooth along the list of bins. That two bins follow one another in it means nothing: "
            "after (-10, 100) comes (0, -70). Use the distances between the centers.",
        ),
        (
            lambda prior, centers, sigma: _normalized(prior, -torch.cdist(centers, centers) / (2 * sigma**2)),
            "The distance is not squared in the exponent: -d² / (2 sigma²).",
        ),
        (
            lambda prior, centers, sigma: _normalized(
                prior, -torch.cdist(centers, centers).square() / sigma**2
            ),
            "The 2 is missing in the exponent: -d² / (2 sigma²).",
        ),
        (
            lambda prior, centers, sigma: _normalized(
                prior, -torch.cdist(centers, centers).square() / 2 * sigma**2
            ),
            "`/ 2 * sigma**2` divides by 2 and then multiplies. Put the product in parentheses.",
        ),
    ),
    "5.3": (
        (
            lambda prior, lam: 1 / mixed(prior, lam),
            "The scale is missing: divide by the sum of p times w, so that a pixel weighs 1 on average.",
        ),
        (
            lambda prior, lam: 1 / mixed(prior, lam) / (1 / mixed(prior, lam)).mean(),
            "Your weights have mean 1 over the bins. Most bins are hardly ever met: the mean over the "
            "pixels, the sum of p times w, should be 1.",
        ),
        (
            lambda prior, lam: 1 / mixed(prior, lam) / (1 / mixed(prior, lam)).sum(),
            "Your weights sum to 1. The sum of p times w should.",
        ),
        (
            lambda prior, lam: 1 / mixed(prior, 1 - lam) / (prior / mixed(prior, 1 - lam)).sum(),
            "lambda works the wrong way round: it goes with 1/Q, and 1 - lambda with the prior.",
        ),
        (
            lambda prior, lam: mixed(prior, lam) / (prior * mixed(prior, lam)).sum(),
            "Your frequent colors count most. The weight is one over the mixture.",
        ),
        (
            lambda prior, lam: 1 / ((1 - lam) * prior + lam) / (prior / ((1 - lam) * prior + lam)).sum(),
            "You add lambda to every bin. Its share of the equal distribution is lambda / Q.",
        ),
        (
            lambda prior, lam: (
                ((1 - lam) / prior + lam / len(prior))
                / (prior * ((1 - lam) / prior + lam / len(prior))).sum()
            ),
            "You take one over the prior and mix afterwards. Mix first: a color that never occurs would "
            "get an infinite weight.",
        ),
    ),
    "5.4": (
        (
            lambda logits, target, bin_weight: pixel_weights(target, bin_weight) * errors(logits, target),
            "You give the gradient of the sum. The loss is the mean over the pixels: divide by their number.",
        ),
        (
            lambda logits, target, bin_weight: bin_weight * errors(logits, target) / len(logits),
            "You weigh each bin. A pixel has one weight, that of its nearest bin, for all its bins.",
        ),
        (
            lambda logits, target, bin_weight: errors(logits, target) / len(logits),
            "The weights have no effect in your gradient.",
        ),
        (
            lambda logits, target, bin_weight: -weighted_gradient(logits, target, bin_weight),
            "The sign is wrong: your step would go uphill. It is softmax minus target.",
        ),
        (
            lambda logits, target, bin_weight: (
                bin_weight[logits.argmax(dim=1)][:, None] * errors(logits, target) / len(logits)
            ),
            "You look the weight up at the color that the network says. It belongs to the true color: "
            "the largest entry of the target.",
        ),
        (
            lambda logits, target, bin_weight: (
                pixel_weights(target, bin_weight)
                * errors(logits, target)
                / pixel_weights(target, bin_weight).sum()
            ),
            "You divide by the sum of the weights in the batch. Divide by the number of pixels: a batch of "
            "rare colors shall count more.",
        ),
        (
            lambda logits, target, bin_weight: (
                pixel_weights(target, bin_weight) * (logits - target) / len(logits)
            ),
            "You subtract the target from the logits. Take their softmax first.",
        ),
        (
            lambda logits, target, bin_weight: (
                pixel_weights(target, bin_weight) * (logits.softmax(dim=0) - target) / len(logits)
            ),
            "Your softmax runs over the pixels (dim=0). Each pixel has a distribution of its own: dim=1.",
        ),
    ),
    "5.5": (
        (
            lambda probabilities, weights: probabilities * weights,
            "Your probabilities do not sum to 1: divide by their sum.",
        ),
        (
            lambda probabilities, weights: rebalanced(probabilities, 1 / weights),
            "You divide by the weights. A color with a larger weight becomes likelier.",
        ),
        (
            lambda probabilities, weights: probabilities * weights / weights.sum(),
            "You divide by the sum of the weights. Divide by the sum of your products.",
        ),
        (
            lambda probabilities, weights: probabilities * weights / (probabilities * weights).max(),
            "You divide by the largest product. Divide by the sum of the products.",
        ),
        (
            lambda probabilities, weights: (probabilities * weights).softmax(dim=0),
            "The products are shares already, not logits: divide by their sum, without an exponential.",
        ),
        (
            lambda probabilities, weights: weights / weights.sum(),
            "You look at the weights only. A color must also occur: multiply by its probability.",
        ),
    ),
}
