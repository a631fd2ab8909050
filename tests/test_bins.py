"""Bins, nearest bin and soft encoding against brute force, and against numbers published by others."""

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull, cKDTree

from colorize import bins
from colorize.lab import rgb_to_lab

# Rows of the authors' list as published: for each a, the first and the last b, all multiples of 10 between kept.
ROWS = {
    -90: (50, 90), -80: (20, 90), -70: (0, 90), -60: (-20, 90), -50: (-30, 100), -40: (-40, 100), -30: (-50, 100),
    -20: (-50, 100), -10: (-60, 100), 0: (-70, 100), 10: (-80, 90), 20: (-80, 90), 30: (-90, 90), 40: (-100, 90),
    50: (-100, 80), 60: (-110, 80), 70: (-110, 80), 80: (-110, 70), 90: (-110, 70), 100: (-90, 0),
}  # fmt: skip


def random_ab(n: int, reach: float, seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return (torch.rand(1, 2, n, 1, generator=random) * 2 - 1) * reach


def by_tree(ab: torch.Tensor, neighbors: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(1, 2, M, 1) -> distances and bins of the K nearest, (M, K) each, float64: an independent, exact search."""
    tree = cKDTree(bins.gamut_bins().double().numpy())
    distance, index = tree.query(ab.double().flatten(2)[0].T.numpy(), k=range(1, neighbors + 1))
    return torch.from_numpy(distance), torch.from_numpy(index)


def test_the_list_is_the_authors():
    expected = [(a, b) for a, (low, high) in ROWS.items() for b in range(low, high + 1, 10)]
    assert len(expected) == 313
    assert bins.gamut_bins().tolist() == [list(map(float, point)) for point in expected]
    assert bins.gamut_bins()[120].tolist() == [0, 0]


def test_callers_cannot_change_the_bins():
    bins.gamut_bins().zero_()
    assert bins.gamut_bins()[0].tolist() == [-90, 50]


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.long)])
def test_the_edges_of_the_cube_have_the_hull_of_all_colors(step):
    """The rule is about all 16.7 million colors (step 1); the library looks at 3,072 of them."""
    levels = torch.arange(0, 256, step, dtype=torch.uint8)
    green, blue = torch.meshgrid(levels, levels, indexing="ij")
    corners = []
    for red in levels:  # the hull of each slice, then the hull of the hulls
        rgb = torch.stack((torch.full_like(green, red), green, blue))
        ab = rgb_to_lab(rgb)[1:].flatten(1).T.double().numpy()
        corners.append(torch.from_numpy(ab[ConvexHull(ab).vertices]))
    ab = torch.cat(corners)
    shifts = torch.tensor([[-10.0, -10], [-10, 10], [10, -10], [10, 10]], dtype=torch.float64)
    equations = torch.from_numpy(ConvexHull((ab[:, None] + shifts).reshape(-1, 2).numpy()).equations)
    kept = (equations[:, :2] @ bins.grid_points().double().T + equations[:, 2:] < 0).all(dim=0)
    assert torch.equal(bins.grid_points()[kept], bins.gamut_bins())


@pytest.mark.parametrize("reach", [60, 130, 1000])
def test_nearest_bin_equals_an_exact_search_on_many_colors(reach):
    ab = random_ab(200_000 if reach == 130 else 50_000, reach)
    distance, _ = by_tree(ab, 1)
    mine = bins.gamut_bins().double()[bins.nearest_bin(ab).flatten()]
    off = (mine - ab.double().flatten(2)[0].T).norm(dim=1) - distance[:, 0]
    assert off.abs().max() < 1e-5  # as near as the nearest; which of two equally near ones does not matter


@pytest.mark.parametrize("neighbors", [1, 5, 10])
@pytest.mark.parametrize("reach", [40, 115, 200, 5000])
def test_soft_encode_equals_an_exact_search(neighbors, reach):
    n, sigma = 20_000, 5.0
    ab = random_ab(n, reach, seed=neighbors)
    index, weight = bins.soft_encode(ab, neighbors, sigma)
    assert index.shape == weight.shape == (1, neighbors, n, 1)
    assert index.dtype == torch.int64
    near, number = by_tree(ab, neighbors + 1)
    expected = torch.exp(-(near**2 - near[:, :1] ** 2)[:, :neighbors] / (2 * sigma**2))
    expected /= expected.sum(dim=1, keepdim=True)
    difference = torch.zeros(n, 313, dtype=torch.float64)  # dense here, in the test, to compare in any order
    difference.scatter_add_(1, number[:, :neighbors], expected)
    difference.scatter_add_(1, index[0, :, :, 0].T, -weight[0, :, :, 0].T.double())
    # The last neighbor may tie with the next one: then either may be listed. Such colors are counted apart.
    tie = near[:, neighbors] - near[:, neighbors - 1] < 1e-3
    assert difference.abs()[~tie].max() < 1e-5
    assert tie.float().mean() < 0.01


@settings(max_examples=50, deadline=None)
@given(
    a=st.floats(-150, 150, width=32),
    b=st.floats(-150, 150, width=32),
    neighbors=st.integers(1, 313),
    sigma=st.floats(0.5, 50),
)
def test_soft_codes_are_distributions(a, b, neighbors, sigma):
    index, weight = bins.soft_encode(torch.tensor([a, b]).view(1, 2, 1, 1), neighbors, sigma)
    index, weight = index.flatten(), weight.flatten()
    assert abs(weight.sum().item() - 1) < 1e-5
    assert weight.min() >= 0
    assert torch.all(weight.diff() <= 1e-6)  # nearest first
    assert len(index.unique()) == neighbors
    assert 0 <= index.min() <= index.max() < 313


def test_soft_code_by_hand():
    """(0, 0) is a center with four neighbors 10 away: weights 1 and four times exp(-2), normalized."""
    index, weight = bins.soft_encode(torch.zeros(1, 2, 1, 1))
    share = torch.exp(torch.tensor(-2.0)).item()
    assert index[0, 0, 0, 0] == 120
    assert sorted(index.flatten().tolist()) == [102, 119, 120, 121, 139]
    expected = torch.tensor([1, share, share, share, share]) / (1 + 4 * share)
    assert torch.allclose(weight.flatten(), expected, atol=1e-6)


def test_shapes_of_a_batch():
    random = torch.Generator().manual_seed(3)
    ab = torch.randn(3, 2, 4, 5, generator=random) * 40
    nearest, (index, weight) = bins.nearest_bin(ab), bins.soft_encode(ab)
    assert nearest.shape == (3, 4, 5)
    assert index.shape == weight.shape == (3, 5, 4, 5)
    assert torch.equal(index[:, 0], nearest)
    one = ab[2, :, 3, 1].view(1, 2, 1, 1)
    assert bins.nearest_bin(one).item() == nearest[2, 3, 1]
    assert torch.equal(bins.soft_encode(one)[1].flatten(), weight[2, :, 3, 1])


def test_no_dense_target_is_built(monkeypatch):
    """For colors of the gamut no tensor with 313 numbers a pixel may appear, not even for a moment."""

    def forbidden(*_):
        raise AssertionError("every color was measured against every bin")

    bins.soft_encode(torch.zeros(1, 2, 1, 1))  # the tables are made once
    monkeypatch.setattr(bins, "_measure", forbidden)
    levels = torch.arange(0, 256, 5, dtype=torch.uint8)
    rgb = torch.cartesian_prod(levels, levels, levels).T.reshape(1, 3, len(levels), -1)
    bins.soft_encode(rgb_to_lab(rgb)[:, 1:])
    bins.nearest_bin(rgb_to_lab(rgb)[:, 1:])


def test_empty_batch():
    assert bins.nearest_bin(torch.zeros(0, 2, 4, 4)).shape == (0, 4, 4)
    assert bins.soft_encode(torch.zeros(0, 2, 4, 4))[0].shape == (0, 5, 4, 4)


def test_bad_input_gets_one_sentence():
    for function in (bins.nearest_bin, bins.soft_encode):
        with pytest.raises(ValueError, match=r"\(N, 2, H, W\), got \(4, 2\)"):
            function(torch.zeros(4, 2))
        with pytest.raises(ValueError, match="got list"):
            function([[0, 0]])
        with pytest.raises(ValueError, match="finite"):
            function(torch.full((1, 2, 1, 1), float("nan")))
    ab = torch.zeros(1, 2, 1, 1)
    with pytest.raises(ValueError, match="1 to 313, got 0"):
        bins.soft_encode(ab, neighbors=0)
    with pytest.raises(ValueError, match="1 to 313, got 314"):
        bins.soft_encode(ab, neighbors=314)
    with pytest.raises(ValueError, match=r"0\.001 or above, got 0"):
        bins.soft_encode(ab, sigma=0)


def test_types_and_gradients():
    ab = torch.tensor([33.3, -21.7]).view(1, 2, 1, 1)
    index, weight = bins.soft_encode(ab.double())
    assert weight.dtype == torch.float64
    assert bins.soft_encode(ab.half())[1].dtype == torch.float32
    assert bins.soft_encode(ab.bfloat16())[1].dtype == torch.float32
    assert not bins.soft_encode(ab.clone().requires_grad_())[1].requires_grad
    exact = torch.softmax(
        -(bins.gamut_bins().double()[index.flatten()] - ab.double().flatten()).square().sum(1) / 50, 0
    )
    assert (weight.flatten() - exact).abs().max() < 1e-12
    for s in (-1, float("nan")):
        with pytest.raises(ValueError, match=r"sigma must be 0\.001 or above"):
            bins.soft_encode(ab, sigma=s)


def test_values_too_large_for_a_color_are_refused():
    for size in (1e6, 1e160, float("inf")):
        with pytest.raises(ValueError, match="below 1e\\+06"):
            bins.nearest_bin(torch.full((1, 2, 1, 1), size, dtype=torch.float64))


def test_another_default_device_does_not_matter():
    code = "import torch; torch.set_default_device('meta'); from colorize import bins; print(bins.gamut_bins().device.type)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "cpu\n"
