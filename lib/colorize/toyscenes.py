"""Drawings of the toy world: where things stand, what they are, and how light they are. No color is chosen here.

A scene is drawn in gray: sky and clouds, grass and sometimes a path, a house or a tree at the horizon, balloons in the air,
fruit and tulips in front. Two tensors hold it: the number of the thing that each pixel belongs to, and its shade, 0 for the
darkest of its kind and 1 for the lightest. :mod:`colorize.toyworld` then draws one color for each thing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy import ndarray


@dataclass(frozen=True)
class Kind:
    """A kind of thing: its palette, how light it may be, and how grainy it looks.

    Each (a, b, probability) of the palette lies in the sRGB gamut at every L from ``lightness[0]`` to ``lightness[1]``: a
    thing is as light in one of its colors as in another. It lies 2 ab units or more from every border between two bins,
    and its fifth and sixth nearest bins are not equally far: rounding changes neither its bin nor its soft code.
    """

    name: str
    palette: tuple[tuple[float, float, float], ...]
    lightness: tuple[float, float]
    grain: float = 0.04


# Six hues 60 degrees apart, at chroma 30. Their mean is gray.
HEXAGON = tuple(
    (a, b, 1 / 6)
    for a, b in (
        (28.98, 7.76), (7.76, 28.98), (-21.21, 21.21), (-28.98, -7.76), (-7.76, -28.98), (21.21, -21.21)
    )
)  # fmt: skip

KINDS = (
    Kind("sky", ((-7, -28, 1),), (60, 81), 0.02),
    Kind("cloud", ((0, -2, 1),), (72, 97)),
    Kind("grass", ((-33, 38, 1),), (36, 70), 0.35),
    Kind("path", ((3, 8, 1),), (45, 80), 0.25),
    Kind("wall", ((3, 2, 1),), (20, 88)),
    Kind("roof", ((43, 32, 0.6), (-3, -12, 0.3), (7, 38, 0.1)), (30, 67)),
    Kind("trunk", ((12, 23, 1),), (17, 48), 0.1),
    Kind("tree", ((-27, 28, 0.75), (33, 48, 0.25)), (39, 71), 0.35),
    Kind("apple", ((53, 38, 0.5), (-37, 38, 0.5)), (33, 64)),
    Kind("plum", ((33, -28, 0.7), (7, 42, 0.3)), (34, 70)),
    Kind("lemon", ((-3, 68, 1),), (66, 87), 0.1),
    Kind("balloon", HEXAGON, (50, 78)),
    Kind("tulip", ((2, 0, 0.85), (53, -12, 0.15)), (42, 70)),
    Kind("kite", ((63, 48, 1),), (39, 59)),
)
NUMBER = {kind.name: number for number, kind in enumerate(KINDS)}

# The things of a scene by number. Those below are always there, or stay away; what the others are is drawn.
SKY, GRASS, PATH = 0, 1, 2
CLOUDS = (3, 4)
MIDDLE = ((5, 6), (7, 8))  # left and right: a wall with its roof, or a trunk with its tree
AIR = (9, 10, 11)
FRONT = (12, 13, 14)
THINGS, DIM = 15, np.zeros(1, dtype=np.int64)  # how many; as light as usual
NOTHING = -1  # kind of a thing that is not in the scene

# A shape is a function of u to the right and v down, (1, W) and (H, 1) or stacks of these, in units of its radius, and of
# the size of a pixel in that unit; it tells which pixels are inside and their shade.
Shape = Callable[[ndarray, ndarray, ndarray], tuple[ndarray, ndarray]]


def draw(n: int, size: int, random: np.random.Generator) -> tuple[ndarray, ndarray, ndarray]:
    """Draw n scenes in gray.

    Parameters
    ----------
    n : number of scenes, 1 or above.
    size : S, pixels along each side.
    random : decides everything.

    Returns
    -------
    thing : (n, S, S) int64 in 0..14, the thing that each pixel belongs to.
    shade : (n, S, S) float32 in [0, 1], from the darkest to the lightest of the kind.
    kinds : (n, 15) int64, the kind of each thing as an index into KINDS, -1 where there is none.
    """
    canvas = Canvas(n, size)
    horizon = _uniform(random, 0.5, 0.6, n)
    _background(canvas, horizon, random)
    _middle(canvas, horizon, random)
    _air(canvas, random)
    _front(canvas, random)
    noise = random.random((n, size, size), dtype=np.float32)
    noise = 0.35 * noise + 0.65 * np.roll(noise, 1, axis=1)  # like the pixel above: blades of grass
    grain = np.array([kind.grain for kind in KINDS], dtype=np.float32)[canvas.kinds]  # (n, 15)
    number = canvas.thing + THINGS * np.arange(n, dtype=np.int64)[:, None, None]
    shade = canvas.shade + (noise - 0.5) * grain.ravel()[number]
    return canvas.thing, shade.clip(0, 1), canvas.kinds


class Canvas:
    """n scenes in the making. Positions are shares of the picture, x to the right and y down, both in 0..1."""

    def __init__(self, n: int, size: int):
        self.size = size
        self.kinds = np.full((n, THINGS), NOTHING, dtype=np.int64)
        self.thing = np.full((n, size, size), SKY, dtype=np.int64)
        self.shade = np.zeros((n, size, size), dtype=np.float32)

    def fill(self, thing: int, inside: ndarray, shade: ndarray) -> None:
        """Paint a region of all scenes: inside (n, S, S) bool, shade of any shape that fits."""
        np.copyto(self.thing, thing, where=inside)
        np.copyto(self.shade, shade, where=inside)

    def stamp(
        self, thing: int | None, shape: Shape, box: tuple, which: ndarray, place: tuple, light: ndarray = DIM
    ) -> None:
        """Draw a shape into some scenes, in a window around it instead of the whole picture.

        Parameters
        ----------
        thing : number of the thing. None only darkens what is there, by the shape's shade.
        box : how far the shape reaches to either side, up and down, in radii.
        which, place : numbers of the scenes; x and y of the center and the radius there, (m,) each.
        light : (m,), how much lighter than usual each is: no two apples are quite alike.
        """
        if not len(which):
            return
        size, (x, y, radius) = self.size, place
        wide, up, down = (int(reach * radius.max() * size) + 2 for reach in box)
        columns = (x * size).astype(int)[:, None] + np.arange(-wide, wide + 1)  # (m, W)
        rows = (y * size).astype(int)[:, None] + np.arange(-up, down + 1)  # (m, H)
        u = (((columns + 0.5) / size - x[:, None]) / radius[:, None]).astype(np.float32)[:, None, :]
        v = (((rows + 0.5) / size - y[:, None]) / radius[:, None]).astype(np.float32)[:, :, None]
        inside, shade = shape(u, v, (1 / size / radius)[:, None, None])
        shade = shade + np.reshape(light, (-1, 1, 1))
        inside &= ((columns >= 0) & (columns < size))[:, None, :] & ((rows >= 0) & (rows < size))[:, :, None]
        pixel = ((which[:, None, None] * size + rows[:, :, None]) * size + columns[:, None, :])[inside]
        shade = np.broadcast_to(shade, inside.shape)[inside]
        if thing is None:
            self.shade.ravel()[pixel] -= shade
        else:
            self.thing.ravel()[pixel] = thing
            self.shade.ravel()[pixel] = shade


def _background(canvas: Canvas, horizon: ndarray, random: np.random.Generator) -> None:
    """Sky, up to two clouds, grass, and in two scenes of five a path that winds toward the horizon."""
    n, kinds = len(horizon), canvas.kinds
    x = (np.arange(canvas.size, dtype=np.float32) + 0.5) / canvas.size
    y, column = x[:, None], horizon[:, None, None]  # (S, 1), (n, 1, 1)
    kinds[:, SKY], kinds[:, GRASS] = NUMBER["sky"], NUMBER["grass"]
    canvas.shade += _uniform(random, 0, 0.2, n, 1, 1) + 0.75 * y / column
    for thing in CLOUDS:
        where = (random.random(n) < 0.6).nonzero()[0]
        kinds[where, thing] = NUMBER["cloud"]
        m = len(where)
        x_cloud, y_cloud = _uniform(random, 0.05, 0.95, m), _uniform(random, 0.06, 0.36, m)
        place = x_cloud, y_cloud, _uniform(random, 0.1, 0.18, m)
        canvas.stamp(thing, cloud, (1.1, 0.7, 0.3), where, place)
    wave, start = _uniform(random, 0, 0.015, n, 1, 1), _uniform(random, 0, 6, n, 1, 1)
    below = y > column + wave * np.sin(6 * x + start)
    canvas.fill(GRASS, below, _uniform(random, 0.45, 0.65, n, 1, 1) + 0.25 * (y - column))
    there = random.random((n, 1, 1)) < 0.4
    kinds[there[:, 0, 0], PATH] = NUMBER["path"]
    depth = (y - column) / (1 - column)  # 0 at the horizon, 1 at the lower edge
    middle = _uniform(random, 0.35, 0.65, n, 1, 1) + 0.12 * np.sin(4 * depth + start) * depth
    canvas.fill(PATH, there & below & (abs(x - middle) < 0.025 + 0.11 * depth), 0.6 - 0.1 * depth)


def _middle(canvas: Canvas, horizon: ndarray, random: np.random.Generator) -> None:
    """At the horizon, left and right: a house, a tree, or nothing."""
    n = len(horizon)
    for side, (lower, upper) in enumerate(MIDDLE):
        what, light = random.random(n), _uniform(random, -0.12, 0.12, n)
        x = 0.19 + 0.62 * side + _uniform(random, -0.07, 0.07, n)
        foot, radius = horizon + _uniform(random, 0.03, 0.08, n), _uniform(random, 0.11, 0.15, n)
        house, tree = what < 0.35, what > 0.55
        for name, thing, shape, box, where, rise in (
            ("wall", lower, wall, (1.0, 0.6, 0.6), house, 0.6),
            ("roof", upper, roof, (1.2, 0.8, 0.1), house, 1.2),
            ("trunk", lower, trunk, (0.3, 0.7, 0.7), tree, 0.6),
            ("tree", upper, crown, (1.1, 1.0, 0.8), tree, 1.7),
        ):
            canvas.kinds[where, thing] = NUMBER[name]
            place = x[where], (foot - rise * radius)[where], radius[where]
            canvas.stamp(thing, shape, box, where.nonzero()[0], place, light[where])


def _air(canvas: Canvas, random: np.random.Generator) -> None:
    """Balloons, and now and then a kite."""
    n = len(canvas.kinds)
    for j, thing in enumerate(AIR):
        what, light = random.random(n), _uniform(random, -0.12, 0.12, n)
        x, y = (j + 0.5) / 3 + _uniform(random, -0.04, 0.04, n), _uniform(random, 0.14, 0.34, n)
        radius = _uniform(random, 0.09, 0.14, n)
        for name, shape, box, where, scale in (
            ("balloon", balloon, (1.0, 1.0, 2.4), what < 0.3, 1.0),
            ("kite", kite, (0.9, 1.0, 2.5), what > 0.975, 0.65),
        ):
            canvas.kinds[where, thing] = NUMBER[name]
            place = x[where], y[where], scale * radius[where]
            canvas.stamp(thing, shape, box, where.nonzero()[0], place, light[where])


def _front(canvas: Canvas, random: np.random.Generator) -> None:
    """In front, side by side: apples, plums, lemons, tulips, and gaps. Fruit throws a shadow on the ground."""
    n = len(canvas.kinds)
    for j, thing in enumerate(FRONT):
        what, light = random.random(n), _uniform(random, -0.12, 0.12, n)
        x, foot = (j + 0.5) / 3 + _uniform(random, -0.025, 0.025, n), _uniform(random, 0.82, 0.96, n)
        radius = _uniform(random, 0.1, 0.14, n)
        for name, shape, low, high, scale, bottom in (
            ("apple", apple, 0.0, 0.26, 1.0, 0.95),
            ("plum", plum, 0.26, 0.48, 0.95, 0.98),
            ("lemon", lemon, 0.48, 0.64, 0.9, 0.75),
            ("tulip", tulip, 0.64, 0.84, 0.68, 2.3),
        ):
            here = (low <= what) & (what < high)
            canvas.kinds[here, thing] = NUMBER[name]
            where, r = here.nonzero()[0], scale * radius[here]
            place = x[here], foot[here] - bottom * r, r
            if name == "tulip":
                canvas.stamp(GRASS, stem, (0.8, 0, 2.3), where, place)
            else:
                canvas.stamp(None, shadow, (1.0, 0.3, 0.3), where, (x[here] + 0.3 * r, foot[here], r))
            canvas.stamp(thing, shape, (1.4, 1.2, 1.0), where, place, light[here])


# The shapes. A line is at least a pixel wide, or it would be lost in a picture of 24 pixels.


def apple(u: ndarray, v: ndarray, pixel: ndarray) -> tuple[ndarray, ndarray]:
    """Draw a ball that narrows downward, with a dent above, and a stalk in it."""
    dent = 0.5 * np.exp(-((u / 0.32) ** 2)) * (v < 0)
    body = (u * (1 + 0.12 * v)) ** 2 + (v - dent) ** 2 < 1
    stalk = (abs(u + 0.25 * (v + 0.5)) < np.maximum(pixel, 0.16) / 2) & (v > -1.15) & (v < -0.4)
    shade = np.where(dent > 0.3 + 0.5 * abs(v + 1), 0.15, _ball(u, v, 0.3))
    return body | stalk, np.where(stalk, 0, shade)


def plum(u: ndarray, v: ndarray, pixel: ndarray) -> tuple[ndarray, ndarray]:
    """Draw an egg with a seam from top to bottom, and no sharp highlight."""
    u = u / 0.84
    seam = abs(u - 0.42 * np.sqrt(np.maximum(1 - v**2, 0))) < np.maximum(pixel, 0.15) / 1.6
    return u**2 + v**2 < 1, _ball(u, v, 0.0) * np.where(seam, 0.25, 1)


def lemon(u: ndarray, v: ndarray, pixel: ndarray) -> tuple[ndarray, ndarray]:
    """Draw a wide egg with a nipple at either end."""
    body = (u / 1.05) ** 2 + (v / 0.75) ** 2 < 1
    return body | ((abs(v) < 0.24 - 0.3 * (abs(u) - 1)) & (abs(u) < 1.35)), _ball(u / 1.2, v / 0.85, 0.2)


def balloon(u: ndarray, v: ndarray, pixel: ndarray) -> tuple[ndarray, ndarray]:
    """Draw a glossy drop upside down, knotted, on a string."""
    wide = u / (0.88 - 0.14 * v.clip(-1, 1))
    knot = (abs(u) < 0.7 * (v - 0.85)) & (v > 0.9) & (v < 1.22)
    string = (abs(u - 0.12 * np.sin(5 * (v - 1.2))) < pixel / 1.9) & (v > 1.2) & (v < 2.4)
    return (wide**2 + v**2 < 1) | knot | string, np.where(string | knot, 0.1, _ball(wide, v, 0.45))


def tulip(u: ndarray, v: ndarray, pixel: ndarray) -> tuple[ndarray, ndarray]:
    """Draw a cup with three points; its stem is grass."""
    off = abs(u - 0.48 * np.round(u / 0.48))  # distance to the middle of the nearest petal
    petals = (abs(u) < 0.72) & (v > 1.5 * off - 0.9) & (v <= 0)
    bowl = ((u / 0.72) ** 2 + (v / 0.9) ** 2 < 1) & (v > -0.4)
    return petals | bowl, 1.0 - 0.9 * off * (v < 0.3) - 0.3 * np.maximum(v, 0)


def stem(u: ndarray, v: ndarray, pixel: ndarray) -> tuple[ndarray, ndarray]:
    """Draw what carries a tulip: a stalk and a leaf."""
    leaf = ((u - 0.15 - 0.4 * (2 - v)) / 0.28) ** 2 + ((v - 1.6) / 0.6) ** 2 < 1
    stalk = (abs(u) < pixel / 1.9) & (v > 0.5) & (v < 2.3)
    return leaf | stalk, np.where(stalk, 0.0, 0.3)


def kite(u: ndarray, v: ndarray, pixel: ndarray) -> tuple[ndarray, ndarray]:
    """Draw a diamond in four facets, with a waving tail."""
    body = abs(u) / 0.8 + abs(v) / np.where(v < 0, 0.9, 1.4) < 1
    tail = (abs(u - 0.3 * np.sin(4.5 * (v - 1.3))) < pixel / 1.6) & (v > 1.2) & (v < 2.5)
    return body | tail, np.where((u < 0) == (v < 0), 0.9, 0.15)


def wall(u: ndarray, v: ndarray, pixel: ndarray) -> tuple[ndarray, ndarray]:
    """Draw plaster with two windows and a door."""
    opening = (abs(abs(u) - 0.6) < 0.2) & (abs(v + 0.1) < 0.24) | (abs(u) < 0.17) & (v > -0.15)
    return (abs(u) < 1) & (abs(v) < 0.6), np.where(opening, 0.15, 0.85 - 0.1 * v)


def roof(u: ndarray, v: ndarray, pixel: ndarray) -> tuple[ndarray, ndarray]:
    """Draw a gable in rows of tiles."""
    rows = np.floor(v / np.maximum(pixel, 0.1)) % 2
    return (abs(u) < 1.2 * (v + 0.75) / 0.75) & (v > -0.75) & (v < 0.02), 0.3 + 0.4 * rows


def trunk(u: ndarray, v: ndarray, pixel: ndarray) -> tuple[ndarray, ndarray]:
    """Draw bark, darker to the right."""
    return (abs(u) < np.maximum(pixel, 0.32) / 1.9) & (abs(v) < 0.65), 0.5 - 1.3 * u


def crown(u: ndarray, v: ndarray, pixel: ndarray) -> tuple[ndarray, ndarray]:
    """Draw three round masses of leaves."""
    shade = 0.42 - 0.2 * u - 0.3 * v + 0.25 * np.sin(11 * u + 3 * v) * np.sin(9 * v - 4 * u)
    return _discs(u, v, ((-0.42, 0.2, 0.6), (0.42, 0.2, 0.6), (0, -0.35, 0.65))), shade


def cloud(u: ndarray, v: ndarray, pixel: ndarray) -> tuple[ndarray, ndarray]:
    """Draw three puffs on a flat base."""
    puffs = _discs(u / 1.15, v, ((-0.48, 0.05, 0.4), (0, -0.12, 0.5), (0.48, 0.05, 0.42)))
    return puffs & (v < 0.24), 0.75 - 0.9 * v


def shadow(u: ndarray, v: ndarray, pixel: ndarray) -> tuple[ndarray, ndarray]:
    """Darken the ground beneath a fruit, most in the middle."""
    far = u**2 + (v / 0.3) ** 2
    return far < 1, 0.6 * np.sqrt(np.maximum(1 - far, 0))


def _discs(u: ndarray, v: ndarray, discs: tuple) -> ndarray:
    return np.logical_or.reduce([(u - x) ** 2 + (v - y) ** 2 < r**2 for x, y, r in discs])


def _ball(u: ndarray, v: ndarray, highlight: float) -> ndarray:
    """Shade a ball of radius 1 that is lit from the upper left."""
    height = np.sqrt(np.maximum(1 - u**2 - v**2, 0))
    light = np.maximum(-0.45 * u - 0.55 * v + 0.7 * height, 0)
    return 0.1 + 0.6 * light + highlight * np.exp(-((u + 0.35) ** 2 + (v + 0.4) ** 2) / 0.07)


def _uniform(random: np.random.Generator, low: float, high: float, *shape: int) -> ndarray:
    return low + (high - low) * random.random(shape, dtype=np.float32)
