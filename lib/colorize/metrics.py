"""How close is a colorization to the true colors? The measures that the papers report.

Two kinds: AuC and RMSE pool all pixels of a set, as their papers do, and return one number; PSNR and mean chroma
return one number for each picture.
"""

import torch
from torch import Tensor

AUC_LIMIT = 150  # ab units, the largest threshold; two colors of sRGB can be up to about 250 apart


def auc(pred_ab: Tensor, true_ab: Tensor, weight: Tensor | None = None) -> float:
    """Area under the curve of accepted pixels: raw or rebalanced accuracy of color.

    The curve gives, for each threshold t = 0, 1, ..., 150 ab units, the share of pixels whose prediction lies within
    Euclidean distance t of the true color. Its area (trapezoids), divided by 150, is 1 for a perfect prediction.
    Zhang et al. 2016, section 3.1. Gray scores near 0.89 on ImageNet: most of a photo is nearly gray.

    Parameters
    ----------
    pred_ab, true_ab : (N, 2, H, W), a and b in their own units; all pixels are pooled.
    weight : (N, H, W), 0 or above, or None for equal weights. For the rebalanced AuC each pixel weighs 1 / (share of
        its true bin in the evaluated set).

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
    _same_shape(pred_ab, true_ab, 2, "pred_ab", "true_ab")
    n, _, height, width = true_ab.shape
    distance = (pred_ab.double() - true_ab.double()).norm(dim=1).flatten()  # (N * H * W,)
    if not len(distance):
        raise ValueError(f"auc needs pixels, got ab of shape {tuple(true_ab.shape)}")
    if not distance.isfinite().all():
        raise ValueError("pred_ab and true_ab must be finite, got NaN or infinity")
    if weight is None:
        weight = torch.ones_like(distance)
    elif weight.shape != (n, height, width):
        raise ValueError(f"weight must have shape {(n, height, width)}, got {tuple(weight.shape)}")
    weight = weight.flatten().to(distance)
    if weight.lt(0).any() or not weight.isfinite().all() or not weight.sum() > 0:
        raise ValueError("weight must be finite, 0 or above, and above 0 somewhere")
    # The first whole threshold that accepts a pixel is its distance rounded up: one histogram holds the whole curve.
    first = distance.ceil().clamp(max=AUC_LIMIT + 1).long()
    accepted = torch.bincount(first, weight, minlength=AUC_LIMIT + 2)[: AUC_LIMIT + 1].cumsum(0)
    return (torch.trapezoid(accepted) / (AUC_LIMIT * weight.sum())).item()


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
    return -10 * (pred_rgb.double() - true_rgb.double()).square().mean(dim=(1, 2, 3)).log10().float()


def rmse_alpha_beta(pred_rgb: Tensor, true_rgb: Tensor) -> float:
    """Mean distance in the alpha-beta color space, over all pixels of all pictures.

    ``alpha = (B - (R + G) / 2) / (L + e)``, ``beta = (R - G) / (L + e)``, with L = (R + G + B) / 3 and e = 0.0001.
    Larsson et al. 2016, equations 9 and 10, as printed: the mean over pixels of the Euclidean distance, although the
    name says root mean square. Only to be compared on the same pictures.

    Parameters
    ----------
    pred_rgb, true_rgb : (N, 3, H, W), sRGB in [0, 1].

    Raises
    ------
    ValueError for other shapes.

    >>> gray, red = torch.full((1, 3, 1, 1), 0.3), torch.tensor([0.9, 0.0, 0.0]).view(1, 3, 1, 1)
    >>> round(rmse_alpha_beta(gray, red), 2)  # red: alpha = -1.5, beta = 3
    3.35
    """
    _same_shape(pred_rgb, true_rgb, 3, "pred_rgb", "true_rgb")
    return (_alpha_beta(pred_rgb) - _alpha_beta(true_rgb)).norm(dim=1).mean().item()


def mean_chroma(ab: Tensor) -> Tensor:
    """Mean distance from gray, ``sqrt(a^2 + b^2)``, of each picture: (N, 2, H, W) -> (N,) in ab units. ValueError for another shape.

    >>> mean_chroma(torch.tensor([3.0, 4.0]).view(1, 2, 1, 1))
    tensor([5.])
    """
    if ab.ndim != 4 or ab.shape[1] != 2:
        raise ValueError(f"ab must have shape (N, 2, H, W), got {tuple(ab.shape)}")
    return ab.norm(dim=1).mean(dim=(1, 2))


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
    red, green, blue = (255 * rgb.double()).flatten(2).unbind(dim=1)  # (N, H * W) each
    opponents = torch.stack((red - green, (red + green) / 2 - blue))  # (2, N, H * W)
    spread = opponents.var(dim=2, correction=0).sum(dim=0).sqrt()
    return (spread + 0.3 * opponents.mean(dim=2).norm(dim=0)).float()


def _alpha_beta(rgb: Tensor) -> Tensor:
    red, green, blue = rgb.double().unbind(dim=1)
    lightness = rgb.double().mean(dim=1) + 1e-4
    return torch.stack(((blue - (red + green) / 2) / lightness, (red - green) / lightness), dim=1)


def _same_shape(pred: Tensor, true: Tensor, channels: int, pred_name: str, true_name: str) -> None:
    if pred.shape != true.shape or true.ndim != 4 or true.shape[1] != channels:
        raise ValueError(
            f"{pred_name} and {true_name} must both have shape (N, {channels}, H, W), "
            f"got {tuple(pred.shape)} and {tuple(true.shape)}"
        )
