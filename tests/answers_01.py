"""Answers to the exercises of lesson 1, right and wrong, as different people might write them."""

import numpy as np
import torch
from skimage import color

from colorize.lab import lab_to_rgb, rgb_to_lab


def curve_by_mask(rgb):
    out = ((rgb + 0.055) / 1.055).pow(2.4)
    dark = rgb <= 0.04045
    out[dark] = rgb[dark] / 12.92
    return out


def curve_by_numpy(rgb):
    v = rgb.numpy()
    return torch.from_numpy(np.where(v > 0.04045, ((v + 0.055) / 1.055) ** 2.4, v / 12.92))


def xyz_by_reshape(linear, matrix):
    return (matrix @ linear.reshape(3, -1)).view_as(linear)


def xyz_by_channel(linear, matrix):
    r, g, b = linear
    return torch.stack([row[0] * r + row[1] * g + row[2] * b for row in matrix])


def lab_by_skimage(xyz, white):
    """scikit-image's xyz2lab for its own white; XYZ is rescaled first so that any white will do."""
    standard = torch.tensor([0.95047, 1.0, 1.08883])
    scaled = xyz / white.view(3, 1, 1) * standard.view(3, 1, 1)
    return torch.from_numpy(color.xyz2lab(scaled.movedim(0, -1).numpy())).movedim(-1, 0)


def lab_by_channel(xyz, white):
    def f(t):
        return torch.where(t > 0.008856, t.clamp(min=1e-9).log().div(3).exp(), 7.787 * t + 16 / 116)

    x, y, z = (f(channel / w) for channel, w in zip(xyz, white, strict=True))
    return torch.cat([(116 * y - 16)[None], ((x - y) * 500)[None], ((y - z) * 200)[None]])


def swap_by_index(keeps_light, gives_color):
    lab = rgb_to_lab(gives_color).clone()
    lab[0] = rgb_to_lab(keeps_light)[0]
    return lab_to_rgb(lab)


def swap_by_skimage(keeps_light, gives_color):
    lab = color.rgb2lab(gives_color.movedim(0, -1).numpy())
    lab[..., 0] = color.rgb2lab(keeps_light.movedim(0, -1).numpy())[..., 0]
    return torch.from_numpy(color.lab2rgb(lab)).movedim(-1, 0).float()


RIGHT = {
    "1.1": [curve_by_mask, curve_by_numpy],
    "1.2": [xyz_by_reshape, xyz_by_channel],
    "1.3": [lab_by_skimage, lab_by_channel],
    "1.4": [swap_by_index, swap_by_skimage],
    "1.5": [
        lambda ab, threshold: ~(ab.abs() > threshold).any(dim=3).any(dim=2).any(dim=1),
        lambda ab, threshold: torch.stack([one.abs().max() <= threshold for one in ab]),
    ],
}

# The same mistakes, written as another person might: they must get the same message.
WRONG = {
    "1.1": [
        (lambda rgb: rgb.pow(11 / 5), "2.2 is a common shortcut"),
        (lambda rgb: rgb / 12.92, "the light is off in"),
    ],
    "1.2": [
        (lambda linear, matrix: xyz_by_reshape(linear, matrix.t()), "transposed"),
        (lambda linear, matrix: xyz_by_reshape(linear, matrix).movedim(0, -1), "channels are last"),
    ],
    "1.3": [
        (lambda xyz, white: lab_by_channel(xyz, [1.0, 1.0, 1.0]), "do not divide by the white point"),
        (lambda xyz, white: lab_by_channel(xyz, white) / 100, "Lab is off in"),
    ],
    "1.4": [
        (lambda one, other: swap_by_index(other, one), "changed roles"),
        (lambda one, other: other, "the picture is off in"),
    ],
    "1.5": [
        (lambda ab, threshold: ab.flatten(1).amax(dim=1) <= threshold, "You forget the absolute value"),
        (lambda ab, threshold: bool((ab.abs() <= threshold).all()), "one answer for the whole batch"),
    ],
}

# The half solved lesson of tests/test_states.py. Its badges must say right for the first, open where there is none, and not yet
# for the others, which crash, make a typical mistake (a number), return nothing, or never end.
HALF = {
    "1.1": "return torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)",
    "1.2": "return undefined_name(linear)",
    "1.4": 0,
}
