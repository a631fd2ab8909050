"""Answers to the exercises of lesson 9, right and wrong, as different people might write them."""

import colorsys
import math
from statistics import NormalDist

import numpy as np
import torch
import torch.nn.functional as F


def hue_chroma_by_colorsys(rgb):
    pixels = [tuple(pixel) for pixel in rgb.flatten(1).T.tolist()]
    hue = torch.tensor([colorsys.rgb_to_hsv(*pixel)[0] for pixel in pixels])
    chroma = torch.tensor([max(pixel) - min(pixel) for pixel in pixels])
    return hue.view(rgb.shape[1:]), chroma.view(rgb.shape[1:])


def hue_chroma_by_masks(rgb):
    r, g, b = rgb
    top, bottom = rgb.max(dim=0).values, rgb.min(dim=0).values
    c = top - bottom
    hue = torch.zeros_like(r)
    for channel, start, difference in ((b, 4, r - g), (g, 2, b - r), (r, 0, g - b)):
        here = (channel == top) & (c > 0)
        hue[here] = ((start + difference[here] / c[here]) / 6) % 1
    return hue, c


def hue_by_masks_unwrapped(rgb):
    hue, chroma = hue_chroma_by_masks(rgb)
    red_most = (rgb[0] == rgb.amax(dim=0)) & (rgb[2] > rgb[1])
    return torch.where(red_most, hue - 1, hue), chroma


def axis_by_erfinv(number=32, sigma=25.0):
    shares = torch.linspace(0, 1, 2 * number + 1).double()
    values = sigma * math.sqrt(2) * torch.erfinv(2 * shares - 1)
    return values[0::2], values[1::2]


def axis_by_statistics(number=32, sigma=25.0):
    bell = NormalDist(0, sigma)
    inner = [bell.inv_cdf(k / number) for k in range(1, number)]
    centers = [bell.inv_cdf((k + 0.5) / number) for k in range(number)]
    return torch.tensor([-math.inf, *inner, math.inf]), torch.tensor(centers)


def axis_at_left_edges(number=32, sigma=25.0):
    edges, _ = axis_by_erfinv(number, sigma)
    return edges, edges[:-1]


def circle_in_numpy(p):
    bins = p.shape[1]
    z = p.numpy() @ np.exp(2j * np.pi * (np.arange(bins) + 0.5) / bins)
    return np.angle(z) / (2 * np.pi) % 1, np.abs(z)


def circle_by_loop(p):
    hues, lengths = [], []
    for row in p.tolist():
        angles = [2 * math.pi * (k + 0.5) / len(row) for k in range(len(row))]
        x = sum(share * math.cos(a) for share, a in zip(row, angles, strict=True))
        y = sum(share * math.sin(a) for share, a in zip(row, angles, strict=True))
        hues.append(math.atan2(y, x) / (2 * math.pi) % 1)
        lengths.append(math.hypot(x, y))
    return torch.tensor(hues), torch.tensor(lengths)


def median_by_interp(p, edges):
    rows = F.pad(p.cumsum(dim=1), (1, 0)).numpy()
    return torch.tensor([np.interp(0.5, row, edges.numpy()) for row in rows])


def median_by_loop(p, edges):
    found = []
    for row in p.tolist():
        below, k = 0.0, 0
        while below + row[k] < 0.5:
            below, k = below + row[k], k + 1
        width = (edges[k + 1] - edges[k]).item()
        found.append(edges[k].item() + width * (0.5 - below) / row[k])
    return torch.tensor(found)


def fade_by_where(chroma, length, number=32, eta=0.03):
    z = length / number
    return torch.where(z < eta, chroma * z / eta, chroma)


def fade_in_numpy(chroma, length, number=32, eta=0.03):
    return np.minimum(length.numpy() / number / eta, 1) * chroma.numpy()


def read_by_grid_sample(layer, row, column, spacing):
    size = torch.tensor([layer.shape[2], layer.shape[1]]) * spacing
    where = 2 * (torch.tensor([column, row]) + 0.5) / size - 1
    grid = where.view(1, 1, 1, 2)
    found = F.grid_sample(layer[None], grid, padding_mode="border", align_corners=False)
    return found.flatten()


def read_by_tents(layer, row, column, spacing):
    """Each cell counts by 1 minus its distance, in cells, along rows and along columns."""
    weights = []
    for place, cells in ((row, layer.shape[1]), (column, layer.shape[2])):
        at = np.clip((place + 0.5) / spacing - 0.5, 0, cells - 1)
        weights.append(torch.tensor([max(0.0, 1 - abs(at - k)) for k in range(cells)]).float())
    return torch.einsum("chw,h,w->c", layer, *weights)


