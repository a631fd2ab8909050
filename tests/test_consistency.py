"""Flicker and color distribution consistency: against brute force, SciPy and films whose answer is known."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from colorize import consistency


def image(seed=0, channels=2, height=9, width=20):
    return torch.rand(channels, height, width, generator=torch.Generator().manual_seed(seed))


def test_frames_are_parts_of_the_photo():
    photo = image(height=9, width=20)
    frames = consistency.pan(photo, size=6, step=4)
    assert frames.shape == (4, 2, 6, 6)  # left edges 0, 4, 8, 12
    assert torch.equal(frames[2], photo[:, 1:7, 8:14])
    assert consistency.offsets(20, 20, 3) == [0]
    assert consistency.offsets(20, 18, 1) == [0, 1, 2]


@pytest.mark.parametrize("step", [1, 3, 5])
def test_frames_of_one_photo_do_not_flicker(step):
    frames = consistency.pan(image(), size=6, step=step)
    assert consistency.flicker(frames[0], frames[1], step) == 0
    assert consistency.flicker(frames[1], frames[0], step) > 0.1  # the wrong way round


def test_flicker_by_brute_force():
    first, second = image(1, height=4, width=7), image(2, height=4, width=7)
    for step in (0, 2, 6):
        apart = [
            math.dist(first[:, y, x + step].tolist(), second[:, y, x].tolist())
            for y in range(4)
            for x in range(7 - step)
        ]
        assert consistency.flicker(first, second, step) == pytest.approx(sum(apart) / len(apart), rel=1e-5)


def test_averaging_takes_each_point_from_the_frames_that_show_it():
    step, reach = 2, 1
    frames = image(3, channels=5 * 2, height=3, width=6).view(5, 2, 3, 6)
    found = consistency.averaged(frames, step, reach)
    for t in range(5):
        for x in range(6):
            place = t * step + x
            seen = [
                frames[k, :, :, place - k * step]
                for k in range(max(0, t - reach), min(5, t + reach + 1))
                if 0 <= place - k * step < 6
            ]
            assert torch.allclose(found[t, :, :, x], torch.stack(seen).mean(dim=0), atol=1e-6)


def test_averaging_changes_nothing_in_a_film_that_is_consistent():
    frames = consistency.pan(image(4), size=6, step=3)
    assert torch.allclose(consistency.averaged(frames, 3, 2), frames, atol=1e-6)
    noisy = torch.rand(4, 2, 5, 5)
    assert torch.equal(consistency.averaged(noisy, 1, 0), noisy)
    assert torch.allclose(consistency.averaged(noisy, 9, 3), noisy)  # no common point


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 30))
def test_jensen_shannon_is_scipys_squared(seed, bins):
    random = torch.Generator().manual_seed(seed)
    p, q = (torch.rand(bins, generator=random, dtype=torch.float64).round(decimals=1) for _ in range(2))
    p[0], q[-1] = 1, 1  # some zeros, but never nothing
    p, q = p / p.sum(), q / q.sum()
    assert consistency.jensen_shannon(p, q).item() == pytest.approx(jensenshannon(p, q) ** 2, abs=1e-9)
    assert consistency.jensen_shannon(p, q) == consistency.jensen_shannon(q, p)
    assert consistency.jensen_shannon(p, p) == 0


def test_histograms_count_every_pixel_once():
    rgb = torch.tensor([0.0, 0.24, 0.25, 0.999, 1.0, 0.5]).view(1, 1, 2, 3).expand(1, 3, 2, 3)
    assert (consistency.histograms(rgb, 4) * 6)[0, 1].tolist() == [2, 1, 1, 2]


def test_cdc_by_hand():
    black, white = torch.zeros(3, 2, 2), torch.ones(3, 2, 2)
    film = torch.stack(
        [black, white] * 3
    )  # neighbors have nothing in common; two or four apart they are equal
    assert consistency.cdc(film) == pytest.approx(math.log(2) / 3)
    assert consistency.cdc(film, gaps=(1,)) == pytest.approx(math.log(2))
    assert consistency.cdc(film, gaps=(2, 4)) == 0
    assert consistency.cdc(black.expand(5, 3, 2, 2)) == 0


def test_cdc_does_not_see_where_a_color_is():
    photo = image(5, channels=3, height=8, width=8)
    random = torch.Generator().manual_seed(0)
    film = torch.stack(
        [photo.flatten(1)[:, torch.randperm(64, generator=random)].view(3, 8, 8) for _ in range(5)]
    )
    assert consistency.cdc(film) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: consistency.offsets(5, 6, 1), "got 6, 1"),
        (lambda: consistency.offsets(5, 5, 0), "got 5, 0"),
        (lambda: consistency.pan(torch.zeros(3, 4, 9), 5, 1), "does not fit into 4 rows"),
        (lambda: consistency.flicker(torch.zeros(2, 4, 4), torch.zeros(2, 4, 5), 1), "must both be"),
        (
            lambda: consistency.flicker(torch.zeros(2, 4, 4), torch.zeros(2, 4, 4), 4),
            "step must be 0 to 3, got 4",
        ),
        (
            lambda: consistency.flicker(torch.zeros(3, 4, 4), torch.zeros(3, 4, 4), 1),
            r"must both be \(2, H, W\)",
        ),
        (lambda: consistency.averaged(torch.zeros(3, 2, 4, 4), 0, 1), "step >= 1"),
        (lambda: consistency.histograms(torch.zeros(1, 3, 0, 4)), r"got \(1, 3, 0, 4\)"),
        (lambda: consistency.histograms(torch.full((1, 3, 4, 4), 255, dtype=torch.uint8)), "got torch.uint8"),
        (lambda: consistency.histograms(torch.full((1, 3, 4, 4), math.nan)), "NaN"),
        (lambda: consistency.cdc(torch.zeros(5, 3, 2, 2), gaps=(-1,)), r"1 or more frames, got \(-1,\)"),
        (lambda: consistency.cdc(torch.zeros(5, 3, 2, 2), gaps=()), r"got \(\)"),
        (lambda: consistency.jensen_shannon(torch.zeros(2), torch.zeros(3)), "one shape"),
        (lambda: consistency.histograms(torch.zeros(3, 4, 4)), r"\(T, C, H, W\)"),
        (lambda: consistency.cdc(torch.zeros(4, 3, 2, 2)), "more than 4 frames, got 4"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
