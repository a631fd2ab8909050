"""Typical mistakes in lesson 6, each with the message it gets."""

import math

import torch
from torch import Tensor

from .lesson_06 import annealed_mean, crossing, entropy, expectation, mean_color, mode_color


def _power(logits: Tensor, centers: Tensor, T: float) -> Tensor:
    """The paper's formula without its denominator."""
    return expectation(torch.softmax(logits, dim=1) ** (1 / T), centers)


def _by_exp(logits: Tensor, centers: Tensor, T: float) -> Tensor:
    """Softmax by hand, which overflows."""
    p = torch.exp(logits / T)
    return expectation(p / p.sum(dim=1, keepdim=True), centers)


def _interpolated(p: Tensor, levels: Tensor, start: float, share: str = "before") -> Tensor:
    """Median with parts to spoil: where an interval starts, in spacings from its level, and what is interpolated."""
    k, below, mass, spacing = crossing(p, levels)
    part = {"before": (0.5 - below) / mass, "after": (below + mass - 0.5) / mass, "mass": 0.5 - below}
    return levels[k] + start * spacing + spacing * part[share]


def _naive_entropy(logits: Tensor) -> Tensor:
    p = torch.softmax(logits, dim=1)
    return -(p * p.log()).sum(dim=1)


MISTAKES = {
    "6.1": (
        (
            lambda z, c: expectation(torch.softmax(z, dim=0), c),
            "You take the softmax over the pictures (dim=0). With a single picture all probabilities are then 1. "
            "The bins are dimension 1.",
        ),
        (
            lambda z, c: expectation(torch.softmax(z, dim=-1), c),
            "You take the softmax over the columns of the picture (dim=-1). The bins are dimension 1.",
        ),
        (
            lambda z, c: expectation(torch.softmax(z, dim=2), c),
            "You take the softmax over the rows of the picture (dim=2). The bins are dimension 1.",
        ),
        (
            lambda z, c: expectation(z, c),
            "You weigh the centers with the logits. Logits can be negative and do not sum to 1: softmax first.",
        ),
        (
            lambda z, c: expectation(z.exp(), c),
            "The weights of a pixel do not sum to 1: after exp, divide by their sum, or use torch.softmax.",
        ),
        (
            lambda z, c: mean_color(torch.softmax(z, dim=1), c),
            "You take the softmax twice. Of probabilities it is nearly flat: every color then moves to the middle "
            "of all centers.",
        ),
        (
            lambda z, c: mean_color(z * 0, c),
            "You take the plain mean of all centers. Weigh each with its probability.",
        ),
        (lambda z, c: mean_color(z, c).flip(1), "a and b are swapped in your result."),
    ),
    "6.2": (
        (
            lambda z, c: mode_color(z, c).movedim(1, -1),
            "Your a and b are the last dimension. Pictures are (N, 2, H, W): movedim(-1, 1) brings them there.",
        ),
        (
            lambda z, c: mode_color(z, c).movedim(1, -1).contiguous().view(len(z), 2, *z.shape[2:]),
            "view and reshape cut the numbers in their old order into new rows, and mix up a, b and the pixels. "
            "To move a dimension use movedim(-1, 1) or permute.",
        ),
        (
            lambda z, c: z.argmax(dim=1),
            "You return the number of the bin. Look its color up: centers[number].",
        ),
        (
            lambda z, c: c[z.argmin(dim=1)].movedim(-1, 1),
            "You return the least likely color: argmax, not argmin.",
        ),
        (
            lambda z, c: c[z.argmax(dim=0)].movedim(-1, 1),
            "You look for the largest logit over the pictures (dim=0). The bins are dimension 1.",
        ),
        (
            lambda z, c: c[z.argmax(dim=-1).clamp(max=len(c) - 1)].movedim(-1, 1),
            "You look for the largest logit over the columns of the picture (dim=-1). The bins are dimension 1.",
        ),
        (
            lambda z, c: mean_color(z, c),
            "You return the mean. The mode is the one color with the largest logit.",
        ),
        (lambda z, c: mode_color(z, c).flip(1), "a and b are swapped in your result."),
    ),
    "6.3": (
        (
            lambda p, levels: levels[crossing(p, levels)[0]],
            "You return the level itself. Its mass is spread over an interval: say where in it the sum passes 1/2.",
        ),
        (
            lambda p, levels: _interpolated(p, levels, 0.0),
            "You are half a spacing too high: the interval of a level begins half a spacing before it.",
        ),
        (
            lambda p, levels: _interpolated(p, levels, -1.0),
            "You are half a spacing too low: the interval of a level ends half a spacing after it, and only there "
            "is its whole mass counted. (np.interp of the cumulative sum over the levels does this.)",
        ),
        (
            lambda p, levels: _interpolated(p, levels, -0.5, "after"),
            "You count from the wrong end of the interval. What is missing to 1/2 is 0.5 minus the sum *below* it.",
        ),
        (
            lambda p, levels: _interpolated(p, levels, -0.5, "mass"),
            "You use the missing mass as a share of the interval. Divide it by the mass of the interval.",
        ),
        (
            lambda p, levels: p @ levels,
            "You return the mean. The median is where the cumulative sum passes 1/2.",
        ),
        (lambda p, levels: levels[p.argmax(dim=1)], "You return the mode, the level with the largest mass."),
    ),
    "6.4": (
        (
            lambda z, c, T: annealed_mean(z, c, 1 / T),
            "You multiply by T, which blurs instead of sharpening. Divide the logits by T.",
        ),
        (
            lambda z, c, T: mean_color(z, c),
            "Your result does not depend on T: divide the logits by it, before the softmax.",
        ),
        (
            lambda z, c, T: annealed_mean(torch.softmax(z, dim=1), c, T),
            "You divide probabilities by T and take a softmax of them, the second one. Divide the logits.",
        ),
        (
            lambda z, c, T: mean_color(z, c) / T,
            "You divide after the softmax: that only stretches all colors by 1/T. Divide the logits before it.",
        ),
        (
            _power,
            "Probabilities to the power 1/T no longer sum to 1, so your colors shrink: divide by their sum.",
        ),
        (
            _by_exp,
            "exp(z / T) becomes infinite, and infinity divided by infinity is NaN. Subtract the largest logit of "
            "each pixel first, or let torch.softmax do it.",
        ),
        (
            lambda z, c, T: expectation(torch.softmax(z / T, dim=0), c),
            "You take the softmax over the pictures (dim=0). The bins are dimension 1.",
        ),
        (lambda z, c, T: annealed_mean(z, c, T).flip(1), "a and b are swapped in your result."),
    ),
    "6.5": (
        (
            _naive_entropy,
            "0 times ln 0 is 0 here, but 0 times minus infinity is NaN for the computer. torch.special.entr knows "
            "the rule; so does p * torch.log(p.clamp(min=1e-30)).",
        ),
        (
            lambda z: entropy(z) / math.log(2),
            "You measure in bits, with log2. Use the natural logarithm: nats.",
        ),
        (lambda z: -entropy(z), "Your entropy is negative: the minus is missing."),
        (
            lambda z: entropy(z) / z.shape[1],
            "You take the mean over the bins. Entropy is the sum.",
        ),
        (
            lambda z: entropy(torch.softmax(z, dim=1)),
            "You take the softmax twice. Of probabilities it is nearly flat, so every pixel looks unsure.",
        ),
        (
            lambda z: torch.special.entr(torch.softmax(z, dim=0)).sum(dim=1),
            "You take the softmax over the pictures (dim=0). The bins are dimension 1.",
        ),
        (
            lambda z: entropy(z) / math.log(z.shape[1]),
            "You divide by ln Q, so that equal bins give 1. Leave it in nats.",
        ),
        (
            lambda z: 1 - torch.softmax(z, dim=1).amax(dim=1),
            "You return one minus the largest probability. That is a measure of doubt, too, but entropy looks at "
            "all bins.",
        ),
    ),
}
