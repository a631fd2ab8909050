"""Typical mistakes in lesson 1, each with the message it gets."""

import torch
from torch import Tensor

from ..lab import lab_to_rgb, rgb_to_lab
from .lesson_01 import is_gray, linear_to_xyz, swap_color, xyz_to_lab


def _lab(
    xyz: Tensor, white: Tensor, root: float = 1 / 3, line: bool = True, offset: float = 16, scale: float = 1
) -> Tensor:
    """Lab with parts to spoil."""
    t = xyz / white.view(3, 1, 1)
    f = t**root * scale
    if line:
        f = torch.where(t > 0.008856, f, 7.787 * t + 16 / 116)
    x, y, z = f
    return torch.stack((116 * y - offset, 500 * (x - y), 200 * (y - z)))


def _join(keeps_light: Tensor, gives_color: Tensor) -> Tensor:
    return torch.cat((rgb_to_lab(keeps_light)[:1], rgb_to_lab(gives_color)[1:]))


MISTAKES = {
    "1.1": (
        (
            lambda rgb: rgb**2.2,
            "A power of 2.2 is a common shortcut, but not sRGB: the real curve has a straight start and an offset.",
        ),
        (
            lambda rgb: ((rgb + 0.055) / 1.055) ** 2.4,
            "The straight part is missing: up to 0.04045 the light is rgb / 12.92.",
        ),
        (
            lambda rgb: torch.where(rgb <= 0.04045, rgb / 12.92, rgb**2.4),
            "The offset is missing in the curved part: ((rgb + 0.055) / 1.055) to the power 2.4.",
        ),
        (
            lambda rgb: torch.where(rgb <= 0.0031308, rgb * 12.92, 1.055 * rgb ** (1 / 2.4) - 0.055),
            "You go the other way, from light to the screen: dark values must get darker, 0.5 becomes 0.214.",
        ),
        (
            lambda rgb: torch.where(rgb > 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4),
            "The two parts are swapped: dark values, up to 0.04045, take rgb / 12.92.",
        ),
        (
            lambda rgb: torch.where(rgb <= 0.0031308, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4),
            "0.0031308 is the threshold of the way back. From the screen to light it is 0.04045.",
        ),
    ),
    "1.2": (
        (
            lambda linear, matrix: linear_to_xyz(linear, matrix.T),
            "The matrix is transposed: row i of the matrix gives channel i of the result.",
        ),
        (
            lambda linear, matrix: linear * matrix.sum(dim=1).view(3, 1, 1),
            "Each channel is only scaled. X, Y and Z each mix all three lights.",
        ),
        (
            lambda linear, matrix: torch.einsum("ij,jhw->hwi", matrix, linear),
            "The channels are last in your result. They must come first: (3, H, W).",
        ),
        (
            lambda linear, matrix: torch.einsum("ij,jhw->ihw", torch.linalg.inv(matrix), linear),
            "You use the inverse matrix, which leads from XYZ back to light.",
        ),
    ),
    "1.3": (
        (
            lambda xyz, white: xyz_to_lab(xyz, torch.ones(3)),
            "You do not divide by the white point, so white is not (100, 0, 0).",
        ),
        (
            lambda xyz, white: _lab(xyz, white, line=False),
            "The straight part is missing: for t up to 0.008856, f(t) = 7.787 t + 16/116.",
        ),
        (
            lambda xyz, white: _lab(xyz, white, root=1, scale=1 / 3),
            "`t**1/3` is (t to the power 1) divided by 3. Write `t ** (1 / 3)`.",
        ),
        (
            lambda xyz, white: _lab(xyz, white, root=1 / 2),
            "That is a square root. f is the cube root: the power 1/3.",
        ),
        (
            lambda xyz, white: _lab(xyz, white, offset=0),
            "The 16 is missing: L = 116 f(Y) - 16, so that black is 0.",
        ),
        (
            lambda xyz, white: xyz_to_lab(xyz, white)[[0, 2, 1]],
            "a and b are swapped: a compares X with Y, b compares Y with Z.",
        ),
        (
            lambda xyz, white: xyz_to_lab(xyz, white) * torch.tensor([1.0, -1.0, -1.0]).view(3, 1, 1),
            "The signs of a and b are reversed: a = 500 (f(X) - f(Y)) and b = 200 (f(Y) - f(Z)).",
        ),
    ),
    "1.4": (
        (
            lambda keeps_light, gives_color: swap_color(gives_color, keeps_light),
            "The photos changed roles: the first gives L, the second gives a and b.",
        ),
        (
            lambda keeps_light, gives_color: _join(keeps_light, gives_color),
            "You return Lab. Go back to a picture with lab_to_rgb.",
        ),
        (
            lambda keeps_light, gives_color: lab_to_rgb(_join(keeps_light, gives_color)[[0, 2, 1]]),
            "a and b are swapped.",
        ),
        (
            lambda keeps_light, gives_color: torch.cat((keeps_light[:1], gives_color[1:])),
            "You join red of one with green and blue of the other. Convert both to Lab first.",
        ),
    ),
    "1.5": (
        (
            lambda ab, threshold: (ab <= threshold).flatten(1).all(dim=1),
            "You forget the absolute value: green has negative a, blue negative b. A photo of the sea would count as gray.",
        ),
        (
            lambda ab, threshold: ab.norm(dim=1).flatten(1).amax(dim=1) <= threshold,
            "You compare the chroma. The rule looks at a and b separately: (4, 4) still counts as gray.",
        ),
        (
            lambda ab, threshold: ab.abs().sum(dim=1).flatten(1).amax(dim=1) <= threshold,
            "You add |a| and |b|. The rule looks at them separately: (4, 4) still counts as gray.",
        ),
        (
            lambda ab, threshold: (ab.abs() <= threshold).flatten(1).any(dim=1),
            "One gray value is enough for you. All pixels, in a and in b, must be within the threshold.",
        ),
        (
            lambda ab, threshold: ab.abs().flatten(1).mean(dim=1) <= threshold,
            "You compare the mean. One pixel with color is enough for a color picture.",
        ),
        (
            lambda ab, threshold: ~is_gray(ab, threshold),
            "Your answer is the wrong way round: True means gray.",
        ),
        (
            lambda ab, threshold: (ab.abs() < threshold).flatten(1).all(dim=1),
            "A value of exactly the threshold is not above it: use <=.",
        ),
        (
            lambda ab, threshold: is_gray(ab, threshold).all(),
            "You give one answer for the whole batch. Each picture needs its own.",
        ),
    ),
}
