"""Colors from a few strokes of a brush: the scribbles of Levin, Lischinski and Weiss.

"Colorization using optimization" (2004) needs no photo but the gray one. A person paints a few strokes; every other pixel
takes the mean color of its neighbors, in which those count that are equally light. These wishes of all pixels together are
one sparse system of linear equations, and its solution flows from the strokes up to the edges of things.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from scipy.sparse.linalg import splu
from torch import Tensor

from .neighbors import check, check_positive

STEPS = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0))
LEAST = 0.01  # share that the most similar neighbor keeps before weights are scaled to sum 1, however different it is
SMALLEST = 2e-6  # least spread times variance, L in 0..1; this and LEAST are the authors' own


@dataclass(frozen=True)
class Stroke:
    """One stroke of a brush.

    ``points`` are (x, y) in pixels, x to the right and y down, (0, 0) the middle of the first pixel; ``color`` is (a, b),
    where (0, 0) paints gray, which is a wish, too; ``radius`` is half the width of the brush, in pixels.
    """

    points: Sequence[tuple[float, float]]
    color: tuple[float, float]
    radius: float = 2.0


def rasterize(strokes: Sequence[Stroke], height: int, width: int) -> tuple[Tensor, Tensor]:
    """Paint strokes on an empty canvas: a pixel is painted if its middle is within the radius of the line.

    The thinnest brush has a radius of 0.71 pixels, half the diagonal of one: no stroke is lost between pixels. A later
    stroke covers an earlier one; what lies outside the picture is cut off.

    Parameters
    ----------
    strokes : any number of :class:`Stroke`.
    height, width : of the picture, in pixels.

    Returns
    -------
    ab : (1, 2, H, W) float32, 0 where nothing is painted.
    mask : (1, H, W) bool, what is painted.

    Raises
    ------
    ValueError for a stroke without points, with a color that is no pair of finite numbers, or with a radius not above 0.

    >>> _, mask = rasterize([Stroke([(1, 1), (3, 1)], color=(50, 0), radius=0.5)], height=3, width=5)
    >>> mask[0].int().tolist()
    [[0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]]
    """
    ab = np.zeros((2, height, width), dtype=np.float32)
    mask = np.zeros((height, width), dtype=bool)
    for number, stroke in enumerate(strokes, start=1):
        points = np.asarray(stroke.points, dtype=np.float64)
        color = np.asarray(stroke.color, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
            raise ValueError(
                f"stroke {number}: points must be one or more pairs (x, y), got {stroke.points!r}"
            )
        if color.shape != (2,) or not np.isfinite(color).all():
            raise ValueError(f"stroke {number}: color must be a pair (a, b), got {stroke.color!r}")
        check_positive(stroke.radius, f"stroke {number}: radius")
        reach = max(stroke.radius, 0.71)
        for start, end in zip(
            points[: max(1, len(points) - 1)], points[-max(1, len(points) - 1) :], strict=True
        ):
            # Only the box around the piece of line: a stroke of a mouse has hundreds of them.
            (x0, y0), (x1, y1) = np.minimum(start, end) - reach, np.maximum(start, end) + reach
            box = np.s_[max(0, int(y0)) : max(0, int(y1) + 2), max(0, int(x0)) : max(0, int(x1) + 2)]
            y, x = np.mgrid[:height, :width][:, *box]
            inside = _distance(x, y, start, end) <= reach
            mask[box] |= inside
            ab[:, *box][:, inside] = color[:, None]
    return torch.from_numpy(ab)[None], torch.from_numpy(mask)[None]


def propagate(lightness: Tensor, ab: Tensor, mask: Tensor, spread: float = 0.6) -> Tensor:
    """Let colors flow from the painted pixels to all others.

    Each pixel r that is not painted shall have the weighted mean of its up to eight neighbors s, and what is painted
    stays. This is the minimum of the paper's ``sum_r (u_r - sum_s w_rs u_s)^2``, zero for all r that are free::

        w_rs  proportional to  exp(-(Y_r - Y_s)^2 / (spread * variance_r))        sum over s of w_rs = 1

    with Y = L / 100 and the variance of Y in the 3 x 3 pixels around r. a and b are solved for with one sparse LU
    factorization. All weights are above 0 (between two neighbors the exponent never falls below -18 / spread): one painted
    pixel is enough for a unique solution, and every color lies between the painted ones.

    Parameters
    ----------
    lightness : (N, 1, H, W), L in 0..100. (The paper takes Y of YUV, and U and V for a and b.)
    ab : (N, 2, H, W), the painted colors; not looked at where nothing is painted.
    mask : (N, H, W) bool, what is painted, as from :func:`rasterize`.
    spread : how much contrast colors flow across, above 0. 2 stands in the paper, 0.6 in the authors' program; less keeps
        colors apart better.

    Returns
    -------
    (N, 2, H, W) of ab's dtype; painted pixels have exactly their colors.

    Raises
    ------
    TypeError or ValueError if shapes or types do not fit, or nothing is painted in one of the pictures.

    >>> light = torch.full((1, 1, 8, 8), 50.0)  # a gray square, and one painted pixel
    >>> ab, mask = rasterize([Stroke([(2, 3)], color=(40, 30), radius=0.5)], 8, 8)
    >>> propagate(light, ab, mask)[0, :, 7, 7]
    tensor([40., 30.])
    """
    check(lightness, 1, "lightness")
    check(ab, 2, "ab", like=lightness)
    check_positive(spread, "spread")
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        raise TypeError(
            f"mask must be a tensor of bool, got {mask.dtype if isinstance(mask, Tensor) else type(mask).__name__}"
        )
    if mask.shape != (len(ab), *ab.shape[2:]):
        raise ValueError(f"mask must have shape {(len(ab), *ab.shape[2:])}, got {tuple(mask.shape)}")
    if not mask.flatten(1).any(dim=1).all():
        raise ValueError("there are no scribbles: paint at least one pixel of each picture")
    found = ab.detach().cpu().double().movedim(1, -1).flatten(1, 2).numpy().copy()  # (N, H W, 2)
    for colors, light, painted in zip(
        found, lightness.detach().cpu(), mask.flatten(1).cpu().numpy(), strict=True
    ):
        free, fixed = np.flatnonzero(~painted), np.flatnonzero(painted)
        if not len(free):
            continue
        system = (sparse.eye_array(len(painted), format="csr") - weights(light[0], spread))[free]
        # Each diagonal is as large as the rest of its row: no pivoting is needed, and the order of elimination can be
        # chosen for few new entries alone: 6 million instead of 10 for a photo of 256 pixels.
        factor = splu(
            system[:, free].tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0,
            options={"SymmetricMode": True},
        )
        colors[free] = factor.solve(-(system[:, fixed] @ colors[fixed]))
    shape = (len(ab), *ab.shape[2:], 2)
    return torch.from_numpy(found).view(shape).movedim(-1, 1).to(ab)


def weights(lightness: Tensor, spread: float = 0.6) -> sparse.csr_array:
    """Share of each neighbor in a pixel's mean color, see :func:`propagate`.

    Two guards are the authors': ``spread`` times the variance is raised until the most similar neighbor has a share of
    0.01 before the shares are scaled, and it is 0.000002 at least.

    Parameters
    ----------
    lightness : (H, W), L in 0..100.
    spread : as there.

    Returns
    -------
    (H W, H W) float64, rows sum to 1 (0 for a picture of one pixel); pixels are counted row by row.
    """
    y = lightness.detach().cpu().double().numpy() / 100
    height, width = y.shape
    padded = np.pad(y, 1, constant_values=np.nan)
    number = np.pad(np.arange(y.size).reshape(y.shape), 1)
    shifted = [np.s_[1 + down : 1 + down + height, 1 + right : 1 + right + width] for down, right in STEPS]
    near = np.stack([padded[window] for window in shifted])  # (8, H, W), NaN outside the picture
    there = ~np.isnan(near)
    difference = np.where(there, near - y, 0.0)
    count = there.sum(axis=0) + 1
    mean = difference.sum(axis=0) / count  # less y, the center's own value
    variance = np.maximum((difference**2).sum(axis=0) / count - mean**2, 0)
    squared = np.where(there, difference**2, np.inf)
    closest = squared.min(axis=0, initial=np.inf)
    scale = np.maximum(spread * variance, np.where(np.isfinite(closest), closest, 0) / -np.log(LEAST))
    share = np.exp(-squared / np.maximum(scale, SMALLEST))
    share /= np.maximum(share.sum(axis=0), 1e-300)
    rows = np.broadcast_to(number[1:-1, 1:-1], share.shape)
    columns = np.stack([number[window] for window in shifted])
    return sparse.coo_array((share[there], (rows[there], columns[there])), shape=(y.size, y.size)).tocsr()


def _distance(x: np.ndarray, y: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distance of pixels to the straight line from start to end, which may be one point."""
    along = end - start
    length = float(along @ along)
    t = ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / length if length else np.zeros(x.shape)
    t = t.clip(0, 1)
    return np.hypot(x - start[0] - t * along[0], y - start[1] - t * along[1])
