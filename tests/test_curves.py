"""Distributions of errors against sorting and counting them in NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from colorize import images, metrics
from colorize.curves import ErrorCurve, PsnrHistogram
from colorize.decode import paint
from colorize.lab import rgb_to_lab


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-4, 10), parts=st.integers(1, 5))
def test_the_curve_is_a_sorted_list(seed, scale, parts):
    """Below each edge lie as many values as NumPy finds by sorting, in whatever pieces they came."""
    values = torch.rand(500, generator=torch.Generator().manual_seed(seed)) * scale
    values[:5] = torch.tensor([0.0, 0.5, 1.0, 6.0, 7.0])  # on edges, and beyond the last
    curve = ErrorCurve()
    for part in values.tensor_split(parts):
        curve.add(part)
    edges = np.arange(0, 6144 + 1) / 1024
    expected = np.searchsorted(np.sort(values.double().numpy()), edges, side="left") / 500
    assert np.array_equal(curve.edges().numpy(), edges)
    assert np.array_equal(curve.cumulative().numpy(), expected)
    assert curve.below(0.5) == (values < 0.5).double().mean().item()


def test_errors_of_pixels_as_in_figure_7():
    """The share of pixels with an error below x, from the definition of the error; two halves merged are the whole."""
    photos = torch.stack([images.square(images.bundled(name), 32) for name in images.BUNDLED])
    pred = paint(rgb_to_lab(photos)[:, :1], rgb_to_lab(photos)[:, 1:].roll(1, 0))

    def alpha_beta(rgb):
        r, g, b = rgb.double().numpy().transpose(1, 0, 2, 3)
        return np.stack(((b - (r + g) / 2), (r - g))) / ((r + g + b) / 3 + 1e-4)

    errors = np.sqrt(((alpha_beta(pred) - alpha_beta(photos)) ** 2).sum(axis=0))
    whole, half = ErrorCurve(), ErrorCurve()
    whole.add(metrics.alpha_beta_distance(pred[:2], photos[:2]))
    half.add(metrics.alpha_beta_distance(pred[2:], photos[2:]))
    whole.merge(half)
    for x in (0.0625, 0.25, 1.0, 3.0):
        assert whole.below(x) == pytest.approx((errors < x).mean(), abs=1e-3)  # pixels on an edge, in float32
    area = (
        torch.trapezoid(1 - whole.cumulative()).item() * ErrorCurve.width
    )  # what is not below: its area is the mean
    assert area == pytest.approx(errors.mean(), abs=ErrorCurve.width)


def test_no_two_colors_are_farther_apart_than_the_limit():
    corners = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)  # (8, 3)
    one, other = corners.repeat(8, 1), corners.repeat_interleave(8, dim=0)
    farthest = metrics.alpha_beta_distance(one.T.reshape(1, 3, 8, 8), other.T.reshape(1, 3, 8, 8)).max()
    assert 5.99 < farthest < ErrorCurve.limit


def test_psnr_of_pictures_as_in_figure_8():
    values = torch.rand(300, generator=torch.Generator().manual_seed(0)) * 70
    values[0] = torch.inf  # an identical picture
    psnrs = PsnrHistogram()
    psnrs.add(values)
    for step in (0.25, 1.0, 2.5):
        edges, shares = psnrs.shares(step)
        expected, _ = np.histogram(values.numpy(), bins=[*np.arange(0, 60, step), 60, np.inf])
        found = (shares * 300).round().long().numpy()
        assert np.array_equal(edges.numpy(), np.arange(0, 60 + step, step))
        assert np.array_equal(found, expected)


def test_wrong_values_get_one_sentence():
    curve = ErrorCurve()
    with pytest.raises(ValueError, match="ErrorCurve has counted nothing"):
        curve.cumulative()
    for bad in (-0.1, float("nan")):
        with pytest.raises(ValueError, match="numbers of 0 and above, got"):
            curve.add(torch.tensor([1.0, bad]))
    assert not curve.counts.any()
    curve.add(torch.zeros(0))
    assert not curve.counts.any()
    curve.add(torch.ones(1))
    with pytest.raises(ValueError, match="from 0 to 6, got 7"):
        curve.below(7)
    for step in (0.3, 7, 0):
        with pytest.raises(ValueError, match="divides 60, got"):
            PsnrHistogram().shares(step)
