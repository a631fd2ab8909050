"""How close is a colorization to the true colors? The measures that the papers report.

Two kinds: AuC, RMSE and bin accuracy pool all pixels of a set, as their papers do, and return one number; PSNR, Frobenius
distance, mean chroma and colorfulness return one number for each picture. Sets that do not fit into memory:
:mod:`colorize.streaming`.
"""

import math

import torch
from torch import Tensor

AUC_LIMIT = 150  # ab units, the largest threshold; two colors of sRGB can be up to about 250 apart
PSNR_CAP = 20 * math.log10(255) + 10 * math.log10(12)  # dB, 58.92: 8-bit pixels that differ by rounding alone


def color_distance(pred_ab: Tensor, true_ab: Tensor) -> Tensor:
    """Euclidean distance of the two colors of each pixel: (N, 2, H, W) twice -> (N, H, W) in ab units.

    ValueError for other shapes, no pixels, or values that are not finite.
    """
    _same_shape(pred_ab, true_ab, 2, "pred_ab", "true_ab")
    distance = _length(*(_float(pred_ab) - _float(true_ab)).unbind(dim=1))
    if not distance.numel():
        raise ValueError(f"auc needs pixels, got ab of shape {tuple(true_ab.shape)}")
    if not distance.max().isfinite():  # the largest is NaN if one is
        raise ValueError("pred_ab and true_ab must be finite, got NaN or infinity")
    return distance


def first_threshold(distance: Tensor) -> Tensor:
    """The first of the thresholds 0, 1, ..., 150 that accepts a pixel, 151 if none does: its distance, rounded up; int64."""
    return distance.ceil().clamp_(max=AUC_LIMIT + 1).long()


def area(accepted: Tensor, step: int = 1, rule: str = "trapezoid") -> Tensor:
    """Area under curves of accepted pixels, as a share of the largest possible: (..., 151) -> (...).

    Parameters
    ----------
    accepted : share of pixels within each of the thresholds 0, 1, ..., 150.
    step : use every ``step``-th threshold; a divisor of 150. KTH took 10.
    rule : "trapezoid", or "mean" of the values, which both have been published. Gray loses 0.3 points with "mean", and 2.8
        with "mean" and step 10 (on photos of ImageNet).

    Raises
    ------
    ValueError for another rule, or a step that does not divide 150.
    """
    if rule not in ("trapezoid", "mean") or AUC_LIMIT % step:
        raise ValueError(
            f"area takes the rules trapezoid and mean, and a divisor of 150, got {rule!r}, {step}"
        )
    values = accepted[..., ::step]
    return values.mean(dim=-1) if rule == "mean" else torch.trapezoid(values) * step / AUC_LIMIT


