"""Color by likeness: each gray pixel takes the color of a similar pixel of a reference photo.

Welsh, Ashikhmin and Mueller (2002), "Transferring color to greyscale images", the oldest method of the course and the one
without any learning. Alike means: equally light, in an equally rough neighborhood. It works where lightness and texture
tell things apart, and fails where sky and wall are equally light and smooth.

The paper works in the l-alpha-beta space of Ruderman et al.; here it is Lab, as everywhere in the course. Both keep
lightness in one channel and color in the other two. Its swatches, with which a person tells which region of the reference
belongs where, are left out.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .lab import rgb_to_lab
from .neighbors import check

CHUNK = 2**24  # distances computed at a time


@dataclass(frozen=True)
class Match:
    """The colors that were found, and where they come from."""

    ab: Tensor  # (N, 2, H, W) float32
    index: Tensor  # (N, H, W) int64, which of the samples each pixel took
    samples: Tensor  # (S, 2) int64, row and column of the samples in the reference


def welsh_transfer(
    lightness: Tensor,
    reference: Tensor,
    samples: int = 200,
    window: int = 5,
    share: float = 0.5,
    seed: int = 0,
) -> Match:
    """Color a gray picture from a reference photo.

    1. Remap the reference's lightness linearly to the mean and standard deviation of the gray picture
       (:func:`remap_lightness`): a dark reference can color a bright picture.
    2. Pick about 200 pixels of the reference, one in each cell of a grid, where in it is drawn (:func:`jittered_grid`).
    3. Describe each pixel by its lightness and the standard deviation in the 5 x 5 pixels around it (:func:`roughness`).
    4. Give each gray pixel the a and b of the sample that is nearest: ``share |L - L'| + (1 - share) |std - std'|``.

    Parameters
    ----------
    lightness : (N, 1, H, W), L in 0..100, of the pictures to color. Each is colored by itself, with the same samples.
    reference : (3, h, w), sRGB in [0, 1], of any size.
    samples : about how many, 1 or above: the grid has the reference's shape.
    window : pixels on a side of the neighborhood, odd.
    share : of the lightness in the likeness, 0 to 1; the paper weighs both equally.
    seed : decides which pixels are picked.

    Returns
    -------
    :class:`Match`; ``paint(lightness, match.ab)`` is the picture. Of equally near samples the first is taken.

    Raises
    ------
    TypeError for what is no tensor of floats. ValueError for other shapes, NaN or infinity, or a number out of range.
    """
    check(lightness, 1, "lightness")
    if not isinstance(reference, Tensor) or reference.ndim != 3:
        got = tuple(reference.shape) if isinstance(reference, Tensor) else type(reference).__name__
        raise ValueError(f"reference must be one picture (3, h, w), got {got}")
    check(reference[None], 3, "reference")
    if not isinstance(samples, int) or samples < 1:
        raise ValueError(f"samples must be a whole number, 1 or above, got {samples!r}")
    if not 0 <= share <= 1:
        raise ValueError(f"share must be between 0 and 1, got {share}")
    lab = rgb_to_lab(reference)[None]
    row, column = jittered_grid(reference.shape[1], reference.shape[2], samples, seed).unbind(1)
    colors = lab[0, 1:, row, column].float()  # (2, S)
    weight = torch.tensor([share, 1 - share], device=lightness.device)
    found = []
    for light in lightness.float().split(1):
        remapped = remap_lightness(lab[:, :1], light)
        theirs = (
            torch.cat((remapped, roughness(remapped, window)), dim=1)[0, :, row, column].T * weight
        )  # (S, 2)
        ours = torch.cat((light, roughness(light, window)), dim=1)[0].flatten(1).T * weight  # (H W, 2)
        parts = ours.split(max(1, CHUNK // len(theirs)))
        found.append(torch.cat([torch.cdist(part, theirs, p=1).argmin(dim=1) for part in parts]))
    index = torch.stack(found).view(len(lightness), *lightness.shape[2:])
    return Match(colors[:, index].movedim(0, 1), index, torch.stack((row, column), dim=1))


def remap_lightness(reference: Tensor, lightness: Tensor) -> Tensor:
    """Give the reference the mean and the standard deviation of another picture's lightness.

    ``L' = (L - mean) * std_other / std + mean_other``, after Hertzmann et al. 2001 ("Image analogies"), as Welsh et al.
    do. A reference of one lightness only has no standard deviation and gets the other mean.

    Parameters
    ----------
    reference, lightness : (1, 1, h, w) and (1, 1, H, W), L in 0..100.

    Returns
    -------
    (1, 1, h, w): L of the reference, remapped; it may leave 0..100, which does not matter for a comparison.
    """
    check(reference, 1, "reference")
    check(lightness, 1, "lightness")
    spread = reference.std(correction=0)
    scale = lightness.std(correction=0) / spread if spread > 0 else 0.0
    return (reference - reference.mean()) * scale + lightness.mean()


def roughness(lightness: Tensor, window: int = 5) -> Tensor:
    """Standard deviation of the lightness around each pixel; at the rim, of what lies inside the picture.

    Parameters
    ----------
    lightness : (N, 1, H, W).
    window : pixels on a side, odd.

    Returns
    -------
    (N, 1, H, W), in units of L, 0 or above. ValueError if window is not odd, or for another shape.

    >>> roughness(torch.tensor([0.0, 3.0, 0.0]).view(1, 1, 1, 3), window=3).flatten()  # of (0, 3), (0, 3, 0), (3, 0)
    tensor([1.5000, 1.4142, 1.5000])
    """
    check(lightness, 1, "lightness")
    if not isinstance(window, int) or window < 1 or window % 2 == 0:
        raise ValueError(f"window must be an odd number, 1 or above, got {window!r}")

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, window, stride=1, padding=window // 2, count_include_pad=False)

    # Mean of squares minus squared mean loses digits where values are large and alike: so off with the mean, in float64.
    x = lightness.double() - lightness.double().mean(dim=(2, 3), keepdim=True)
    return (mean(x**2) - mean(x) ** 2).clamp(min=0).sqrt().to(lightness)


def jittered_grid(height: int, width: int, samples: int = 200, seed: int = 0) -> Tensor:
    """Pick pixels spread over a picture: one in each cell of a grid, anywhere in the cell.

    Purely random pixels leave gaps, and a small thing falls into one; those of a strict grid repeat a pattern.

    Parameters
    ----------
    height, width : of the picture, in pixels.
    samples : about how many; the grid's cells are nearly square.
    seed : decides where in the cells.

    Returns
    -------
    (S, 2) int64, row and column, the cells row by row. No pixel comes twice. ValueError for numbers below 1.

    >>> len(jittered_grid(240, 320))  # 12 rows and 17 columns
    204
    """
    if min(height, width, samples) < 1:
        raise ValueError(f"height, width and samples must be 1 or above, got {height}, {width} and {samples}")
    rows = min(height, max(1, round((samples * height / width) ** 0.5)))
    columns = min(width, max(1, round(samples / rows)))
    random = np.random.default_rng((2, seed % 2**64)).random((2, rows, columns))
    top, left = (np.arange(cells + 1) * size // cells for cells, size in ((rows, height), (columns, width)))
    row = top[:-1, None] + np.floor(random[0] * np.diff(top)[:, None])
    column = left[:-1] + np.floor(random[1] * np.diff(left))
    return torch.from_numpy(np.stack((row.ravel(), column.ravel()), axis=1).astype(np.int64))
