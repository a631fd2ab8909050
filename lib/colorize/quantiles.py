"""Bins along one axis, and histograms over them as targets. Larsson et al. 2016, section 3.2.

The 313 bins of :mod:`colorize.bins` are squares of one size in the ab plane. Here an axis is cut by itself: a and b at the
quantiles of a Gaussian, so that bins are narrow near gray, where most colors are; hue and chroma evenly. Two axes are
predicted side by side (*marginal*: K + K numbers), or as one grid (*joint*: K x K).

A target is the number of a bin (R = 1), or the histogram of the R x R pixels around a pixel. Neither is ever written down for a
whole picture unless asked for: at 256 x 256 pixels and K = 32, histograms fill 8.4 MB an axis.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

SIGMA = 25.0  # ab units
MARGINAL, JOINT = 32, 16  # K of an axis
HUE_WEIGHT = 5.0  # lambda_H


@dataclass(frozen=True)
class Axis:
    """K bins along one axis. ``edges`` (K + 1,) rise; ``centers`` (K,) stand for the bins. A bin has its left edge, not its right."""

    edges: Tensor
    centers: Tensor

    def __len__(self) -> int:
        return len(self.centers)

    def index(self, values: Tensor) -> Tensor:
        """Number of each value's bin, int64, any shape. What lies beyond the first or last edge belongs to that bin."""
        return torch.bucketize(values.contiguous(), self.edges[1:-1].to(values).contiguous(), right=True)


def gaussian_axis(bins: int = MARGINAL, sigma: float = SIGMA) -> Axis:
    """Cut an axis at the quantiles of a Gaussian with mean 0: each bin holds 1 / K of it.

    Edges are ``sigma Phi^-1(k / K)``, the two last ones infinite; a bin's center is its own median,
    ``sigma Phi^-1((k + 1/2) / K)``. (The paper names mu = 0 and sigma = 25, not what stands for a bin.) With K = 32 the bins
    next to gray are 2 wide, and the last centers are -53.9 and 53.9: no expectation gets more vivid than that.

    >>> gaussian_axis(4).edges
    tensor([    -inf, -16.8622,   0.0000,  16.8622,      inf])
    """
    if bins < 1 or not sigma > 0:
        raise ValueError(f"bins must be 1 or more and sigma above 0, got {bins} and {sigma}")
    shares = torch.arange(2 * bins + 1, dtype=torch.float64, device="cpu") / (2 * bins)
    found = (sigma * torch.special.ndtri(shares)).float()
    return Axis(found[::2].contiguous(), found[1::2].contiguous())


def uniform_axis(bins: int = MARGINAL) -> Axis:
    """Cut [0, 1] evenly, for hue and chroma: edges k / K, centers (k + 1/2) / K."""
    if bins < 1:
        raise ValueError(f"bins must be 1 or more, got {bins}")
    found = torch.arange(2 * bins + 1, dtype=torch.float32, device="cpu") / (2 * bins)
    return Axis(found[::2].contiguous(), found[1::2].contiguous())


def joint_index(ab: Tensor, axis: Axis) -> Tensor:
    """Number of each color's cell in the grid of an axis with itself, a first: (N, 2, ...) -> (N, ...) in 0..K^2 - 1."""
    if ab.ndim < 2 or ab.shape[1] != 2:
        raise ValueError(f"ab must have shape (N, 2, ...), got {tuple(ab.shape)}")
    a, b = axis.index(ab).unbind(dim=1)
    return a * len(axis) + b


def joint_centers(axis: Axis) -> Tensor:
    """Colors that stand for the cells of :func:`joint_index`: (K^2, 2)."""
    return torch.cartesian_prod(axis.centers, axis.centers)


def patch(picture: Tensor, points: Tensor, side: int) -> Tensor:
    """Take the side x side pixels around each of some points; beyond the border its nearest pixel is taken again.

    Parameters
    ----------
    picture : (N, C, H, W).
    points : (N, P, 2) whole numbers, row and column.
    side : R, odd; anything else is a ValueError. 1 takes the pixels themselves.

    Returns
    -------
    (N, C, P, R^2).
    """
    if side < 1 or side % 2 == 0:
        raise ValueError(f"side must be odd, 1 or above, got {side}")
    if picture.ndim != 4 or points.ndim != 3 or points.shape[::2] != (len(picture), 2):
        raise ValueError(
            "picture must have shape (N, C, H, W) and points (N, P, 2), "
            f"got {tuple(picture.shape)} and {tuple(points.shape)}"
        )
    n, channels, height, width = picture.shape
    steps = torch.arange(side, device=picture.device) - side // 2
    row = (points[..., 0].long()[..., None, None] + steps[:, None]).clamp(0, height - 1)
    column = (points[..., 1].long()[..., None, None] + steps).clamp(0, width - 1)
    flat = (row * width + column).flatten(1)  # (N, P R^2)
    found = picture.flatten(2).gather(2, flat[:, None].expand(-1, channels, -1))
    return found.view(n, channels, points.shape[1], side * side)


