"""Readouts against NumPy in float64, at extreme temperatures and logits."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import color

from colorize import decode, lab
from colorize.bins import gamut_bins, soft_encode


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
    for readout in (decode.annealed_mean, decode.mean, decode.mode):
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
    with pytest.raises(ValueError, match=r"\(N, 313, H, W\), got \(1, 312, 2, 2\)"):
        decode.mean(logits[:, :312])
    with pytest.raises(ValueError, match=r"got \(313, 2, 2\)"):
        decode.mode(logits[0])
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
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = lab.rgb_to_lab(x), lab.lab_to_rgb(want[0]), decode.annealed_mean(z)
    for a, b in zip(got, want, strict=True):
        assert torch.equal(a, b)
