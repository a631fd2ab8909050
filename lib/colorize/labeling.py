"""One of 313 colors for each pixel, chosen so that neighbors agree: after Charpiat, Hofmann and Schoelkopf.

"Automatic image colorization via multimodal predictions" (2008) has what this course comes to in lesson 4, a distribution
over colors for each pixel, and takes the decision for the whole picture at once: each pixel wants a likely color, and one
that is close to its neighbors'. The mean of red and green never occurs, since colors are chosen, not mixed.

The paper minimizes with graph cuts. Here it is ICM, iterated conditional modes (Besag 1986): pixel by pixel the best color
given the neighbors. It stops in a local minimum, but is short, fast, and shows what the energy wants. The weights of pairs
follow the contrast of L; the paper predicts from features how much the color changes at each place.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .bins import gamut_bins
from .neighbors import check, check_pairs, check_positive, contrast_weights


@dataclass(frozen=True)
class Labeling:
    """What :func:`icm` found."""

    label: Tensor  # (N, H, W) int64, the number of the bin at each pixel
    ab: Tensor  # (N, 2, H, W), its color
    energies: list[Tensor]  # (N,) float64 each: at the start, and after each sweep; never rises


def spatial_energy(
    label: Tensor,
    logits: Tensor,
    right: Tensor,
    down: Tensor,
    reach: float = 40.0,
    centers: Tensor | None = None,
) -> Tensor:
    """Energy of a choice of colors for all pixels of a picture.

    ::

        E(q) = - sum_p ln y_p(q_p) + sum over pairs of w_pr min(|c_{q_p} - c_{q_r}|, reach) / reach

    with y the softmax of the logits and c the centers of the bins. The price of a pair rises with the distance of the
    colors up to w: beyond ``reach`` two colors are simply different, and an edge between red and green costs no more than
    one between red and orange. Charpiat et al. 2008 have no such bound.

    Parameters
    ----------
    label : (N, H, W) int64 in 0..Q-1.
    logits : (N, Q, H, W); minus infinity rules a bin out.
    right, down : (N, H, W - 1) and (N, H - 1, W), weights w in nats, 0 or above.
    reach : in ab units, above 0.
    centers : (Q, 2) colors of the bins; the 313 bins when left out.

    Returns
    -------
    (N,) float64; infinity if a bin is chosen that is ruled out.

    Raises
    ------
    ValueError if shapes do not belong together, or reach is not above 0.
    """
    price, cost = _prepare(logits, reach, centers)
    if label.shape != (len(price), *price.shape[2:]):
        raise ValueError(f"label must have shape {(len(price), *price.shape[2:])}, got {tuple(label.shape)}")
    check_pairs(right, down, like=price)
    return _energy(label, price, cost, right, down)


def icm(
    logits: Tensor,
    lightness: Tensor,
    strength: float = 3.0,
    sigma: float = 5.0,
    reach: float = 40.0,
    sweeps: int = 20,
    centers: Tensor | None = None,
) -> Labeling:
    """Choose a color for each pixel by iterated conditional modes, starting from the most likely ones.

    Half of the pixels, the black ones of a chessboard, have white neighbors only: given those, each takes its best color,
    all at once. Then the white ones do. A pixel changes only if that lowers its part of the energy, so the energy never
    rises; it ends when a sweep changes nothing.

    Parameters
    ----------
    logits : (N, Q, H, W); minus infinity rules a bin out.
    lightness : (N, 1, H, W), L in 0..100, at the resolution of the logits.
    strength : weight of a pair without contrast, in nats, 0 or above: what it costs to differ by ``reach`` or more.
    sigma : contrast that counts as an edge, see :func:`colorize.neighbors.contrast_weights`.
    reach : see :func:`spatial_energy`.
    sweeps : at most, 0 or above; 0 is the mode.
    centers : (Q, 2) colors of the bins; the 313 bins when left out.

    Returns
    -------
    :class:`Labeling`.

    Raises
    ------
    TypeError or ValueError if shapes do not belong together, or a number is out of its range.
    """
    check(lightness, 1, "lightness")
    check_positive(strength, "strength", zero=True)
    if not isinstance(sweeps, int) or sweeps < 0:
        raise ValueError(f"sweeps must be a whole number, 0 or above, got {sweeps!r}")
    price, cost = _prepare(logits, reach, centers)
    if (len(price), *price.shape[2:]) != (len(lightness), *lightness.shape[2:]):
        raise ValueError(
            "logits and lightness must be as many and as large, "
            f"got {tuple(logits.shape)} and {tuple(lightness.shape)}"
        )
    right, down = (strength * weight for weight in contrast_weights(lightness, sigma))
    label = price.argmin(dim=1)
    energies = [_energy(label, price, cost, right, down)]
    fields = _chessboard(label)
    flat = price.movedim(1, -1).contiguous()  # the colors of a pixel side by side
    for _ in range(sweeps):
        changed = 0
        for n, y, x in fields:
            local = flat[n, y, x]  # (P, Q): what each color would cost there
            for dy, dx, weight in ((0, 1, right), (0, -1, right), (1, 0, down), (-1, 0, down)):
                inside = (y + dy >= 0) & (y + dy < label.shape[1]) & (x + dx >= 0) & (x + dx < label.shape[2])
                m, v, u = n[inside], y[inside], x[inside]
                w = weight[m, v + min(dy, 0), u + min(dx, 0)]  # a pair is stored at its left or upper pixel
                local[inside] += w.to(local)[:, None] * cost[label[m, v + dy, u + dx]]
            least, best = local.min(dim=1)
            # By more than rounding: two colors that cost the same must not take turns.
            better = least < local.gather(1, label[n, y, x][:, None])[:, 0] - 1e-4
            label[n[better], y[better], x[better]] = best[better]
            changed += int(better.sum())
        if not changed:
            break
        energies.append(_energy(label, price, cost, right, down))
    colors = (gamut_bins() if centers is None else centers).to(price)
    return Labeling(label, colors[label].movedim(-1, 1), energies)


def _energy(label: Tensor, price: Tensor, cost: Tensor, right: Tensor, down: Tensor) -> Tensor:
    own = price.gather(1, label[:, None])[:, 0].double()
    sideways = cost[label[:, :, 1:], label[:, :, :-1]].double() * right
    below = cost[label[:, 1:], label[:, :-1]].double() * down
    own, sideways, below = (part.flatten(1).sum(dim=1) for part in (own, sideways, below))
    return own + sideways + below


def _chessboard(label: Tensor) -> list[tuple[Tensor, ...]]:
    """Numbers of picture, row and column of all black pixels, and of all white ones."""
    height, width = label.shape[1:]
    black = (torch.arange(height)[:, None] + torch.arange(width)) % 2 == 0
    return [field.to(label.device).expand(label.shape).nonzero(as_tuple=True) for field in (black, ~black)]


def _prepare(logits: Tensor, reach: float, centers: Tensor | None) -> tuple[Tensor, Tensor]:
    """Price of each color at each pixel, (N, Q, H, W), and of each pair of colors, (Q, Q) in 0..1."""
    check_positive(reach, "reach")
    centers = gamut_bins() if centers is None else centers
    if (
        not isinstance(logits, Tensor)
        or logits.ndim != 4
        or logits.shape[1] != len(centers)
        or not logits.numel()
    ):
        got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ValueError(f"logits must have shape (N, {len(centers)}, H, W), got {got}")
    price = -torch.log_softmax(
        logits.detach() if logits.dtype == torch.float64 else logits.detach().float(), dim=1
    )
    if price.isnan().any():
        raise ValueError(
            "logits must leave at least one color to each pixel, and hold no NaN or plus infinity"
        )
    centers = centers.to(price)
    return price, (centers[:, None] - centers).norm(dim=2).clamp(max=reach) / reach
