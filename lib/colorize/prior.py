"""How often does each color occur, and how much should a rare one count?"""

import torch
from torch import Tensor

from .bins import gamut_bins, nearest_bin


def color_prior(ab: Tensor) -> Tensor:
    """Share of each of the 313 bins among the pixels: the empirical prior, not smoothed.

    Parameters
    ----------
    ab : (N, 2, H, W), a and b in their own units; all pixels of all pictures are pooled.

    Returns
    -------
    (313,) float64, sums to 1. Bins that do not occur get 0.

    Raises
    ------
    ValueError for another shape, or no pixels.

    >>> prior = color_prior(torch.zeros(1, 2, 4, 4))
    >>> prior[120], prior.sum()
    (tensor(1., dtype=torch.float64), tensor(1., dtype=torch.float64))
    """
    count = torch.bincount(nearest_bin(ab).flatten(), minlength=len(gamut_bins())).double()
    if not count.sum() > 0:
        raise ValueError(f"a prior needs pixels, got ab of shape {tuple(ab.shape)}")
    return count / count.sum()


def rebalancing_weights(prior: Tensor, lam: float = 0.5) -> Tensor:
    """Weight of each bin in the loss: rare colors count more. Zhang et al. 2016, equation 4.

    ``w_q`` is proportional to ``1 / ((1 - lam) p_q + lam / Q)``, scaled so that the expected weight, ``sum_q p_q w_q``,
    is 1. lam = 1 gives equal weights, lam = 0 the full inverse of the prior.

    Parameters
    ----------
    prior : (Q,), 0 or above, sums to 1.
    lam : between 0 and 1; the paper's lambda, 1/2.

    Returns
    -------
    (Q,) of the prior's dtype.

    Raises
    ------
    ValueError if the prior is none, lam is out of range, or lam is 0 and a bin has prior 0: its weight would be
    infinite.

    >>> rebalancing_weights(torch.tensor([0.9, 0.1]))
    tensor([0.8824, 2.0588])
    """
    if prior.ndim != 1 or not (prior >= 0).all() or abs(prior.sum().item() - 1) > 1e-3:
        raise ValueError(
            f"prior must be (Q,), 0 or above, with sum 1, got shape {tuple(prior.shape)}, sum {prior.sum().item():.4g}"
        )
    if not 0 <= lam <= 1:
        raise ValueError(f"lam must be between 0 and 1, got {lam}")
    mixed = (1 - lam) * prior + lam / len(prior)
    if not (mixed > 0).all():
        raise ValueError(
            "with lam = 0 every bin needs a prior above 0, or its weight is infinite: smooth the prior"
        )
    weight = 1 / mixed
    return weight / (prior * weight).sum()
