"""Typical mistakes in lesson 9, each with the message it gets."""

import math

import torch

from .lesson_09 import circular_mean, gaussian_axis, hue_chroma, read_point


def _hue(rgb, offsets=(0, 2, 4), safe=True, turn=True):
    """Hue as the formula has it, with the details that go wrong."""
    (largest, first), smallest = rgb.max(dim=0), rgb.amin(dim=0)
    chroma = largest - smallest
    below = torch.where(chroma > 0, chroma, 1) if safe else chroma
    red, green, blue = rgb
    sides = torch.stack((green - blue, blue - red, red - green)).gather(0, first[None])[0] / below
    hue = (torch.tensor(offsets)[first] + sides) / 6
    return (hue.remainder(1) if turn else hue), chroma


def _angle(rgb):
    """The angle in the plane across the gray axis: equal at the six pure colors, and off between them."""
    red, green, blue = rgb
    turn = torch.atan2(math.sqrt(3) * (green - blue), 2 * red - green - blue) / (2 * math.pi)
    return turn.remainder(1), hue_chroma(rgb)[1]


def _saturation(rgb):
    hue, chroma = hue_chroma(rgb)
    return hue, chroma / rgb.amax(dim=0).clamp(min=1e-9)


def _normal(shares):
    return torch.special.ndtri(shares)


def _edges(number):
    return torch.linspace(0, 1, number + 1, dtype=torch.float64)


def _bin_means(number, sigma):
    """Mean of the Gaussian within each bin, from the heights of its curve at the edges."""
    edges = _normal(_edges(number))
    height = torch.exp(-(edges**2) / 2) / math.sqrt(2 * math.pi)
    return sigma * edges, sigma * number * (height[:-1] - height[1:])


def _arrows(p, half=0.5):
    theta = 2 * math.pi * (torch.arange(p.shape[1]) + half) / p.shape[1]
    return p @ theta.cos(), p @ theta.sin()


def _turn(y, x):
    return (torch.atan2(y, x) / (2 * math.pi)).remainder(1)


def _bin(p):
    """The bin in which the median lies, (M,)."""
    return (p.cumsum(dim=1) < 0.5).sum(dim=1)


def _interpolated(p, values, sums):
    """Where straight lines through the points (sums, values) pass 1/2, before the first the first value."""
    found = []
    for row in sums:
        k = int((row < 0.5).sum().clamp(max=len(row) - 1))
        if k == 0:
            found.append(values[0])
            continue
        share = (0.5 - row[k - 1]) / (row[k] - row[k - 1])
        found.append(values[k - 1] + share * (values[k] - values[k - 1]))
    return torch.stack(found)


def _even(p, edges):
    """The median, with the width of the first bin for all."""
    k, total = _bin(p)[:, None], p.cumsum(dim=1)
    share = 1 - (total.gather(1, k) - 0.5) / p.gather(1, k)
    return (edges[k] + (edges[1] - edges[0]) * share)[:, 0]


def _bilinear(layer, y, x):
    """Value at a place in cells."""
    return read_point(layer, y, x, 1)


def _swapped(layer, row, column, spacing):
    """The four cells, each with the weight of the opposite one."""
    places = [
        min(max((where + 0.5) / spacing - 0.5, 0.0), cells - 1.0)
        for where, cells in ((row, layer.shape[1]), (column, layer.shape[2]))
    ]
    top, left = (math.floor(place) for place in places)
    bottom, right = min(top + 1, layer.shape[1] - 1), min(left + 1, layer.shape[2] - 1)
    v, u = places[0] - top, places[1] - left
    upper = u * layer[:, top, left] + (1 - u) * layer[:, top, right]
    lower = u * layer[:, bottom, left] + (1 - u) * layer[:, bottom, right]
    return v * upper + (1 - v) * lower


