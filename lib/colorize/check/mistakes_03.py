"""Typical mistakes in lesson 3, each with the message it gets."""

import torch
from torch import Tensor

from .lesson_03 import answer_for, best_answer, floor, force, l2_loss, smooth_l1_loss


def _smooth(pred_ab: Tensor, true_ab: Tensor, inner, outer, beta: float) -> Tensor:
    """Smooth L1 with parts to spoil."""
    d = (pred_ab - true_ab).abs()
    return torch.where(d < beta, inner(d), outer(d)).sum(dim=1).mean()


def _spread(colors: Tensor, probabilities: Tensor) -> Tensor:
    """Squared distance of each color from the mean, (k,)."""
    return (colors - probabilities @ colors).square().sum(dim=1)


def _pulls(x: Tensor, colors: Tensor, beta: float = 1.0) -> Tensor:
    return ((x[:, None] - colors) / beta).clamp(-1, 1)  # (M, k)


MISTAKES = {
    "3.1": (
        (
            lambda pred, true: 0.5 * (pred - true).square().mean(),
            "You average over a and b, too: half of what is wanted. Add the two squares, then average over "
            "pixels and pictures.",
        ),
        (
            lambda pred, true: 2 * l2_loss(pred, true),
            "The factor 1/2 is missing. It changes no minimum, but the numbers of this lesson have it.",
        ),
        (
            lambda pred, true: 0.5 * (pred - true).square().sum(),
            "You add up all pixels: a larger picture would have a larger loss. Take their mean.",
        ),
        (
            lambda pred, true: 0.5 * (pred - true).square().sum() / len(pred),
            "You divide by the number of pictures only, so the loss grows with their size. Published code does "
            "this, too, and its users wonder about losses in the thousands. Take the mean over pixels as well.",
        ),
        (
            lambda pred, true: 0.5 * (pred - true).norm(dim=1).mean(),
            "You take the distance. L2 has its square: leave out the root.",
        ),
        (
            lambda pred, true: 0.5 * (pred - true).sum(dim=1).square().mean(),
            "You add the errors of a and b before squaring, so that they may cancel. Square first.",
        ),
        (
            lambda pred, true: 0.5 * (pred - true).square().sum(dim=1),
            "You return the loss of each pixel. Take the mean of them all: one number.",
        ),
    ),
    "3.2": (
        (
            lambda colors, probabilities: colors.mean(dim=0),
            "You weigh all colors the same. A color that comes up in 70 % of the cases must count more.",
        ),
        (
            lambda colors, probabilities: colors[probabilities.argmax()],
            "You take the likeliest color. At a plum it is right 7 times in 10, and 3 times far off, which squares "
            "punish hard. The equation says something else.",
        ),
        (
            lambda colors, probabilities: colors.sum(dim=0),
            "You add up the colors without their probabilities.",
        ),
        (
            lambda colors, probabilities: colors * probabilities[:, None],
            "These are the parts, one for each color. Add them up over the colors: dim=0.",
        ),
        (
            lambda colors, probabilities: (colors * probabilities[:, None]).mean(dim=0),
            "You weigh with the probabilities and then divide by the number of colors as well. The probabilities "
            "sum to 1 already: take the sum.",
        ),
        (
            lambda colors, probabilities: best_answer(colors, probabilities).flip(0),
            "a and b have changed places.",
        ),
    ),
    "3.3": (
        (
            lambda colors, probabilities: 2 * floor(colors, probabilities),
            "Twice what is wanted. Is the factor 1/2 of the loss missing?",
        ),
        (
            lambda colors, probabilities: 0.5 * probabilities @ colors.square().sum(dim=1),
            "That is the cost of answering gray, (0, 0). Measure the distances from the best answer.",
        ),
        (
            lambda colors, probabilities: 0.5 * _spread(colors, probabilities).mean(),
            "You average over the colors as if they were equally likely. Weigh them with their probabilities.",
        ),
        (
            lambda colors, probabilities: 0.5 * _spread(colors, probabilities).sum(),
            "You add up the colors without their probabilities.",
        ),
        (
            lambda colors, probabilities: 0.5 * probabilities @ _spread(colors, probabilities).sqrt(),
            "You average the distances. The loss has their squares.",
        ),
        (
            lambda colors, probabilities: 0.5 * (probabilities @ _spread(colors, probabilities).sqrt()) ** 2,
            "You square the mean distance. Take the mean of the squares: that is more.",
        ),
        (
            lambda colors, probabilities: floor(colors, probabilities) / 2,
            "Half of what is wanted: did you average over a and b? Their squares are added.",
        ),
    ),
    "3.4": (
        (
            lambda answer, kinds, number: (answer * (kinds == number)[:, None]).mean(dim=(0, 2, 3)),
            "You set the other pixels to zero, and then count them in the mean. Divide by the number of pixels of "
            "this kind only.",
        ),
        (
            lambda answer, kinds, number: answer.mean(dim=(0, 2, 3)),
            "You average over all pixels. Pick those of the kind first.",
        ),
        (
            lambda answer, kinds, number: (answer * (kinds == number)[:, None]).sum(dim=(0, 2, 3)),
            "That is the sum over the pixels of the kind. Divide by their number.",
        ),
        (
            lambda answer, kinds, number: answer.movedim(1, -1)[kinds == number],
            "You return each pixel of the kind. Take the mean over them: dim=0.",
        ),
        (
            lambda answer, kinds, number: answer.movedim(1, -1)[kinds == number].mean(),
            "You average a and b together. Average over the pixels only: dim=0.",
        ),
        (
            lambda answer, kinds, number: answer_for(answer, kinds, number).flip(0),
            "a and b have changed places.",
        ),
        (
            lambda answer, kinds, number: answer_for(answer, (kinds != number).long(), 1),
            "These are the other kinds: the mask must be True where the kind is `number`.",
        ),
    ),
    "3.5": (
        (
            lambda pred, true, beta: _smooth(
                pred, true, lambda d: d**2 / (2 * beta), lambda d: d - 0 * beta, beta
            ),
            "Your curve jumps at |d| = beta, from beta / 2 to beta. The straight part is |d| - beta / 2.",
        ),
        (
            lambda pred, true, beta: _smooth(pred, true, lambda d: d**2 / 2, lambda d: d - beta / 2, beta),
            "Right for beta = 1 only: the parabola is d² / (2 beta).",
        ),
        (
            lambda pred, true, beta: _smooth(
                pred, true, lambda d: d**2 / (2 * beta), lambda d: d - 1 / 2, beta
            ),
            "Right for beta = 1 only: the straight part is |d| - beta / 2.",
        ),
        (
            lambda pred, true, beta: _smooth(
                pred, true, lambda d: d - beta / 2, lambda d: d**2 / (2 * beta), beta
            ),
            "The two branches have changed places: small errors are squared, large ones are not.",
        ),
        (
            lambda pred, true, beta: smooth_l1_loss(pred, true, beta) / 2,
            "You average over a and b, too (as torch's smooth_l1_loss does): half of what is wanted. Add the two.",
        ),
        (
            lambda pred, true, beta: (
                torch.where(pred - true < beta, (pred - true) ** 2 / (2 * beta), pred - true - beta / 2)
                .sum(dim=1)
                .mean()
            ),
            "An error of -6 is less than beta for you, so that it is squared. Take the absolute value first.",
        ),
        (
            lambda pred, true, beta: (pred - true).abs().sum(dim=1).mean(),
            "That is L1, with its kink. Errors below beta take the parabola.",
        ),
        (
            lambda pred, true, beta: smooth_l1_loss(
                (pred - true).norm(dim=1, keepdim=True),
                torch.zeros_like(pred[:, :1]),
                beta,
            ),
            "You bend the distance in the plane. Here a and b are bent each on its own, and added.",
        ),
    ),
    "3.6": (
        (
            lambda x, colors, probabilities, beta: -force(x, colors, probabilities, beta),
            "The sign is the wrong way round: the slope is positive where x lies above all colors.",
        ),
        (
            lambda x, colors, probabilities, beta: (x - probabilities @ colors) / beta,
            "That is the force of L2, which grows without limit. Clamp the force of each color between -1 and 1.",
        ),
        (
            lambda x, colors, probabilities, beta: ((x - probabilities @ colors) / beta).clamp(-1, 1),
            "You limit the sum of the forces. Each color's force is limited, and then they are added.",
        ),
        (
            lambda x, colors, probabilities, beta: _pulls(x, colors, beta).mean(dim=1),
            "You weigh all colors the same. Use their probabilities.",
        ),
        (
            lambda x, colors, probabilities, beta: _pulls(x, colors) @ probabilities,
            "You leave out beta. Divide the errors by it before you clamp.",
        ),
        (
            lambda x, colors, probabilities, beta: (x[:, None] - colors).clamp(-beta, beta) @ probabilities,
            "Your force goes up to beta, not to 1: divide the errors by beta.",
        ),
        (
            lambda x, colors, probabilities, beta: (x[:, None] - colors).sign() @ probabilities,
            "That is the force of L1. Within beta of a color it is the error divided by beta.",
        ),
    ),
}
