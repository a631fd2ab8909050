"""Several answers to one gray picture: biases that prefer some colors, and a map of where there is a choice.

A network that answers with a distribution has more than one picture to give. A bias, one number for each color bin, is
added to the logits of all pixels. Where the network is sure nothing happens; where it hesitates the preferred color wins.
Larsson et al. (2016), figure 10, "rotate" a bias through color space for this. Here it comes in three forms: a preferred
hue (:func:`hue_bias`), any bias turned (:func:`rotate_bias`), and biases at random (:func:`draw_biases`).
"""

import math

import torch
from torch import Tensor

from .bins import gamut_bins, nearest_bin
from .neighbors import check_positive

UNIT = 100.0  # ab units over which a preference of strength 1 rises by 1 nat


def hue_bias(angle: float, strength: float = 4.0) -> Tensor:
    """Prefer one direction in the ab plane: ``b_q = strength / 100 * c_q . u``, with u the unit vector of the hue.

    The preference grows evenly from the complementary color over gray to the color itself. For such a bias there is a
    law. With m the mean color of a pixel's distribution and Sigma its covariance::

        dm / d strength = Sigma u / 100

    What is certain has no covariance and does not move; the more the colors of a pixel spread along u, the farther it goes.

    Parameters
    ----------
    angle : hue in degrees: 0 is red (more a), 90 yellow (more b), 180 green, 270 blue.
    strength : in nats for 100 ab units; 0 prefers nothing, a negative one the complementary color.

    Returns
    -------
    (313,) float32. ``logits + bias.view(1, -1, 1, 1)`` goes into any readout.

    Raises
    ------
    TypeError or ValueError if angle or strength is no finite number.

    >>> bias = hue_bias(90)  # yellow
    >>> [round(bias[q].item(), 2) for q in (120, 121, 119)]  # (0, 0), (0, 10) and (0, -10)
    [0.0, 0.4, -0.4]
    """
    _check_finite(angle, "angle")
    _check_finite(strength, "strength")
    turn = math.radians(angle)
    direction = torch.tensor([math.cos(turn), math.sin(turn)], dtype=torch.float64)
    return (strength / UNIT * (gamut_bins().double() @ direction)).float()


def hue_biases(n: int, strength: float = 4.0, start: float = 0.0) -> Tensor:
    """Rotate a preferred hue through color space in n equal steps: (n, 313), row k at ``start + 360 k / n`` degrees.

    ``logits + hue_biases(4)[:, :, None, None]`` are four opinions on one picture (1, 313, h, w). ValueError if n is not 1
    or above, or as :func:`hue_bias`.
    """
    _check_number(n)
    return torch.stack([hue_bias(start + 360 * k / n, strength) for k in range(n)])


def rotate_bias(bias: Tensor, angle: float) -> Tensor:
    """Turn a bias around gray: what it said of a color, it now says of the color whose hue is ``angle`` degrees further.

    The new value at bin center c is the old one at c turned back, read at the nearest bin. A quarter turn moves grid
    points to grid points and is exact, where both are bins.

    Parameters
    ----------
    bias : (313,), such as that of :func:`colorize.transfer.fit_bias`.
    angle : degrees, from a toward b: red over yellow to green.

    Returns
    -------
    (313,) of bias's dtype.

    Raises
    ------
    ValueError for another shape; TypeError or ValueError if angle is no finite number.
    """
    if not isinstance(bias, Tensor) or bias.shape != (len(gamut_bins()),):
        got = tuple(bias.shape) if isinstance(bias, Tensor) else type(bias).__name__
        raise ValueError(f"bias must have shape ({len(gamut_bins())},), got {got}")
    _check_finite(angle, "angle")
    turn = math.radians(-angle)
    back = torch.tensor(
        [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]], dtype=torch.float64
    )
    # Rounded: a quarter turn shall land on grid points, not a hair beside the border between two bins.
    there = (gamut_bins().double() @ back.T).round(decimals=9)
    return bias[nearest_bin(there.T[None, :, :, None]).flatten().to(bias.device)]


