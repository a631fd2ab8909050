"""The five failures as numbers: each made on purpose, each seen by its own number."""

import math

import numpy as np
import pytest
import torch

from colorize import failures


@pytest.fixture
def true():
    """Red on the left, blue on the right, chroma 50; 40 x 40 pixels."""
    ab = torch.zeros(1, 2, 40, 40)
    ab[0, 0, :, :20], ab[0, 1, :, 20:] = 50.0, -50.0
    return ab


def numbers(predicted, true):
    return {key: value.item() for key, value in failures.measure(predicted, true).items()}


def test_the_truth_has_none(true):
    assert numbers(true, true) == pytest.approx(
        {"saturation": 1, "gray": 0, "hue": 0, "border": 0, "boundary": 1}
    )
    assert list(failures.NAMES) == list(numbers(true, true))


def test_half_the_chroma(true):
    found = numbers(true / 2, true)
    assert found["saturation"] == pytest.approx(0.5)
    assert found["boundary"] == pytest.approx(0.5)
    assert found["gray"] == found["hue"] == 0


def test_gray_parts(true):
    predicted = true.clone()
    predicted[..., :10, :] = 0  # a quarter of the rows
    assert numbers(predicted, true)["gray"] == pytest.approx(0.25)
    predicted[..., :10, :] = true[..., :10, :] * 0.15  # chroma 7.5
    assert numbers(predicted, true)["gray"] == pytest.approx(0.25)


@pytest.mark.parametrize(("degrees", "share"), [(89, 0), (91, 0.5), (180, 0.5)])
def test_turned_hues(true, degrees, share):
    angle = math.radians(degrees)
    turned = torch.stack(
        (
            math.cos(angle) * true[:, 0] - math.sin(angle) * true[:, 1],
            math.sin(angle) * true[:, 0] + math.cos(angle) * true[:, 1],
        ),
        dim=1,
    )
    half = torch.cat((turned[..., :20], true[..., 20:]), dim=3)
    assert numbers(half, true)["hue"] == pytest.approx(share)
    assert numbers(-true, true)["hue"] == 1
    assert numbers(torch.zeros_like(true), true)["hue"] == 0  # gray is no wrong hue


def test_a_wrong_border(true):
    predicted = true + 6.0 * torch.tensor([1.0, 0.0]).view(1, 2, 1, 1)
    predicted[..., 4:-4, 4:-4] = true[..., 4:-4, 4:-4]  # a tenth of 40 pixels
    assert numbers(predicted, true)["border"] == pytest.approx(6)
    assert numbers(2 * true - predicted, true)["border"] == pytest.approx(6)
    inside = true.clone()
    inside[:, 0, 4:-4, 4:-4] += 6
    assert numbers(inside, true)["border"] == pytest.approx(-6)


def test_blurred_boundaries(true):
    weight = torch.ones(2, 1, 1, 13) / 13
    padded = torch.nn.functional.pad(true, (6, 6, 0, 0), mode="replicate")
    blurred = torch.nn.functional.conv2d(padded, weight, groups=2)
    # Over 3 pixels a ramp of 13 rises by 3/13.
    assert numbers(blurred, true)["boundary"] == pytest.approx(3 / 13, rel=1e-4)


@pytest.mark.parametrize("size", [(7, 13), (20, 9), (41, 33)])
def test_boundaries_by_loops(size):
    height, width = size
    random = torch.Generator().manual_seed(height)
    predicted, true = (30 * torch.randn(1, 2, height, width, generator=random) for _ in range(2))
    steps = [
        (y, x, y + dy, x + dx)
        for dy, dx in ((0, 3), (3, 0))
        for y in range(height - dy)
        for x in range(width - dx)
    ]
    there, theirs = (
        np.array([math.dist(ab[0, :, y, x], ab[0, :, v, u]) for y, x, v, u in steps])
        for ab in (predicted, true)
    )
    strong = theirs >= np.quantile(theirs, 0.95)
    expected = there[strong].sum() / theirs[strong].sum()
    assert failures.boundary_contrast(predicted, true).item() == pytest.approx(expected, rel=1e-5)


def test_a_photo_of_more_pixels_than_torch_takes_quantiles_of():
    large = torch.zeros(1, 2, 2900, 2900)  # 16.8 million changes
    large[..., 1450:] = 40
    assert failures.boundary_contrast(large / 2, large).item() == pytest.approx(0.5)


def test_each_picture_by_itself(true):
    both = failures.measure(torch.cat((true / 2, true)), torch.cat((true, true)))
    assert both["saturation"].tolist() == pytest.approx([0.5, 1])
    assert both["boundary"].tolist() == pytest.approx([0.5, 1])


def test_photos_without_color_have_no_answer_but_no_crash():
    gray = torch.zeros(1, 2, 20, 20)
    found = numbers(gray, gray)
    assert all(math.isfinite(value) for value in found.values())
    assert found["gray"] == found["hue"] == found["border"] == 0
    assert found["boundary"] == 1


@pytest.mark.parametrize("shape", [(2, 20, 20), (1, 3, 20, 20), (1, 2, 3, 20), (0, 2, 20, 20)])
def test_other_shapes_are_named(shape):
    with pytest.raises(ValueError, match=r"must both have shape \(N, 2, H, W\)"):
        failures.measure(torch.zeros(shape), torch.zeros(shape))
    with pytest.raises(ValueError, match="must both have"):
        failures.saturation(torch.zeros(1, 2, 20, 20), torch.zeros(1, 2, 20, 21))
