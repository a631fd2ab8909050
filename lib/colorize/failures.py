"""The five usual failures of automatic colorization, each as a number.

Larsson et al. 2016, Figure 20, name "the five most common failure cases" and show examples: too desaturated, inconsistent
chroma, inconsistent hue, edge pollution, color bleeding. The numbers are ours. Each compares with the true colors, which a
colorizer for a photo of unknown colors does not have; a true coloring scores 1, 0, 0, and of the last two 0 and 1.

>>> red = torch.zeros(1, 2, 8, 8)
>>> red[:, 0] = 40.0
>>> measure(red / 2, red)["saturation"].item()
0.5
"""

import math

import torch
from torch import Tensor

COLORED = 20.0  # ab units: from this true chroma on a pixel counts as colored
GRAY = 8.0  # ab units: below this predicted chroma as gray
BAND = 0.1  # width of the border, as a share of the shorter side
REACH = 3  # pixels across which a color boundary is measured
STEEPEST = 0.05  # share of the places that count as the photo's color boundaries

NAMES = {
    "saturation": "too desaturated",
    "gray": "inconsistent chroma",
    "hue": "inconsistent hue",
    "border": "edge pollution",
    "boundary": "color bleeding",
}


def measure(predicted: Tensor, true: Tensor) -> dict[str, Tensor]:
    """Measure all five: ab (N, 2, H, W) twice -> (N,) each, by the keys of ``NAMES``."""
    return {
        "saturation": saturation(predicted, true),
        "gray": gray_share(predicted, true),
        "hue": wrong_hue(predicted, true),
        "border": border_error(predicted, true),
        "boundary": boundary_contrast(predicted, true),
    }


def saturation(predicted: Tensor, true: Tensor) -> Tensor:
    """Too desaturated: mean chroma over the true mean chroma, (N,). 1 is right, below 1 too dull, above too vivid."""
    _check(predicted, true)
    return predicted.norm(dim=1).mean(dim=(1, 2)) / true.norm(dim=1).mean(dim=(1, 2)).clamp(min=1e-6)


def gray_share(predicted: Tensor, true: Tensor) -> Tensor:
    """Inconsistent chroma: the share of the colored pixels that came out gray, (N,); 0 if no pixel is colored."""
    _check(predicted, true)
    colored = true.norm(dim=1) > COLORED
    return _share((predicted.norm(dim=1) < GRAY) & colored, colored)


def wrong_hue(predicted: Tensor, true: Tensor) -> Tensor:
    """Inconsistent hue: of the pixels colored in both, the share whose hue is off by more than a quarter turn, (N,)."""
    _check(predicted, true)
    both = (true.norm(dim=1) > COLORED) & (predicted.norm(dim=1) >= GRAY)
    return _share(((predicted * true).sum(dim=1) < 0) & both, both)


def border_error(predicted: Tensor, true: Tensor) -> Tensor:
    """Edge pollution: how much farther off colors are in the border than inside, in ab units, (N,). 0: no difference.

    The border is a tenth of the shorter side wide. Above 0 the border is worse.
    """
    _check(predicted, true)
    error = (predicted - true).norm(dim=1)  # (N, H, W)
    band = max(1, round(BAND * min(error.shape[1:])))
    if min(error.shape[1:]) <= 2 * band:
        raise ValueError(f"pictures of {tuple(error.shape[1:])} pixels have no inside")
    inside = torch.zeros_like(error, dtype=torch.bool)
    inside[:, band:-band, band:-band] = True
    outer = (error * ~inside).sum(dim=(1, 2)) / (~inside).sum(dim=(1, 2))
    return outer - (error * inside).sum(dim=(1, 2)) / inside.sum(dim=(1, 2))


def boundary_contrast(predicted: Tensor, true: Tensor) -> Tensor:
    """Color bleeding: how far colors change across the true color boundaries, over the true change, (N,). 1: as sharp.

    Changes are taken over 3 pixels to the right and down; boundaries are the 5 % of all places where the true color changes most.
    A coloring that is wrong altogether has no boundaries there either: look at the picture, too. 1 if the photo has one color.
    """
    _check(predicted, true)
    there, theirs = _changes(predicted), _changes(true)  # (N, places)
    # The least of the steepest 5 %. torch.quantile would do, but takes no more than 2^24 values: 8 megapixels.
    least = theirs.kthvalue(1 + math.ceil((1 - STEEPEST) * (theirs.shape[1] - 1)), dim=1, keepdim=True).values
    # Where less than 5 % of a photo changes at all, what does not change is no boundary.
    strong = (theirs >= least) & (theirs > 0)
    sums = [(changes * strong).sum(dim=1) for changes in (there, theirs)]
    return torch.where(sums[1] > 0, sums[0] / sums[1].clamp(min=1e-6), torch.ones_like(sums[0]))


def _changes(ab: Tensor) -> Tensor:
    right = (ab[..., :, REACH:] - ab[..., :, :-REACH]).norm(dim=1).flatten(1)
    down = (ab[..., REACH:, :] - ab[..., :-REACH, :]).norm(dim=1).flatten(1)
    return torch.cat((right, down), dim=1)


def _share(of: Tensor, among: Tensor) -> Tensor:
    return of.sum(dim=(1, 2)) / among.sum(dim=(1, 2)).clamp(min=1)


def _check(predicted: Tensor, true: Tensor) -> None:
    fits = true.ndim == 4 and len(true) > 0 and true.shape[1] == 2 and min(true.shape[2:]) > REACH
    if predicted.shape != true.shape or not fits:
        raise ValueError(
            "predicted and true must both have shape (N, 2, H, W), sides above 3 pixels, "
            f"got {tuple(predicted.shape)} and {tuple(true.shape)}"
        )
