"""Quantized color: the 313 bins of Zhang, Isola and Efros, the nearest bin, and soft encoding.

The ab plane is cut by a grid of spacing 10. Which grid points become bins? The paper says "in gamut" and ships a file;
this module derives it: **a grid point is a bin if it lies inside the convex hull of all sRGB colors' (a, b), widened
by 10 in a and in b** (equivalently: if it is a corner of a grid cell that the hull touches). 313 points remain, the
same as in the authors' file and in its order. Lesson 2 tries four rules that look just as good and are not.
"""

from functools import cache

import torch
from scipy.spatial import ConvexHull
from torch import Tensor

from .lab import rgb_to_lab

SPACING = 10  # ab units between neighboring bins
FAR = 1e6  # nothing that is meant as a color lies beyond; squared distances still fit
REACH = 11  # the grid runs from -REACH * SPACING to +REACH * SPACING on both axes: 23 x 23 = 529 points


def gamut_bins() -> Tensor:
    """Centers of the 313 color bins.

    Returns
    -------
    (313, 2) float32, columns (a, b), ordered by a, then b: the first is (-90, 50), the last (100, 0), and (0, 0) is
    number 120. Zhang et al. 2016, section 2.2, where Q = 313 is their number of bins.

    >>> gamut_bins()[[0, 120, 312]].tolist()
    [[-90.0, 50.0], [0.0, 0.0], [100.0, 0.0]]
    """
    return _gamut_bins().clone()  # a copy: a caller who changes it must not change everybody's bins


def grid_points() -> Tensor:
    """All 529 grid points, (529, 2) float32, ordered by a, then b. The 2017 successor of the paper uses all of them."""
    axis = torch.arange(-REACH, REACH + 1, dtype=torch.float32, device="cpu") * SPACING
    return torch.cartesian_prod(axis, axis)


def srgb_hull() -> Tensor:
    """(a, b) on the twelve edges of the sRGB cube, 256 samples each: (3072, 2) float64.

    The hull of these 3,072 colors decides the bins exactly as the hull of all 16.7 million does (a test compares);
    the eight corners alone would not: their hull gives 301 bins.
    """
    t = torch.linspace(0, 1, 256, dtype=torch.float64, device="cpu")
    corners = torch.cartesian_prod(
        *[torch.tensor([0.0, 1.0], dtype=torch.float64, device="cpu")] * 2
    )  # (4, 2)
    edges = []
    for axis in range(3):
        edge = corners.repeat_interleave(256, dim=0)  # the two fixed channels
        edges.append(torch.cat((edge[:, :axis], t.repeat(4)[:, None], edge[:, axis:]), dim=1))
    rgb = torch.cat(edges).T.unsqueeze(-1)  # (3, 3072, 1)
    return rgb_to_lab(rgb)[1:, :, 0].T


def nearest_bin(ab: Tensor) -> Tensor:
    """Number of the nearest bin.

    Parameters
    ----------
    ab : (N, 2, H, W) float, values below a million in size, also outside the gamut.

    Returns
    -------
    (N, H, W) int64 in 0..312. Rounding to the grid finds it for every color that a screen can show; the few others
    (a network may predict anything) are measured against all 313 centers.

    Raises
    ------
    ValueError for another shape, or when ab holds NaN, infinity or values of a million and more.

    >>> nearest_bin(torch.tensor([3.0, -4.0]).view(1, 2, 1, 1))
    tensor([[[120]]])
    """
    ab = _checked(ab)
    cell = grid_cell(ab).int()
    index = _bin_of_cell().to(ab.device).flatten().index_select(0, cell.flatten())
    if len(index) and index.min() < 0:
        rest = index < 0
        index[rest] = _measure(_points(ab)[rest], 1)[1][:, 0]
    return index.view(cell.shape)


