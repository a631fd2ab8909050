"""How often does each color occur, and how much should a rare one count?"""

import json
from pathlib import Path

import torch
from torch import Tensor

from .bins import gamut_bins, nearest_bin
from .files import data_folder

COLUMNS = ["a", "b", "share", "smoothed"]  # of a prior's file, as colorize.make_prior writes it


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


def smooth_prior(prior: Tensor, sigma: float = 5.0) -> Tensor:
    """Spread the mass of each bin over its neighbors in the ab plane, with Gaussian weights.

    Zhang et al. 2016, section 2.2: the empirical distribution, smoothed with a Gaussian of sigma 5, the one of the soft
    codes. Distances are those between bin centers, in ab units; that two bins follow one another in the list of 313 means
    nothing (after (-10, 100) comes (0, -70)). The paper does not say what happens at the rim of the gamut. Here no mass
    leaves it: the weights of each bin, over the bins that exist, sum to 1.

    Parameters
    ----------
    prior : (313,), 0 or above, sums to 1.
    sigma : width of the Gaussian in ab units, 0 or above. 0 changes nothing, infinity makes all bins equal.

    Returns
    -------
    (313,) of the prior's dtype, sums to 1.

    Raises
    ------
    ValueError if the prior is none, or sigma is negative.

    >>> smooth_prior(color_prior(torch.zeros(1, 2, 4, 4)))[[120, 121, 122]]  # (0, 0), and 10 and 20 units away
    tensor([6.1869e-01, 8.3731e-02, 2.0755e-04], dtype=torch.float64)
    """
    centers = gamut_bins().double()
    if prior.shape != centers.shape[:1]:
        raise ValueError(f"prior must have shape ({len(centers)},), got {tuple(prior.shape)}")
    _check(prior)
    if not sigma >= 0:
        raise ValueError(f"sigma must be 0 or above, got {sigma}")
    if sigma == 0:
        return prior.clone()
    squared = ((centers[:, None] - centers) / sigma).square().sum(dim=2)
    spread = torch.softmax(-squared / 2, dim=1)  # (313, 313): row q says where the mass of bin q goes
    return (prior.cpu().double() @ spread).to(prior)


def load_prior(name: str | Path = "imagenet800", smoothed: bool = True) -> Tensor:
    """Read a prior that :mod:`colorize.make_prior` wrote: the shipped one of natural photos, or your own.

    Parameters
    ----------
    name : one in ``data/priors/``, or the path of a file that ends in .json.
    smoothed : with the Gaussian of sigma 5, or as counted.

    Returns
    -------
    (313,) float32, sums to 1.

    Raises
    ------
    ValueError if there is none, or the file is damaged.

    >>> round(load_prior()[120].item(), 2)  # a fifth of all pixels is nearly gray
    0.22
    """
    folder = data_folder() / "priors"
    path = Path(name) if Path(name).suffix == ".json" else folder / f"{name}.json"
    if not path.is_file():
        there = ", ".join(sorted(found.stem for found in folder.glob("*.json")))
        raise ValueError(f"there is no prior {str(name)!r}; there are {there or 'none'}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["columns"] != COLUMNS:
            raise ValueError(f"columns {content['columns']}")
        rows = torch.tensor(content["bins"], dtype=torch.float64)
        if rows.shape != (len(gamut_bins()), 4) or not torch.equal(rows[:, :2].float(), gamut_bins()):
            raise ValueError("its bins are not ours")
        for column in rows[:, 2:].unbind(1):
            _check(column)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{path} holds no prior that can be read ({error})") from None
    return rows[:, 3 if smoothed else 2].float()


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
    _check(prior)
    if not 0 <= lam <= 1:
        raise ValueError(f"lam must be between 0 and 1, got {lam}")
    mixed = (1 - lam) * prior + lam / len(prior)
    if not (mixed > 0).all():
        raise ValueError(
            "with lam = 0 every bin needs a prior above 0, or its weight is infinite: smooth the prior"
        )
    weight = 1 / mixed
    return weight / (prior * weight).sum()


def _check(prior: Tensor) -> None:
    if prior.ndim != 1 or not (prior >= 0).all() or abs(prior.sum().item() - 1) > 1e-3:
        raise ValueError(
            f"prior must be (Q,), 0 or above, with sum 1, got shape {tuple(prior.shape)}, sum {prior.sum().item():.4g}"
        )
