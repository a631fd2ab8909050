"""Lab conversion against scikit-image, an independent implementation."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import color

from colorize import images, lab


def lattice(n: int = 33) -> torch.Tensor:
    """All colors of an n x n x n lattice in the RGB cube, (3, n, n * n) float64."""
    t = torch.linspace(0, 1, n, dtype=torch.float64)
    return torch.cartesian_prod(t, t, t).T.reshape(3, n, n * n)


def by_skimage(function, image: torch.Tensor) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-image warns when it clips a negative Z
        return torch.from_numpy(function(image.movedim(0, -1).numpy())).movedim(-1, 0)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-3)])
def test_equals_scikit_image_on_a_lattice(dtype, tolerance):
    rgb = lattice()
    expected = by_skimage(color.rgb2lab, rgb)
    got = lab.rgb_to_lab(rgb.to(dtype))
    assert got.dtype == dtype
    assert (got.double() - expected).abs().max() < tolerance
    back = lab.lab_to_rgb(expected.to(dtype))
    assert (back.double() - by_skimage(color.lab2rgb, expected)).abs().max() < tolerance


@pytest.mark.parametrize("name", images.BUNDLED)
def test_equals_scikit_image_on_photos(name):
    rgb = images.bundled(name)
    expected = by_skimage(color.rgb2lab, rgb.double())
    assert (lab.rgb_to_lab(rgb.double()) - expected).abs().max() < 1e-9
    assert (lab.rgb_to_lab(rgb) - expected).abs().max() < 1e-3
    pixels = (rgb * 255).round().byte()
    assert (lab.rgb_to_lab(pixels) - expected).abs().max() < 1e-3  # the table for 8-bit values


def test_equals_scikit_image_outside_the_gamut():
    random = torch.Generator().manual_seed(0)
    size = torch.tensor([110.0, 260.0, 260.0], dtype=torch.float64).view(3, 1, 1)
    start = torch.tensor([-5.0, -130.0, -130.0], dtype=torch.float64).view(3, 1, 1)
    image = start + size * torch.rand(3, 100, 500, generator=random, dtype=torch.float64)
    assert (lab.lab_to_rgb(image) - by_skimage(color.lab2rgb, image)).abs().max() < 1e-9


def test_every_8_bit_color_survives_the_round_trip():
    levels = torch.arange(256, dtype=torch.uint8)
    green, blue = torch.meshgrid(levels, levels, indexing="ij")
    for red in range(256):
        rgb = torch.stack((torch.full_like(green, red), green, blue))
        back = (lab.lab_to_rgb(lab.rgb_to_lab(rgb)) * 255).round().byte()
        assert torch.equal(back, rgb), f"red = {red}"


def test_known_colors():
    """White, black and gray have no color; the primaries' values are in every table of sRGB."""
    rgb = torch.tensor([[1.0, 1, 1], [0, 0, 0], [0.5, 0.5, 0.5], [0, 1, 0], [0, 0, 1]]).T.unsqueeze(-1)
    expected = [[100, 0, 0], [0, 0, 0], [53.39, 0, 0], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86]]
    assert torch.allclose(lab.rgb_to_lab(rgb)[..., 0].T, torch.tensor(expected), atol=0.02)


@pytest.mark.parametrize("value", [0.0, 1e-12, 0.0031308, 0.04045, 0.2, 0.5, 1.0])
def test_gradients_are_finite_and_right_on_the_gray_axis(value):
    rgb = torch.full((3, 1, 1), value, dtype=torch.float64, requires_grad=True)
    lab.rgb_to_lab(rgb).square().sum().backward()
    assert rgb.grad.isfinite().all()
    if value not in (0.0031308, 0.04045):  # at a knee the two sides' slopes differ by design of sRGB
        assert torch.autograd.gradcheck(lab.rgb_to_lab, rgb, atol=1e-4)


