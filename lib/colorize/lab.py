"""sRGB to CIE Lab and back, on tensors.

Three steps lead from a pixel on the screen to Lab, each with its inverse::

    sRGB  --srgb_to_linear-->  linear light  --linear_to_xyz-->  XYZ  --xyz_to_lab-->  Lab

The last three dimensions of every tensor are (3, H, W); another shape is a ValueError, integers (other than 8-bit sRGB)
are a TypeError. Everything runs on any device and can be differentiated;
gradients are finite everywhere, also at black, at white, on the gray axis and outside the gamut.

Constants: sRGB is IEC 61966-2-1; the white is D65 seen by the 2 degree observer; matrix, white and thresholds carry
the digits that scikit-image, the paper's own code and most other colorization code use, so that numbers can be compared.
"""

import functools
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

RGB_TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
WHITE = (0.95047, 1.0, 1.08883)
KNEE = 0.008856  # below this share of white, the cube root of Lab gives way to a straight line
KNEE_F = 0.2068966  # the same point after the function: cube root of KNEE
BAND = 2**16  # pixels that are converted together; twice as many and more are cut into bands


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """Convert sRGB to Lab.

    Parameters
    ----------
    rgb : (..., 3, H, W), float in [0, 1], or uint8 in 0..255.

    Returns
    -------
    (..., 3, H, W): L in 0..100, a and b in their own units (8-bit sRGB reaches a from -86.2 to 98.2, b from -107.9 to
    94.5). float64 stays float64; everything else is computed and returned as float32.

    Raises
    ------
    ValueError if the shape is not (..., 3, H, W). TypeError for integers other than uint8.

    >>> rgb_to_lab(torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1)).flatten().round(decimals=2)  # pure red
    tensor([53.2400, 80.0900, 67.2000])
    """
    return _in_bands(lambda part: xyz_to_lab(linear_to_xyz(srgb_to_linear(part))), rgb)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Convert Lab to sRGB, clipped to [0, 1]: a color that no screen can show becomes its clipped neighbor.

    Parameters
    ----------
    lab : (..., 3, H, W), L in 0..100, a and b in their own units.

    Returns
    -------
    (..., 3, H, W) in [0, 1], float64 for float64, else float32.

    Raises
    ------
    ValueError if the shape is not (..., 3, H, W). TypeError for integers.

    >>> lab = torch.tensor([50.0, 0.0, 0.0]).view(3, 1, 1)
    >>> lab_to_rgb(lab).flatten().round(decimals=2)  # without a and b: gray
    tensor([0.4700, 0.4700, 0.4700])
    """
    return _in_bands(lambda part: linear_to_srgb(xyz_to_linear(lab_to_xyz(part))).clamp_(0, 1), lab)


def to_gray(rgb: Tensor) -> Tensor:
    """Take the color out of a picture and keep its lightness: what a network of this course gets to see.

    Parameters
    ----------
    rgb : (..., 3, H, W), sRGB, float in [0, 1], or uint8 in 0..255.

    Returns
    -------
    (..., 3, H, W) in [0, 1], the same L with a = b = 0.
    """
    lightness = rgb_to_lab(rgb)[..., :1, :, :]
    return lab_to_rgb(F.pad(lightness, (0, 0, 0, 0, 0, 2)))


def srgb_to_linear(rgb: Tensor) -> Tensor:
    """Undo the gamma curve of sRGB: (..., 3, H, W) screen values to the same shape of light, both in [0, 1].

    uint8 values are looked up in a table of 256 entries, which is exact and much faster than 256 different powers.
    """
    if rgb.dtype == torch.uint8:
        _check(rgb, "rgb")
        # index_select: indexing with [] takes three times as long.
        return _table().to(rgb.device).index_select(0, rgb.flatten().int()).view(rgb.shape)
    rgb = _float(rgb, "rgb")
    end = ((0.04045 + 0.055) / 1.055) ** 2.4
    return _bent(rgb, 0.04045, lambda x: _power((x + 0.055).div_(1.055), 2.4), end, 1 / 12.92)


def linear_to_srgb(linear: Tensor) -> Tensor:
    """Apply the gamma curve of sRGB, the inverse of :func:`srgb_to_linear`. Values are not clipped."""
    linear = _float(linear, "linear")
    end = 1.055 * 0.0031308 ** (1 / 2.4) - 0.055
    return _bent(linear, 0.0031308, lambda x: (1.055 * _power(x, 1 / 2.4)).sub_(0.055), end, 12.92)


def linear_to_xyz(linear: Tensor) -> Tensor:
    """Mix red, green and blue light into the CIE's X, Y, Z: one matrix product. Y is the luminance, 1 for white."""
    return _mix(RGB_TO_XYZ, _float(linear, "linear"))


def xyz_to_linear(xyz: Tensor) -> Tensor:
    """Invert :func:`linear_to_xyz`. Colors outside the sRGB gamut come out below 0 or above 1."""
    return _mix(_xyz_to_rgb(), _float(xyz, "xyz"))


