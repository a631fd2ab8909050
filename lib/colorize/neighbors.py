"""Neighboring pixels: how alike they are in lightness, and the matrix that adds up their differences.

Nearly every method without a network says the same: neighbors that are equally light are equally colored. The spatial
terms of lesson 12 all stand on the weights of this module. Neighbors are the pixels to the right and below: each pair of
the four-neighborhood comes once.
"""

import numpy as np
import torch
from scipy import sparse
from torch import Tensor


def contrast_weights(lightness: Tensor, sigma: float = 5.0) -> tuple[Tensor, Tensor]:
    """How much neighbors should agree: ``exp(-(L_p - L_q)^2 / (2 sigma^2))``, 1 without contrast, near 0 across an edge.

    Parameters
    ----------
    lightness : (N, 1, H, W), L in 0..100.
    sigma : contrast that counts as an edge, in units of L, above 0. Infinity makes all weights 1.

    Returns
    -------
    right : (N, H, W - 1), between each pixel and the one to its right.
    down : (N, H - 1, W), between each pixel and the one below. Both of lightness's dtype, float32 at least.

    Raises
    ------
    TypeError for what is no tensor of floats, ValueError for another shape, NaN or infinity, or sigma not above 0.

    >>> right, down = contrast_weights(torch.tensor([[50.0, 50.0, 60.0]]).view(1, 1, 1, 3), sigma=10.0)
    >>> right
    tensor([[[1.0000, 0.6065]]])
    """
    check(lightness, 1, "lightness")
    check_positive(sigma, "sigma")
    light = lightness[:, 0]
    light = light if light.dtype == torch.float64 else light.float()
    pairs = light[:, :, 1:] - light[:, :, :-1], light[:, 1:] - light[:, :-1]
    right, down = (torch.exp(-((step / sigma) ** 2) / 2) for step in pairs)
    return right, down


def laplacian(right: Tensor, down: Tensor) -> sparse.csr_array:
    """Matrix of the sum of weighted squared differences: ``x @ A @ x = sum over pairs of w_pq (x_p - x_q)^2``.

    On the diagonal stands the sum of a pixel's weights, off it minus the weight of each pair: row p of ``A @ x`` says how
    far x_p is from its neighbors.

    Parameters
    ----------
    right, down : (H, W - 1) and (H - 1, W), weights of the pairs of one picture, 0 or above.

    Returns
    -------
    (H W, H W) float64, symmetric; pixels are counted row by row.

    Raises
    ------
    ValueError if the shapes do not belong together.

    >>> laplacian(torch.tensor([[2.0, 3.0]]), torch.empty(0, 3)).toarray().tolist()
    [[2.0, -2.0, 0.0], [-2.0, 5.0, -3.0], [0.0, -3.0, 3.0]]
    """
    height, width = right.shape[0], down.shape[-1]
    if right.shape != (height, width - 1) or down.shape != (height - 1, width):
        raise ValueError(
            "right and down must have shapes (H, W - 1) and (H - 1, W), "
            f"got {tuple(right.shape)} and {tuple(down.shape)}"
        )
    number = np.arange(height * width).reshape(height, width)
    first = np.concatenate((number[:, :-1].ravel(), number[:-1].ravel()))
    second = np.concatenate((number[:, 1:].ravel(), number[1:].ravel()))
    weight = torch.cat((right.flatten(), down.flatten())).double().cpu().numpy()
    size = height * width
    adjacent = sparse.coo_array((weight, (first, second)), shape=(size, size))
    adjacent = adjacent + adjacent.T
    return (sparse.diags_array(adjacent.sum(axis=1)) - adjacent).tocsr()


def check(values: Tensor, channels: int, name: str, like: Tensor | None = None) -> None:
    """Refuse what is no (N, channels, H, W) of finite floats, or has not the N, H and W of ``like``, in one sentence."""
    if not isinstance(values, Tensor) or not values.is_floating_point():
        got = values.dtype if isinstance(values, Tensor) else type(values).__name__
        raise TypeError(f"{name} must be a tensor of floats of shape (N, {channels}, H, W), got {got}")
    shape = tuple(values.shape)
    if values.ndim != 4 or shape[1] != channels or not values.numel():
        raise ValueError(f"{name} must have shape (N, {channels}, H, W), got {shape}")
    if like is not None and (shape[0], *shape[2:]) != (like.shape[0], *like.shape[2:]):
        expected = (like.shape[0], channels, *like.shape[2:])
        raise ValueError(
            f"{name} must have shape {expected}, as many and as large pictures as the others, got {shape}"
        )
    if not values.isfinite().all():
        raise ValueError(f"{name} must be finite, got NaN or infinity")


def check_pairs(right: Tensor, down: Tensor, like: Tensor) -> None:
    """Refuse weights of pairs that do not belong to pictures (N, C, H, W), in one sentence."""
    n, _, height, width = like.shape
    expected = (n, height, width - 1), (n, height - 1, width)
    if (tuple(right.shape), tuple(down.shape)) != expected:
        raise ValueError(
            f"the weights of pairs, to the right and down, must have shapes {expected[0]} and {expected[1]}, "
            f"got {tuple(right.shape)} and {tuple(down.shape)}"
        )


def check_positive(value: float, name: str, zero: bool = False) -> None:
    """Refuse a number that is not above 0 (with ``zero``: 0 or above), NaN among them, in one sentence."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    if not (value > 0 or (zero and value == 0)):
        raise ValueError(f"{name} must be {'0 or above' if zero else 'above 0'}, got {value}")
