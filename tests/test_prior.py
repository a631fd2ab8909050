"""The prior: counted, smoothed in the plane, turned into weights, and the file of natural photos."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from colorize.bins import gamut_bins, nearest_bin
from colorize.prior import color_prior, load_prior, rebalancing_weights, smooth_prior


def delta(a: int, b: int) -> torch.Tensor:
    return (gamut_bins() == torch.tensor([a, b])).all(1).double()


def number(a: int, b: int) -> int:
    return delta(a, b).argmax().item()


def random_prior(seed: int) -> torch.Tensor:
    prior = torch.rand(313, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) ** 4
    return prior / prior.sum()


# Counting and weights


def test_prior_counts_nearest_bins():
    ab = 40 * torch.randn(3, 2, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    prior = color_prior(ab)
    expected = torch.tensor([(nearest_bin(ab) == q).double().mean() for q in range(313)])
    assert torch.allclose(prior, expected)
    assert prior.sum().item() == pytest.approx(1)


@pytest.mark.parametrize("lam", [0.0, 0.25, 0.5, 1.0])
def test_weights_average_to_one_and_follow_the_formula(lam):
    prior = random_prior(3)
    weight = rebalancing_weights(prior, lam)
    assert (prior * weight).sum().item() == pytest.approx(1)
    mixed = (1 - lam) * prior + lam / 313
    assert torch.allclose(weight * mixed, (weight * mixed)[0].expand(313))
    if lam == 1:
        assert torch.allclose(weight, torch.ones_like(weight))


def test_bad_priors_get_one_sentence():
    good = torch.full((4,), 0.25)
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5"):
        rebalancing_weights(good, 1.5)
    for bad in (good * 2, torch.tensor([1.5, -0.5]), good.view(2, 2)):
        with pytest.raises(ValueError, match="prior must be"):
            rebalancing_weights(bad)
    with pytest.raises(ValueError, match="smooth the prior"):
        rebalancing_weights(torch.tensor([1.0, 0.0]), 0)
    with pytest.raises(ValueError, match="needs pixels"):
        color_prior(torch.zeros(0, 2, 3, 3))


# Smoothing


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), sigma=st.floats(0, 200))
def test_smoothing_keeps_the_mass_and_makes_priors_of_priors(seed, sigma):
    smooth = smooth_prior(random_prior(seed), sigma)
    assert smooth.sum().item() == pytest.approx(1, abs=1e-12)
    assert (smooth >= 0).all()
    if sigma >= 5:
        assert (smooth > 0).all()


@pytest.mark.parametrize("sigma", [2.0, 5.0, 12.0])
def test_smoothing_by_an_explicit_double_loop(sigma):
    prior, centers = random_prior(1).numpy(), gamut_bins().double().numpy()
    expected = np.zeros(313)
    for q in range(313):
        weights = np.array([np.exp(-((c - centers[q]) ** 2).sum() / (2 * sigma**2)) for c in centers])
        expected += prior[q] * weights / weights.sum()
    assert np.abs(smooth_prior(torch.from_numpy(prior), sigma).numpy() - expected).max() < 1e-15


def test_in_the_interior_it_is_the_gaussian_filter_of_the_grid():
    """Where the rim is 50 units away, SciPy's filter of the whole 23 x 23 grid does the same, to 1e-12."""
    cells = (gamut_bins() / 10).long() + 11
    inner = [(0, 0), (10, 20), (-10, 10), (30, -20)]
    prior = sum(share * delta(*ab) for share, ab in zip((0.4, 0.3, 0.2, 0.1), inner, strict=True))
    dense = np.zeros((23, 23))
    dense[cells[:, 0], cells[:, 1]] = prior.numpy()
    expected = gaussian_filter(dense, 5 / 10, mode="constant", truncate=20)[cells[:, 0], cells[:, 1]]
    assert np.abs(smooth_prior(prior).numpy() - expected).max() < 1e-12


def test_one_bin_spreads_to_its_neighbors_in_the_plane_alike():
    smooth = smooth_prior(delta(10, 20))
    sides = [smooth[number(*ab)].item() for ab in ((0, 20), (20, 20), (10, 10), (10, 30))]
    diagonals = [smooth[number(*ab)].item() for ab in ((0, 10), (0, 30), (20, 10), (20, 30))]
    center = smooth[number(10, 20)].item()
    assert sides == pytest.approx([center * np.exp(-2)] * 4)  # 10^2 / (2 * 5^2)
    assert diagonals == pytest.approx([center * np.exp(-4)] * 4)


def test_bins_next_to_each_other_in_the_list_alone_get_nothing():
    last, first = number(-10, 100), number(0, -70)
    assert first == last + 1
    smooth = smooth_prior(delta(-10, 100))
    assert smooth[first] < 1e-100
    assert smooth[number(0, 100)] > 0.05
    assert smooth[number(0, 100)] == pytest.approx(smooth[number(-20, 100)].item())


def test_at_the_rim_no_mass_is_lost():
    """The corner (100, 0) has neighbors on two sides only; what it keeps and gives sums to 1."""
    smooth = smooth_prior(delta(100, 0))
    assert smooth.sum().item() == pytest.approx(1, abs=1e-12)
    assert smooth[number(100, 0)] > smooth_prior(delta(0, 0))[number(0, 0)] + 0.05


