"""From a distribution over color bins to one color: mode, mean, annealed mean; then ab to a picture.

All readouts take logits (N, Q, H, W), never probabilities: the softmax of probabilities is almost flat, and its mean
is gray. Half precision is computed in float32. A picture is decoded at the network's resolution; then ab, two smooth
channels, is enlarged, and meets the full-resolution L (:func:`paint`).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .bins import gamut_bins
from .lab import lab_to_rgb


def annealed_mean(logits: Tensor, T: float = 0.38, centers: Tensor | None = None) -> Tensor:
    """Mean color of the distribution after sharpening it with a temperature.

    ``ab = sum_q c_q softmax(z / T)_q`` with logits z and bin centers c. T = 1 is the mean, T -> 0 the mode; in between
    the colors get more vivid while neighbors still agree. Zhang et al. 2016, equation 5, where T = 0.38 was chosen by
    eye. (The paper divides log-probabilities by T; logits differ from them by a constant, which softmax ignores.)

    Parameters
    ----------
    logits : (N, Q, H, W) float; minus infinity rules a bin out.
    T : temperature, 0 or above. 0 is the mode.
    centers : (Q, 2) colors of the bins; the 313 bins when left out.

    Returns
    -------
    (N, 2, H, W): a and b in their own units. NaN for a pixel whose logits are all minus infinity, or hold plus infinity.

    Raises
    ------
    ValueError if T is negative, or Q is not the number of centers.

    >>> logits = torch.full((1, 313, 1, 1), -30.0)
    >>> logits[:, [120, 121]] = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1)  # gray, or rather a little yellow: (0, 10)
    >>> [round(annealed_mean(logits, T)[0, 1].item(), 1) for T in (1, 0.38, 0)]
    [7.3, 9.3, 10.0]
    """
    if not T >= 0:
        raise ValueError(f"temperature T must be 0 or above, got {T}")
    if T == 0:
        return mode(logits, centers)
    logits, centers = _check(logits, centers)
    # Off with the largest logit before the division: with T = 0.001 and logits of 10,000, z / T has no digits left
    # for the differences between bins.
    z = (logits - logits.amax(dim=1, keepdim=True)) / T
    with torch.autocast(z.device.type, enabled=False):  # it would round the colors to 8 bits
        return torch.einsum("qc,nqhw->nchw", centers, torch.softmax(z, dim=1))


def mean(logits: Tensor, centers: Tensor | None = None) -> Tensor:
    """Mean color of the distribution: :func:`annealed_mean` at T = 1. Shapes and errors as there."""
    return annealed_mean(logits, 1.0, centers)


def mode(logits: Tensor, centers: Tensor | None = None) -> Tensor:
    """Color of the most likely bin, (N, Q, H, W) -> (N, 2, H, W). Of equal logits the first bin wins. Errors as above."""
    logits, centers = _check(logits, centers)
    return centers[logits.argmax(dim=1)].movedim(-1, 1)


def paint(lightness: Tensor, ab: Tensor) -> Tensor:
    """Put color on a gray picture: enlarge ab to its size, join them, convert to sRGB.

    Two smooth channels can be enlarged with little harm; details live in L, which stays as it is. Decode first, then
    enlarge: a distribution halfway between red and green is not yellow, and 313 channels cost 150 times more.

    Parameters
    ----------
    lightness : (N, 1, H, W), L in 0..100.
    ab : (N, 2, h, w) at any resolution.

    Returns
    -------
    (N, 3, H, W) sRGB in [0, 1].

    Raises
    ------
    ValueError for other shapes, or different N.
    """
    if lightness.ndim != 4 or lightness.shape[1] != 1 or ab.ndim != 4 or ab.shape[1] != 2:
        raise ValueError(
            "paint takes lightness (N, 1, H, W) and ab (N, 2, h, w), "
            f"got {tuple(lightness.shape)} and {tuple(ab.shape)}"
        )
    if len(ab) != len(lightness):
        raise ValueError(f"paint takes as many lightness as ab, got {len(lightness)} and {len(ab)}")
    dtype = torch.promote_types(torch.promote_types(lightness.dtype, ab.dtype), torch.float32)
    lightness, ab = lightness.to(dtype), ab.to(dtype)
    if ab.shape[2:] != lightness.shape[2:]:
        ab = F.interpolate(ab, size=lightness.shape[2:], mode="bilinear", align_corners=False)
    return lab_to_rgb(torch.cat((lightness, ab), dim=1))


def _check(logits: Tensor, centers: Tensor | None) -> tuple[Tensor, Tensor]:
    logits = logits if logits.dtype == torch.float64 else logits.float()
    centers = (gamut_bins() if centers is None else centers).to(logits)
    if logits.ndim != 4 or logits.shape[1] != len(centers):
        raise ValueError(f"logits must have shape (N, {len(centers)}, H, W), got {tuple(logits.shape)}")
    return logits, centers
