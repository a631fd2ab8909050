"""Exercises of lesson 9, hypercolumns: references and cases. The typical mistakes are in ``mistakes_09``."""

import math

import torch
from torch import Tensor

from .inputs import generator
from .judge import Case, Exercise


def _random(*shape: int, seed: int) -> Tensor:
    return torch.rand(*shape, generator=generator(seed))


def _shares(*shape: int, seed: int) -> Tensor:
    """Random distributions along the last dimension; the power makes some bins likely and many rare."""
    found = _random(*shape, seed=seed) ** 4
    return found / found.sum(dim=-1, keepdim=True)


# 9.1 Hue and chroma


def hue_chroma(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """Hue in [0, 1), 0 for gray pixels, and chroma, the largest minus the smallest channel: (3, H, W) -> (H, W) twice."""
    (largest, first), smallest = rgb.max(dim=0), rgb.amin(dim=0)
    chroma = largest - smallest
    ahead, behind = rgb.roll(-1, dims=0), rgb.roll(-2, dims=0)  # of red: green and blue
    side = (ahead - behind).gather(0, first[None])[0] / torch.where(chroma > 0, chroma, 1)
    return _one_turn((2 * first + side) / 6), chroma


def _one_turn(hue: Tensor) -> Tensor:
    """Into [0, 1): PyTorch's remainder of a negative number next to 0 is rounded to 1."""
    hue = hue.remainder(1)
    return torch.where(hue < 1, hue, 0)


def _pixels(*colors: tuple[float, float, float]) -> Tensor:
    return torch.tensor(colors).T[:, None]  # (3, 1, M)


HUE_CHROMA = Exercise(
    "9.1",
    "Hue and chroma",
    hue_chroma,
    lambda: [
        Case(
            "For a red, a green and a blue pixel",
            (_pixels((0.9, 0.1, 0.1), (0.2, 0.6, 0.2), (0.0, 0.0, 1.0)),),
            (torch.tensor([[0, 1 / 3, 2 / 3]]), torch.tensor([[0.8, 0.4, 1.0]])),
        ),
        Case(
            "For an orange, a cyan and a pink pixel",
            (_pixels((1.0, 0.5, 0.0), (0.3, 0.8, 0.8), (1.0, 0.4, 0.7)),),
            (torch.tensor([[1 / 12, 1 / 2, 11 / 12]]), torch.tensor([[1.0, 0.5, 0.6]])),
        ),
        Case(
            "For a black, a gray and a white pixel",
            (_pixels((0.0, 0.0, 0.0), (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)),),
            (torch.zeros(1, 3), torch.zeros(1, 3)),
        ),
        Case("For a random picture", (_random(3, 6, 7, seed=0),)),
    ],
    outputs=("the hue", "the chroma"),
)


# 9.2 Bins of equal share


def gaussian_axis(number: int = 32, sigma: float = 25.0) -> tuple[Tensor, Tensor]:
    """Edges (K + 1,) and centers (K,) of K bins that hold the same share of a Gaussian."""
    normal = torch.distributions.Normal(torch.tensor(0.0).double(), sigma)
    edges = normal.icdf(torch.linspace(0, 1, number + 1, dtype=torch.float64))
    return edges, normal.icdf((torch.arange(number, dtype=torch.float64) + 0.5) / number)


def _settings(seed: int) -> tuple[int, float]:
    number, tenths = torch.randint(3, 60, (2,), generator=generator(seed)).tolist()
    return number, tenths / 10


GAUSSIAN_AXIS = Exercise(
    "9.2",
    "Bins of equal share",
    gaussian_axis,
    lambda: [
        # Two thirds of a standard deviation, 0.6745, part a Gaussian in quarters; 0.3186 and 1.1503 are 5/8 and 7/8 of it.
        Case(
            "For 4 bins and sigma 10",
            (4, 10.0),
            (
                torch.tensor([-math.inf, -6.7449, 0.0, 6.7449, math.inf]),
                torch.tensor([-11.5035, -3.1864, 3.1864, 11.5035]),
            ),
        ),
        Case("For one bin", (1, 25.0), (torch.tensor([-math.inf, math.inf]), torch.tensor([0.0]))),
        Case("For 32 bins and sigma 25", (32, 25.0)),
        Case("For another K and sigma", _settings(seed=9)),
    ],
    outputs=("the edges", "the centers"),
)


# 9.3 The mean of a hue


def circular_mean(p: Tensor) -> tuple[Tensor, Tensor]:
    """Direction, as a share of a turn, and length of the mean arrow: (M, K) -> (M,) twice."""
    theta = 2 * math.pi * (torch.arange(p.shape[1]) + 0.5) / p.shape[1]
    z = (p * torch.polar(torch.ones_like(theta), theta)).sum(dim=1)
    return _one_turn(z.angle() / (2 * math.pi)), z.abs()


def _at(number: int, **shares: float) -> Tensor:
    """A distribution over bins: _at(18, b0=0.5, b17=0.5)."""
    p = torch.zeros(1, number)
    for name, share in shares.items():
        p[0, int(name[1:])] = share
    return p


CIRCULAR_MEAN = Exercise(
    "9.3",
    "The mean of a hue",
    circular_mean,
    lambda: [
        Case(
            "For 350 and 30 degrees, 1/2 each",  # 18 bins of 20 degrees: their middles are 10, 30, ..., 350
            (_at(18, b1=0.5, b17=0.5),),
            (torch.tensor([1 / 36]), torch.tensor([math.cos(math.pi / 9)])),
        ),
        Case("For one hue, 270 degrees", (_at(6, b4=1.0),), (torch.tensor([0.75]), torch.tensor([1.0]))),
        Case(
            "For 45 and 135 degrees, 1/2 each",
            (_at(4, b0=0.5, b1=0.5),),
            (torch.tensor([0.25]), torch.tensor([math.sqrt(0.5)])),
        ),
        Case("For five random distributions over 32 bins", (_shares(5, 32, seed=1),)),
    ],
    outputs=("the hue", "the length"),
)


# 9.4 The median between the edges


def median(p: Tensor, edges: Tensor) -> Tensor:
    """Where the cumulative sum, straight within each bin, passes 1/2: (M, K) and edges (K + 1,) -> (M,)."""
    right = p.cumsum(dim=1)
    k = (right < 0.5).sum(dim=1, keepdim=True)
    mass = p.gather(1, k)
    return (edges[k + 1] - edges.diff()[k] * (right.gather(1, k) - 0.5) / mass)[:, 0]


MEDIAN = Exercise(
    "9.4",
    "The median between the edges",
    median,
    lambda: [
        Case(
            "For shares 0.4, 0.2, 0.4 and edges 0, 1, 2, 3",
            (torch.tensor([[0.4, 0.2, 0.4]]), torch.tensor([0.0, 1.0, 2.0, 3.0])),
            torch.tensor([1.5]),
        ),
        Case(
            "For shares 0.2, 0.4, 0.4 and edges 0, 1, 3, 7",
            (torch.tensor([[0.2, 0.4, 0.4]]), torch.tensor([0.0, 1.0, 3.0, 7.0])),
            torch.tensor([2.5]),
        ),
        Case(
            "For all of the mass in the first bin, from 0 to 1/32",
            (_at(32, b0=1.0), torch.arange(33) / 32),
            torch.tensor([1 / 64]),
        ),
        Case("For six random rows", (_shares(6, 32, seed=2), torch.arange(33) / 32)),
        Case("For edges of different distances", (_shares(4, 9, seed=3), _random(10, seed=4).cumsum(0))),
    ],
    outputs=("the median",),
)


# 9.5 Chromatic fading


def fade(chroma: Tensor, length: Tensor, number: int = 32, eta: float = 0.03) -> Tensor:
    """Chroma times min(|z| / eta, 1), with |z| the length divided by the number of bins."""
    return torch.minimum(chroma, chroma * length / (number * eta))


FADE = Exercise(
    "9.5",
    "Chromatic fading",
    fade,
    lambda: [
        Case(
            "For lengths 0, 0.48, 0.96 and 1 at chroma 0.5, and length 1 at chroma 1",
            (torch.tensor([0.5, 0.5, 0.5, 0.5, 1.0]), torch.tensor([0.0, 0.48, 0.96, 1.0, 1.0])),
            torch.tensor([0.0, 0.25, 0.5, 0.5, 1.0]),
        ),
        Case(
            "For 10 bins, eta 0.05 and length 0.25",
            (torch.tensor([0.8]), torch.tensor([0.25]), 10, 0.05),
            torch.tensor([0.4]),
        ),
        Case("For a random picture", (_random(6, 7, seed=5), _random(6, 7, seed=6))),
    ],
    outputs=("the faded chroma",),
)


# 9.6 Read between the cells


def read_point(layer: Tensor, row: float, column: float, spacing: int) -> Tensor:
    """Bilinear value of a layer (C, h, w) at a place in pixels of the photo: (C,)."""
    (above, below, down), (left, right, across) = (
        _between(where, spacing, cells) for where, cells in ((row, layer.shape[1]), (column, layer.shape[2]))
    )
    rows = (1 - down) * layer[:, above] + down * layer[:, below]  # (C, w)
    return (1 - across) * rows[:, left] + across * rows[:, right]


def _between(where: float, spacing: int, cells: int) -> tuple[int, int, float]:
    """The two cells around a place, and how far it lies from the first toward the second."""
    place = min(max((where + 0.5) / spacing - 0.5, 0.0), cells - 1.0)
    first = math.floor(place)
    return first, min(first + 1, cells - 1), place - first


_LAYER = torch.tensor([[[0.0, 4.0, 8.0], [10.0, 20.0, 40.0]]])  # (1, 2, 3)

READ_POINT = Exercise(
    "9.6",
    "Read between the cells",
    read_point,
    lambda: [
        # Cells of 4 x 4 pixels have their middles at 1.5, 5.5, 9.5.
        Case("For a place in the middle of a cell", (_LAYER, 5.5, 9.5, 4), torch.tensor([40.0])),
        Case(
            "For a place three quarters of the way down and a quarter to the right",
            (_LAYER, 4.5, 2.5, 4),
            torch.tensor([0.25 * 1.0 + 0.75 * 12.5]),
        ),
        Case("For the corner of the photo", (_LAYER, 0.0, 0.0, 4), torch.tensor([0.0])),
        Case("For the opposite corner", (_LAYER, 7.0, 11.0, 4), torch.tensor([40.0])),
        Case("For a layer as fine as the photo", (_random(2, 5, 6, seed=7), 3.0, 2.0, 1)),
        Case("For a layer of 5 channels", (_random(5, 4, 4, seed=8), 13.0, 21.0, 8)),
    ],
    outputs=("the value",),
)

EXERCISES = (HUE_CHROMA, GAUSSIAN_AXIS, CIRCULAR_MEAN, MEDIAN, FADE, READ_POINT)