def test_the_limits_of_sigma():
    prior = random_prior(2)
    for nothing in (0, 1e-300, 1e-3, 0.5):
        assert torch.equal(smooth_prior(prior, nothing), prior)
    assert smooth_prior(prior, 0) is not prior
    assert torch.allclose(smooth_prior(prior, float("inf")), torch.full((313,), 1 / 313, dtype=torch.float64))
    single = smooth_prior(prior.float())
    assert single.dtype == torch.float32
    assert torch.allclose(single.double(), smooth_prior(prior), atol=1e-8)


def test_what_cannot_be_smoothed_gets_one_sentence():
    good = torch.full((313,), 1 / 313)
    for sigma in (-1, float("nan")):
        with pytest.raises(ValueError, match="sigma must be 0 or above, got"):
            smooth_prior(good, sigma)
    for bad in (good[:312], good[None], torch.full((529,), 1 / 529)):
        with pytest.raises(ValueError, match=r"prior must have shape \(313,\), got"):
            smooth_prior(bad)
    with pytest.raises(ValueError, match="with sum 1"):
        smooth_prior(good * 2)


# The shipped file. What is known of the prior of ImageNet: the largest share at (0, 0), 0.20 in the authors' file.


def test_the_shipped_prior_is_one():
    counted, smoothed = load_prior(smoothed=False), load_prior()
    for prior in (counted, smoothed):
        assert prior.shape == (313,)
        assert prior.dtype == torch.float32
        assert prior.sum().item() == pytest.approx(1, abs=1e-6)
        assert prior.argmax() == number(0, 0)
    assert (smoothed > 0).all()
    assert (counted == 0).any()
    assert (smooth_prior(counted) - smoothed).abs().max() < 1e-7


def test_the_shipped_prior_is_that_of_natural_photos():
    prior = load_prior()
    assert 0.20 < prior[number(0, 0)] < 0.22
    assert prior.topk(2).indices.tolist() == [number(0, 0), number(0, 10)]  # photos are a little yellow
    near = (gamut_bins().abs() <= 15).all(1)
    assert 0.55 < prior[near].sum() < 0.65
    mean = prior @ gamut_bins()
    assert 0 < mean[0] < 4
    assert 4 < mean[1] < 11
    weight = rebalancing_weights(prior)
    assert (prior * weight).sum().item() == pytest.approx(1, abs=1e-6)
    assert weight.argmin() == number(0, 0)
    assert 0.08 < weight.min() < 0.11
    assert 6.0 < weight.max() < 6.7
    assert 5.0 < weight.mean() < 5.7


def test_colors_that_no_screen_can_show_are_not_counted():
    """52 of the 313 bins are nearest to no color of sRGB; only the smoothing gives them mass."""
    from colorize.lab import rgb_to_lab

    levels = torch.linspace(0, 1, 86)
    cube = torch.cartesian_prod(levels, levels, levels).T.reshape(1, 3, -1, 1)
    reachable = torch.zeros(313, dtype=torch.bool)
    reachable[nearest_bin(rgb_to_lab(cube)[:, 1:]).unique()] = True
    assert (~reachable).sum() == 52
    assert load_prior(smoothed=False)[~reachable].sum() == 0
    assert 5e-5 < load_prior()[~reachable].sum() < 5e-4


def test_files_that_are_no_prior_get_one_sentence(tmp_path, monkeypatch):
    rows = [[a, b, 1 / 313, 1 / 313] for a, b in gamut_bins().tolist()]
    good = {"columns": ["a", "b", "share", "smoothed"], "bins": rows}
    monkeypatch.setenv("COLORIZE_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="there is no prior 'mine'; there are none"):
        load_prior("mine")
    path = tmp_path / "priors" / "mine.json"
    path.parent.mkdir()
    path.write_text(json.dumps(good))
    assert torch.allclose(load_prior("mine"), torch.full((313,), 1 / 313))
    assert torch.equal(load_prior(path, smoothed=False), load_prior("mine"))
    with pytest.raises(ValueError, match="no prior 'other'; there are mine"):
        load_prior("other")
    moved = [[a, b + 1, *rest] for a, b, *rest in rows]
    double = [[a, b, p, 2 * s] for a, b, p, s in rows]
    bad = (
        {},
        [],
        {"bins": rows},
        good | {"bins": rows[:-1]},
        good | {"bins": moved},
        good | {"bins": double},
    )
    bad += (
        good | {"bins": "x"},
        good | {"bins": [{}]},
        good | {"bins": [[1], [1, 2]]},
        good | {"bins": rows[::-1]},
        good | {"columns": ["b", "a", "share", "smoothed"]},
    )
    bad += (good | {"bins": [[a, b, p, float("nan")] for a, b, p, _ in rows]},)
    for content in (*(json.dumps(each).encode() for each in bad), b"", b"{", b"\xff\xfe", b"null"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"mine\.json holds no prior that can be read") as caught:
            load_prior("mine")
        assert "\n" not in str(caught.value)