def grid_cell(ab: Tensor) -> Tensor:
    """Round colors to the grid: (N, 2, H, W) -> (N, H, W) whole numbers in 0..624, as floats.

    The numbers count the points of the grid and of a rim around it, 25 x 25, by a, then b. The bins' own: :func:`bin_cells`.
    """
    if ab.ndim != 4 or ab.shape[1] != 2:
        raise ValueError(f"ab must have shape (N, 2, H, W), got {tuple(ab.shape)}")
    ab = ab if ab.dtype == torch.float64 else ab.float()
    cell = (ab / SPACING).round_().clamp_(-REACH - 1, REACH + 1)
    side = 2 * REACH + 3
    return (side * cell[:, 0]).add_(cell[:, 1]).add_((side + 1) * (REACH + 1))


@cache
def bin_cells() -> Tensor:
    """Number of each bin's cell, as :func:`grid_cell` counts them: (313,) int64."""
    return (_bin_of_cell().flatten() >= 0).nonzero().flatten()


def soft_encode(ab: Tensor, neighbors: int = 5, sigma: float = 5.0) -> tuple[Tensor, Tensor]:
    """Spread each color over its nearest bins, with Gaussian weights: the target of the classification loss.

    With d_k the distance to the k-th nearest bin, its weight is ``exp(-d_k^2 / (2 sigma^2))``, divided by the sum over
    the K neighbors. Zhang et al. 2016, section 2.2: 5 neighbors, sigma 5 (their training code takes 10 neighbors).

    Only the K numbers that are not zero are kept. Spelled out over 313 channels, one batch of the paper
    (40 pictures, 44 x 44 pixels) would fill 97 MB, of which 98 % are zeros.

    Parameters
    ----------
    ab : (N, 2, H, W) float, values below a million in size, also outside the gamut.
    neighbors : K, 1 to 313.
    sigma : width of the Gaussian in ab units, 0.001 or above.

    Returns
    -------
    index : (N, K, H, W) int64, nearest first. Neighbors whose distances tie within 1e-3 may come in either order.
    weight : (N, K, H, W) float, sums to 1 over K.

    Raises
    ------
    ValueError for another shape, NaN, infinity or values of a million and more, or a K or sigma out of range.

    >>> index, weight = soft_encode(torch.zeros(1, 2, 1, 1))
    >>> index.flatten()[0], weight.flatten().round(decimals=3)  # (0, 0) is bin 120; its four neighbors share the rest
    (tensor(120), tensor([0.6490, 0.0880, 0.0880, 0.0880, 0.0880]))
    """
    if not 1 <= neighbors <= len(_gamut_bins()):
        raise ValueError(f"neighbors must be 1 to {len(_gamut_bins())}, got {neighbors}")
    if not sigma >= 1e-3:
        raise ValueError(f"sigma must be 0.001 or above, got {sigma}")
    points = _points(ab)
    squared, index = _nearest(points, neighbors)  # (K, M) each
    # softmax(-d^2 / 2 sigma^2) is the normalized Gaussian, and safe: far from every bin all exponentials underflow,
    # but softmax subtracts the largest exponent first.
    weight = torch.softmax(squared / (-2 * sigma**2), dim=0)
    shape = (neighbors, ab.shape[0], *ab.shape[2:])
    return index.view(shape).movedim(0, 1), weight.view(shape).movedim(0, 1)


# How the K nearest are found fast. Most colors of photos round to a bin whose eight neighbors on the grid are bins, too.
# For K = 5, the paper's number, the grid then answers by itself (_five_on_the_grid). All other colors that round to a bin
# share a short list with their bin: those bins that can be among the K nearest of any color in its square, because their
# closest approach to the square is no farther than the K-th smallest of the largest distances (21 bins for K = 5, instead
# of 313). The few colors left, outside the gamut, are measured against all bins.


