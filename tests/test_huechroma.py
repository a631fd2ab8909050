"""Hue, chroma and alpha-beta, against Python's colorsys and direct formulas."""

import colorsys
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from colorize import huechroma, metrics
from colorize.lab import lab_to_rgb, rgb_to_lab

CORNERS = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3).T.unsqueeze(1)  # (3, 1, 8)


@pytest.fixture(scope="module")
def rgb():
    """Random colors, a few of them with two or three equal channels, and the corners of the cube."""
    random = torch.rand(3, 1, 400, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    random[1, 0, :50] = random[0, 0, :50]
    random[2, 0, 25:75] = random[1, 0, 25:75]
    return torch.cat((random, CORNERS.double()), dim=2)


def pixels(rgb):
    return rgb.flatten(1).T.tolist()


def test_hue_and_chroma_are_those_of_colorsys(rgb):
    hue, chroma = huechroma.hue_chroma(rgb)
    for k, color in enumerate(pixels(rgb)):
        h, s, v = colorsys.rgb_to_hsv(*color)
        assert chroma[0, k].item() == pytest.approx(s * v, abs=1e-12)
        if s > 0:
            assert math.cos(2 * math.pi * (h - hue[0, k].item())) == pytest.approx(1, abs=1e-12)
        else:
            assert hue[0, k] == 0
    assert hue.min() >= 0 and hue.max() < 1


def test_the_bicone_is_that_of_hls_and_leads_to_hsv(rgb):
    """Lightness as in HLS; V = L + C / 2 and S = C / V, the paper's formulas, are those of HSV."""
    _, chroma, lightness = huechroma.rgb_to_hcl(rgb).unbind(0)
    for k, color in enumerate(pixels(rgb)):
        assert lightness[0, k].item() == pytest.approx(colorsys.rgb_to_hls(*color)[1], abs=1e-12)
        _, s, v = colorsys.rgb_to_hsv(*color)
        value = lightness[0, k].item() + chroma[0, k].item() / 2
        assert value == pytest.approx(v, abs=1e-12)
        if v > 0:
            assert chroma[0, k].item() / value == pytest.approx(s, abs=1e-12)


def test_the_bicone_and_back(rgb):
    assert torch.allclose(huechroma.hcl_to_rgb(huechroma.rgb_to_hcl(rgb)), rgb, atol=1e-12)
    assert (
        huechroma.rgb_to_hcl(rgb)[1] <= huechroma.largest_chroma(huechroma.rgb_to_hcl(rgb)[2]) + 1e-12
    ).all()


def test_pure_colors_are_those_of_colorsys():
    hue = torch.linspace(0, 0.999, 200, dtype=torch.float64).view(1, -1)
    expected = np.array([colorsys.hsv_to_rgb(h, 1, 1) for h in hue.flatten().tolist()])
    assert np.allclose(huechroma.pure(hue)[:, 0].T, expected, atol=1e-12)


def test_a_hue_just_below_red_stays_below_one():
    almost = torch.tensor([1.0, 0.0, 1e-8]).view(3, 1, 1)
    assert 0 <= huechroma.hue_chroma(almost)[0].item() < 1


def test_gray_is_the_mean_and_not_the_lightness_of_lab(rgb):
    assert np.allclose(huechroma.mean_gray(rgb), rgb.numpy().mean(axis=0))
    green, yellow = torch.tensor([0.0, 1, 0]).view(3, 1, 1), torch.tensor([1.0, 1, 0]).view(3, 1, 1)
    assert huechroma.mean_gray(yellow) == 2 * huechroma.mean_gray(green)
    assert rgb_to_lab(yellow)[0] / rgb_to_lab(green)[0] < 1.2


def test_lightness_correction_restores_the_gray_and_keeps_hue_and_chroma():
    random = torch.Generator().manual_seed(1)
    rgb = 0.3 + 0.4 * torch.rand(2, 3, 5, 5, generator=random, dtype=torch.float64)
    gray = huechroma.mean_gray(rgb) + 0.25 * (torch.rand(2, 5, 5, generator=random) - 0.5)  # stays in [0, 1]
    found = huechroma.correct_lightness(rgb, gray)
    assert torch.allclose(found.mean(dim=1), gray)
    for before, after in zip(huechroma.hue_chroma(rgb), huechroma.hue_chroma(found), strict=True):
        assert torch.allclose(before, after)
    assert torch.equal(huechroma.correct_lightness(rgb, huechroma.mean_gray(rgb)), rgb)
    assert huechroma.correct_lightness(rgb, gray + 9).max() == 1


def test_alpha_beta_by_hand_and_back(rgb):
    alpha, beta = huechroma.rgb_to_alpha_beta(rgb)
    for k, (r, g, b) in enumerate(pixels(rgb)):
        below = (r + g + b) / 3 + 1e-4
        assert alpha[0, k].item() == pytest.approx((b - (r + g) / 2) / below, abs=1e-12)
        assert beta[0, k].item() == pytest.approx((r - g) / below, abs=1e-12)
    back = huechroma.alpha_beta_to_rgb(torch.stack((alpha, beta)), huechroma.mean_gray(rgb))
    assert torch.allclose(back, rgb, atol=1e-12)
    assert torch.stack((alpha, beta)).abs().max() <= 3
    one, other = rgb[None, ..., :200], rgb[None, ..., 200:400]  # the same space as that of the measure
    distance = (
        (huechroma.rgb_to_alpha_beta(one) - huechroma.rgb_to_alpha_beta(other)).norm(dim=1).mean().item()
    )
    assert metrics.rmse_alpha_beta(one, other) == pytest.approx(distance, abs=1e-9)


def test_boost(rgb):
    assert torch.allclose(huechroma.boost(rgb, 1), rgb, atol=1e-12)
    gray = huechroma.boost(rgb, 0)
    assert torch.allclose(gray, huechroma.rgb_to_hcl(rgb)[2].expand(3, -1, -1))
    more = huechroma.boost(rgb, 1.5)
    hue, chroma, lightness = huechroma.rgb_to_hcl(rgb)
    hue_now, chroma_now, lightness_now = huechroma.rgb_to_hcl(more)
    expected = torch.minimum(1.5 * chroma, 1 - (2 * lightness - 1).abs())
    assert torch.allclose(chroma_now, expected, atol=1e-12) and torch.allclose(lightness_now, lightness)
    colored = chroma_now > 1e-6
    assert torch.allclose(hue_now[colored], hue[colored], atol=1e-6)
    with pytest.raises(ValueError, match="factor must be 0 or above, got -1"):
        huechroma.boost(rgb, -1)


def test_hue_chroma_and_L_give_back_the_color(rgb):
    lab = rgb_to_lab(rgb)
    found = huechroma.hue_chroma_to_ab(*huechroma.hue_chroma(rgb), lab[0])
    assert (found - lab[1:]).abs().max() < 0.02


@settings(deadline=None, max_examples=60)
@given(st.floats(0, 0.999), st.floats(0, 1), st.floats(0, 100))
def test_any_hue_chroma_and_L_give_a_color_of_that_hue_and_L(hue, chroma, lightness):
    """Chroma is kept where there is room, and cut, never raised, where there is none; L always comes out."""
    one = [torch.tensor([[value]], dtype=torch.float64) for value in (hue, chroma, lightness)]
    ab = huechroma.hue_chroma_to_ab(*one)
    rgb = lab_to_rgb(torch.cat((one[2][None], ab)))
    assert rgb_to_lab(rgb)[0].item() == pytest.approx(lightness, abs=0.01)
    found_hue, found_chroma = (value.item() for value in huechroma.hue_chroma(rgb))
    assert found_chroma <= chroma + 1e-3
    if found_chroma > 0.02:
        assert math.cos(2 * math.pi * (found_hue - hue)) > 0.999
    if found_chroma < chroma - 2e-3:  # cut: a channel has arrived at 0 or 1
        assert rgb.min() < 2e-3 or rgb.max() > 1 - 2e-3


def test_white_and_black_have_no_color():
    for lightness in (0.0, 100.0):
        ab = huechroma.hue_chroma_to_ab(torch.rand(4, 4), torch.ones(4, 4), torch.full((4, 4), lightness))
        assert ab.abs().max() < 0.05


def test_wrong_shapes():
    with pytest.raises(
        ValueError, match=r"floats of shape \(\.\.\., 3, H, W\), got torch.float32 \(2, 4, 4\)"
    ):
        huechroma.hue_chroma(torch.rand(2, 4, 4))
    with pytest.raises(ValueError, match=r"torch\.uint8"):
        huechroma.mean_gray(torch.zeros(3, 4, 4, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"one shape .*\(4, 4\), \(4, 4\) and \(4, 5\)"):
        huechroma.hue_chroma_to_ab(torch.rand(4, 4), torch.rand(4, 4), torch.rand(4, 5))