RIGHT = {
    "9.1": [hue_chroma_by_colorsys, hue_chroma_by_masks],
    "9.2": [axis_by_erfinv, axis_by_statistics],
    "9.3": [circle_in_numpy, circle_by_loop],
    "9.4": [median_by_interp, median_by_loop],
    "9.5": [fade_by_where, fade_in_numpy],
    "9.6": [read_by_grid_sample, read_by_tents],
}

# The same mistakes, written as another person might: they must get the same message.
WRONG = {
    "9.1": [(hue_by_masks_unwrapped, "negative where red"), (lambda x: (hue_chroma_by_colorsys(x)[0] * 360, x.amax(0) - x.amin(0)), "in degrees"), (lambda x: hue_chroma_by_masks(x)[0], "expected 2 results"), (lambda x: (hue_chroma_by_masks(x)[0], hue_chroma_by_masks(x)[1] / (x.amax(0) + 1e-12)), "saturation of HSV"), (lambda x: (hue_chroma_by_masks(x)[0], x.amax(0)), "For a red, a green")],
    "9.2": [(lambda k, s: axis_by_statistics(k, 1.0), "those of sigma = 1"), (lambda k, s: (axis_by_statistics(k, s)[0][1:-1], axis_by_statistics(k, s)[1]), "two outermost"), (axis_at_left_edges, "For 4 bins"), (lambda k, s: axis_by_statistics(k, s * s), "the variance")],
    "9.3": [(lambda p: (p @ torch.linspace(0.5 / p.shape[1], 1 - 0.5 / p.shape[1], p.shape[1]), circle_by_loop(p)[1]), "average the hues as numbers"), (lambda p: (circle_by_loop(p)[0] * 2 * math.pi, circle_by_loop(p)[1]), "in radians"), (lambda p: (circle_by_loop(p)[0], circle_by_loop(p)[1] / p.shape[1]), "divide by K"), (lambda p: circle_by_loop(p)[0], "expected 2 results")],
    "9.4": [(lambda p, e: torch.tensor([np.interp(0.5, row, e[1:].numpy() - np.diff(e.numpy()) / 2) for row in p.cumsum(1).numpy()]), "at the centers of the bins"), (lambda p, e: (p * (e[1:] + e[:-1]) / 2).sum(1), "That is the expectation"), (lambda p, e: e[1:][(p.cumsum(1) < 0.5).sum(1)], "right edge of the bin"), (lambda p, e: median_by_interp(p, e)[:, None], "should have shape")],
    "9.5": [(lambda c, n, k=32, eta=0.03: np.maximum(n / k / eta, 1) * c, "maximum"), (lambda c, n, k=32, eta=0.03: fade_by_where(c, n * k, k, eta), "leave out the K"), (lambda c, n, k=32, eta=0.03: torch.where(n / k < eta, 0.0, 1.0) * c, "cut the chroma off"), (lambda c, n, k=32, eta=0.03: fade_by_where(c, n), "For 10 bins")],
    "9.6": [(lambda x, r, c, s: read_by_tents(x, r, c, s) if r != 4.5 else x[:, :2, :2].mean(dim=(1, 2)), "For a place three quarters"), (lambda x, r, c, s: x[:, min(int(r / s), x.shape[1] - 1), min(int(c / s), x.shape[2] - 1)], "the cell that the place lies in"), (lambda x, r, c, s: read_by_tents(x, r + (s - 1) / 2, c + (s - 1) / 2, s), "half a cell off"), (lambda x, r, c, s: read_by_tents(x, c, r, s), "Row and column are swapped")],
}  # fmt: skip

# The half solved lesson of tests/test_states.py. Its badges must say right for the first, open where there is none, and not yet
# for the others, which crash, make a typical mistake (a number), return nothing, or never end.
HALF = {
    "9.1": "import colorsys\nhsv = [colorsys.rgb_to_hsv(*c) for c in rgb.flatten(1).T.tolist()]\nhue = torch.tensor([h for h, _, _ in hsv]).view(rgb.shape[1:])\nreturn hue, rgb.amax(dim=0) - rgb.amin(dim=0)",
    "9.2": 2,
    "9.3": "return undefined_name(p)",
    "9.4": "total = p.cumsum(dim=1)",
    "9.5": 0,
}
