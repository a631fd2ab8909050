"""The colors of a reference: bend a colored picture, or what a network believes, toward a histogram of colors.

Larsson, Maire and Shakhnarovich (2016), section 3.4, give two ways. :func:`quantile_transfer` changes the picture that is
already painted, one value after the other. :func:`fit_bias` changes the network's mind: one number for each color, added
to the logits of all pixels, so that sure pixels stay as they are and unsure ones lean toward the reference.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .bins import gamut_bins, soft_encode
from .neighbors import check, check_positive
from .prior import color_prior

EPSILON = 1e-4  # keeps the division by the lightness of black finite; the paper's own number, its equation 9
ARMIJO = 0.25  # share of what its slope promises that a step must gain


def match_quantiles(source: Tensor, reference: Tensor) -> Tensor:
    """Give each channel the histogram of the reference: the k-th smallest value becomes the k-th smallest there.

    Equal values stay equal: all of them take the share of pixels up to and with them. Between two values of the reference
    the result is interpolated. This is what ``skimage.exposure.match_histograms`` does.

    Parameters
    ----------
    source : (N, C, H, W) float. Each picture is matched by itself.
    reference : (M, C, h, w) float, of any size; the pixels of all its pictures are pooled.

    Returns
    -------
    (N, C, H, W) of source's dtype. With a reference of the source's own histogram, the source.

    Raises
    ------
    TypeError for what is no tensor of floats. ValueError for other shapes, no pixels, NaN or infinity.

    >>> match_quantiles(torch.tensor([5.0, 1.0, 3.0]).view(1, 1, 1, 3), torch.tensor([10.0, 20.0, 60.0]).view(1, 1, 3, 1))
    tensor([[[[60., 10., 20.]]]])
    """
    channels = source.shape[1] if isinstance(source, Tensor) and source.ndim == 4 else 2
    check(source, channels, "source")
    check(reference, channels, "reference")
    wanted = reference.detach().cpu().double().movedim(1, 0).flatten(1).numpy()
    given = source.detach().cpu().double().flatten(2).numpy()
    found = [[_match(values, wanted[c]) for c, values in enumerate(picture)] for picture in given]
    return torch.from_numpy(np.array(found)).view(source.shape).to(source)


def _match(source: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Match the values of one channel, (S,) and (R,) -> (S,)."""
    _, place, count = np.unique(source, return_inverse=True, return_counts=True)
    values, share = np.unique(reference, return_counts=True)
    return np.interp(count.cumsum() / len(source), share.cumsum() / len(reference), values)[place]


def quantile_transfer(rgb: Tensor, reference: Tensor, correct: bool = True) -> Tensor:
    """Give a colored picture the colors of a reference: lightness-normalized quantile matching.

    1. Divide both pictures by their lightness, here ``(R + G + B) / 3``: what is left is color.
    2. Match each of the three channels to the reference's (:func:`match_quantiles`).
    3. Multiply by the lightness of the picture.

    The three channels are matched apart and need no longer have the picture's lightness. ``correct`` adds what is missing
    to all of them (the paper's appendix A.4). Values beyond [0, 1] are clipped at the end. Larsson et al. 2016, section
    3.4, after a suggestion of Ayan Chakrabarti; for comparison with Deshpande et al. 2015, who introduced the task.

    Parameters
    ----------
    rgb : (N, 3, H, W), sRGB in [0, 1], such as :func:`colorize.decode.paint` returns.
    reference : (M, 3, h, w), sRGB in [0, 1], of any size: the photo itself (to see what its histogram alone would give),
        or another one of the same kind of scene.
    correct : add the lightness that is missing.

    Returns
    -------
    (N, 3, H, W) in [0, 1]. The L of Lab may change a little; ``paint(L, rgb_to_lab(result)[:, 1:])`` brings it back.

    Raises
    ------
    As :func:`match_quantiles`.
    """
    check(rgb, 3, "rgb")
    check(reference, 3, "reference")
    lightness = rgb.mean(dim=1, keepdim=True)
    light = lightness + EPSILON
    found = match_quantiles(rgb / light, reference / (reference.mean(dim=1, keepdim=True) + EPSILON)) * light
    if correct:
        found = found + (lightness - found.mean(dim=1, keepdim=True))
    return found.clamp(0, 1)


