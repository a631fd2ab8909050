"""Readouts against NumPy in float64, at extreme temperatures and logits."""

import functools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from skimage import color

from colorize import decode, lab
from colorize.bins import gamut_bins, nearest_bin, soft_encode


def by_numpy(logits: torch.Tensor, T: float) -> np.ndarray:
    """Annealed mean, written with plain exponentials in float64: (N, Q, H, W) -> (N, 2, H, W)."""
    z = logits.double().numpy()
    z = (z - z.max(axis=1, keepdims=True)) / T
    p = np.exp(z)
    p /= p.sum(axis=1, keepdims=True)
    return np.einsum("nqhw,qc->nchw", p, gamut_bins().double().numpy())


def random_logits(scale: float, seed: int = 0) -> torch.Tensor:
    return torch.randn(2, 313, 3, 4, generator=torch.Generator().manual_seed(seed)) * scale


@pytest.mark.parametrize("T", [1e-3, 0.01, 0.38, 1.0, 10.0])
@pytest.mark.parametrize("scale", [0.1, 5.0, 1e4])
def test_annealed_mean_equals_numpy(T, scale):
    logits = random_logits(scale)
    got = decode.annealed_mean(logits, T)
    assert got.shape == (2, 2, 3, 4)
    assert np.abs(got.numpy() - by_numpy(logits, T)).max() < 1e-3


@pytest.mark.parametrize("T", [1e-3, 0.38, 1.0, 10.0])
def test_minus_infinity_rules_bins_out(T):
    logits = random_logits(3.0)
    logits[:, ::2] = -torch.inf
    got = decode.annealed_mean(logits, T)
    assert got.isfinite().all()
    p = torch.softmax(logits[:, 1::2].double() / T, dim=1)
    expected = torch.einsum("nqhw,qc->nchw", p, gamut_bins()[1::2].double())
    assert (got - expected).abs().max() < 1e-3
    only = torch.full((1, 313, 1, 1), -torch.inf)
    only[0, 200] = -1e4
    assert torch.equal(decode.annealed_mean(only, T).flatten(), gamut_bins()[200])


def test_small_differences_of_large_logits_survive_a_small_temperature():
    logits = torch.full((1, 313, 1, 1), -1e4)
    logits[0, 120], logits[0, 121] = 1e4, 1e4 - 0.001953125  # two steps of float32 at 10,000
    share = 1 / (1 + np.exp(-0.001953125 / 1e-3))
    assert decode.annealed_mean(logits, 1e-3)[0, 1].item() == pytest.approx(10 * (1 - share), abs=1e-3)


def test_mean_is_temperature_one_and_mode_is_zero():
    logits = random_logits(2.0, seed=1)
    assert torch.equal(decode.mean(logits), decode.annealed_mean(logits, 1.0))
    assert torch.equal(decode.mode(logits), decode.annealed_mean(logits, 0))
    best = gamut_bins()[torch.softmax(logits, 1).argmax(1)].movedim(-1, 1)
    assert torch.equal(decode.mode(logits), best)
    first, second = logits.topk(2, dim=1).values.unbind(1)
    clear = (
        (first - second > 0.02).unsqueeze(1).expand_as(best)
    )  # a near tie stays a mixture even at T = 0.001
    assert clear.float().mean() > 0.8
    assert (decode.annealed_mean(logits, 1e-3) - best)[clear].abs().max() < 1e-2
    flat = decode.annealed_mean(logits, 1e9)
    assert (flat - gamut_bins().mean(0).view(1, 2, 1, 1)).abs().max() < 1e-3


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    logits = random_logits(20.0).to(dtype)
    fixed = functools.partial(torch.Generator().manual_seed, 0)
    for readout in (
        decode.annealed_mean,
        decode.mean,
        decode.mode,
        decode.median,
        decode.entropy,
        lambda z: decode.sample(z, generator=fixed()),
    ):
        got = readout(logits)
        assert got.dtype == torch.float32
        assert torch.equal(got, readout(logits.float()))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), T=st.floats(1e-3, 10), shift=st.floats(-100, 100))
def test_properties(seed, T, shift):
    logits = random_logits(4.0, seed)
    got = decode.annealed_mean(logits, T)
    assert (decode.annealed_mean(logits + shift, T) - got).abs().max() < 1e-1  # a constant does not matter
    low, high = gamut_bins().amin(0).view(1, 2, 1, 1), gamut_bins().amax(0).view(1, 2, 1, 1)
    assert torch.all((got >= low - 1e-3) & (got <= high + 1e-3))