def auc(
    pred_ab: Tensor,
    true_ab: Tensor,
    weight: Tensor | None = None,
    *,
    step: int = 1,
    rule: str = "trapezoid",
    per_photo: bool = False,
) -> float:
    """Area under the curve of accepted pixels: raw or rebalanced accuracy of color.

    The curve gives, for each threshold t = 0, 1, ..., 150 ab units, the share of pixels whose prediction lies within
    Euclidean distance t of the true color. Its area (trapezoids), divided by 150, is 1 for a perfect prediction.
    Zhang et al. 2016, section 3.1. Gray scores near 0.89 on ImageNet: most of a photo is nearly gray.

    Parameters
    ----------
    pred_ab, true_ab : (N, 2, H, W), a and b in their own units; all pixels are pooled.
    weight : (N, H, W), 0 or above, or None for equal weights. For the rebalanced AuC each pixel weighs 1 / (share of
        its true bin in the evaluated set).
    step, rule : as :func:`area` takes them; papers differ.
    per_photo : the mean of one AuC a photo, in each of which the weights count relative to those of that photo. The
        rebalanced AuC then comes out much higher, since a photo of rare colors counts no more than another.

    Returns
    -------
    float in [0, 1].

    Raises
    ------
    ValueError for other shapes, no pixels, values that are not finite, negative weights, or weights that sum to 0.

    >>> true = torch.zeros(1, 2, 1, 1)
    >>> auc(true, true), auc(true + torch.tensor([30.0, 40.0]).view(1, 2, 1, 1), true)  # 50 units off: 100.5 / 150
    (1.0, 0.67)
    """
    first = first_threshold(color_distance(pred_ab, true_ab))
    if weight is None:
        weight = torch.ones_like(first)
    elif weight.shape != first.shape:
        raise ValueError(f"weight must have shape {tuple(first.shape)}, got {tuple(weight.shape)}")
    weight = weight.to(first.device, torch.float64)
    if weight.lt(0).any() or not weight.isfinite().all() or not weight.sum() > 0:
        raise ValueError("weight must be finite, 0 or above, and above 0 somewhere")
    rows = torch.arange(len(first), device=first.device)[:, None] if per_photo else 0
    count = len(first) if per_photo else 1
    cells = (first.flatten(1) + (AUC_LIMIT + 2) * rows).flatten()
    histogram = torch.bincount(cells, weight.flatten(), minlength=count * (AUC_LIMIT + 2))
    histogram = histogram.view(count, AUC_LIMIT + 2)
    totals = histogram.sum(dim=1, keepdim=True)
    if not totals.min() > 0:
        raise ValueError("weight must be above 0 somewhere in each photo")
    return area(histogram.cumsum(dim=1)[:, :-1] / totals, step, rule).mean().item()


