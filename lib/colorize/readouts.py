"""From a histogram along one axis to one value: sample, mode, median, expectation, around a circle too. Larsson et al. 2016, 3.3.

All take probabilities (N, K, ...) that sum to 1 over the second dimension, and return (N, ...). (:mod:`colorize.decode` does the
same for the 313 bins in the plane, from logits.)
"""

import math

import torch
from torch import Tensor

ETA = 0.03  # of chromatic fading


def expectation(p: Tensor, centers: Tensor) -> Tensor:
    """Mean: the sum of the bins' centers, (K,), weighted by probability.

    >>> expectation(torch.tensor([[0.25, 0.75]]), torch.tensor([0.0, 1.0]))
    tensor([0.7500])
    """
    _check(p, centers)
    return torch.einsum("k,nk...->n...", centers.to(p), p)


def mode(p: Tensor, values: Tensor) -> Tensor:
    """Value (K,) of the most likely bin, of equal ones the first. Chosen for each pixel by itself, it jumps at borders.

    For chroma the authors' code takes the left edge, k / K, so that the likeliest bin of a photo, the first, is gray.
    """
    _check(p, values)
    return values.to(p)[p.argmax(dim=1)]


def sample(p: Tensor, values: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw a bin for each pixel from its histogram, and return its value (K,). Neighbors disagree: the picture is speckled.

    Parameters
    ----------
    generator : for repeatable draws, on the device of ``p``.
    """
    _check(p, values)
    draws = torch.rand((p.shape[0], 1, *p.shape[2:]), generator=generator, dtype=p.dtype, device=p.device)
    index = (p.cumsum(dim=1) < draws * p.sum(dim=1, keepdim=True)).sum(dim=1)
    return values.to(p)[index.clamp(max=p.shape[1] - 1)]


def quantile(p: Tensor, edges: Tensor, share: float = 0.5) -> Tensor:
    """Value below which a share of the probability lies: the median for 1/2.

    The mass of a bin lies evenly between its edges, so that the cumulative sum rises along straight lines; the value where it
    reaches ``share`` is interpolated. Where it stays at ``share`` for a while, the beginning of that stretch is taken. A
    circle has no median: it has no first bin.

    Parameters
    ----------
    p : (N, K, ...).
    edges : (K + 1,), finite and rising.
    share : above 0 and below 1.

    Raises
    ------
    ValueError for other shapes, infinite edges, or another share.

    >>> quantile(torch.tensor([[0.4, 0.2, 0.4]]), torch.tensor([0.0, 1.0, 2.0, 3.0]))
    tensor([1.5000])
    """
    _check(p, edges[1:])
    if not 0 < share < 1 or not edges.isfinite().all():
        raise ValueError(f"share must be between 0 and 1 and edges finite, got {share} and {edges.tolist()}")
    edges = edges.to(p)
    below = p.cumsum(dim=1)
    wanted = share * below[:, -1:]
    k = (below < wanted).sum(dim=1, keepdim=True).clamp(max=p.shape[1] - 1)  # the bin in which it is reached
    mass = p.gather(1, k)
    within = (wanted - (below.gather(1, k) - mass)) / mass.clamp(min=1e-12)
    left, width = edges[:-1][k], edges.diff()[k]
    return (left + width * within.clamp(0, 1)).squeeze(1)


def median(p: Tensor, edges: Tensor) -> Tensor:
    """:func:`quantile` at 1/2: what the paper takes for chroma. Most photos have much gray, which draws the expectation down."""
    return quantile(p, edges, 0.5)


def circular_mean(p: Tensor) -> tuple[Tensor, Tensor]:
    """Mean direction of a histogram around a circle, and how much its bins agree on it. Equation 4.

    Each bin is an arrow of length 1 at its angle ``theta_k = 2 pi (k + 1/2) / K``; the arrows are added, weighted by
    probability: ``z = sum_k p_k exp(i theta_k)``.

    Returns
    -------
    hue : (N, ...), the argument of z as a share of a turn, in [0, 1). The mean of 0.95 and 0.05 is 0, not 0.5.
    length : (N, ...) in [0, 1], |z|: 1 for one certain hue, 0 where opposite hues cancel and the argument means nothing.
        **Equation 4 divides by K once more**; that is left to :func:`fade`, the only place where it matters.

    >>> hue, length = circular_mean(torch.tensor([[0.5, 0.0, 0.0, 0.5]]))  # at 1/8 and 7/8 of a turn
    >>> length
    tensor([0.7071])
    """
    if p.ndim < 2:
        raise ValueError(f"p must have shape (N, K, ...), got {tuple(p.shape)}")
    bins = p.shape[1]
    theta = 2 * math.pi * (torch.arange(bins, dtype=p.dtype, device=p.device) + 0.5) / bins
    x, y = torch.einsum("ck,nk...->cn...", torch.stack((theta.cos(), theta.sin())), p)
    hue = (torch.atan2(y, x) / (2 * math.pi)).remainder(1)
    return torch.where(hue < 1, hue, 0), torch.hypot(x, y)


def fade(chroma: Tensor, length: Tensor, bins: int = 32, eta: float = ETA, rule: str = "code") -> Tensor:
    """Chromatic fading: less chroma where the hues disagree. Equation 5.

    ``C_faded = min(|z| / eta, 1) C`` with ``|z| = length / K``, since equation 4 divides by K. At K = 32 and eta = 0.03
    fading begins as soon as the length falls below 0.96: nearly everywhere.

    Parameters
    ----------
    chroma, length : (N, ...), the latter from :func:`circular_mean`.
    bins : K.
    eta : above 0.
    rule : "code", the minimum, as the authors' code has it. "printed", the maximum that the paper prints, which *adds*
        chroma where the hues agree and never takes any away. "unscaled", the minimum without the K: fades below a length
        of 0.03 alone.

    Raises
    ------
    ValueError for another rule, an eta that is not above 0, or shapes that differ.

    >>> fade(torch.tensor([0.5]), torch.tensor([0.48]))  # half of 0.96
    tensor([0.2500])
    """
    if rule not in ("code", "printed", "unscaled") or not eta > 0:
        raise ValueError(
            f"fade takes the rules code, printed and unscaled, and eta above 0, got {rule!r}, {eta}"
        )
    if chroma.shape != length.shape:
        raise ValueError(
            f"chroma and length must have one shape, got {tuple(chroma.shape)} and {tuple(length.shape)}"
        )
    factor = length / (eta if rule == "unscaled" else eta * bins)
    return chroma * (factor.clamp(min=1) if rule == "printed" else factor.clamp(max=1))


def uncertainty(p_hue: Tensor, chroma: Tensor) -> Tensor:
    """How unsure a colorization is: entropy of the hue, in nats, times the chroma that is shown. Section 4, Figure 10."""
    if p_hue.ndim < 2 or chroma.shape != (*p_hue.shape[:1], *p_hue.shape[2:]):
        raise ValueError(
            f"p_hue and chroma must have shapes (N, K, ...) and (N, ...), got {tuple(p_hue.shape)} and {tuple(chroma.shape)}"
        )
    return torch.special.entr(p_hue).sum(dim=1) * chroma


def _check(p: Tensor, values: Tensor) -> None:
    if p.ndim < 2 or p.shape[1] != len(values):
        raise ValueError(
            f"probabilities must have shape (N, {len(values)}, ...), one for each bin, got {tuple(p.shape)}"
        )