def histogram(ab: Tensor, soft: bool = True) -> Tensor:
    """Share of each of the 313 bins in a reference: the target of :func:`fit_bias`.

    Parameters
    ----------
    ab : (N, 2, H, W), a and b in their own units; all pixels are pooled.
    soft : spread each color over its five nearest bins, as the targets of training are. A network trained on soft codes
        answers with soft distributions, and a histogram of single bins is one that it never believes.

    Returns
    -------
    (313,) float64, sums to 1.

    Raises
    ------
    ValueError for another shape, no pixels, NaN or infinity.
    """
    if not soft:
        return color_prior(ab)
    index, weight = soft_encode(ab)
    if not index.numel():
        raise ValueError(f"a histogram needs pixels, got ab of shape {tuple(ab.shape)}")
    found = torch.zeros(len(gamut_bins()), dtype=torch.float64, device=index.device)
    found.scatter_add_(0, index.flatten(), weight.flatten().double())
    return (found / found.sum()).cpu()


def chi_square(p: Tensor, q: Tensor) -> Tensor:
    """Symmetric chi-square distance, ``1/2 sum_q (p_q - q_q)^2 / (p_q + q_q)``: (Q,) twice -> one number.

    0 if two distributions are equal, 1 if they share no bin. (The paper names the distance and not its factor; with
    another factor, lambda changes by its inverse.) ValueError for different shapes.

    >>> chi_square(torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5]))
    tensor(0.3333)
    """
    if p.shape != q.shape or p.ndim != 1:
        raise ValueError(f"p and q must both be (Q,), got {tuple(p.shape)} and {tuple(q.shape)}")
    both = p + q
    return ((p - q) ** 2 / both.where(both > 0, 1)).sum() / 2