def psnr(pred_rgb: Tensor, true_rgb: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each picture, ``-10 log10(mean squared error)`` in dB.

    Parameters
    ----------
    pred_rgb, true_rgb : (N, 3, H, W), sRGB in [0, 1].

    Returns
    -------
    (N,) float32; infinity where the two are equal.

    Raises
    ------
    ValueError for other shapes.

    >>> psnr(torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.1))
    tensor([20.])
    """
    _same_shape(pred_rgb, true_rgb, 3, "pred_rgb", "true_rgb")
    squares = (_float(pred_rgb) - _float(true_rgb)).square_()
    return -10 * squares.mean(dim=(1, 2, 3)).log10().float()


def mean_psnr(values: Tensor, mean: str = "arithmetic", cap: float = PSNR_CAP) -> float:
    """Mean of the PSNR of several pictures, which papers report in two ways.

    A picture that was gray anyway has an error near 0 and a PSNR without bound, so that a few of them can carry a mean.
    Values are cut off at ``cap``.

    Parameters
    ----------
    values : (N,) in dB, from :func:`psnr`; infinity for identical pictures.
    mean : "arithmetic" (Larsson et al. 2016, Table 2) or "geometric" (their Figure 8, after Cheng et al. 2015).
    cap : in dB. What 8-bit pixels lose by rounding alone, a mean squared error of 1/12 of a step, is 58.92 dB.

    Raises
    ------
    ValueError for no values, another mean, or a geometric mean of values that are not above 0.

    >>> mean_psnr(torch.tensor([10.0, 40.0])), round(mean_psnr(torch.tensor([10.0, 40.0]), "geometric"), 2)
    (25.0, 20.0)
    """
    values = values.double().clamp(max=cap)
    if not len(values) or mean not in ("arithmetic", "geometric"):
        raise ValueError(
            f"mean_psnr takes values, and arithmetic or geometric, got {len(values)} and {mean!r}"
        )
    if mean == "arithmetic":
        return values.mean().item()
    if not values.min() > 0:
        raise ValueError(f"a geometric mean needs values above 0 dB, got {values.min():.1f}")
    return values.log().mean().exp().item()


def rmse_alpha_beta(pred_rgb: Tensor, true_rgb: Tensor, reading: str = "printed") -> float:
    """Distance in the alpha-beta color space, over all pixels of all pictures.

    ``alpha = (B - (R + G) / 2) / (L + e)``, ``beta = (R - G) / (L + e)``, with L = (R + G + B) / 3 and e = 0.0001.
    Larsson et al. 2016, equations 9 and 10. Only to be compared on the same pictures, in the same reading.

    Parameters
    ----------
    pred_rgb, true_rgb : (N, 3, H, W), sRGB in [0, 1].
    reading : "printed", the mean over pixels of the Euclidean distance, as equation 10 says; or "rms", the root of the
        mean square of that distance, as the name says. The latter is half as large again.

    Raises
    ------
    ValueError for other shapes or another reading.

    >>> gray, red = torch.full((1, 3, 1, 1), 0.3), torch.tensor([0.9, 0.0, 0.0]).view(1, 3, 1, 1)
    >>> round(rmse_alpha_beta(gray, red), 2)  # red: alpha = -1.5, beta = 3
    3.35
    """
    if reading not in ("printed", "rms"):
        raise ValueError(f"rmse_alpha_beta has the readings printed and rms, got {reading!r}")
    distance = alpha_beta_distance(pred_rgb, true_rgb)
    if reading == "printed":
        return distance.mean(dtype=torch.float64).item()
    return distance.square_().mean(dtype=torch.float64).sqrt().item()


def alpha_beta_distance(pred_rgb: Tensor, true_rgb: Tensor) -> Tensor:
    """Distance of each pixel in the alpha-beta space of :func:`rmse_alpha_beta`: (N, 3, H, W) twice -> (N, H, W).

    ValueError for other shapes. No two colors of sRGB are farther than 6 apart, which pure red and pure green are.
    """
    _same_shape(pred_rgb, true_rgb, 3, "pred_rgb", "true_rgb")
    (alpha, beta), (true_alpha, true_beta) = _alpha_beta(_float(pred_rgb)), _alpha_beta(_float(true_rgb))
    return _length(alpha.sub_(true_alpha), beta.sub_(true_beta))


def frobenius(pred_ab: Tensor, true_ab: Tensor) -> Tensor:
    """Frobenius norm of the difference: the root of the sum of squares over both channels and all pixels of a picture.

    Agrawal & Sawhney, section 5.3. A sum, not a mean: twice the side doubles it, so that only pictures of one size compare.

    Parameters
    ----------
    pred_ab, true_ab : (N, 2, H, W).

    Returns
    -------
    (N,) in ab units.

    >>> frobenius(torch.zeros(1, 2, 2, 2), torch.full((1, 2, 2, 2), 3.0))  # 8 values: 3 sqrt(8)
    tensor([8.4853])
    """
    _same_shape(pred_ab, true_ab, 2, "pred_ab", "true_ab")
    squares = (_float(pred_ab) - _float(true_ab)).square_()
    return squares.sum(dim=(1, 2, 3)).sqrt().float()


def bin_accuracy(
    pred_ab: Tensor, true_ab: Tensor, bins: int, limit: float = 100.0, joint: bool = True
) -> float:
    """Share of pixels whose prediction falls into the true bin, of ``bins`` equal bins for each of a and b.

    Agrawal & Sawhney, section 5.4: 41.5 % with 10 bins, 18.9 % with 50. More bins are smaller targets; the numbers for
    different ``bins`` say nothing about which is better.

    Parameters
    ----------
    pred_ab, true_ab : (N, 2, H, W), a and b in their own units.
    bins : for each axis, between -limit and limit. Colors beyond belong to the first and the last bin.
    joint : a pixel counts if a and b are both right; if False, a and b count one by one. The report can be read both ways.

    Raises
    ------
    ValueError for other shapes, no pixels, or fewer than one bin.

    >>> true = torch.tensor([5.0, 5.0]).view(1, 2, 1, 1)
    >>> pred = torch.tensor([15.0, 25.0]).view(1, 2, 1, 1)
    >>> bin_accuracy(pred, true, 10), bin_accuracy(pred, true, 10, joint=False)
    (0.0, 0.5)
    """
    _same_shape(pred_ab, true_ab, 2, "pred_ab", "true_ab")
    if bins < 1 or not true_ab.numel():
        raise ValueError(
            f"bin_accuracy needs pixels and a bin, got ab {tuple(true_ab.shape)} and {bins} bins"
        )
    pred, true = (
        ((ab.double() + limit) * bins / (2 * limit)).floor().clamp(0, bins - 1) for ab in (pred_ab, true_ab)
    )
    right = pred == true
    return (right.all(dim=1) if joint else right).double().mean().item()


def mean_chroma(ab: Tensor) -> Tensor:
    """Mean distance from gray, ``sqrt(a^2 + b^2)``, of each picture: (N, 2, H, W) -> (N,) in ab units. ValueError for another shape.

    >>> mean_chroma(torch.tensor([3.0, 4.0]).view(1, 2, 1, 1))
    tensor([5.])
    """
    if ab.ndim != 4 or ab.shape[1] != 2:
        raise ValueError(f"ab must have shape (N, 2, H, W), got {tuple(ab.shape)}")
    return _length(*_float(ab).unbind(dim=1)).mean(dim=(1, 2))


def colorfulness(rgb: Tensor) -> Tensor:
    """How colorful people find a picture, from its RGB alone. Hasler & Suesstrunk 2003, their measure M3.

    With ``rg = R - G``, ``yb = (R + G) / 2 - B``, means m and standard deviations s over the pixels of a picture::

        sqrt(s_rg^2 + s_yb^2) + 0.3 sqrt(m_rg^2 + m_yb^2)

    Differences keep their signs; a variant found in public code takes absolute values first and comes out lower.

    Parameters
    ----------
    rgb : (N, 3, H, W), sRGB in [0, 1].

    Returns
    -------
    (N,) float32, on the 0..255 scale of its authors: 15 is slightly, 59 quite, 109 extremely colorful.

    Raises
    ------
    ValueError for another shape.

    >>> colorfulness(torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1))  # blue alone: 0.3 x 255
    tensor([76.5000])
    """
    if rgb.ndim != 4 or rgb.shape[1] != 3:
        raise ValueError(f"rgb must have shape (N, 3, H, W), got {tuple(rgb.shape)}")
    red, green, blue = _float(rgb).unbind(dim=1)  # (N, H, W) each
    mean, variance = red.new_zeros(len(red)), red.new_zeros(len(red))  # squared and summed over rg and yb
    for opponents in (red - green, (red + green) / 2 - blue):
        center = opponents.mean(dim=(1, 2), keepdim=True)
        mean = mean + center.flatten().square()
        variance = variance + (opponents - center).square_().mean(dim=(1, 2))
    return 255 * (variance.sqrt() + 0.3 * mean.sqrt()).float()


def _alpha_beta(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 3, H, W) -> the two color opponents, each divided by lightness, (N, H, W) each."""
    red, green, blue = rgb.unbind(dim=1)
    both = red + green
    lightness = (both + blue).div_(3).add_(1e-4)
    return (blue - both.div_(2)).div_(lightness), (red - green).div_(lightness)


def _float(values: Tensor) -> Tensor:
    """Half precision is too coarse for a measure; float64 stays what it is."""
    return values if values.dtype == torch.float64 else values.float()


def _length(first: Tensor, second: Tensor) -> Tensor:
    """Length of each pixel's pair of numbers; thirty times faster than ``norm(dim=1)`` on a CPU."""
    return (first * first).addcmul_(second, second).sqrt_()


def _same_shape(pred: Tensor, true: Tensor, channels: int, pred_name: str, true_name: str) -> None:
    if pred.shape != true.shape or true.ndim != 4 or true.shape[1] != channels:
        raise ValueError(
            f"{pred_name} and {true_name} must both have shape (N, {channels}, H, W), "
            f"got {tuple(pred.shape)} and {tuple(true.shape)}"
        )
