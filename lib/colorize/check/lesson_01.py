"""Exercises of lesson 1, Lab color: references and cases. The typical mistakes are in ``mistakes_01``."""

import numpy as np
import torch
from torch import Tensor

from ..lab import RGB_TO_XYZ, WHITE, lab_to_rgb, rgb_to_lab
from .inputs import generator
from .judge import Case, Exercise

MATRIX = torch.tensor(RGB_TO_XYZ)
WHITE_POINT = torch.tensor(WHITE)


def _image(seed: int, height: int = 3, width: int = 4) -> Tensor:
    """(3, height, width) random values in [0, 1]."""
    return torch.rand(3, height, width, generator=generator(seed))


# 1.1 From the screen to light


def srgb_to_linear(rgb: Tensor) -> Tensor:
    """Undo the gamma curve of sRGB."""
    return torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


LINEAR = Exercise(
    "1.1",
    "From the screen to light",
    srgb_to_linear,
    lambda: [
        Case("For black and white", (torch.tensor([0.0, 1.0]),), torch.tensor([0.0, 1.0])),
        # IEC 61966-2-1: 0.04045 is the end of the straight part; 0.5 is light of 0.2140
        Case("For the dark values 0.01 and 0.04045", (torch.tensor([0.01, 0.04045]),), torch.tensor([0.01, 0.04045]) / 12.92),
        Case("For 0.5, halfway on the screen", (torch.tensor([0.5]),), torch.tensor([0.214041])),
        Case("For a picture", (_image(0),)),
        Case("For 50 dark values", (torch.linspace(0, 0.1, 50),)),
    ],
    outputs=("the light",),
    tolerance=2e-5,
)  # fmt: skip


# 1.2 From light to XYZ


def linear_to_xyz(linear: Tensor, matrix: Tensor) -> Tensor:
    """Multiply each pixel's three amounts of light by the matrix."""
    return torch.einsum("ij,jhw->ihw", matrix, linear)


def _one_pixel(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).view(3, 1, 1)


XYZ = Exercise(
    "1.2",
    "From light to XYZ",
    linear_to_xyz,
    lambda: [
        Case("For pure green light", (_one_pixel(0, 1, 0), MATRIX), MATRIX[:, 1].view(3, 1, 1)),
        Case("For white, whose Y is 1", (_one_pixel(1, 1, 1), MATRIX), MATRIX.sum(dim=1).view(3, 1, 1)),
        Case("For a picture of 3 x 4 pixels", (_image(1), MATRIX)),
        Case("For a picture of 3 x 3 pixels", (_image(2, 3, 3), MATRIX)),
        Case("For another matrix", (_image(3), torch.tensor([[1.0, 2, 0], [0, 1, 3], [4, 0, 1]]))),
    ],
    outputs=("XYZ",),
)


# 1.3 From XYZ to Lab


def xyz_to_lab(xyz: Tensor, white: Tensor) -> Tensor:
    """Lightness and two differences of compressed X, Y, Z."""
    t = xyz / white.view(3, 1, 1)
    x, y, z = torch.where(t > 0.008856, t.clamp(min=0.008856) ** (1 / 3), 7.787 * t + 16 / 116)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)))


def _xyz(seed: int, scale: float = 1.0) -> Tensor:
    return linear_to_xyz(_image(seed) * scale, MATRIX)


LAB = Exercise(
    "1.3",
    "From XYZ to Lab",
    xyz_to_lab,
    lambda: [
        Case("For white", (WHITE_POINT.view(3, 1, 1), WHITE_POINT), _one_pixel(100, 0, 0)),
        Case("For black", (torch.zeros(3, 1, 1), WHITE_POINT), _one_pixel(0, 0, 0)),
        # an eighth of white: the cube root is one half, so L = 116 / 2 - 16
        Case("For an eighth of white", (WHITE_POINT.view(3, 1, 1) / 8, WHITE_POINT), _one_pixel(42, 0, 0)),
        Case("For a picture", (_xyz(4), WHITE_POINT)),
        Case("For a very dark picture", (_xyz(5, 0.01), WHITE_POINT)),
        Case("For a white of (0.9, 1, 0.8)", (_xyz(6), torch.tensor([0.9, 1.0, 0.8]))),
    ],
    outputs=("Lab",),
    tolerance=1e-3,  # white's own digits end at the fifth place
)