def test_other_centers():
    logits = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1)
    centers = torch.tensor([[0.0, 0.0], [1.0, -2.0]])
    share = 1 / (1 + np.exp(-2.0))
    got = decode.annealed_mean(logits, 0.5, centers).flatten()
    assert torch.allclose(got, torch.tensor([share, -2 * share], dtype=torch.float32), atol=1e-6)
    assert decode.mode(logits, centers).flatten().tolist() == [1, -2]


def test_soft_codes_come_back():
    """Through the logarithm, a soft code is a valid set of logits; fed as it is, it gives nearly the same everywhere."""
    ab = torch.tensor([[37.0, 21.0], [-14.0, 33.0]]).T.reshape(1, 2, 2, 1)
    index, weight = soft_encode(ab)
    code = torch.zeros(1, 313, 2, 1).scatter_(1, index, weight)
    assert (decode.mean(code.log()) - ab).norm(
        dim=1
    ).max() < 0.71  # facts of soft encoding: mean 0.2, largest 0.7
    assert (decode.mean(code) - ab).norm(dim=1).min() > 10


def test_gradient_by_finite_differences():
    logits = random_logits(1.0).double()[:1, :, :1, :1].requires_grad_()
    assert torch.autograd.gradcheck(lambda z: decode.annealed_mean(z, 0.38), logits)


def test_paint_keeps_lightness_and_enlarges_color():
    random = torch.Generator().manual_seed(2)
    lightness = 40 + 20 * torch.rand(2, 1, 16, 24, generator=random)
    ab = torch.tensor([[10.0, 5.0], [-8.0, 12.0]]).view(2, 2, 1, 1).expand(2, 2, 4, 6)
    rgb = decode.paint(lightness, ab)
    assert rgb.shape == (2, 3, 16, 24)
    for picture, light, one in zip(rgb, lightness, ab, strict=True):
        lab = color.rgb2lab(picture.double().movedim(0, -1).numpy())
        assert np.abs(lab[..., 0] - light[0].numpy()).max() < 1e-2
        assert np.abs(lab[..., 1:] - one[:, 0, 0].numpy()).max() < 2e-2


def test_paint_at_full_size_changes_nothing():
    random = torch.Generator().manual_seed(3)
    ab = torch.randn(1, 2, 5, 7, generator=random) * 5
    lightness = torch.full((1, 1, 5, 7), 60.0)
    lab = torch.cat((lightness, ab), 1)[0].double().movedim(0, -1).numpy()
    assert np.abs(decode.paint(lightness, ab)[0].movedim(0, -1).numpy() - color.lab2rgb(lab)).max() < 1e-4


def test_bad_input_gets_one_sentence():
    logits = torch.zeros(1, 313, 2, 2)
    for T in (-0.1, float("nan")):
        with pytest.raises(ValueError, match="temperature T must be 0 or above"):
            decode.annealed_mean(logits, T)
        with pytest.raises(ValueError, match="temperature T must be 0 or above"):
            decode.sample(logits, T)
    with pytest.raises(ValueError, match=r"\(N, 313, H, W\), got \(1, 312, 2, 2\)"):
        decode.mean(logits[:, :312])
    with pytest.raises(ValueError, match=r"got \(313, 2, 2\)"):
        decode.mode(logits[0])
    for readout in (decode.median, decode.sample):
        with pytest.raises(ValueError, match=r"\(N, 313, H, W\), got \(1, 312, 2, 2\)"):
            readout(logits[:, :312])
    with pytest.raises(ValueError, match=r"\(N, Q, H, W\), got \(313, 2, 2\)"):
        decode.entropy(logits[0])
    with pytest.raises(ValueError, match="paint takes"):
        decode.paint(torch.zeros(1, 3, 2, 2), torch.zeros(1, 2, 2, 2))


def test_the_default_temperature_is_the_papers():
    z = torch.randn(1, 313, 2, 2)
    assert torch.equal(decode.annealed_mean(z), decode.annealed_mean(z, 0.38))


def test_paint_interpolates_between_pixels():
    ab = torch.tensor([-20.0, 20.0]).view(1, 1, 1, 2).repeat(1, 2, 1, 1)
    L = torch.full((1, 1, 1, 4), 60.0)
    got = lab.rgb_to_lab(decode.paint(L, ab))[0, 1, 0]
    assert torch.allclose(
        got, torch.tensor([-20.0, -10.0, 10.0, 20.0]), atol=0.05
    )  # bilinear, corners not aligned


