"""Old photographs: age a good one on purpose, and undo it where that can be undone.

What time does to a print is simulated here, from seeds, so that the unharmed photo is known and each repair can be measured.
Real prints have damage of more kinds. All functions work on L, (H, W) in 0..100, but for :func:`sepia`, which makes the color of the
paper.
"""

import math

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from .lab import lab_to_rgb

SEPIA = (10.0, 24.0)  # a and b of a brown toner, in the middle tones
SCRATCH = 95.0  # L of the white base of a print, which a scratch lays bare


def sepia(lightness: Tensor, tone: tuple[float, float] = SEPIA) -> Tensor:
    """Print a gray picture in brown: the same L, one hue, strongest in the middle tones.

    a and b are ``tone`` times ``4 (L / 100) (1 - L / 100)``: black and white have no color. Where sRGB cannot hold a color, L moves by
    a little.

    Parameters
    ----------
    lightness : (H, W), L in 0..100.
    tone : a and b at L = 50.

    Returns
    -------
    (3, H, W), sRGB in [0, 1].

    >>> print([round(x, 2) for x in sepia(torch.tensor([[50.0]])).flatten().tolist()])
    [0.58, 0.44, 0.31]
    """
    _check(lightness)
    share = 4 * (lightness / 100) * (1 - lightness / 100)
    return lab_to_rgb(torch.stack((lightness, tone[0] * share, tone[1] * share)))


def fade(lightness: Tensor, left: float = 0.3, right: float = 0.7, toward: float = 62.0) -> Tensor:
    """Bleach a print: each L moves toward one gray, by a share that grows evenly from the left edge to the right.

    Equal shares fade evenly, and a stretch of L undoes that exactly. An uneven fading needs more.

    Parameters
    ----------
    lightness : (H, W), L in 0..100.
    left, right : shares in 0..1 at the two edges; 1 leaves nothing but ``toward``.
    toward : L of what has faded away.

    >>> fade(torch.tensor([[0.0, 0.0], [100.0, 100.0]]), 0.5, 1.0, 60.0)
    tensor([[30., 60.],
            [80., 60.]])
    """
    _check(lightness)
    if not (0 <= left <= 1 and 0 <= right <= 1):
        raise ValueError(f"left and right must be shares in 0..1, got {left} and {right}")
    share = torch.linspace(left, right, lightness.shape[1], dtype=lightness.dtype)
    return lightness + share * (toward - lightness)


def grain(lightness: Tensor, strength: float = 6.0, seed: int = 0) -> Tensor:
    """Add the grain of a film: Gaussian noise of ``strength`` units of L, drawn from ``seed``, kept to 0..100."""
    _check(lightness)
    random = torch.Generator().manual_seed(seed)
    noise = torch.randn(lightness.shape, generator=random, dtype=lightness.dtype)
    return (lightness + strength * noise).clamp(0, 100)


def scratches(height: int, width: int, count: int = 6, seed: int = 0) -> Tensor:
    """Draw scratches from top to bottom, as a projector or a drawer leaves them: (H, W) bool.

    Each starts anywhere along the top, leans and bends a little, and is 1 to 3 pixels wide.

    Raises
    ------
    ValueError if the picture has no pixels or count is below 0.
    """
    if height < 1 or width < 1 or count < 0:
        raise ValueError(f"scratches need pixels and a count of 0 or more, got {height} x {width}, {count}")
    random = np.random.default_rng(seed)
    row, column = np.arange(height), np.arange(width)
    mask = np.zeros((height, width), dtype=bool)
    for _ in range(count):
        start, lean, bend = random.uniform(0, width), random.normal(0, 0.15), random.normal(0, 0.05)
        middle = start + lean * row + bend * width * np.sin(math.pi * row / height)  # (H,) columns
        mask |= np.abs(column - middle[:, None]) <= random.uniform(0.6, 1.4)
    return torch.from_numpy(mask)