@pytest.mark.parametrize(
    "color", [(0, 0, 0), (100, 0, 0), (50, 0, 0), (50, 120, -120), (3, 40, -90), (120, 5, 5), (0, -50, 60)]
)
def test_gradients_back_to_rgb_are_finite(color):
    image = torch.tensor(color, dtype=torch.float64).view(3, 1, 1).requires_grad_()
    lab.lab_to_rgb(image).sum().backward()
    assert image.grad.isfinite().all()


def test_gradient_by_finite_differences():
    random = torch.Generator().manual_seed(1)
    rgb = (0.1 + 0.8 * torch.rand(2, 3, 2, 2, generator=random, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(lab.rgb_to_lab, rgb)
    assert torch.autograd.gradcheck(lab.lab_to_rgb, lab.rgb_to_lab(rgb.detach()).requires_grad_())


def test_half_precision_is_computed_in_float32():
    rgb = lattice(9).half()
    got = lab.rgb_to_lab(rgb)
    assert got.dtype == torch.float32
    assert torch.equal(got, lab.rgb_to_lab(rgb.float()))


@settings(max_examples=30, deadline=None)
@given(shape=st.lists(st.integers(1, 3), max_size=2), size=st.tuples(st.integers(1, 5), st.integers(1, 5)))
def test_any_leading_shape(shape, size):
    rgb = torch.rand(*shape, 3, *size, generator=torch.Generator().manual_seed(2))
    got = lab.rgb_to_lab(rgb)
    assert got.shape == rgb.shape
    each = [lab.rgb_to_lab(one) for one in rgb.reshape(-1, 3, *size)]
    assert torch.allclose(got.reshape(-1, 3, *size), torch.stack(each), atol=1e-4)


def test_results_stay_in_range():
    assert lab.lab_to_rgb(torch.tensor([50.0, 128.0, -128.0]).view(3, 1, 1)).min() >= 0
    assert lab.lab_to_rgb(torch.tensor([50.0, 128.0, -128.0]).view(3, 1, 1)).max() <= 1
    got = lab.rgb_to_lab(lattice())
    low, high = got.flatten(1).amin(1), got.flatten(1).amax(1)
    assert np.allclose(low, [0, -86.18, -107.86], atol=0.02)
    assert np.allclose(high, [100, 98.23, 94.48], atol=0.02)


@pytest.mark.parametrize(
    "function", [lab.rgb_to_lab, lab.lab_to_rgb, lab.srgb_to_linear, lab.linear_to_xyz, lab.xyz_to_lab]
)
def test_bad_input_gets_one_sentence(function):
    with pytest.raises(ValueError, match=r"must have shape \(\.\.\., 3, H, W\), got \(4, 5\)"):
        function(torch.zeros(4, 5))
    with pytest.raises(ValueError, match=r"got \(8, 8, 3\)"):
        function(torch.zeros(8, 8, 3))
    with pytest.raises(TypeError, match="int64"):
        function(torch.zeros(3, 2, 2, dtype=torch.int64))
    with pytest.raises(TypeError, match="got ndarray"):
        function(np.zeros((3, 2, 2)))


def test_gradients_below_zero_are_finite():  # removing rgb.clamp
    rgb = torch.tensor([-0.2, 0.0, 0.01], dtype=torch.float64).view(3, 1, 1).requires_grad_()
    lab.rgb_to_lab(rgb).sum().backward()
    assert rgb.grad.isfinite().all()


def test_8_bit_values_go_through_a_table():
    rgb = torch.zeros(3, 2, 2, dtype=torch.uint8)
    assert lab.rgb_to_lab(rgb).dtype == torch.float32
    with pytest.raises(ValueError, match="got \\(8, 8, 3\\)"):
        lab.srgb_to_linear(torch.zeros(8, 8, 3, dtype=torch.uint8))
    levels = torch.arange(256, dtype=torch.uint8).expand(3, 1, 256)
    assert (lab.srgb_to_linear(levels) - lab.srgb_to_linear(levels.double() / 255)).abs().max() < 1e-7


def test_gray_keeps_the_lightness_alone():
    gray = lab.to_gray(lattice())
    assert torch.allclose(lab.rgb_to_lab(gray)[:1], lab.rgb_to_lab(lattice())[:1], atol=0.02)
    assert lab.rgb_to_lab(gray)[1:].abs().max() < 0.02
    assert (gray.amax(0) - gray.amin(0)).max() < 1e-4  # red, green and blue alike
    eight_bit = (lattice() * 255).round().to(torch.uint8)
    assert torch.allclose(lab.to_gray(eight_bit), lab.to_gray(eight_bit / 255), atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 37, 20), (2, 3, 21, 16), (3, 5, 300), (2, 2, 3, 9, 9)])