def xyz_to_lab(xyz: Tensor) -> Tensor:
    """Compress X, Y, Z by (nearly) a cube root, then take lightness and two differences.

    With f(t) the cube root of t (a straight line below t = 0.008856)::

        L = 116 f(Y/Yn) - 16        a = 500 (f(X/Xn) - f(Y/Yn))        b = 200 (f(Y/Yn) - f(Z/Zn))
    """
    xyz = _float(xyz, "xyz")
    t = xyz / _column(WHITE, xyz)
    f = _bent(t, KNEE, lambda t: _power(t, 1 / 3), KNEE ** (1 / 3), 7.787, (0.0, 16 / 116))
    fx, fy, fz = f.unbind(-3)
    return torch.stack(((116 * fy).sub_(16), (fx - fy).mul_(500), (fy - fz).mul_(200)), dim=-3)


def lab_to_xyz(lab: Tensor) -> Tensor:
    """Invert :func:`xyz_to_lab`. A strong blue at low L would need negative Z: it is cut off at 0, as elsewhere."""
    lightness, a, b = _float(lab, "lab").unbind(-3)
    fy = (lightness + 16).div_(116)
    f = torch.stack((fy.add(a, alpha=1 / 500), fy, fy.sub(b, alpha=1 / 200).clamp_(min=0)), dim=-3)
    t = _bent(f, KNEE_F, lambda f: f**3, KNEE_F**3, 1 / 7.787, (16 / 116, 0.0))
    return t * _column(WHITE, f)


def _bent(
    x: Tensor,
    knee: float,
    curve: Callable[[Tensor], Tensor],
    end: float,
    slope: float,
    origin: tuple[float, float] = (0.0, 0.0),
) -> Tensor:
    """A curve above a knee, where its value is ``end``; below it a straight line through a point, the origin.

    In float32 the curve's rise above its end is added to the line: to compare and choose, for each pixel, takes as long as
    the curve itself. Published slopes miss the curve's end by up to 3e-7; this line meets it.
    """
    # Clamping first keeps a power away from zero, where its gradient is infinite: times a zero that is NaN.
    above, (x0, y0) = curve(x.clamp(min=knee)), origin
    if x.dtype == torch.float64:
        return torch.where(x > knee, above, y0 + slope * (x - x0))
    end *= 1 + 4e-7  # more than rounding adds: below the knee the rise is 0 exactly
    rise = (above - (end - y0)).clamp_(min=y0)
    below = x.clamp(max=knee)
    return rise.add_(below.sub_(x0) if x0 else below, alpha=(end - y0) / (knee - x0))


def _power(x: Tensor, exponent: float) -> Tensor:
    """``x ** exponent`` for x above 0; on a CPU this takes half the time."""
    return x.log2().mul_(exponent).exp2_()


@functools.cache
def _xyz_to_rgb() -> Tensor:
    """The inverse of RGB_TO_XYZ, (3, 3) float64."""
    return torch.linalg.inv(torch.tensor(RGB_TO_XYZ, dtype=torch.float64, device="cpu"))


@functools.cache
def _table() -> Tensor:
    """Light of the 256 levels of 8-bit sRGB, (256,) float32."""
    levels = torch.arange(256, dtype=torch.float64, device="cpu") / 255
    return srgb_to_linear(levels.view(1, -1, 1).expand(3, -1, 1))[0, :, 0].float()


def _in_bands(convert: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    """Convert a large photo some rows at a time: what is computed on the way then stays in a CPU's cache."""
    is_large = isinstance(image, Tensor) and image.device.type == "cpu" and image.numel() > 6 * BAND
    if not is_large or image.ndim < 3:  # a wrong shape: refused there
        return convert(image)
    rows = max(1, 3 * BAND * image.shape[-2] // image.numel())
    return torch.cat([convert(part) for part in image.split(rows, dim=-2)], dim=-2)


def _mix(matrix: Tensor | Sequence, image: Tensor) -> Tensor:
    matrix = torch.as_tensor(matrix, dtype=image.dtype, device=image.device)
    # Autocast would round this product to 8 bits: Lab off by 0.7, sRGB by 9 gray levels.
    with torch.autocast(image.device.type, enabled=False):
        return (matrix @ image.flatten(-2)).view(image.shape)


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).view(3, 1, 1)


def _float(image: Tensor, name: str) -> Tensor:
    """Check the shape; half precision is too coarse for Lab (steps of 0.06 at L = 100) and becomes float32."""
    _check(image, name)
    if not image.is_floating_point():
        raise TypeError(f"{name} must be floating point{', or uint8' * (name == 'rgb')}, got {image.dtype}")
    return image if image.dtype == torch.float64 else image.float()


def _check(image: Tensor, name: str) -> None:
    if not isinstance(image, Tensor):
        raise TypeError(f"{name} must be a tensor of shape (..., 3, H, W), got {type(image).__name__}")
    if image.ndim < 3 or image.shape[-3] != 3:
        raise ValueError(f"{name} must have shape (..., 3, H, W), got {tuple(image.shape)}")