def transfer_energy(
    logits: Tensor, bias: Tensor, target: Tensor, lam: float = 10.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Energy of a bias, and its gradient. Larsson et al. 2016, equation 6.

    With the prediction ``y_n = softmax(z_n)`` at pixel n and the biased ``y*_n = softmax(log y_n + b)``, over N pixels::

        E(b) = 1/N sum_n KL(y*_n || y_n) + lam * chi_square(m, t)        with  m = 1/N sum_n y*_n

    The first term keeps each pixel near what the network said, the second pulls the whole picture toward the histogram t.
    The gradient has a closed form. With ``v = b + lam * d chi_square / d m``::

        dE / db_q = 1/N sum_n y*_nq (v_q - sum_k y*_nk v_k)

    It is zero where every pixel sees the same v on all of its possible colors. Its product with v is the mean variance of
    v under y*_n: a step along ``-v`` never points uphill, which :func:`fit_bias` uses.

    Parameters
    ----------
    logits : (N, Q, H, W); minus infinity rules a bin out. The pixels of all pictures are pooled.
    bias : (Q,).
    target : (Q,), the histogram t, sums to 1.
    lam : weight of the histogram, 0 or above.

    Returns
    -------
    energy : one number, float64.
    gradient : (Q,) float64.
    v : (Q,) float64, whose opposite is the direction of :func:`fit_bias`.

    Raises
    ------
    ValueError if shapes do not belong together, or the target is no distribution, or lam is negative.
    """
    logits, bias, target = _checked(logits, bias, target, lam)
    return _energy(_pixels(logits), bias, target, lam)


@dataclass(frozen=True)
class Fit:
    """What :func:`fit_bias` found. ``logits + fit.bias.view(1, -1, 1, 1)`` goes into any readout."""

    bias: Tensor  # (Q,) float32
    energies: list[float]  # before the first step, and after each; never rises
    converged: bool  # the bottom is reached, to the tolerance


def fit_bias(
    logits: Tensor, target: Tensor, lam: float = 10.0, steps: int = 100, tolerance: float = 1e-6
) -> Fit:
    """Find the bias that brings the network's colors closest to a histogram: gradient descent on :func:`transfer_energy`.

    Plain gradient descent is slow where a bin is rare: its gradient is as small as its share of the picture. The step
    along ``-v`` is the gradient rid of that share; it goes downhill, too. Each step is halved until the energy falls by a
    quarter of what its slope promises (Armijo's rule), so that the energy never rises. The textbook's ten-thousandth part
    would accept too much: with lam = 100 a first step can make every pixel certain of one wrong color, which is better
    than before, and flat all around.

    Parameters
    ----------
    logits, target, lam : as for :func:`transfer_energy`. For a photo, the (1, 313, h, w) of
        :meth:`colorize.colorizer.Colorizer.answer`, and :func:`histogram` of the reference. The paper does not name its
        lambda. Bins that the reference does not have fall behind those that the
        picture lacks by up to 2 lam nats.
    steps : most steps.
    tolerance : it ends when a whole step along ``-v`` would gain less, as a share of the energy at the start, were the
        energy as straight as it begins.

    Returns
    -------
    :class:`Fit`. Its bias has mean 0: softmax ignores what all bins share.

    Raises
    ------
    As :func:`transfer_energy`; ValueError if steps is negative.

    >>> half = torch.tensor([0.5, 0.5]).log().view(1, 2, 1, 1)  # one pixel, and two colors that are equally likely
    >>> fit = fit_bias(half, torch.tensor([1.0, 0.0]), lam=5.0)  # the reference has only the first
    >>> torch.softmax(half[0, :, 0, 0] + fit.bias, dim=0).round(decimals=3)
    tensor([0.9350, 0.0650])
    """
    if not isinstance(steps, int) or steps < 0:
        raise ValueError(f"steps must be a whole number, 0 or above, got {steps!r}")
    bias = torch.zeros(len(target), dtype=torch.float64)
    logits, bias, target = _checked(logits, bias, target, lam)
    pixels = _pixels(logits)
    energy, gradient, v = _energy(pixels, bias, target, lam)
    energies, length, converged = [energy.item()], 1.0, False
    for _ in range(steps):
        v = v - v.mean()
        slope = gradient @ v  # how fast the energy falls along -v
        if slope <= tolerance * energies[0]:
            converged = True
            break
        length = min(1.0, 4 * length)
        while length > 1e-12:
            after = _energy(pixels, bias - length * v, target, lam)
            if after[0] <= energy - ARMIJO * length * slope:
                break
            length /= 2
        else:
            break  # no step is short enough: the bottom, to within rounding
        bias = bias - length * v
        energy, gradient, v = after
        energies.append(energy.item())
    return Fit((bias - bias.mean()).float(), energies, converged)


def _pixels(logits: Tensor) -> Tensor:
    """List the log-probabilities of all pixels, (N, Q, H, W) -> (Q, N * H * W) float64."""
    return torch.log_softmax(logits.detach().double(), dim=1).movedim(1, 0).flatten(1).contiguous()


def _energy(log_y: Tensor, bias: Tensor, target: Tensor, lam: float) -> tuple[Tensor, Tensor, Tensor]:
    """Energy, gradient and v for log-probabilities (Q, M)."""
    biased = log_y + bias[:, None]
    log_z = biased.logsumexp(dim=0)
    y = (biased - log_z).exp_()  # (Q, M), the biased distributions
    m = y.mean(dim=1)
    both = m + target
    # KL(y* || y) = sum_q y*_q (b_q - log Z): the logarithms of y cancel, so bins that are ruled out do no harm.
    energy = bias @ m - log_z.mean() + lam * chi_square(m, target)
    # d/dm 1/2 (m - t)^2 / (m + t) = 1/2 - 2 t^2 / (m + t)^2, from -3/2 where a color is missing to 1/2 where it is too many.
    v = bias + lam * (0.5 - 2 * (target / both.where(both > 0, 1)) ** 2)
    gradient = m * v - (y @ (v @ y)) / y.shape[1]
    return energy, gradient, v


def _checked(logits: Tensor, bias: Tensor, target: Tensor, lam: float) -> tuple[Tensor, Tensor, Tensor]:
    check_positive(lam, "lam", zero=True)
    if not isinstance(logits, Tensor) or not isinstance(target, Tensor):
        raise TypeError(
            f"logits and target must be tensors, got {type(logits).__name__} and {type(target).__name__}"
        )
    if logits.ndim != 4 or not logits.numel():
        raise ValueError(f"logits must have shape (N, Q, H, W), got {tuple(logits.shape)}")
    if bias.shape != logits.shape[1:2] or target.shape != logits.shape[1:2]:
        raise ValueError(
            f"bias and target must have shape ({logits.shape[1]},), one number for each of the logits, "
            f"got {tuple(bias.shape)} and {tuple(target.shape)}"
        )
    if not (target >= 0).all() or abs(target.sum().item() - 1) > 1e-3:
        raise ValueError(f"target must be 0 or above with sum 1, got a sum of {target.sum().item():.4g}")
    return logits, bias.to(logits.device, torch.float64), target.to(logits.device, torch.float64)
