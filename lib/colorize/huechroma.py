"""Color spaces beside Lab: hue and chroma of the bicone, and alpha-beta. Larsson et al. 2016, sections 3.1, A.2 and A.4.

A network that knows the gray picture need not answer with all of RGB: two numbers are enough. In the bicone they are the hue, an
angle, and the chroma, ``C = max(R, G, B) - min(R, G, B)``: 0 on the gray axis, 1 for the six pure colors. Adding the same
number to all three channels changes neither. So the lightness can be set afterwards: :func:`correct_lightness` for the mean
of R, G and B, :func:`hue_chroma_to_ab` for the L of Lab.

Pictures are (..., 3, H, W) floats, sRGB in [0, 1]; a single channel is (..., H, W). Another shape is a ValueError.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from .lab import linear_to_xyz, rgb_to_lab, srgb_to_linear

EPSILON = 1e-4  # keeps alpha and beta finite at black
HALVINGS = 20  # of an interval of length 1: what is left is less than a thousandth of a gray level


def mean_gray(rgb: Tensor) -> Tensor:
    """Gray as the mean of R, G and B, the paper's L: (..., 3, H, W) -> (..., H, W) in [0, 1].

    Not the lightness of Lab: pure green, yellow and blue are nearly white, white and dark to the eye, and 1/3, 2/3, 1/3 here.
    """
    return _checked(rgb).mean(dim=-3)


def hue_chroma(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """Hue and chroma of each pixel.

    Returns
    -------
    hue : (..., H, W) in [0, 1): red is 0, green 1/3, blue 2/3, as in HSV. A gray pixel has none, and gets 0.
    chroma : (..., H, W) in [0, 1], the largest of R, G, B minus the smallest.

    >>> hue, chroma = hue_chroma(torch.tensor([0.2, 0.6, 0.2]).view(3, 1, 1))
    >>> round(hue.item(), 3), round(chroma.item(), 3)
    (0.333, 0.4)
    """
    red, green, blue = _checked(rgb).unbind(dim=-3)
    largest = torch.maximum(torch.maximum(red, green), blue)
    chroma = largest - torch.minimum(torch.minimum(red, green), blue)
    safe = torch.where(chroma > 0, chroma, 1)  # a gray pixel: all differences are 0
    sixth = torch.where(
        largest == red,
        (green - blue) / safe,
        torch.where(largest == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    hue = (sixth / 6).remainder(1)
    return torch.where(hue < 1, hue, 0), chroma  # a hue just below 0 is rounded to 1


def rgb_to_hcl(rgb: Tensor) -> Tensor:
    """The bicone: (..., 3, H, W) sRGB to hue, chroma and lightness ``(max + min) / 2``, the same shape, all in [0, 1].

    HSV follows: ``V = lightness + C / 2``, ``S = C / V`` (section 3.1).
    """
    hue, chroma = hue_chroma(rgb)
    return torch.stack((hue, chroma, rgb.amax(dim=-3) - chroma / 2), dim=-3)


def hcl_to_rgb(hcl: Tensor) -> Tensor:
    """Invert :func:`rgb_to_hcl`. Chroma that its lightness has no room for leaves [0, 1], and is not clipped here."""
    hue, chroma, lightness = _checked(hcl).unbind(dim=-3)
    smallest = lightness - chroma / 2
    return smallest.unsqueeze(-3) + chroma.unsqueeze(-3) * pure(hue)


def pure(hue: Tensor) -> Tensor:
    """The pure color of each hue, chroma 1: (..., H, W) -> (..., 3, H, W), one channel 1 and one 0.

    Each channel is a trapezoid around the circle: 1 for a third of it, 0 for a third, straight between.
    """
    channels = [((hue - start).remainder(1) * 6 - 3).abs() - 1 for start in (0, 1 / 3, 2 / 3)]
    return torch.stack(channels, dim=-3).clamp(0, 1)


def largest_chroma(lightness: Tensor) -> Tensor:
    """Largest chroma that the bicone has at a lightness in [0, 1]: ``1 - |2 L - 1|``, none at black and at white."""
    return 1 - (2 * lightness - 1).abs()


def boost(rgb: Tensor, factor: float) -> Tensor:
    """Make a picture more vivid: its chroma times ``factor``, as far as there is room; hue and lightness stay.

    Parameters
    ----------
    rgb : (..., 3, H, W), sRGB in [0, 1].
    factor : 0 or above, anything else is a ValueError; 0 gives gray, 1 the picture.
    """
    if not factor >= 0:
        raise ValueError(f"factor must be 0 or above, got {factor}")
    hue, chroma, lightness = rgb_to_hcl(rgb).unbind(dim=-3)
    more = torch.minimum(factor * chroma, largest_chroma(lightness))
    return hcl_to_rgb(torch.stack((hue, more, lightness), dim=-3)).clamp(0, 1)


def correct_lightness(rgb: Tensor, gray: Tensor) -> Tensor:
    """Give a predicted picture the gray that was given: add ``L - L_hat`` to all three channels. Section A.4.

    Parameters
    ----------
    rgb : (..., 3, H, W), predicted.
    gray : (..., H, W), the mean of R, G and B that it should have.

    Returns
    -------
    (..., 3, H, W) in [0, 1]. Where a channel is clipped, the gray is missed after all.

    >>> redder = torch.tensor([0.9, 0.3, 0.3]).view(3, 1, 1)  # its gray is 0.5
    >>> correct_lightness(redder, torch.tensor([[0.4]])).flatten()
    tensor([0.8000, 0.2000, 0.2000])
    """
    lacking = _checked_gray(gray, rgb) - mean_gray(rgb)
    return (rgb + lacking.unsqueeze(-3)).clamp(0, 1)


def rgb_to_alpha_beta(rgb: Tensor) -> Tensor:
    """The color space of Deshpande et al. 2015: (..., 3, H, W) -> (..., 2, H, W), both channels in -3..3. Equation 9.

    ``alpha = (B - (R + G) / 2) / (L + e)``, ``beta = (R - G) / (L + e)`` with L the mean of R, G and B and e = 0.0001.
    """
    red, green, blue = _checked(rgb).unbind(dim=-3)
    below = mean_gray(rgb) + EPSILON
    return torch.stack(((blue - (red + green) / 2) / below, (red - green) / below), dim=-3)


def alpha_beta_to_rgb(alpha_beta: Tensor, gray: Tensor) -> Tensor:
    """Invert :func:`rgb_to_alpha_beta` with the gray, (..., H, W), that it leaves out. Not clipped.

    From ``R + G = 3 L - B`` follows ``B = L + 2/3 alpha (L + e)``.
    """
    if alpha_beta.ndim < 3 or alpha_beta.shape[-3] != 2:
        raise ValueError(f"alpha_beta must have shape (..., 2, H, W), got {tuple(alpha_beta.shape)}")
    gray = _checked_gray(gray, alpha_beta)
    alpha, beta = alpha_beta.unbind(dim=-3)
    blue = gray + 2 / 3 * alpha * (gray + EPSILON)
    both, difference = 3 * gray - blue, beta * (gray + EPSILON)
    return torch.stack(((both + difference) / 2, (both - difference) / 2, blue), dim=-3)


def hue_chroma_to_ab(hue: Tensor, chroma: Tensor, lightness: Tensor) -> Tensor:
    """Find a and b of the color that has this hue and chroma, and the L of Lab that is given.

    A color with hue h and chroma C is ``m + C pure(h)``, and m, its smallest channel, is what the lightness decides. That is
    the paper's lightness correction, with the L of Lab in place of the mean of RGB; L rises with m, so that halving an
    interval finds it. Where the chroma has no room (white and black have none), it is first cut to the largest that has.

    Parameters
    ----------
    hue, chroma, lightness : (..., H, W); hue in turns, chroma in [0, 1], L in 0..100.

    Returns
    -------
    (..., 2, H, W), a and b in their own units.

    >>> red = hue_chroma_to_ab(*torch.tensor([0.0, 1.0, 53.24]).view(3, 1, 1))
    >>> red.flatten().round(decimals=1)
    tensor([80.1000, 67.2000])
    """
    if not hue.shape == chroma.shape == lightness.shape or hue.ndim < 2:
        shapes = f"{tuple(hue.shape)}, {tuple(chroma.shape)} and {tuple(lightness.shape)}"
        raise ValueError(f"hue, chroma and lightness must have one shape (..., H, W), got {shapes}")
    color, chroma = pure(hue), chroma.clamp(0, 1)

    def luminance(smallest: Tensor, chroma: Tensor) -> Tensor:
        rgb = smallest.unsqueeze(-3) + chroma.unsqueeze(-3) * color
        return linear_to_xyz(srgb_to_linear(rgb))[..., 1, :, :]

    zero = torch.zeros_like(chroma)
    wanted = _luminance(lightness)
    for_dark = _rising(lambda c: luminance(zero, c), wanted)  # the darkest color of a chroma has m = 0
    for_light = _rising(lambda c: -luminance(1 - c, c), -wanted)  # the lightest has m = 1 - C
    chroma = torch.minimum(chroma, torch.minimum(for_dark, for_light))
    share = _rising(lambda s: luminance(s * (1 - chroma), chroma), wanted)
    rgb = (share * (1 - chroma)).unsqueeze(-3) + chroma.unsqueeze(-3) * color
    return rgb_to_lab(rgb)[..., 1:, :, :]


def _luminance(lightness: Tensor) -> Tensor:
    """Y of an L: the cube above the knee of Lab, a straight line below."""
    f = (lightness + 16) / 116
    return torch.where(lightness > 8, f**3, lightness / 903.3)


def _rising(function: Callable[[Tensor], Tensor], wanted: Tensor) -> Tensor:
    """Largest x in [0, 1] with f(x) at most what is wanted, for a function that rises: by halving, for all pixels at once."""
    x = torch.zeros_like(wanted)
    for k in range(1, HALVINGS + 1):
        middle = x + 0.5**k
        x = torch.where(function(middle) <= wanted, middle, x)
    return x


def _checked_gray(gray: Tensor, image: Tensor) -> Tensor:
    if gray.shape != (expected := (*image.shape[:-3], *image.shape[-2:])):
        raise ValueError(f"gray must have shape {tuple(expected)}, got {tuple(gray.shape)}")
    return gray


def _checked(image: Tensor) -> Tensor:
    if image.ndim < 3 or image.shape[-3] != 3 or not image.is_floating_point():
        raise ValueError(
            f"a picture must be floats of shape (..., 3, H, W), got {image.dtype} {tuple(image.shape)}"
        )
    return image
