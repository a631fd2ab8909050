"""Old photographs: what ageing does is known, so what a repair brings back can be measured."""

import math

import pytest
import torch
from skimage.color import rgb2lab

from colorize import images, restoration
from colorize.lab import rgb_to_lab


@pytest.fixture(scope="module")
def photo():
    return rgb_to_lab(images.square(images.bundled("chelsea"), 64))[0]  # (64, 64) L


def test_sepia_keeps_the_lightness_and_has_one_hue(photo):
    print_ = restoration.sepia(photo)
    lab = torch.from_numpy(rgb2lab(print_.movedim(0, -1).numpy()))
    assert (lab[..., 0] - photo).abs().max() < 0.1
    hue = torch.atan2(lab[..., 2], lab[..., 1])[(photo > 20) & (photo < 90)]
    assert (hue - math.atan2(24, 10)).abs().max() < 0.05
    middle = torch.from_numpy(rgb2lab(restoration.sepia(torch.tensor([[50.0]])).movedim(0, -1).numpy()))
    assert middle.flatten().tolist() == pytest.approx([50, 10, 24], abs=0.1)
    ends = restoration.sepia(torch.tensor([[0.0, 100.0]]))
    assert (ends.amax(dim=0) - ends.amin(dim=0)).max() < 1e-3  # black and white have no color


def test_an_even_fading_is_undone_by_a_stretch(photo):
    aged = restoration.fade(photo, 0.6, 0.6)
    assert aged.max() - aged.min() == pytest.approx(0.4 * (photo.max() - photo.min()).item(), abs=1e-3)
    assert (restoration.stretch(aged) - restoration.stretch(photo)).abs().max() < 1e-3
    uneven = restoration.fade(photo)
    assert (restoration.stretch(uneven) - restoration.stretch(photo)).abs().max() > 5


def test_a_stretch_by_hand():
    values = torch.arange(40.0, 61.0).view(3, 7)  # 40 to 60
    assert torch.allclose(restoration.stretch(values, 0.0), (values - 40) * 5)
    found = restoration.stretch(values, 0.1)  # 42 becomes 0, 58 becomes 100
    assert found.flatten()[[0, 2, 10, 18, 20]].tolist() == pytest.approx([0, 0, 50, 100, 100], abs=1e-3)
    flat = torch.full((2, 3), 30.0)
    assert torch.equal(restoration.stretch(flat), flat)


def test_a_scan_of_more_pixels_than_torch_takes_quantiles_of():
    scan = torch.linspace(30, 70, 2**24 + 4096).view(
        4097, 4096
    )  # an A4 page at 600 dots per inch has twice as many
    found = restoration.stretch(scan, 0.25)
    assert found[0, 0] == 0 and found[-1, -1] == 100
    assert found.flatten()[scan.numel() // 2].item() == pytest.approx(50, abs=0.01)


def test_fading_goes_from_left_to_right():
    aged = restoration.fade(torch.full((2, 5), 100.0), 0.0, 1.0, 40.0)
    assert aged[0].tolist() == pytest.approx([100, 85, 70, 55, 40])


def test_grain_has_the_strength_it_says_and_a_seed():
    noise = restoration.grain(torch.full((100, 100), 50.0), 6.0, seed=1) - 50
    assert noise.std().item() == pytest.approx(6, rel=0.03)
    assert abs(noise.mean().item()) < 0.3
    assert torch.equal(*(restoration.grain(torch.full((9, 9), 50.0), seed=3) for _ in range(2)))
    other = restoration.grain(torch.full((9, 9), 50.0), seed=4)
    assert not torch.equal(restoration.grain(torch.full((9, 9), 50.0), seed=3), other)
    assert restoration.grain(torch.full((50, 50), 99.0)).max() == 100


def test_scratches_go_from_top_to_bottom_and_repeat():
    mask = restoration.scratches(40, 60, 5, seed=2)
    assert mask.shape == (40, 60)
    assert torch.equal(mask, restoration.scratches(40, 60, 5, seed=2))
    assert not torch.equal(mask, restoration.scratches(40, 60, 5, seed=3))
    assert not restoration.scratches(40, 60, 0).any()
    one = restoration.scratches(200, 400, 1, seed=0)
    widths = one.sum(dim=1)
    assert widths.min() >= 1 and widths.max() <= 3
    assert one[0].any() and one[-1].any()


def test_inpainting_continues_a_slope_and_leaves_the_rest():
    slope = torch.linspace(20, 80, 30).expand(20, 30).contiguous()
    mask = torch.zeros(20, 30, dtype=torch.bool)
    mask[:, 14:16] = True
    broken = restoration.scratched(slope, mask)
    assert (broken[mask] == restoration.SCRATCH).all()
    repaired = restoration.inpaint(broken, mask)
    assert torch.equal(repaired[~mask], slope[~mask])
    assert (repaired - slope).abs().max() < 0.5
    assert torch.equal(restoration.inpaint(slope, torch.zeros_like(mask)), slope)


def test_inpainting_brings_a_photo_back(photo):
    mask = restoration.scratches(64, 64, 3, seed=1)
    broken = restoration.scratched(photo, mask)
    repaired = restoration.inpaint(broken, mask)
    before, after = ((x - photo)[mask].abs().mean() for x in (broken, repaired))
    assert after < before / 5
    hidden = torch.where(mask, torch.zeros_like(photo), photo)
    assert torch.equal(restoration.inpaint(hidden, mask), repaired)  # what lies under the mask plays no part


def test_scratches_are_found_where_nothing_else_is_bright_and_narrow():
    slope = torch.linspace(20, 60, 50).expand(30, 50).contiguous()
    mask = restoration.scratches(30, 50, 2, seed=5)
    assert torch.equal(restoration.find_scratches(restoration.scratched(slope, mask)), mask)
    assert not restoration.find_scratches(slope).any()
    wide = slope.clone()
    wide[:, 10:20] = 95  # wider than 7 pixels: a thing, no scratch
    assert not restoration.find_scratches(wide).any()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: restoration.sepia(torch.zeros(1, 4, 4)),
            r"lightness must have shape \(H, W\), got \(1, 4, 4\)",
        ),
        (lambda: restoration.fade(torch.zeros(4, 4), 0.5, 1.2), "shares in 0..1, got 0.5 and 1.2"),
        (lambda: restoration.scratches(4, 4, -1), "got 4 x 4, -1"),
        (lambda: restoration.find_scratches(torch.zeros(4, 4), 4), "must be odd and 3 or more.* got 4 and"),
        (
            lambda: restoration.find_scratches(torch.zeros(4, 4), contrast=-1),
            "contrast 0 or more, got 7 and -1",
        ),
        (
            lambda: restoration.stretch(torch.zeros(4, 4, dtype=torch.uint8)),
            "floating point.* got torch.uint8",
        ),
        (lambda: restoration.stretch(torch.zeros(4, 4), 0.5), "below 0.5, got 0.5"),
        (lambda: restoration.inpaint(torch.zeros(4, 4), torch.zeros(4, 4)), "mask must be bool"),
        (lambda: restoration.inpaint(torch.zeros(4, 4), torch.zeros(3, 4, dtype=torch.bool)), r"of \(3, 4\)"),
        (
            lambda: restoration.inpaint(torch.zeros(4, 4), torch.ones(4, 4, dtype=torch.bool)),
            "covers the whole",
        ),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