# 1.4 Colors of another photo


def swap_color(keeps_light: Tensor, gives_color: Tensor) -> Tensor:
    """L of one photo, a and b of another."""
    lightness, color = rgb_to_lab(keeps_light)[:1], rgb_to_lab(gives_color)[1:]
    return lab_to_rgb(torch.cat((lightness, color)))


def draw(result: Tensor, case: Case) -> np.ndarray:
    """Show a small picture, (3, H, W) in [0, 1]."""
    return (torch.as_tensor(result).clamp(0, 1) * 255).byte().movedim(0, -1).numpy()


def _ramp(red: float, green: float, blue: float) -> Tensor:
    """(3, 6, 8): one color, darker to the left."""
    return torch.tensor([red, green, blue]).view(3, 1, 1) * torch.linspace(0.3, 1, 8).expand(1, 6, 8)


SWAP = Exercise(
    "1.4",
    "Colors of another photo",
    swap_color,
    lambda: [
        Case("For a photo and itself", (_ramp(0.8, 0.4, 0.3), _ramp(0.8, 0.4, 0.3)), _ramp(0.8, 0.4, 0.3)),
        Case("For a gray ramp and the color of a red one", (_ramp(0.6, 0.6, 0.6), _ramp(0.7, 0.3, 0.3))),
        Case("For a blue ramp and the color of a flipped green one", (_ramp(0.3, 0.4, 0.8), _ramp(0.3, 0.7, 0.4).flip(2))),
        Case("For two pictures of 4 x 5 pixels", (0.2 + 0.6 * _image(7, 4, 5), 0.2 + 0.6 * _image(8, 4, 5))),
    ],
    outputs=("the picture",),
    tolerance=2e-3,
    draw=draw,
)  # fmt: skip


# 1.5 The gray filter


def is_gray(ab: Tensor, threshold: float = 5.0) -> Tensor:
    """True for pictures without a pixel whose a or b is farther than threshold from 0."""
    return (ab.abs() <= threshold).flatten(1).all(dim=1)


def _one_color(a: float, b: float) -> Tensor:
    """(1, 2, 3, 4): gray but for one pixel."""
    ab = torch.zeros(1, 2, 3, 4)
    ab[0, :, 1, 2] = torch.tensor([a, b])
    return ab


def _vivid(n: int, seed: int) -> Tensor:
    """(n, 2, 3, 4): colors up to 3, 6, 9, ... from gray on each axis."""
    return (
        (2 * torch.rand(n, 2, 3, 4, generator=generator(seed)) - 1)
        * 3
        * torch.arange(1, n + 1).view(n, 1, 1, 1)
    )


GRAY = Exercise(
    "1.5",
    "The gray filter",
    is_gray,
    lambda: [
        Case("For a picture without any color", (torch.zeros(1, 2, 3, 4), 5.0), torch.tensor([True])),
        Case("For one pixel of ab = (0, 40)", (_one_color(0, 40), 5.0), torch.tensor([False])),
        Case("For one pixel of ab = (0, -40), a blue one", (_one_color(0, -40), 5.0), torch.tensor([False])),
        Case("For one pixel of ab = (-7, 0)", (_one_color(-7, 0), 5.0), torch.tensor([False])),
        Case("For one pixel of ab = (4, 4)", (_one_color(4, 4), 5.0), torch.tensor([True])),
        Case("For pixels of exactly (5, -5), not above 5", (_one_color(5, -5), 5.0), torch.tensor([True])),
        Case(
            "For a batch of three, of which the second has color",
            (torch.cat((_one_color(1, 2), _one_color(20, 30), _one_color(-3, 0))), 5.0),
            torch.tensor([True, False, True]),
        ),
        Case("For a picture with one gray pixel", (_one_color(-30, -30) + 30, 5.0), torch.tensor([False])),
        Case("For one pixel of ab = (4.5, 2)", (_one_color(4.5, 2), 5.0), torch.tensor([True])),
        Case("For a threshold of 10 and a pixel of (8, -8)", (_one_color(8, -8), 10.0), torch.tensor([True])),
        Case("For six pictures, more and more vivid", (_vivid(6, 9), 5.0)),
    ],
    outputs=("the answer",),
)

EXERCISES = (LINEAR, XYZ, LAB, SWAP, GRAY)
