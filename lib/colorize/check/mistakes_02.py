"""Typical mistakes in lesson 2, each with the message it gets."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..lab import lab_to_rgb
from .lesson_02 import decode, inside_hull, keep_bins, light, nearest_bin, soft_encode, widened, within


def _soft(
    ab: Tensor,
    centers: Tensor,
    neighbors: int,
    sigma: float,
    *,
    exponent: Callable = lambda d, sigma: -(d**2) / (2 * sigma**2),
    normalize: Callable = lambda e: e.softmax(dim=1),
    largest: bool = False,
) -> tuple[Tensor, Tensor]:
    """Soft encoding with parts to spoil."""
    distance, index = torch.cdist(ab, centers).topk(neighbors, dim=1, largest=largest)
    return index, normalize(exponent(distance, sigma))


MISTAKES = {
    "2.1": (
        (
            lambda ab, s: torch.floor(ab / s) * s,
            "You always round down, so 19 becomes 10: the nearest multiple is 20. This very slip is in "
            "published evaluation code, which then picks the nearest bin for about one pixel in four.",
        ),
        (
            lambda ab, s: torch.trunc(ab / s) * s,
            "You cut off towards zero, so 19 becomes 10 and -19 becomes -10. Round to the nearest multiple.",
        ),
        (
            lambda ab, s: torch.round(ab / s),
            "You return the number of the cell, not the color: multiply by the spacing again.",
        ),
        (
            lambda ab, s: torch.floor(ab / s) * s + s / 2,
            "Your values lie between the grid points. Centers are multiples of the spacing, 0 included.",
        ),
    ),
    "2.2": (
        (
            lambda lab: within(lab_to_rgb(lab)).all(dim=-3),
            "Everything is displayable for you: lab_to_rgb has clipped the values already. Look at the "
            "light before clipping, from xyz_to_linear.",
        ),
        (
            lambda lab: (light(lab) <= 1).all(dim=-3),
            "You only test against 1. Many colors outside the gamut need negative light.",
        ),
        (
            lambda lab: (light(lab) >= 0).all(dim=-3),
            "You only test against 0. Bright vivid colors need more light than 1.",
        ),
        (
            lambda lab: within(light(lab)).any(dim=-3),
            "One good channel is enough for you. All three must be between 0 and 1.",
        ),
        (
            lambda lab: within(light(lab)).all(dim=0),
            "`dim=0` is the channel only for a single picture. Count from the end, `dim=-3`: batches come, too.",
        ),
        (
            lambda lab: within(light(lab)),
            "You answer for each channel. A color is displayable when all three channels are: use "
            ".all(dim=-3).",
        ),
    ),
    "2.3": (
        (
            lambda grid, colors, reach: inside_hull(grid, colors),
            "The hull is not widened: 233 of the grid points lie inside the hull of sRGB itself.",
        ),
        (
            lambda grid, colors, reach: widened(grid, colors, reach, [-1, 0], [1, 0], [0, -1], [0, 1]),
            "You shift along the axes only, which widens by a diamond. Shift to the four corners of a "
            "square: (±reach, ±reach).",
        ),
        (
            lambda grid, colors, reach: keep_bins(grid, colors, reach / 2),
            "You widen by half of reach. Shift by the whole of it.",
        ),
        (
            lambda grid, colors, reach: widened(grid, colors, reach, [0, 0], [1, 1]),
            "Your hull grows to one side only. Shift by plus and by minus reach.",
        ),
        (
            lambda grid, colors, reach: widened(grid, colors, reach, [-1, -1], [1, 1]),
            "Your hull grows along one diagonal only. All four sign combinations of (±reach, ±reach) are "
            "needed.",
        ),
    ),
    "2.4": (
        (
            lambda ab, centers: torch.cdist(ab, centers).argmin(dim=0),
            "You look for the nearest color of each bin; wanted is the nearest bin of each color: the "
            "other dimension.",
        ),
        (lambda ab, centers: torch.cdist(ab, centers).argmax(dim=1), "You return the farthest bin."),
        (
            lambda ab, centers: centers[nearest_bin(ab, centers)],
            "You return the color of the nearest bin. Wanted is its number.",
        ),
        (
            lambda ab, centers: (ab[:, None] - centers).sum(dim=2).abs().argmin(dim=1),
            "You add the differences in a and b with their signs, so that they cancel. Square them first.",
        ),
        (
            lambda ab, centers: (ab[:, None] - centers).abs().sum(dim=2).argmin(dim=1),
            "You add |a - a_q| and |b - b_q|. That is another distance: square them before adding.",
        ),
        (
            lambda ab, centers: (ab[:, None, 0] - centers[:, 0]).abs().argmin(dim=1),
            "You compare a only and forget b.",
        ),
    ),
    "2.5": (
        (
            lambda *args: _soft(*args, normalize=lambda e: e.exp()),
            "The weights of a color do not sum to 1: divide them by their sum.",
        ),
        (
            lambda *args: _soft(*args, exponent=lambda d, sigma: -d / (2 * sigma**2)),
            "The distance is not squared in the exponent: exp(-d² / (2 sigma²)).",
        ),
        (
            lambda *args: _soft(*args, exponent=lambda d, sigma: -(d**2) / 2 * sigma**2),
            "`/ 2 * sigma**2` divides by 2 and then multiplies. Put the product in parentheses.",
        ),
        (
            lambda *args: _soft(*args, exponent=lambda d, sigma: -(d**2) / (2 * sigma)),
            "sigma is not squared in the exponent: exp(-d² / (2 sigma²)).",
        ),
        (
            lambda *args: _soft(*args, exponent=lambda d, sigma: -(d**2) / sigma**2),
            "The 2 is missing in the exponent: exp(-d² / (2 sigma²)).",
        ),
        (
            lambda *args: _soft(*args, normalize=lambda e: e.softmax(dim=0)),
            "You normalize over the colors (dim=0). Each color's own weights must sum to 1: dim=1.",
        ),
        (
            lambda *args: _soft(*args, largest=True),
            "You take the farthest bins: topk gives the largest values unless you say largest=False.",
        ),
        (lambda *args: soft_encode(*args)[::-1], "The two results are swapped: index first, then weight."),
    ),
    "2.6": (
        (
            lambda index, weight, centers, T: decode(index, torch.softmax(weight / T, dim=1), centers),
            "You take the softmax of probabilities. Softmax is for logits; of probabilities it is nearly "
            "flat. Raise the weights to the power 1/T instead.",
        ),
        (
            lambda index, weight, centers, T: decode(index, weight, centers, 1 / T),
            "Your temperature works the wrong way round: the power is 1/T, not T.",
        ),
        (
            lambda index, weight, centers, T: (weight[..., None] ** (1 / T) * centers[index]).sum(dim=1),
            "After the power the weights no longer sum to 1: divide by their sum again.",
        ),
        (
            lambda index, weight, centers, T: centers[index].mean(dim=1),
            "You take the plain mean of the neighbors. Weigh each with its weight.",
        ),
        (
            lambda index, weight, centers, T: decode(index, weight, centers),
            "Your result does not depend on T. (`w**1/T` is w divided by T: write `w ** (1 / T)`.)",
        ),
        (lambda *args: decode(*args).flip(-1), "a and b are swapped in your result."),
    ),
}