def _nearest(points: Tensor, neighbors: int) -> tuple[Tensor, Tensor]:
    """(M, 2) -> squared distances (up to a constant for each color) and numbers of the K nearest bins, (K, M) each.

    K comes first: a softmax over the last of two dimensions, when that is as short as 5, takes five times as long.
    """
    home = _rounded_bin(points)
    if neighbors != 5:
        squared, index = _nearest_of_list(points, home, neighbors)
        return squared.T.contiguous(), index.T.contiguous()
    squared, index = _five_on_the_grid(points, home)
    rest = ~_has_all_neighbors().to(points.device)[home]  # home -1 is the last entry: False
    if rest.any():
        few, numbers = _nearest_of_list(points[rest], home[rest], neighbors)
        squared[:, rest], index[:, rest] = few.T, numbers.T
    return squared, index


def _five_on_the_grid(points: Tensor, home: Tensor) -> tuple[Tensor, Tensor]:
    """Find the five nearest points of an unlimited grid, by symmetry, without measuring or sorting: (5, M) each.

    Let the color lie u to one side of its grid point along one axis and v along the other, with 0 <= v <= u <= 5: every
    color is a mirror image of such a one. From near to far come the grid point itself, its neighbor on the side of u, the
    one on the side of v; then the neighbor against v, and the nearer of two: the diagonal one, or the one against u. With
    d the distance to the grid point, the squared distances are d^2 plus the numbers below.
    """
    a, b = points.unbind(1)
    near_a, near_b = (a / SPACING).round_(), (b / SPACING).round_()
    off_a, off_b = a - near_a * SPACING, b - near_b * SPACING
    cell = (
        ((near_a + REACH + 1) * (2 * REACH + 3) + near_b + REACH + 1)
        .long()
        .clamp_(0, (2 * REACH + 3) ** 2 - 1)
    )
    step_a, step_b = torch.where(off_a < 0, -(2 * REACH + 3), 2 * REACH + 3), torch.where(off_b < 0, -1, 1)
    off_a, off_b = off_a.abs(), off_b.abs()
    u, v = torch.maximum(off_a, off_b), torch.minimum(off_a, off_b)
    swap = off_b > off_a
    along_u, along_v = torch.where(swap, step_b, step_a), torch.where(swap, step_a, step_b)

    double = 2.0 * SPACING
    against_v = SPACING**2 + double * v
    diagonal, against_u = 2 * SPACING**2 - double * (u + v), SPACING**2 + double * u
    other = torch.minimum(diagonal, against_u)
    step_other = torch.where(diagonal < against_u, along_u + along_v, -along_u)
    first = other < against_v
    squared = torch.stack(
        (
            torch.zeros_like(u),
            SPACING**2 - double * u,
            SPACING**2 - double * v,
            torch.minimum(other, against_v),
            torch.maximum(other, against_v),
        )
    )
    steps = torch.stack(
        (
            torch.zeros_like(cell),
            along_u,
            along_v,
            torch.where(first, step_other, -along_v),
            torch.where(first, -along_v, step_other),
        )
    )
    table = _bin_of_cell().to(points.device).flatten()
    return squared, table[(cell + steps).clamp_(0, len(table) - 1)]


def _nearest_of_list(points: Tensor, home: Tensor, neighbors: int) -> tuple[Tensor, Tensor]:
    """Measure the distances to the short list of the color's bin, or to all bins where it rounds to none."""
    lists, a, b = (table.to(points.device) for table in _short_lists(neighbors))  # (313, C) each
    rest = home < 0
    home = home.clamp(min=0)
    squared = (a[home] - points[:, :1]) ** 2 + (b[home] - points[:, 1:]) ** 2  # (M, C)
    squared, order = squared.topk(neighbors, dim=1, largest=False)
    index = lists[home].gather(1, order)
    if rest.any():
        squared[rest], index[rest] = _measure(points[rest], neighbors)
    return squared, index


def _rounded_bin(points: Tensor) -> Tensor:
    """(M, 2) -> (M,): the bin at the nearest grid point, which is the nearest bin, or -1 if that point is no bin."""
    cell = (points / SPACING).round_().clamp_(-REACH - 1, REACH + 1).long() + REACH + 1
    return _bin_of_cell().to(points.device)[cell[:, 0], cell[:, 1]]


