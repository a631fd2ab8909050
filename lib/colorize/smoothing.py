"""Predicted colors that neighbors agree on: two ways to smooth them, guided by the lightness, which is known.

Before networks saw whole pictures, each pixel's color was predicted by itself, and had to be put in order afterwards.
Cheng, Yang and Sheng ("Deep colorization", 2015) filter: each pixel takes a mean of its surroundings. Deshpande, Rock and
Forsyth ("Learning large-scale automatic image colorization", 2015) solve: the picture is the minimum of a quadratic energy
in all pixels at once. Both keep edges where the lightness has them.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from scipy.sparse.linalg import splu
from torch import Tensor

from .neighbors import check, check_pairs, check_positive, contrast_weights, laplacian


def joint_bilateral(
    ab: Tensor, lightness: Tensor, sigma_space: float = 3.0, sigma_lightness: float = 8.0
) -> Tensor:
    """Mean color of the surroundings, in which near and equally light pixels count: the last step of Cheng et al. 2015.

    With p a pixel and q those around it, up to 2 sigma_space (rounded up) away along each axis and inside the picture::

        ab'_p = sum_q w_pq ab_q / sum_q w_pq
        w_pq  = exp(-|p - q|^2 / (2 sigma_space^2)) exp(-(L_p - L_q)^2 / (2 sigma_lightness^2))

    "Joint" (Petschnigg et al. 2004, Eisemann and Durand 2004) since the second factor looks at another picture than the one
    that is filtered: at L, which is sharp and true. Infinity for sigma_lightness makes it a Gaussian filter, which bleeds.

    Parameters
    ----------
    ab : (N, 2, H, W), predicted colors.
    lightness : (N, 1, H, W), L in 0..100, at the same size.
    sigma_space : in pixels, above 0. The time grows with its square: (4 sigma_space + 1)^2 neighbors.
    sigma_lightness : in units of L, above 0.

    Returns
    -------
    (N, 2, H, W) of ab's dtype, float32 at least. A constant color stays as it is.

    Raises
    ------
    TypeError for what is no tensor of floats. ValueError for other shapes, NaN or infinity, or a sigma not above 0.
    """
    check(ab, 2, "ab")
    check(lightness, 1, "lightness", like=ab)
    check_positive(sigma_space, "sigma_space")
    check_positive(sigma_lightness, "sigma_lightness")
    dtype = torch.promote_types(ab.dtype, torch.float32)
    ab, light = ab.to(dtype), lightness[:, 0].to(dtype)
    height, width = light.shape[1:]
    reach = int(np.ceil(2 * sigma_space))
    total, sums = torch.ones_like(light), ab.clone()  # the pixel itself, with weight 1
    for down in range(min(reach, height - 1) + 1):
        for right in range(-min(reach, width - 1), min(reach, width - 1) + 1):
            if down == 0 and right <= 0:
                continue  # each pair once
            # p to one side of the pair and q to the other: two views of the same pictures, shifted.
            p = np.s_[:, : height - down, max(0, -right) : width - max(0, right)]
            q = np.s_[:, down:, max(0, right) : width - max(0, -right)]
            near = (down**2 + right**2) / (2 * sigma_space**2)
            weight = (((light[p] - light[q]) / sigma_lightness).square() / -2 - near).exp_()
            total[p] += weight
            total[q] += weight
            p_ab, q_ab = (p[0], slice(None), *p[1:]), (q[0], slice(None), *q[1:])
            from_p = weight[:, None] * ab[p_ab]
            sums[p_ab] += weight[:, None] * ab[q_ab]
            sums[q_ab] += from_p
    return sums / total[:, None]


@dataclass(frozen=True)
class PairWeights:
    """How strongly neighbors are tied, by their contrast, as :func:`learn_weights` has counted it."""

    edges: Tensor  # (K,) float64, where each class of contrast |L_p - L_q| begins; the first is 0
    weight: Tensor  # (K,) float64, for pairs of such a contrast, where a predicted color has the weight 1
    scale: float  # what they were scaled by

    def __call__(self, lightness: Tensor) -> tuple[Tensor, Tensor]:
        """Weights of the pairs to the right and below, (N, H, W - 1) and (N, H - 1, W) float64."""
        check(lightness, 1, "lightness")
        right, down = (self.weight[_classes(pair, self.edges)] for pair in _steps(lightness.double()))
        return right, down


def learn_weights(lightness: Tensor, true_ab: Tensor, predicted_ab: Tensor, classes: int = 12) -> PairWeights:
    """Learn from pictures how much the contrast between neighbors says about their colors.

    If the differences of true colors between neighbors, and the errors of the prediction, were Gaussian numbers that have
    nothing to do with each other, the likeliest picture would be the minimum of :func:`quadratic_energy` with
    1 / variance as weights. So: sort all pairs of neighbors into classes of equal contrast, as many in each, take the mean
    squared difference of their colors (the least squares fit of one number to each class), and invert it. They have to do
    with each other, though, and are not Gaussian: most are 0, some are large. So all weights are scaled together by the
    power of 1/2 that leaves the least squared error on the same pictures.

    Deshpande et al. learn their quadratic form with regression forests from features of patches, after the same idea: the
    true picture should be its minimum.

    Parameters
    ----------
    lightness : (N, 1, H, W), L in 0..100, of pictures to learn from, such as scenes of the toy world.
    true_ab, predicted_ab : (N, 2, H, W).
    classes : of contrast, 1 or above; equal contrasts share a class, so there may be fewer.

    Returns
    -------
    :class:`PairWeights`, whose call gives the weights for any picture.

    Raises
    ------
    TypeError for what is no tensor of floats. ValueError for other shapes, NaN or infinity, or classes out of range.
    """
    check(lightness, 1, "lightness")
    check(true_ab, 2, "true_ab", like=lightness)
    check(predicted_ab, 2, "predicted_ab", like=lightness)
    if not isinstance(classes, int) or classes < 1:
        raise ValueError(f"classes must be a whole number, 1 or above, got {classes!r}")
    contrast = torch.cat([pair.abs().flatten() for pair in _steps(lightness.double())])
    colors = [_steps(true_ab[:, c : c + 1].double()) for c in (0, 1)]
    squared = torch.cat([(a**2 + b**2).flatten() for a, b in zip(*colors, strict=True)])
    if not len(contrast):
        raise ValueError(f"learn_weights needs pictures with neighbors, got {tuple(lightness.shape)}")
    ordered = contrast.sort().values
    edges = ordered[torch.arange(classes) * len(ordered) // classes].unique()
    edges[0] = 0
    index = _classes(contrast, edges)
    count = torch.bincount(index, minlength=len(edges))
    variance = torch.bincount(index, squared, minlength=len(edges)) / count.clamp(min=1)
    # Classes in which no color ever changes would get infinite weights; a thousandth of the overall mean is strong enough.
    variance = variance.clamp(min=1e-3 * squared.mean().clamp(min=1e-6))
    weight = (predicted_ab.double() - true_ab.double()).square().sum(dim=1).mean() / variance
    best, least = PairWeights(edges, weight, 1.0), float("inf")
    for halvings in range(10):
        tried = PairWeights(edges, weight / 2**halvings, 1 / 2**halvings)
        smoothed = smooth(predicted_ab, lightness, pairs=tried(lightness))
        error = (smoothed - true_ab).double().square().mean().item()
        if error >= least:
            break
        best, least = tried, error
    return best


def quadratic_energy(
    ab: Tensor, predicted: Tensor, right: Tensor, down: Tensor, confidence: Tensor | None = None
) -> Tensor:
    """Energy of each picture: how far its colors are from the predicted ones, and from each other.

    ::

        E(u) = sum_p c_p |u_p - ab_p|^2 + sum over pairs of w_pq |u_p - u_q|^2

    Parameters
    ----------
    ab, predicted : (N, 2, H, W), u and the prediction.
    right, down : (N, H, W - 1) and (N, H - 1, W), weights w of the pairs, 0 or above, such as those of
        :func:`colorize.neighbors.contrast_weights` times a strength, or of :class:`PairWeights`.
    confidence : (N, H, W), c, 0 or above; 1 when left out.

    Returns
    -------
    (N,) float64.

    Raises
    ------
    TypeError for what is no tensor of floats. ValueError if shapes do not belong together, or for NaN or infinity.
    """
    check(ab, 2, "ab")
    check(predicted, 2, "predicted", like=ab)
    check_pairs(right, down, like=ab)
    data = (ab - predicted).double().square().sum(dim=1)
    if confidence is not None and confidence.shape != data.shape:
        raise ValueError(f"confidence must have shape {tuple(data.shape)}, got {tuple(confidence.shape)}")
    data = data if confidence is None else data * confidence
    sideways = (ab[..., 1:] - ab[..., :-1]).double().square().sum(dim=1) * right
    below = (ab[..., 1:, :] - ab[..., :-1, :]).double().square().sum(dim=1) * down
    data, sideways, below = (part.flatten(1).sum(dim=1) for part in (data, sideways, below))
    return data + sideways + below


def smooth(
    predicted: Tensor,
    lightness: Tensor,
    strength: float = 4.0,
    sigma: float = 5.0,
    confidence: Tensor | None = None,
    pairs: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Find the minimum of :func:`quadratic_energy`: one sparse linear system, the same for a and b.

    Where the derivative is zero, with A the matrix of the pairs and C the confidences on the diagonal::

        (C + A) u = C ab

    The weights are set by hand, ``strength * exp(-(L_p - L_q)^2 / (2 sigma^2))``, or given, such as learned ones:
    ``pairs=learn_weights(...)(lightness)``. With a confidence of 0 where nothing is known and a large one where a person has
    painted, this colors from scribbles, too; with 1 elsewhere scribbles correct a network.

    Parameters
    ----------
    predicted : (N, 2, H, W), predicted colors.
    lightness : (N, 1, H, W), L in 0..100, at the same size.
    strength : weight of a pair without contrast against that of a pixel's own prediction, 0 or above.
    sigma : contrast that counts as an edge, in units of L, above 0.
    confidence : (N, H, W), 0 or above, above 0 somewhere in each picture; 1 when left out.
    pairs : weights (N, H, W - 1) and (N, H - 1, W), which replace those by hand.

    Returns
    -------
    (N, 2, H, W) of predicted's dtype.

    Raises
    ------
    TypeError for what is no tensor of floats. ValueError for other shapes, NaN, infinity or numbers out of range.
    """
    check(predicted, 2, "predicted")
    check(lightness, 1, "lightness", like=predicted)
    check_positive(strength, "strength", zero=True)
    if pairs is None:
        right, down = contrast_weights(lightness.double(), sigma)
        pairs = strength * right, strength * down
    shape = (len(predicted), *predicted.shape[2:])
    if confidence is None:
        confidence = torch.ones(shape)
    if confidence.shape != shape or not (confidence >= 0).all() or not confidence.isfinite().all():
        raise ValueError(
            f"confidence must be 0 or above, of shape {shape}, got shape {tuple(confidence.shape)}"
        )
    if not confidence.flatten(1).any(dim=1).all():
        raise ValueError("confidence must be above 0 somewhere in each picture, got 0 everywhere")
    right, down = pairs
    check_pairs(right, down, like=predicted)
    found = []
    for ab, c, across, below in zip(predicted.detach(), confidence, right, down, strict=True):
        c = c.detach().flatten().cpu().double().numpy()
        system = (laplacian(across, below) + sparse.diags_array(c)).tocsc()
        factor = splu(
            system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0, options={"SymmetricMode": True}
        )
        found.append(factor.solve(c[:, None] * ab.flatten(1).T.cpu().double().numpy()).T)
    return torch.from_numpy(np.array(found)).view(predicted.shape).to(predicted)


def _steps(values: Tensor) -> tuple[Tensor, Tensor]:
    """Differences to the pixel on the right and to the one below, (N, 1, H, W) -> (N, H, W - 1) and (N, H - 1, W)."""
    return values[:, 0, :, 1:] - values[:, 0, :, :-1], values[:, 0, 1:] - values[:, 0, :-1]


def _classes(contrast: Tensor, edges: Tensor) -> Tensor:
    """Class of each contrast, int64 in 0..K-1."""
    return torch.bucketize(contrast.abs().contiguous(), edges, right=True) - 1