def test_large_photos_are_cut_into_bands(monkeypatch, shape):
    """The same numbers, up to the order of sums in a matrix product, and the same gradients; a wrong shape is refused."""
    torch.manual_seed(0)
    rgb = torch.rand(shape, dtype=torch.float64)
    whole, eight_bit = lab.rgb_to_lab(rgb), lab.rgb_to_lab((rgb * 255).byte())
    back = lab.lab_to_rgb(whole)
    heights = []
    real = lab.xyz_to_lab
    monkeypatch.setattr(lab, "xyz_to_lab", lambda xyz: heights.append(xyz.shape[-2]) or real(xyz))
    monkeypatch.setattr(lab, "BAND", 40)
    close = {"rtol": 1e-12, "atol": 1e-12}
    assert torch.allclose(lab.rgb_to_lab(rgb), whole, **close)
    assert len(heights) > 1
    assert sum(heights) == shape[-2]
    assert torch.allclose(lab.rgb_to_lab((rgb * 255).byte()), eight_bit, atol=1e-4)
    assert torch.allclose(lab.lab_to_rgb(whole), back, **close)
    rgb.requires_grad_()
    (cut,) = torch.autograd.grad(lab.rgb_to_lab(rgb).square().sum(), rgb)
    monkeypatch.setattr(lab, "BAND", 10**6)
    (once,) = torch.autograd.grad(lab.rgb_to_lab(rgb).square().sum(), rgb)
    assert torch.allclose(cut, once, **close)
    monkeypatch.setattr(lab, "BAND", 1)
    for wrong in (torch.rand(4, 30, 20), torch.rand(600)):
        with pytest.raises(ValueError, match="must have shape"):
            lab.rgb_to_lab(wrong)


def test_float32_stays_close_to_float64_and_keeps_black():
    rgb = torch.cat((lattice(), lattice() / 40), dim=2)  # and dark colors, around the knees
    exact = lab.rgb_to_lab(rgb)
    difference = (lab.rgb_to_lab(rgb.float()) - exact).abs().amax(dim=(1, 2))
    assert (difference < torch.tensor([1e-4, 4e-4, 2e-4])).all()  # L, a, b
    assert (lab.lab_to_rgb(exact.float()) - rgb).abs().max() < 1e-5
    black = torch.zeros(3, 4, 5)
    assert torch.equal(lab.rgb_to_lab(black), black)
    assert torch.equal(lab.lab_to_rgb(black), black)
    linear = torch.linspace(0, 0.0031, 100).expand(3, 1, 100)
    assert torch.allclose(lab.linear_to_srgb(linear), 12.92 * linear, rtol=2e-6, atol=0)


@pytest.mark.parametrize(
    ("function", "knee"),
    [
        (lab.srgb_to_linear, 0.04045),
        (lab.linear_to_srgb, 0.0031308),
        (lab.xyz_to_lab, lab.KNEE),
        (lab.lab_to_xyz, 8.0),
    ],
)
def test_float32_has_the_gradients_of_float64(function, knee):
    """On both sides of the knees, which are at L = 8 on the way back."""
    for scale in (0.1, 0.9, 1.1, 5.0):
        single = torch.full((3, 1, 1), knee * scale, requires_grad=True)
        double = torch.full((3, 1, 1), knee * scale, dtype=torch.float64, requires_grad=True)
        (found,) = torch.autograd.grad(function(single)[0].sum(), single)
        (expected,) = torch.autograd.grad(function(double)[0].sum(), double)
        assert torch.allclose(found.double(), expected, rtol=1e-4, atol=1e-9)
