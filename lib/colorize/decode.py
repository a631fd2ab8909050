"""From a distribution over color bins to one color: mode, mean, annealed mean, median, a sample; then to a picture.

All readouts take logits (N, Q, H, W), never probabilities: the softmax of probabilities is almost flat, and its mean
is gray. Half precision is computed in float32. A picture is decoded at the network's resolution; then ab, two smooth
channels, is enlarged, and meets the full-resolution L (:func:`paint`). :func:`entropy` tells how unsure the network is.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .bins import SPACING, gamut_bins
from .lab import lab_to_rgb

TIE = 1e-5  # probability: sums of 313 numbers in float32 are not more certain than a tenth of this


def annealed_mean(logits: Tensor, T: float = 0.38, centers: Tensor | None = None) -> Tensor:
    """Mean color of the distribution after sharpening it with a temperature.

    ``ab = sum_q c_q softmax(z / T)_q`` with logits z and bin centers c. T = 1 is the mean, T -> 0 the mode; in between
    the colors get more vivid while neighbors still agree. Zhang et al. 2016, equation 5, where T = 0.38 was chosen by
    eye. (The paper divides log-probabilities by T; logits differ from them by a constant, which softmax ignores.)

    Parameters
    ----------
    logits : (N, Q, H, W) float; minus infinity rules a bin out.
    T : temperature, 0 or above. 0 is the mode.
    centers : (Q, 2) colors of the bins; the 313 bins when left out.

    Returns
    -------
    (N, 2, H, W): a and b in their own units. NaN for a pixel whose logits are all minus infinity, or hold plus infinity.

    Raises
    ------
    ValueError if T is negative, or Q is not the number of centers.

    >>> logits = torch.full((1, 313, 1, 1), -30.0)
    >>> logits[:, [120, 121]] = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1)  # gray, or rather a little yellow: (0, 10)
    >>> [round(annealed_mean(logits, T)[0, 1].item(), 1) for T in (1, 0.38, 0)]
    [7.3, 9.3, 10.0]
    """
    _check_temperature(T)
    if T == 0:
        return mode(logits, centers)
    logits, centers = _check(logits, centers)
    # Off with the largest logit before the division: with T = 0.001 and logits of 10,000, z / T has no digits left
    # for the differences between bins.
    # Softmax, but divided by its sum only at the end: there is one tensor of the size of the logits.
    p = (logits - logits.amax(dim=1, keepdim=True)).div_(T).exp_()
    table = torch.cat((centers, torch.ones_like(centers[:, :1])), dim=1)  # a, b, and a one that adds up the p
    with torch.autocast(p.device.type, enabled=False):  # it would round the colors to 8 bits
        sums = torch.einsum("qc,nqhw->nchw", table, p)  # (N, 3, H, W)
    return sums[:, :2] / sums[:, 2:]


def mean(logits: Tensor, centers: Tensor | None = None) -> Tensor:
    """Mean color of the distribution: :func:`annealed_mean` at T = 1. Shapes and errors as there."""
    return annealed_mean(logits, 1.0, centers)


def mode(logits: Tensor, centers: Tensor | None = None) -> Tensor:
    """Color of the most likely bin, (N, Q, H, W) -> (N, 2, H, W). Of equal logits the first bin wins. Errors as above."""
    logits, centers = _check(logits, centers)
    return centers[logits.argmax(dim=1)].movedim(-1, 1)


def median(logits: Tensor) -> Tensor:
    """Median of a and of b, each by itself: a color with half of the probability on either side.

    The 313 probabilities are summed to a marginal for each value of a (-90 to 100) and of b (-110 to 100). The mass of a
    value is taken to lie evenly on the interval of width 10 around it, so that the cumulative sum rises linearly there;
    the median is where it passes 1/2. If it stays at 1/2 for a while (to within 0.00001: half red and half green, nothing
    in between), the middle of that gap is taken. Larsson et al. 2016, section 3.3. The pair need not be near any likely
    color, as little as the mean.

    Parameters
    ----------
    logits : (N, 313, H, W) float; minus infinity rules a bin out.

    Returns
    -------
    (N, 2, H, W): a in -95..105, b in -115..105. NaN as for :func:`annealed_mean`.

    Raises
    ------
    ValueError if there are not 313 logits.

    >>> logits = torch.full((1, 313, 1, 1), -torch.inf)
    >>> logits[:, [120, 121]] = torch.tensor([0.7, 0.3]).log().view(1, 2, 1, 1)  # b = 0 and b = 10
    >>> median(logits)[0, 1].item()  # 5/7 of the way from -5 to 5; the mean would be 3
    2.142...
    """
    logits, centers = _check(logits, None)
    p = torch.softmax(logits, dim=1)
    return torch.cat([_marginal_median(p, axis) for axis in centers.unbind(1)], dim=1)


def sample(
    logits: Tensor,
    T: float = 1.0,
    generator: torch.Generator | None = None,
    shared: bool = False,
    centers: Tensor | None = None,
) -> Tensor:
    """Draw a color for each pixel from its distribution, ``softmax(z / T)``.

    By the Gumbel-max trick: add to each ``z_q / T`` a number drawn from ``-ln(-ln u)``, u even on 0..1; the largest sum
    is bin q with exactly the probability of q. (Bins below about 1e-7 are never drawn: u has no more digits.)

    Drawn for each pixel by itself, neighbors disagree, and the picture is speckled. With ``shared`` all pixels of a
    picture add the same Q numbers: each still follows its own distribution, but pixels with equal distributions get
    equal colors, and one sample is one opinion on the whole picture.

    Parameters
    ----------
    logits : (N, Q, H, W) float; minus infinity rules a bin out. No gradient flows back.
    T : temperature, 0 or above. 0 is the mode.
    generator : for repeatable draws. They are made on its device: a CPU generator draws the same for logits on a GPU.
    shared : one draw for all pixels of a picture.
    centers : (Q, 2) colors of the bins; the 313 bins when left out.

    Returns
    -------
    (N, 2, H, W): centers of bins.

    Raises
    ------
    ValueError if T is negative, or Q is not the number of centers.

    >>> logits = torch.full((1, 313, 1, 4), -torch.inf)
    >>> logits[:, [120, 121]] = 0.0  # heads or tails: (0, 0) or (0, 10)
    >>> b = sample(logits, generator=torch.Generator().manual_seed(0), shared=True)[0, 1, 0].tolist()
    >>> b in ([0, 0, 0, 0], [10, 10, 10, 10])
    True
    """
    _check_temperature(T)
    if T == 0:
        return mode(logits, centers)
    logits, centers = _check(logits.detach(), centers)
    z = (logits - logits.amax(dim=1, keepdim=True)).div_(T)  # in this order for the reason given above
    n, bins, height, width = z.shape
    shape = (n, bins, 1, 1) if shared else (n, bins, height, width)
    noise = torch.empty(shape, dtype=z.dtype, device=generator.device if generator else z.device)
    # -ln u of an even u, as one draw. It can come out as 0, and its logarithm as infinity, which would beat every logit:
    # half a step of float32 instead.
    noise.exponential_(generator=generator).clamp_(min=2**-25).log_()
    return centers[z.sub_(noise.to(z.device)).argmax(dim=1)].movedim(-1, 1)


def entropy(logits: Tensor) -> Tensor:
    """How unsure the distribution is: ``-sum_q p_q ln p_q`` with p = softmax(z).

    Parameters
    ----------
    logits : (N, Q, H, W) float; minus infinity rules a bin out.

    Returns
    -------
    (N, H, W) in nats: 0 if one bin is certain, ln Q if all are equal (ln 313 = 5.746). NaN as for :func:`annealed_mean`.

    Raises
    ------
    ValueError for another shape.

    >>> entropy(torch.zeros(1, 313, 1, 1))
    tensor([[[5.7462]]])
    """
    if logits.ndim != 4:
        raise ValueError(f"logits must have shape (N, Q, H, W), got {tuple(logits.shape)}")
    return torch.special.entr(torch.softmax(_at_least_float32(logits), dim=1)).sum(dim=1)


def paint(lightness: Tensor, ab: Tensor) -> Tensor:
    """Put color on a gray picture: enlarge ab to its size, join them, convert to sRGB.

    Two smooth channels can be enlarged with little harm; details live in L, which stays as it is. Decode first, then
    enlarge: to enlarge 313 channels costs 150 times more.

    Parameters
    ----------
    lightness : (N, 1, H, W), L in 0..100.
    ab : (N, 2, h, w) at any resolution.

    Returns
    -------
    (N, 3, H, W) sRGB in [0, 1].

    Raises
    ------
    ValueError for other shapes, or different N.
    """
    if lightness.ndim != 4 or lightness.shape[1] != 1 or ab.ndim != 4 or ab.shape[1] != 2:
        raise ValueError(
            "paint takes lightness (N, 1, H, W) and ab (N, 2, h, w), "
            f"got {tuple(lightness.shape)} and {tuple(ab.shape)}"
        )
    if len(ab) != len(lightness):
        raise ValueError(f"paint takes as many lightness as ab, got {len(lightness)} and {len(ab)}")
    dtype = torch.promote_types(torch.promote_types(lightness.dtype, ab.dtype), torch.float32)
    lightness, ab = lightness.to(dtype), ab.to(dtype)
    if ab.shape[2:] != lightness.shape[2:]:
        ab = F.interpolate(ab, size=lightness.shape[2:], mode="bilinear", align_corners=False)
    return lab_to_rgb(torch.cat((lightness, ab), dim=1))


def _marginal_median(p: Tensor, axis: Tensor) -> Tensor:
    """Median along one axis: p (N, Q, H, W), the bins' coordinates (Q,) -> (N, 1, H, W)."""
    levels, level = axis.unique(return_inverse=True)  # sorted; without holes, SPACING apart
    marginal = p.new_zeros(len(p), len(levels) + 1, *p.shape[2:]).index_add_(1, level + 1, p)
    below = marginal.cumsum(dim=1)  # below[k]: what lies below the interval of level k
    crossings = []
    for share in (0.5 - TIE, 0.5 + TIE):  # in the same place, but for a gap: there on its two sides
        k = (below[:, 1:] < share).sum(dim=1, keepdim=True)
        low, high = below.gather(1, k), below.gather(1, k + 1)
        crossings.append(k + (share - low) / (high - low))
    return levels[0] + SPACING * (sum(crossings) / 2 - 0.5)


def _at_least_float32(logits: Tensor) -> Tensor:
    return logits if logits.dtype == torch.float64 else logits.float()


def _check_temperature(T: float) -> None:
    if not T >= 0:
        raise ValueError(f"temperature T must be 0 or above, got {T}")


def _check(logits: Tensor, centers: Tensor | None) -> tuple[Tensor, Tensor]:
    logits = _at_least_float32(logits)
    centers = (gamut_bins() if centers is None else centers).to(logits)
    if logits.ndim != 4 or logits.shape[1] != len(centers):
        raise ValueError(f"logits must have shape (N, {len(centers)}, H, W), got {tuple(logits.shape)}")
    return logits, centers
