"""Exercises of lesson 2, quantization: references and cases. The typical mistakes are in ``mistakes_02``."""

import numpy as np
import torch
from scipy.spatial import ConvexHull
from torch import Tensor

from ..bins import gamut_bins, grid_points, srgb_hull
from ..lab import lab_to_xyz, xyz_to_linear
from .inputs import generator
from .judge import Case, Exercise, Wrong


def _colors(n: int, seed: int, reach: float = 60.0) -> Tensor:
    """(n, 2) colors of the ab plane, away from the borders between bins of spacing 10."""
    random = generator(seed)
    cell = torch.randint(-int(reach) // 10, int(reach) // 10 + 1, (n, 2), generator=random) * 10.0
    return cell + (torch.rand(n, 2, generator=random) - 0.5) * 8


# 2.1 Round to a grid


def round_to_grid(ab: Tensor, spacing: float) -> Tensor:
    """Move each color to the nearest multiple of spacing."""
    return torch.round(ab / spacing) * spacing


ROUND = Exercise(
    "2.1",
    "Round to a grid",
    round_to_grid,
    lambda: [
        Case(
            "For a = 14, b = -26 and spacing 10",
            (torch.tensor([[14.0, -26.0]]), 10.0),
            torch.tensor([[10.0, -30.0]]),
        ),
        Case("For colors on grid points", (grid_points()[::7], 10.0), grid_points()[::7]),
        Case("For 40 colors and spacing 10", (_colors(40, 0), 10.0)),
        Case("For spacing 25", (_colors(40, 1) + 0.3, 25.0)),
        Case("For a picture, (1, 2, 4, 5)", (_colors(20, 2).T.reshape(1, 2, 4, 5), 10.0)),
    ],
    outputs=("the rounded color",),
)


# 2.2 Can a screen show it?


def displayable(lab: Tensor) -> Tensor:
    """True where a Lab color has red, green and blue light between 0 and 1."""
    return within(light(lab)).all(dim=-3)


def light(lab: Tensor) -> Tensor:
    """Red, green and blue light of a Lab color, not clipped: the same shape."""
    return xyz_to_linear(lab_to_xyz(lab))


def within(values: Tensor) -> Tensor:
    """True where a value lies in 0..1."""
    return (values >= 0) & (values <= 1)


def _lab(*colors: tuple[float, float, float]) -> Tensor:
    return torch.tensor(colors).T.unsqueeze(-1)  # (3, n, 1)


def _plane_at(lightness: float) -> Tensor:
    ab = (
        grid_points().T.reshape(2, 23, 23) * 0.99
    )  # off the grid, so that nothing lies on the border of the gamut
    return torch.cat((torch.full((1, 23, 23), lightness), ab))


def _any_lab(n: int, seed: int) -> Tensor:
    """(3, n, 1): of any lightness, in the gamut or not."""
    lab = torch.rand(3, n, 1, generator=generator(seed))
    return lab * torch.tensor([100.0, 180.0, 180.0]).view(3, 1, 1) - torch.tensor([0.0, 90.0, 90.0]).view(
        3, 1, 1
    )


def _draw_mask(result: Tensor, case: Case) -> np.ndarray:
    mask = torch.as_tensor(result).view(23, 23).T.flip(0)  # b upwards; other sizes are not worth a picture
    return (mask[..., None].expand(-1, -1, 3).numpy() * 200 + 30).astype(np.uint8)


DISPLAYABLE = Exercise(
    "2.2",
    "Can a screen show it?",
    displayable,
    lambda: [
        Case("For middle gray", (_lab((50.0, 0.0, 0.0)),), torch.tensor([[True]])),
        Case(
            "For four colors of L = 50: (60, 40), (-100, 0), (0, 100), (20, -40)",
            (_lab((50.0, 60.0, 40.0), (50.0, -100.0, 0.0), (50.0, 0.0, 100.0), (50.0, 20.0, -40.0)),),
            torch.tensor([[True], [False], [False], [True]]),
        ),
        Case(
            "For a slightly too bright yellow, L = 99, ab = (-10, 60)",
            (_lab((99.0, -10.0, 60.0)),),
            torch.tensor([[False]]),
        ),
        Case("For the grid at L = 30", (_plane_at(30.0),)),
        Case("For the grid at L = 75", (_plane_at(75.0),)),
        Case("For a batch of two grids", (torch.stack((_plane_at(20.0), _plane_at(90.0))),)),
        Case("For 200 colors", (_any_lab(200, 20),)),
    ],
    outputs=("the mask",),
    draw=_draw_mask,
)


# 2.3 The rule that gives 313


def inside_hull(points: Tensor, cloud: Tensor) -> Tensor:
    """True for the points (P, 2) strictly inside the convex hull of the cloud (M, 2)."""
    equations = torch.from_numpy(ConvexHull(cloud.double().numpy()).equations)
    return (equations[:, :2] @ points.double().T + equations[:, 2:] < 0).all(dim=0)


def keep_bins(grid: Tensor, colors: Tensor, reach: float = 10.0) -> Tensor:
    """True for grid points inside the hull of the colors, widened by reach in a and in b."""
    return widened(grid, colors, reach, [-1, -1], [-1, 1], [1, -1], [1, 1])


def widened(grid: Tensor, colors: Tensor, reach: float, *directions: list[int]) -> Tensor:
    """True for grid points inside the hull of copies of the colors, shifted by reach in each direction."""
    shifts = torch.tensor(directions) * reach
    return inside_hull(grid, (colors[:, None] + shifts).reshape(-1, 2))


def _triangle() -> Tensor:
    return torch.tensor([[-22.0, -13.0], [34.0, -8.0], [3.0, 41.0]])


def _says_count(result: Tensor, case: Case) -> None:
    mask = torch.as_tensor(result)
    if mask.dtype == torch.bool and mask.shape == (len(case.args[0]),):
        wanted = int(keep_bins(*case.args).sum())
        if int(mask.sum()) != wanted:
            raise Wrong(f"your rule keeps {int(mask.sum())} grid points; {wanted} are right.")


KEEP = Exercise(
    "2.3",
    "The rule that gives 313",
    keep_bins,
    lambda: [
        Case("For a triangle of three colors, widened by 10", (grid_points(), _triangle(), 10.0)),
        Case("For the same triangle, widened by 23", (grid_points(), _triangle(), 23.0)),
        Case("For all colors of sRGB, widened by 10", (grid_points(), srgb_hull().float(), 10.0)),
        Case("For 8 colors, widened by 12", (grid_points(), _colors(8, 21), 12.0)),
    ],
    outputs=("the mask",),
    inspect=_says_count,
    draw=_draw_mask,
)


# 2.4 The nearest bin


def nearest_bin(ab: Tensor, centers: Tensor) -> Tensor:
    """Number of the nearest center for each color."""
    return torch.cdist(ab, centers).argmin(dim=1)


NEAREST = Exercise(
    "2.4",
    "The nearest bin",
    nearest_bin,
    lambda: [
        Case("For gray, (0, 0)", (torch.zeros(1, 2), gamut_bins()), torch.tensor([120])),
        Case("For the bin centers themselves", (gamut_bins()[::9], gamut_bins()), torch.arange(0, 313, 9)),
        Case("For 50 colors", (_colors(50, 3), gamut_bins())),
        Case("For colors outside the gamut", (torch.tensor([[-97.0, -61.0], [118.0, 93.0]]), gamut_bins())),
        Case("For five other centers", (_colors(12, 4), _colors(5, 5) + 1.7)),
    ],
    outputs=("the bin number",),
)


# 2.5 Soft encoding


def soft_encode(ab: Tensor, centers: Tensor, neighbors: int = 5, sigma: float = 5.0) -> tuple[Tensor, Tensor]:
    """Spread each color over its nearest bins with Gaussian weights."""
    distance, index = torch.cdist(ab, centers).topk(neighbors, dim=1, largest=False)
    weight = torch.exp(-(distance**2) / (2 * sigma**2))
    return index, weight / weight.sum(dim=1, keepdim=True)


def _sort_by_bin(result: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Neighbors may come in any order."""
    index, order = torch.as_tensor(result[0]).sort(dim=1)
    return index, torch.as_tensor(result[1]).gather(1, order)


def _sums_to_one(result, case: Case) -> None:
    weight = torch.as_tensor(result[1])
    if weight.shape == (len(case.args[0]), case.args[2]):
        sums = weight.double().sum(dim=1)
        worst = int((sums - 1).abs().argmax())
        if abs(sums[worst] - 1) > 1e-4:
            raise Wrong(f"the weights of color {worst} sum to {sums[worst]:.3f}, not to 1.")


def _on_a_center() -> tuple[Tensor, Tensor]:
    near = np.exp(-100 / 50)  # the four neighbors of (0, 0) are 10 away: by hand
    weight = torch.tensor([[1.0, near, near, near, near]]) / (1 + 4 * near)
    return torch.tensor([[120, 102, 119, 121, 139]]), weight.float()


SOFT = Exercise(
    "2.5",
    "Soft encoding",
    soft_encode,
    lambda: [
        Case(
            "For gray, which is a bin center",
            (torch.zeros(1, 2), gamut_bins(), 5, 5.0),
            _sort_by_bin(_on_a_center()),
        ),
        Case("For 30 colors", (_colors(30, 6) + 0.7, gamut_bins(), 5, 5.0)),
        Case(
            "For 3 neighbors and sigma 8", (_colors(30, 7) + torch.tensor([1.1, 0.4]), gamut_bins(), 3, 8.0)
        ),
        Case("For 7 other centers", (_colors(6, 8), _colors(7, 9) * 1.3, 4, 20.0)),
    ],
    outputs=("index", "weight"),
    sort=_sort_by_bin,
    inspect=_sums_to_one,
)


# 2.6 Back to one color


def decode(index: Tensor, weight: Tensor, centers: Tensor, T: float = 1.0) -> Tensor:
    """Annealed mean of a soft code."""
    sharp = weight ** (1 / T)
    sharp = sharp / sharp.sum(dim=1, keepdim=True)
    return (sharp[..., None] * centers[index]).sum(dim=1)


def _codes(n: int, seed: int) -> tuple[Tensor, Tensor]:
    return soft_encode(_colors(n, seed) + 0.6, gamut_bins())


def _halves() -> tuple[Tensor, Tensor]:
    return torch.tensor([[120, 139]]), torch.tensor([[0.8, 0.2]])


DECODE = Exercise(
    "2.6",
    "Back to one color",
    decode,
    lambda: [
        # 0.8 (0, 0) + 0.2 (10, 0), and at T = 1/2 the weights 0.64 and 0.04, normalized: by hand
        Case(
            "For 0.8 of (0, 0) and 0.2 of (10, 0) at T = 1",
            (*_halves(), gamut_bins(), 1.0),
            torch.tensor([[2.0, 0.0]]),
        ),
        Case(
            "For the same at T = 0.5",
            (*_halves(), gamut_bins(), 0.5),
            torch.tensor([[10 * 0.04 / 0.68, 0.0]]),
        ),
        Case("For 30 colors at T = 1", (*_codes(30, 10), gamut_bins(), 1.0)),
        Case("For 30 colors at T = 0.38", (*_codes(30, 11), gamut_bins(), 0.38)),
    ],
    outputs=("the color",),
)

EXERCISES = (ROUND, DISPLAYABLE, KEEP, NEAREST, SOFT, DECODE)