def test_paint_keeps_the_precision_of_lightness():
    L = torch.linspace(40, 60, 200).view(1, 1, 1, 200)
    ab = torch.zeros(1, 2, 1, 200)
    for dt in (torch.float16, torch.bfloat16):
        assert (decode.paint(L, ab.to(dt)) - decode.paint(L, ab)).abs().max() < 1e-5
    assert decode.paint(L.double(), ab).dtype == torch.float64
    for bad in (torch.zeros(2, 2, 2), torch.zeros(1, 3, 2, 2), torch.zeros(2, 2, 2, 2)):
        with pytest.raises(ValueError, match="paint takes"):
            decode.paint(L, bad)


def test_autocast_does_not_touch_colors():
    x = torch.rand(1, 3, 8, 8)
    z = torch.randn(1, 313, 4, 4) * 3
    want = lab.rgb_to_lab(x), lab.lab_to_rgb(lab.rgb_to_lab(x)), decode.annealed_mean(z)
    want += decode.median(z), decode.entropy(z), decode.sample(z, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = lab.rgb_to_lab(x), lab.lab_to_rgb(want[0]), decode.annealed_mean(z)
        got += (
            decode.median(z),
            decode.entropy(z),
            decode.sample(z, generator=torch.Generator().manual_seed(0)),
        )
    for a, b in zip(got, want, strict=True):
        assert torch.equal(a, b)


# Median


def bins_with(shares: dict) -> torch.Tensor:
    """Logits (1, 313, 1, 1) of a distribution over a few bins, {(a, b): probability}."""
    p = torch.zeros(313)
    for ab, share in shares.items():
        p[(gamut_bins() == torch.tensor(ab)).all(1)] = share
    assert p.sum().item() == pytest.approx(1)
    return p.log().view(1, 313, 1, 1)


def median_by_numpy(logits: torch.Tensor) -> np.ndarray:
    """The cumulative sum drawn as a broken line and read backward, one pixel and one axis at a time."""
    z = logits.double().numpy()
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    centers = gamut_bins().numpy()
    found = np.empty((len(z), 2, *z.shape[2:]))
    for n, axis, y, x in np.ndindex(found.shape):
        edges, below = [centers[:, axis].min() - 5.0], [0.0]
        for level in np.unique(centers[:, axis]):
            edges.append(level + 5.0)
            below.append(below[-1] + p[n, centers[:, axis] == level, y, x].sum())
        found[n, axis, y, x] = np.interp(0.5, below, edges)
    return found


@pytest.mark.parametrize("scale", [0.0, 0.1, 3.0])
def test_median_equals_numpy(scale):
    logits = random_logits(scale, seed=5)
    got = decode.median(logits)
    assert got.shape == (2, 2, 3, 4)
    assert np.abs(got.numpy() - median_by_numpy(logits)).max() < 2e-3
    assert np.abs(decode.median(logits.double()).numpy() - median_by_numpy(logits)).max() < 1e-4


def test_median_of_one_bin_is_its_center():
    """For every bin, those at the rim of the gamut too."""
    logits = torch.full((313, 313, 1, 1), -torch.inf)
    logits[torch.arange(313), torch.arange(313)] = 7.0
    assert (decode.median(logits)[:, :, 0, 0] - gamut_bins()).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ({(0, 0): 0.7, (0, 10): 0.3}, (0, -5 + 10 * 5 / 7)),
        ({(0, 0): 0.3, (0, 10): 0.7}, (0, 5 + 10 * 2 / 7)),
        ({(0, 0): 0.7, (80, 40): 0.3}, (-5 + 10 * 5 / 7, -5 + 10 * 5 / 7)),  # however far away the rest is
        ({(0, 0): 0.6, (-20, 10): 0.2, (30, -40): 0.2}, (0, 0)),
        ({(-90, 50): 0.6, (100, 0): 0.4}, (-95 + 10 * 5 / 6, 45 + 10 / 6)),
        ({(-90, 50): 0.4, (100, 0): 0.6}, (95 + 10 / 6, -5 + 10 * 5 / 6)),
        ({(0, -110 + 40): 0.5, (0, 100): 0.5}, (0, 15)),  # half and half: the middle of the gap
        ({(-40, 30): 0.5, (60, 40): 0.5}, (10, 35)),
        ({(60, -110): 0.5, (60, -100): 0.5}, (60, -105)),
    ],
)
def test_median_by_hand(shares, expected):
    got = decode.median(bins_with(shares)).flatten().tolist()
    assert got == pytest.approx(expected, abs=2e-3)


