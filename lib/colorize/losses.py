"""Losses: what a network is told it did wrong.

Each returns the mean over all pixels of the batch, not their sum, as some public rewrites of the paper's code do: a sum
over 44 x 44 pixels starts near 11,124 where the mean starts at ln 313 = 5.746, and its size would change with the crop.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from .bins import gamut_bins, soft_encode


def l2(pred_ab: Tensor, true_ab: Tensor, pixel_weight: Tensor | None = None) -> Tensor:
    """Half the squared distance to the true color, ``1/2 ||ab - ab*||^2``. Zhang et al. 2016, equation 1.

    Parameters
    ----------
    pred_ab, true_ab : (N, 2, H, W), a and b in their own units.
    pixel_weight : (N, H, W) or None for equal weights.

    Returns
    -------
    Tensor with one number, in squared ab units, that can be differentiated.

    >>> l2(torch.tensor([3.0, 4.0]).view(1, 2, 1, 1), torch.zeros(1, 2, 1, 1))
    tensor(12.5000)
    """
    _check_ab(pred_ab, true_ab)
    loss = 0.5 * (pred_ab - true_ab).square().sum(dim=1)  # (N, H, W)
    return _weighted(loss, pixel_weight)


def smooth_l1(
    pred_ab: Tensor, true_ab: Tensor, beta: float = 1.0, pixel_weight: Tensor | None = None
) -> Tensor:
    """Squared for small errors, linear for large ones. Agrawal & Sawhney, section 4.2.4, after Girshick.

    For each of a and b, with d the distance to the truth on that axis, ``d^2 / (2 beta)`` below beta, ``d - beta / 2``
    from there on; the two are summed. An outlier pulls with the same force as any other error, so a color that is right
    most of the time wins over the mean. The unit matters: with ab divided by 110 no error of a photo reaches beta = 1,
    and what is left is :func:`l2`, divided by 110^2.

    Parameters
    ----------
    pred_ab, true_ab : (N, 2, H, W), a and b in their own units.
    beta : where the square ends, in ab units, above 0; the paper's 1.
    pixel_weight : (N, H, W) or None for equal weights.

    Returns
    -------
    Tensor with one number, in ab units, that can be differentiated.

    Raises
    ------
    ValueError for other shapes, or a beta of 0 or below.

    >>> smooth_l1(torch.tensor([3.0, 0.5]).view(1, 2, 1, 1), torch.zeros(1, 2, 1, 1))  # 3 - 1/2, and 0.5^2 / 2
    tensor(2.6250)
    """
    _check_ab(pred_ab, true_ab)
    if not beta > 0:
        raise ValueError(f"beta must be above 0, got {beta}")
    distance = (pred_ab - true_ab).abs()
    loss = torch.where(distance < beta, distance.square() / (2 * beta), distance - beta / 2)
    return _weighted(loss.sum(dim=1), pixel_weight)


def soft_cross_entropy(
    logits: Tensor, index: Tensor, weight: Tensor, pixel_weight: Tensor | None = None
) -> Tensor:
    """Cross-entropy of a predicted distribution against soft codes. Zhang et al. 2016, equations 2 and 4.

    For one pixel with logits z and a code that gives the bins q_1 ... q_K the weights w_1 ... w_K (sum 1)::

        loss = v * (ln sum_q exp z_q  -  sum_k w_k z_{q_k}),        v the pixel's weight

    The zeros of the code are never written down. The gradient with respect to z, ``v (softmax(z) - code)``, is computed
    in one piece: one tensor of the size of the logits, where the usual way through ``log_softmax`` and a dense target
    needs three.

    Parameters
    ----------
    logits : (N, Q, H, W) float.
    index, weight : (N, K, H, W), as :func:`colorize.bins.soft_encode` returns them. No gradient flows into them.
    pixel_weight : (N, H, W), for instance the rebalancing weight of each pixel's nearest bin, or None.

    Returns
    -------
    Tensor with one number, in nats, that can be differentiated. Half precision is computed in float32.

    Raises
    ------
    ValueError if the shapes do not belong together.

    >>> logits = torch.zeros(1, 313, 1, 1)  # a network that knows nothing: ln 313, whatever the code
    >>> index, weight = torch.tensor([120, 7]).view(1, 2, 1, 1), torch.tensor([0.9, 0.1]).view(1, 2, 1, 1)
    >>> round(soft_cross_entropy(logits, index, weight).item(), 3)
    5.746
    """
    n, _, height, width = logits.shape if logits.ndim == 4 else (0, 0, 0, 0)
    if (
        logits.ndim != 4
        or index.shape != weight.shape
        or index.shape[:1] + index.shape[2:] != (n, height, width)
    ):
        raise ValueError(
            "logits must have shape (N, Q, H, W), index and weight (N, K, H, W), "
            f"got {tuple(logits.shape)}, {tuple(index.shape)} and {tuple(weight.shape)}"
        )
    return _weighted(_SoftCrossEntropy.apply(logits, index, weight), pixel_weight)


def classification(
    bin_weight: Tensor | None = None, neighbors: int = 5
) -> Callable[[Tensor, Tensor], Tensor]:
    """Make the classification loss of a training run: true colors in, soft codes inside.

    Parameters
    ----------
    bin_weight : (313,), weight of a pixel by its nearest bin, such as :func:`colorize.prior.rebalancing_weights`, or None
        for equal weights.
    neighbors : K of the soft codes.

    Returns
    -------
    A function of logits (N, 313, H, W) and true ab (N, 2, H, W), for :func:`colorize.training.fit`.

    Raises
    ------
    ValueError if bin_weight has another shape.
    """
    if bin_weight is not None and bin_weight.shape != gamut_bins().shape[:1]:
        expected = tuple(gamut_bins().shape[:1])
        raise ValueError(f"bin_weight must have shape {expected}, got {tuple(bin_weight.shape)}")

    def loss(logits: Tensor, true_ab: Tensor) -> Tensor:
        index, weight = soft_encode(true_ab, neighbors)
        pixel_weight = None if bin_weight is None else bin_weight.to(weight)[index[:, 0]]
        return soft_cross_entropy(logits, index, weight, pixel_weight)

    return loss


class _SoftCrossEntropy(torch.autograd.Function):
    """Loss of each pixel, (N, H, W). A few pictures at a time, so that what is computed on the way stays in the cache."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, index: Tensor, weight: Tensor) -> Tensor:
        dtype = torch.float64 if logits.dtype == torch.float64 else torch.float32
        log_sums, losses = [], []
        for z, q, w in _parts(logits, logits, index, weight):
            z = z.to(dtype)
            log_sums.append(torch.logsumexp(z, dim=1, keepdim=True))  # (n, 1, H, W)
            losses.append(log_sums[-1].squeeze(1) - (w.to(dtype) * z.gather(1, q)).sum(dim=1))
        ctx.save_for_backward(logits, torch.cat(log_sums), index, weight)
        return torch.cat(losses)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        logits, log_sum, index, weight = ctx.saved_tensors
        gradient = torch.empty_like(logits)  # (N, Q, H, W): the one large tensor
        parts = _parts(logits, gradient, logits, log_sum, index, weight, grad.unsqueeze(1))
        for out, z, s, q, w, g in parts:
            softmax = (z - s).exp_()
            softmax.scatter_add_(1, q, -w.to(softmax.dtype))
            out.copy_(softmax.mul_(g))
        return gradient, None, None


def _parts(logits: Tensor, *tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Cut tensors along N into parts of a few megabytes of logits; on a GPU, which has no use for it, into one."""
    n = len(logits)
    if logits.device.type == "cpu":
        n = max(1, 2**20 // max(1, logits[:1].numel()))
    return zip(*(tensor.split(n) for tensor in tensors), strict=True)


def _check_ab(pred_ab: Tensor, true_ab: Tensor) -> None:
    if pred_ab.shape != true_ab.shape or pred_ab.ndim != 4 or pred_ab.shape[1] != 2:
        raise ValueError(
            "pred_ab and true_ab must both have shape (N, 2, H, W), "
            f"got {tuple(pred_ab.shape)} and {tuple(true_ab.shape)}"
        )


def _weighted(loss: Tensor, pixel_weight: Tensor | None) -> Tensor:
    if pixel_weight is None:
        return loss.mean()
    if pixel_weight.shape != loss.shape:
        raise ValueError(f"pixel_weight must have shape {tuple(loss.shape)}, got {tuple(pixel_weight.shape)}")
    return (loss * pixel_weight).mean()