def scratched(lightness: Tensor, mask: Tensor, level: float = SCRATCH) -> Tensor:
    """Lay the white base bare where the mask is true: (H, W) L and (H, W) bool -> (H, W)."""
    _check(lightness, mask)
    return torch.where(mask, torch.full_like(lightness, level), lightness)


def find_scratches(lightness: Tensor, width: int = 7, contrast: float = 12.0) -> Tensor:
    """Mark what is brighter than its surroundings to the left and right, and narrow: (H, W) bool.

    The white top-hat: L minus its opening by a row of ``width`` pixels, which removes bright lines narrower than that. It finds
    upright lines of any origin, poles and the rims of cups included: look at the mask before you trust it.

    Parameters
    ----------
    lightness : (H, W), L in 0..100.
    width : pixels, odd; bright lines up to ``width - 1`` across are found.
    contrast : units of L by which they must stand out.

    Raises
    ------
    ValueError if width is even or below 3, or contrast is below 0.
    """
    _check(lightness)
    if width < 3 or width % 2 == 0 or contrast < 0:
        raise ValueError(f"width must be odd and 3 or more, contrast 0 or more, got {width} and {contrast}")
    hat = ndimage.white_tophat(lightness.numpy(), size=(1, width))
    return torch.from_numpy(hat > contrast)


def inpaint(lightness: Tensor, mask: Tensor) -> Tensor:
    """Fill what the mask marks from its surroundings, smoothly: scikit-image's ``inpaint_biharmonic``.

    Biharmonic: the filling bends as little as possible between the pixels around it. It continues shades and straight edges,
    and invents no texture.

    Parameters
    ----------
    lightness : (H, W), L in 0..100. What lies under the mask is not looked at.
    mask : (H, W) bool, not true everywhere.

    Returns
    -------
    (H, W); pixels outside of the mask keep their L.
    """
    from skimage.restoration import inpaint_biharmonic  # only here: it takes a second to import

    _check(lightness, mask)
    if mask.all():
        raise ValueError("the mask covers the whole picture: there is nothing to fill it from")
    if not mask.any():
        return lightness.clone()
    filled = inpaint_biharmonic(lightness.double().numpy() / 100, mask.numpy())
    return torch.where(mask, torch.from_numpy(100 * filled).to(lightness.dtype).clamp(0, 100), lightness)


def stretch(lightness: Tensor, share: float = 0.01) -> Tensor:
    """Undo an even fading: the darkest ``share`` of the pixels ends at 0 and below, the lightest at 100 and above, cut off there.

    Parameters
    ----------
    lightness : (H, W).
    share : of the pixels, 0 to below 1/2. Quantiles, not the extremes, so that a speck of dust decides nothing.

    Returns
    -------
    (H, W) in 0..100; a picture of one L stays as it is.
    """
    _check(lightness)
    if not 0 <= share < 0.5:
        raise ValueError(f"share must be 0 or more and below 0.5, got {share}")
    # NumPy's, since PyTorch's takes no more than 2^24 values, and a scan of 600 dots per inch has more.
    low, high = np.quantile(lightness.numpy(), (share, 1 - share)).tolist()
    if not high > low:
        return lightness.clone()
    return (100 * (lightness - low) / (high - low)).clamp(0, 100)


def _check(lightness: Tensor, mask: Tensor | None = None) -> None:
    if lightness.ndim != 2 or not lightness.numel():
        raise ValueError(f"lightness must have shape (H, W), got {tuple(lightness.shape)}")
    if not lightness.is_floating_point():
        raise ValueError(f"lightness must be floating point, 0 to 100, got {lightness.dtype}")
    if mask is not None and (mask.shape != lightness.shape or mask.dtype != torch.bool):
        shape = tuple(lightness.shape)
        raise ValueError(f"mask must be bool of shape {shape}, got {mask.dtype} of {tuple(mask.shape)}")