MISTAKES = {
    "9.1": (
        (
            lambda rgb: _hue(rgb, turn=False),
            "Your hue is negative where red is largest and blue exceeds green. Around the circle -0.1 is 0.9: take it % 1.",
        ),
        (
            lambda rgb: (6 * hue_chroma(rgb)[0], hue_chroma(rgb)[1]),
            "Your hue goes from 0 to 6. Divide by 6, so that one turn is 1.",
        ),
        (
            lambda rgb: (360 * hue_chroma(rgb)[0], hue_chroma(rgb)[1]),
            "Your hue is in degrees. A share of a turn is wanted, from 0 to 1.",
        ),
        (
            lambda rgb: _hue(rgb, safe=False),
            "A gray pixel has chroma 0, and 0 / 0 is no number. Divide by 1 there: its hue is then 0.",
        ),
        (
            _saturation,
            "You divide the chroma by the largest channel. That is the saturation of HSV, which makes dark pixels vivid.",
        ),
        (
            lambda rgb: _hue(rgb, offsets=(0, 4, 2)),
            "Green and blue are swapped: with green largest the hue is near 2/6, with blue largest near 4/6.",
        ),
        (
            _angle,
            "That is the angle in a plane across the gray axis. It agrees at red, yellow, green ..., but not between them. Take the three straight lines of the formula.",
        ),
    ),
    "9.2": (
        (
            lambda n=32, s=25.0: gaussian_axis(n, 1.0),
            "Your bins are those of sigma = 1. Multiply by sigma.",
        ),
        (
            lambda n=32, s=25.0: gaussian_axis(n, s**2),
            "You multiply by sigma squared, the variance. The width of the curve is sigma.",
        ),
        (
            lambda n=32, s=25.0: (gaussian_axis(n, s)[0], (gaussian_axis(n, s)[0][1:] + gaussian_axis(n, s)[0][:-1]) / 2),
            "You take the middle between two edges. The two outermost edges are infinite, and so is your center. Take the value that halves the bin's share: (k + 1/2) / K.",
        ),
        (
            lambda n=32, s=25.0: (gaussian_axis(n, s)[0][1:-1], gaussian_axis(n, s)[1]),
            "You leave out the two outermost edges. They are minus infinity and infinity: every color has a bin.",
        ),
        (
            lambda n=32, s=25.0: (gaussian_axis(n, s)[0] / math.sqrt(2), gaussian_axis(n, s)[1] / math.sqrt(2)),
            "Yours are too small by the root of 2: the inverse normal is sqrt(2) erfinv(2 x - 1).",
        ),
        (
            _bin_means,
            "Your centers are the means of the bins. Here a bin's center is its median, the value at (k + 1/2) / K.",
        ),
        (
            lambda n=32, s=25.0: (s * torch.special.ndtr(_edges(n)), s * torch.special.ndtr((_edges(n)[1:] + _edges(n)[:-1]) / 2)),
            "You go from values to shares (ndtr). The other way round is wanted, from shares to values: ndtri.",
        ),
    ),
    "9.3": (
        (
            lambda p: (p @ ((torch.arange(p.shape[1]) + 0.5) / p.shape[1]), circular_mean(p)[1]),
            "You average the hues as numbers. Then 350 and 30 degrees make 190, the opposite color. Average arrows: cosines and sines.",
        ),
        (
            lambda p: (_turn(*_arrows(p, 0)[::-1]), circular_mean(p)[1]),
            "You take the left edge of each bin as its angle. Its middle is at (k + 1/2) / K of a turn.",
        ),
        (
            lambda p: (torch.atan2(*_arrows(p)[::-1]) / (2 * math.pi), circular_mean(p)[1]),
            "Your hue is negative beyond half a turn. Around the circle -0.25 is 0.75: take it % 1.",
        ),
        (
            lambda p: (circular_mean(p)[0], circular_mean(p)[1] / p.shape[1]),
            "You divide by K, as equation 4 does. Here the length is that of the mean arrow, from 0 to 1; the K comes in exercise 9.5.",
        ),
        (
            lambda p: (2 * math.pi * circular_mean(p)[0], circular_mean(p)[1]),
            "Your hue is an angle in radians. Divide by 2 pi: one turn is 1.",
        ),
        (
            lambda p: (_turn(*_arrows(p)), circular_mean(p)[1]),
            "The arguments of atan2 are swapped: first y, the sines, then x, the cosines.",
        ),
        (
            lambda p: (circular_mean(p)[0], circular_mean(p)[1] ** 2),
            "Your length is x squared plus y squared. Its root is wanted.",
        ),
    ),
    "9.4": (
        (
            lambda p, edges: ((edges[1:] + edges[:-1]) / 2)[_bin(p)],
            "You return the center of the bin in which the median lies. Interpolate: how far into the bin does the sum pass 1/2?",
        ),
        (
            lambda p, edges: edges[_bin(p)],
            "You return the left edge of the bin in which the median lies. Go on from there: how far into the bin does the sum pass 1/2?",
        ),
        (
            lambda p, edges: edges[_bin(p) + 1],
            "You return the right edge of the bin in which the median lies. That is too far: how far into the bin does the sum pass 1/2?",
        ),
        (
            lambda p, edges: p @ ((edges[1:] + edges[:-1]) / 2),
            "That is the expectation. The median is where the cumulative sum passes 1/2.",
        ),
        (
            lambda p, edges: ((edges[1:] + edges[:-1]) / 2)[p.argmax(dim=1)],
            "That is the mode. The median is where the cumulative sum passes 1/2.",
        ),
        (
            _even,
            "You give all bins the width of the first. The width of bin k is edges[k + 1] - edges[k].",
        ),
        (
            lambda p, edges: _interpolated(p, edges[:-1], p.cumsum(dim=1)),
            "Your sums are one bin too far left: the sum up to and with bin k is reached at its right edge, edges[k + 1].",
        ),
        (
            lambda p, edges: _interpolated(p, (edges[1:] + edges[:-1]) / 2, p.cumsum(dim=1)),
            "Your sums stand at the centers of the bins. The sum up to and with bin k is reached at its right edge, edges[k + 1].",
        ),
    ),
    "9.5": (
        (
            lambda c, length, n=32, eta=0.03: c * (length / n / eta).clamp(min=1),
            "That is the maximum, as equation 5 is printed. Its factor is 1 or more: nothing ever fades. Take the minimum.",
        ),
        (
            lambda c, length, n=32, eta=0.03: c * (length / eta).clamp(max=1),
            "You leave out the K of equation 4: |z| is the length divided by the number of bins. Without it hardly anything fades.",
        ),
        (
            lambda c, length, n=32, eta=0.03: c * length / n / eta,
            "Where the hues agree, your factor is above 1 and adds chroma. It is at most 1.",
        ),
        (
            lambda c, length, n=32, eta=0.03: c * length,
            "You multiply by the length alone. Divide it by K and by eta first.",
        ),
        (
            lambda c, length, n=32, eta=0.03: torch.where(length / n < eta, 0, c),
            "You cut the chroma off below a limit. It shall fade: in proportion to |z| / eta.",
        ),
        (
            lambda c, length, n=32, eta=0.03: (length / n / eta).clamp(max=1) + 0 * c,
            "You return the factor. Multiply the chroma by it.",
        ),
        (
            lambda c, length, n=32, eta=0.03: (c * length / n / eta).clamp(max=1),
            "You limit the product to 1. The factor |z| / eta alone is limited, before the chroma comes in.",
        ),
    ),
    "9.6": (
        (
            lambda layer, row, column, spacing: layer[:, int(row // spacing), int(column // spacing)],
            "You return the cell that the place lies in. Mix the four cells around it.",
        ),
        (
            lambda layer, row, column, spacing: _bilinear(layer, row / spacing, column / spacing),
            "You are half a cell off: the middle of cell 0 is not at pixel 0. In cells the place is (row + 1/2) / spacing - 1/2.",
        ),
        (
            lambda layer, row, column, spacing: _bilinear(layer, (row + 0.5) / spacing, (column + 0.5) / spacing),
            "You forget the last step, minus 1/2: cell 0 reaches from 0 to 1, and its middle is at 1/2.",
        ),
        (
            lambda layer, row, column, spacing: read_point(layer, column, row, spacing),
            "Row and column are swapped: the row goes with layer.shape[1].",
        ),
        (
            _swapped,
            "Your weights are swapped: the nearer a cell is, the more it counts.",
        ),
    ),
}  # fmt: skip