def draw_biases(n: int, seed: int, strength: float = 2.0, length: float = 40.0) -> Tensor:
    """Draw n preferences at random, smooth in color: a Gaussian process over the ab plane.

    The biases of two bins have the covariance ``strength^2 exp(-d^2 / (2 length^2))``, d the distance of their centers:
    red and orange are preferred together, red and green apart. (:func:`colorize.decode.sample` with ``shared=True`` is the
    case without any smoothness: one number of the Gumbel distribution for each bin.)

    Parameters
    ----------
    n : 1 or above.
    seed : decides everything.
    strength : standard deviation of a bin's bias, in nats, 0 or above.
    length : how far a preference reaches, in ab units, above 0.

    Returns
    -------
    (n, 313) float32.

    Raises
    ------
    TypeError or ValueError if a number is out of its range.
    """
    _check_number(n)
    check_positive(strength, "strength", zero=True)
    check_positive(length, "length")
    centers = gamut_bins().double()
    kernel = torch.exp(-torch.cdist(centers, centers).square() / (2 * length**2))
    # Neighboring bins nearly agree: the kernel is singular to within rounding, which its Cholesky factor would not survive.
    # The factor U sqrt(S) U' does not depend on the signs of the eigenvectors, which differ between machines.
    values, vectors = torch.linalg.eigh(kernel)
    factor = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    noise = torch.randn(n, len(centers), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return (strength * noise @ factor).float()


def hue_distribution(logits: Tensor, sectors: int = 32) -> Tensor:
    """Distribution of the hue: the probabilities of the bins, added up by the angle at which they lie.

    Sector k is ``360 / sectors`` degrees wide, with ``360 k / sectors`` in its middle. Gray has no hue: its bin is left
    out, and the others are scaled to sum 1. Larsson et al. predict such a distribution, with 32 sectors.

    Parameters
    ----------
    logits : (N, 313, H, W); minus infinity rules a bin out.
    sectors : 1 or above.

    Returns
    -------
    (N, sectors, H, W) float32. For a pixel that is gray for certain, all sectors are equal: nothing is known.

    Raises
    ------
    ValueError for another shape, or sectors out of range.
    """
    _check_logits(logits)
    if not isinstance(sectors, int) or sectors < 1:
        raise ValueError(f"sectors must be a whole number, 1 or above, got {sectors!r}")
    centers = gamut_bins().to(logits.device)
    hue = torch.atan2(centers[:, 1], centers[:, 0]) / (2 * math.pi)  # in turns, -1/2 to 1/2
    sector = (hue * sectors).round().long() % sectors
    colored = (centers != 0).any(dim=1)
    p = torch.softmax(logits.float(), dim=1)
    shape = (len(logits), sectors, *logits.shape[2:])
    found = p.new_zeros(shape).index_add_(1, sector[colored], p[:, colored])
    total = found.sum(dim=1, keepdim=True)
    return torch.where(total > 0, found / total.where(total > 0, 1), 1 / sectors)


def uncertainty(logits: Tensor, sectors: int = 32) -> Tensor:
    """Where a picture could look different: entropy of the hue, times the chroma. Larsson et al. 2016, figure 10.

    The entropy alone is largest where nothing is at stake: a nearly gray wall has no hue to speak of, and all are equally
    likely. The chroma, here the expected one ``sum_q p_q |c_q|``, takes such places out.

    Parameters
    ----------
    logits : (N, 313, H, W); minus infinity rules a bin out.
    sectors : of :func:`hue_distribution`.

    Returns
    -------
    (N, H, W) float32, in nats times ab units: 0 where the hue or gray is certain.

    Raises
    ------
    As :func:`hue_distribution`.
    """
    hue = hue_distribution(logits, sectors)
    chroma = torch.einsum(
        "q,nqhw->nhw", gamut_bins().to(logits.device).norm(dim=1), torch.softmax(logits.float(), dim=1)
    )
    return torch.special.entr(hue).sum(dim=1) * chroma


def _check_logits(logits: Tensor) -> None:
    bins = len(gamut_bins())
    if not isinstance(logits, Tensor) or logits.ndim != 4 or logits.shape[1] != bins:
        got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ValueError(f"logits must have shape (N, {bins}, H, W), got {got}")


def _check_number(n: int) -> None:
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
        raise ValueError(f"n must be a whole number, 1 or above, got {n!r}")


def _check_finite(value: float, name: str) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}")