def test_median_is_continuous():
    """As mass moves from one bin to the next, the median goes from center to center without a jump."""
    steps = torch.linspace(0, 1, 401)
    p = torch.zeros(401, 313, 1, 1)
    p[:, 120, 0, 0], p[:, 121, 0, 0] = 1 - steps, steps
    b = decode.median(p.log())[:, 1, 0, 0]
    assert b[0].item() == pytest.approx(0, abs=1e-4)
    assert b[-1].item() == pytest.approx(10, abs=1e-4)
    jumps = b.diff()
    assert jumps.min() > 0
    assert jumps.max() < 0.06  # the slope is at most 20: 20 / 400


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 8))
def test_median_of_a_symmetric_distribution_is_its_center(seed, scale):
    """In float64: there may be little mass in the middle, and the place where half of it is reached needs digits."""
    centers, middle = gamut_bins().double(), torch.tensor([10.0, 0.0], dtype=torch.float64)
    values = scale * torch.randn(313, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    logits = torch.full((1, 313, 1, 1), -torch.inf, dtype=torch.float64)
    for q, center in enumerate(centers):
        twin = (centers == 2 * middle - center).all(1).nonzero().flatten()
        if len(twin):
            logits[0, [q, twin.item()]] = values[q]
    assert logits.isfinite().sum() > 200
    assert (decode.median(logits).flatten() - middle).abs().max() < 1e-6


# Samples


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def frequencies(ab: torch.Tensor) -> torch.Tensor:
    """How often each bin occurs among samples (N, 2, H, W); every one must be the center of a bin."""
    found = ab.movedim(1, -1).reshape(-1, 2)
    index = nearest_bin(ab).flatten()
    assert torch.equal(gamut_bins()[index], found)
    return torch.bincount(index, minlength=313).double() / len(found)


def chi_square(observed: torch.Tensor, p: torch.Tensor, n: int) -> float:
    """P-value of the frequencies; bins with few expected draws are put together."""
    few = p * n < 10
    pool = [
        torch.cat((each[~few], each[few].sum()[None] if few.any() else each[:0])) for each in (observed, p)
    ]
    pool = [each.numpy() * n for each in pool]
    return stats.chisquare(pool[0], pool[1] * (pool[0].sum() / pool[1].sum())).pvalue


@pytest.mark.parametrize("T", [0.38, 1.0, 3.0])
def test_samples_follow_the_distribution(T):
    logits = 2 * torch.randn(1, 313, 1, 1, generator=seeded(0))
    p = torch.softmax(logits.double() / T, 1).flatten()
    n = 4 * 128 * 128
    drawn = decode.sample(logits.expand(4, 313, 128, 128), T, seeded(1))
    observed = frequencies(drawn)
    assert chi_square(observed, p, n) > 1e-3
    assert (observed - p).abs().sum() / 2 < 0.03
    wrong = torch.softmax(logits.double() / T * 1.1, 1).flatten()
    assert chi_square(observed, wrong, n) < 1e-6  # the test would notice a temperature off by a tenth


def test_a_shared_draw_is_one_opinion():
    logits = 2 * torch.randn(1, 313, 1, 1, generator=seeded(2))
    p = torch.softmax(logits.double(), 1).flatten()
    n = 4096
    drawn = decode.sample(logits.expand(n, 313, 2, 3), generator=seeded(3), shared=True)
    assert torch.equal(drawn, drawn[:, :, :1, :1].expand_as(drawn))  # all over a picture the same
    counted = frequencies(drawn[:, :, :1, :1])
    assert chi_square(counted, p, n) > 1e-3  # and over pictures as often as it should
    over_seeds = torch.cat([decode.sample(logits, generator=seeded(k), shared=True) for k in range(2000)])
    assert chi_square(frequencies(over_seeds), p, 2000) > 1e-3


def test_neighbors_agree_more_often_with_a_shared_draw():
    """Distributions that change slowly over the picture: the speckle goes away, each pixel's own does not change."""
    t = torch.linspace(0, 1, 32).view(1, 1, 1, 32)
    left, right = 2 * torch.randn(2, 1, 313, 1, 1, generator=seeded(4))
    logits = (left + t * (right - left)).expand(64, 313, 1, 32)
    alone = decode.sample(logits, generator=seeded(5))
    shared = decode.sample(logits, generator=seeded(5), shared=True)
    differ = [(each.diff(dim=3) != 0).any(dim=1).float().mean().item() for each in (alone, shared)]
    assert differ[0] > 0.8
    assert differ[1] < 0.15


@pytest.mark.parametrize("shared", [False, True])
def test_samples_are_repeatable(shared):
    logits = random_logits(1.0)
    first = decode.sample(logits, 1.0, seeded(6), shared)
    assert torch.equal(first, decode.sample(logits, 1.0, seeded(6), shared))
    assert not torch.equal(first, decode.sample(logits, 1.0, seeded(7), shared))
    in_memory = logits.to(memory_format=torch.channels_last)
    assert torch.equal(first, decode.sample(in_memory, 1.0, seeded(6), shared))
    state = torch.random.get_rng_state()
    decode.sample(logits, generator=seeded(6), shared=shared)
    assert torch.equal(state, torch.random.get_rng_state())  # nobody else's draws move
    decode.sample(logits, shared=shared)
    assert not torch.equal(state, torch.random.get_rng_state())
    assert not decode.sample(logits.requires_grad_()).requires_grad


def test_samples_at_the_limits():
    logits = random_logits(3.0)
    before = logits.clone()
    assert torch.equal(decode.sample(logits, 0), decode.mode(logits))
    assert torch.equal(decode.sample(logits * 1e4, 1e-3, seeded(0)), decode.mode(logits))
    flat = decode.sample(logits[:1, :, :1, :1].expand(1, 313, 256, 256), 1e6, seeded(1))
    assert chi_square(frequencies(flat), torch.full((313,), 1 / 313, dtype=torch.float64), 2**16) > 1e-3
    logits[:, 1::2] = -torch.inf
    assert nearest_bin(decode.sample(logits, generator=seeded(2))).remainder(2).eq(0).all()
    logits[:, 1::2] = before[:, 1::2]
    assert torch.equal(logits, before)  # the caller's logits stay as they are
    two = decode.sample(torch.zeros(1, 2, 1, 1000), centers=torch.tensor([[0.0, 1.0], [2.0, 3.0]]))
    assert set(map(tuple, two[0, :, 0].T.tolist())) == {(0, 1), (2, 3)}


def test_a_draw_of_zero_does_not_beat_the_logits(monkeypatch):
    """The exponential draw can come out as 0; its logarithm must not become an infinity that chooses any bin."""
    monkeypatch.setattr(torch.Tensor, "exponential_", lambda self, generator=None: self.zero_())
    logits = torch.zeros(1, 313, 1, 1)
    logits[:, 200] = 1.0
    logits[:, 50] = -torch.inf
    assert torch.equal(decode.sample(logits), decode.mode(logits))


# Entropy


def test_entropy_equals_scipy():
    logits = random_logits(3.0)
    got = decode.entropy(logits)
    assert got.shape == (2, 3, 4)
    expected = stats.entropy(np.exp(logits.double().numpy()), axis=1)
    assert np.abs(got.numpy() - expected).max() < 1e-5
    assert np.abs(decode.entropy(logits.double()).numpy() - expected).max() < 1e-12


def test_entropy_by_hand_and_at_extremes():
    assert decode.entropy(torch.full((1, 313, 1, 1), 42.0)).item() == pytest.approx(np.log(313), abs=1e-5)
    for two in (0.0, 1e30, -1e30):
        logits = torch.full((1, 313, 1, 1), -torch.inf)
        logits[0, [3, 200]] = two
        assert decode.entropy(logits).item() == pytest.approx(np.log(2), abs=1e-6)
    certain = torch.full((1, 313, 1, 1), -torch.inf)
    certain[0, 5] = -3.0
    assert decode.entropy(certain).item() == 0
    assert decode.entropy(random_logits(1e30)).abs().max() == 0
    shares = bins_with({(0, 0): 0.7, (0, 10): 0.3})
    assert decode.entropy(shares).item() == pytest.approx(-0.7 * np.log(0.7) - 0.3 * np.log(0.3), abs=1e-6)
    assert decode.entropy(torch.zeros(1, 4, 1, 1)).item() == pytest.approx(np.log(4))


@pytest.mark.parametrize("shape", [(0, 313, 2, 3), (2, 313, 0, 3)])
def test_no_pixels_give_no_colors(shape):
    n, _, height, width = shape
    for readout in (decode.mean, decode.mode, decode.median, decode.sample):
        assert readout(torch.zeros(shape)).shape == (n, 2, height, width)
    assert decode.sample(torch.zeros(shape), shared=True).shape == (n, 2, height, width)
    assert decode.entropy(torch.zeros(shape)).shape == (n, height, width)


def test_a_pixel_without_any_possible_bin_is_nan_and_spoils_no_other():
    logits = random_logits(1.0)
    want = decode.median(logits), decode.mean(logits), decode.entropy(logits)[:, None]
    logits[0, :, 1, 2] = -torch.inf
    got = decode.median(logits), decode.mean(logits), decode.entropy(logits)[:, None]
    for a, b in zip(got, want, strict=True):
        assert a[0, :, 1, 2].isnan().all()
        assert a.isnan().any(1).sum() == 1
        assert torch.allclose(a[1], b[1])