def _measure(points: Tensor, neighbors: int, chunk: int = 16_384) -> tuple[Tensor, Tensor]:
    """Measure the distance to every bin: the slow, certain way, for the few colors off the short lists.

    Far outside the gamut squared distances are large and their differences small: float64, and the smallest taken off
    before the result is rounded.
    """
    centers = _gamut_bins().double().to(points.device)
    squared, index = [], []
    for part in points.double().split(chunk):
        found = (part[:, None] - centers).square().sum(dim=2).topk(neighbors, dim=1, largest=False)
        squared.append((found.values - found.values[:, :1]).to(points.dtype))
        index.append(found.indices)
    return torch.cat(squared), torch.cat(index)


@cache
def _gamut_bins() -> Tensor:
    ab = srgb_hull()
    shifts = torch.tensor([[-1, -1], [-1, 1], [1, -1], [1, 1]], dtype=torch.float64, device="cpu") * SPACING
    widened = ConvexHull((ab[:, None] + shifts).reshape(-1, 2).numpy())
    normals, offsets = torch.from_numpy(widened.equations).split((2, 1), dim=1)
    grid = grid_points()
    inside = (normals @ grid.double().T + offsets < 0).all(
        dim=0
    )  # left of every edge; the closest call is 0.09 away
    return grid[inside]


@cache
def _bin_of_cell() -> Tensor:
    """(25, 25) int64: the number of the bin at each grid point, -1 where there is none and in a rim for all beyond."""
    table = torch.full((2 * REACH + 3, 2 * REACH + 3), -1, device="cpu")
    cell = (_gamut_bins() / SPACING).long() + REACH + 1
    table[cell[:, 0], cell[:, 1]] = torch.arange(len(cell), device="cpu")
    return table


@cache
def _has_all_neighbors() -> Tensor:
    """(314,) bool: for each bin whether its eight neighbors on the grid are bins; one entry more for no bin at all."""
    taken = (_bin_of_cell() >= 0).float()[None, None]
    full = torch.nn.functional.avg_pool2d(taken, 3, stride=1, padding=1)[0, 0] > 0.99
    cell = (_gamut_bins() / SPACING).long() + REACH + 1
    return torch.cat((full[cell[:, 0], cell[:, 1]], torch.tensor([False], device="cpu")))


@cache
def _short_lists(neighbors: int) -> tuple[Tensor, Tensor, Tensor]:
    """For each bin the C bins that can be among the K nearest of a color rounding to it: numbers, a, b; (313, C) each."""
    centers = _gamut_bins()
    offset = (centers[:, None] - centers).abs().double()  # (313, 313, 2)
    closest = (offset - SPACING / 2).clamp(min=0).norm(dim=2)
    farthest = (offset + SPACING / 2).norm(dim=2)
    possible = closest <= farthest.kthvalue(neighbors, dim=1, keepdim=True).values + 1e-3
    # Lists shorter than the longest are filled up with bins that cannot win, which does no harm.
    lists = possible.byte().argsort(dim=1, descending=True, stable=True)[:, : possible.sum(dim=1).max()]
    return lists, centers[lists, 0], centers[lists, 1]


def _points(ab: Tensor) -> Tensor:
    """Check ab and list its colors: (N, 2, H, W) -> (N * H * W, 2), float32 or float64."""
    return _checked(ab).movedim(1, -1).reshape(-1, 2)


def _checked(ab: Tensor) -> Tensor:
    """Check ab, (N, 2, H, W): float32 or float64, without a gradient."""
    if not isinstance(ab, Tensor) or ab.ndim != 4 or ab.shape[1] != 2:
        got = tuple(ab.shape) if isinstance(ab, Tensor) else type(ab).__name__
        raise ValueError(f"ab must have shape (N, 2, H, W), got {got}")
    ab = ab.detach()
    ab = ab if ab.dtype == torch.float64 else ab.float()
    if ab.numel():
        least, most = ab.aminmax()  # NaN if there is one
        if not (least > -FAR and most < FAR):
            raise ValueError(f"ab must be finite and below {FAR:g} in size, got NaN, infinity or more")
    return ab