def histogram(index: Tensor, bins: int, weight: Tensor | None = None) -> Tensor:
    """Share of each bin among the last dimension: int64 (..., M) -> (..., bins), which sums to 1.

    Parameters
    ----------
    weight : (..., M), 0 or above, how much each counts; all the same when left out. A row of zeros counts all the same.
    """
    weight = torch.ones_like(index, dtype=torch.float32) if weight is None else weight
    if weight.shape != index.shape:
        raise ValueError(f"weight must have shape {tuple(index.shape)}, got {tuple(weight.shape)}")
    total = weight.sum(dim=-1, keepdim=True)
    weight = torch.where(total > 0, weight / total.clamp(min=1e-12), 1 / index.shape[-1])
    return weight.new_zeros(*index.shape[:-1], bins).scatter_add_(-1, index, weight)


def dense_histograms(index: Tensor, bins: int, side: int) -> Tensor:
    """Histograms of the side x side pixels around all pixels: (N, H, W) int64 -> (N, bins, H, W). The slow, large way.

    A mean filter over one-hot planes; at the border as :func:`patch` has it.
    """
    if index.ndim != 3:
        raise ValueError(f"index must have shape (N, H, W), got {tuple(index.shape)}")
    planes = F.one_hot(index, bins).movedim(-1, 1).float()
    return F.avg_pool2d(F.pad(planes, [side // 2] * 4, mode="replicate"), side, stride=1)


def kl(logits: Tensor, target: Tensor) -> Tensor:
    """Kullback-Leibler divergence of a predicted distribution from a target, ``sum_k y_k ln(y_k / f_k)``. Equation 2.

    Against a one-hot target it is the log loss, ``-ln f_k``. Against a histogram it is less than the cross-entropy by the
    entropy of that histogram, which no network changes: the gradients are the same, and the best value is 0.

    Parameters
    ----------
    logits : (N, K, ...) float.
    target : numbers of bins, int64 (N, ...), or histograms (N, K, ...).

    Returns
    -------
    (N, ...) in nats.

    >>> kl(torch.zeros(1, 32, 1), torch.tensor([[7]]))  # knows nothing: ln 32
    tensor([[3.4657]])
    """
    wanted = logits.shape if target.is_floating_point() else (*logits.shape[:1], *logits.shape[2:])
    if target.shape != wanted:
        raise ValueError(f"target must have shape {tuple(wanted)}, got {tuple(target.shape)}")
    logits = logits.float() if logits.dtype in (torch.bfloat16, torch.float16) else logits
    if not target.is_floating_point():
        return F.cross_entropy(logits, target, reduction="none")
    target = target.to(logits)
    cross = torch.where(
        target > 0, target * torch.log_softmax(logits, dim=1), 0
    )  # 0 times minus infinity is 0 here
    return (torch.xlogy(target, target) - cross).sum(dim=1)


def hue_chroma_loss(
    hue_logits: Tensor,
    chroma_logits: Tensor,
    hue: Tensor,
    chroma: Tensor,
    value: Tensor,
    hue_weight: float = HUE_WEIGHT,
) -> Tensor:
    """Loss for hue and chroma: ``KL(y_C || f_C) + lambda_H y_C KL(y_H || f_H)``, mean over pixels. Equation 3.

    The hue of a pixel that is nearly gray is noise: it counts by its chroma, and not at all where there is none.
    ``lambda_H = 5`` is about 1 / E[y_C], so that hue and chroma count the same on the whole.

    Parameters
    ----------
    hue_logits, chroma_logits : (N, K, ...).
    hue, chroma : targets of either kind that :func:`kl` takes.
    value : (N, ...), y_C, the chroma itself, in [0, 1].
    """
    return (kl(chroma_logits, chroma) + hue_weight * value * kl(hue_logits, hue)).mean()
