"""From histograms to values: against NumPy's interpolation, complex sums, and draws."""

import numpy as np
import pytest
import torch

from colorize import readouts
from colorize.quantiles import gaussian_axis, uniform_axis

AXIS = uniform_axis()


@pytest.fixture(scope="module")
def p():
    drawn = torch.rand(3, 32, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64) ** 4
    return drawn / drawn.sum(dim=1, keepdim=True)


def columns(p):
    return p.movedim(1, -1).reshape(-1, p.shape[1]).numpy()


@pytest.mark.parametrize("share", [0.5, 0.75, 0.01])
def test_quantiles_are_numpys_interpolation(p, share):
    edges = AXIS.edges.double().numpy()
    expected = [np.interp(share, np.concatenate(([0], np.cumsum(row))), edges) for row in columns(p)]
    assert np.allclose(readouts.quantile(p, AXIS.edges, share).flatten(), expected, atol=1e-7)
    if share == 0.5:
        assert torch.equal(readouts.median(p, AXIS.edges), readouts.quantile(p, AXIS.edges, share))


def test_medians_that_are_known():
    first = torch.zeros(1, 4)
    first[0, 0] = 1
    edges = torch.tensor([0, 0.25, 0.5, 0.75, 1])
    assert readouts.median(first, edges).item() == 0.125  # all mass in one bin: its middle
    gap = torch.tensor([[0.5, 0.0, 0.0, 0.5]])
    assert readouts.median(gap, edges).item() == 0.25  # the beginning of the gap
    unequal = torch.tensor([0.0, 10.0, 11.0])
    assert readouts.median(torch.tensor([[0.25, 0.75]]), unequal).item() == pytest.approx(10 + 1 / 3)


def test_the_median_of_much_gray_is_below_the_mean_of_little_and_above_that_of_more():
    """Section 3.3: gray draws the expectation down; the median jumps over it as soon as it is not the half."""
    mass = torch.zeros(1, 32)
    mass[0, 0], mass[0, 20] = 0.4, 0.6
    assert readouts.median(mass, AXIS.edges) > readouts.expectation(mass, AXIS.centers)


def test_circular_means_are_complex_sums(p):
    theta = 2 * np.pi * (np.arange(32) + 0.5) / 32
    z = columns(p) @ np.exp(1j * theta)
    hue, length = readouts.circular_mean(p)
    assert np.allclose(length.flatten(), np.abs(z))
    assert np.allclose(np.exp(2j * np.pi * hue.flatten().numpy()), z / np.abs(z))
    assert hue.min() >= 0 and hue.max() < 1


def test_a_hue_just_below_one_turn_is_zero():
    """PyTorch rounds the remainder of a tiny negative number to 1, which is no hue in [0, 1)."""
    more = torch.arange(-20, 21) * 2.0**-24  # of the bin at 7/8 of a turn than of that at 1/8
    zero = torch.zeros(len(more))
    hue, _ = readouts.circular_mean(torch.stack((0.5 + zero, zero, zero, 0.5 + more), dim=1))
    assert hue.min() >= 0 and hue.max() < 1


def test_the_circle_has_no_beginning(p):
    """Turning the bins by k turns the mean by k / K and leaves its length."""
    hue, length = readouts.circular_mean(p)
    turned, same = readouts.circular_mean(p.roll(5, dims=1))
    assert torch.allclose((turned - hue).remainder(1), torch.full_like(hue, 5 / 32))
    assert torch.allclose(same, length)
    around = torch.zeros(1, 32)
    around[0, 0] = around[0, -1] = 0.5  # just above and just below red
    assert min(readouts.circular_mean(around)[0].item(), 1 - readouts.circular_mean(around)[0].item()) < 1e-6
    opposite = torch.zeros(1, 32)
    opposite[0, 3] = opposite[0, 19] = 0.5
    assert readouts.circular_mean(opposite)[1].item() < 1e-6


def test_expectation_and_mode(p):
    axis = gaussian_axis()
    assert np.allclose(
        readouts.expectation(p, axis.centers).flatten(), columns(p) @ axis.centers.double().numpy()
    )
    assert np.array_equal(
        readouts.mode(p, axis.centers).flatten(), axis.centers.double().numpy()[columns(p).argmax(1)]
    )


def test_samples_follow_the_histogram():
    p = torch.tensor([0.5, 0.0, 0.2, 0.3]).view(1, 4, 1, 1).expand(1, 4, 200, 200)
    draw = [readouts.sample(p, torch.arange(4.0), torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(draw[0], draw[1]) and not torch.equal(draw[0], draw[2])
    shares = torch.bincount(draw[0].long().flatten(), minlength=4) / 40_000
    assert shares[1] == 0
    assert (shares - torch.tensor([0.5, 0, 0.2, 0.3])).abs().max() < 0.0125  # five standard deviations


def test_fading_as_the_code_has_it_and_as_the_paper_prints_it():
    """|z| of equation 4 has the 1 / K: with K = 32 and eta = 0.03 fading begins at a length of 0.96."""
    chroma = torch.full((5,), 0.5)
    length = torch.tensor([0.0, 0.48, 0.95, 0.96, 1.0])
    z = length / 32
    expected = np.minimum(z.numpy() / 0.03, 1) * 0.5
    assert np.allclose(readouts.fade(chroma, length), expected)
    assert np.allclose(readouts.fade(chroma, length, rule="printed"), np.maximum(z.numpy() / 0.03, 1) * 0.5)
    assert (readouts.fade(chroma, length, rule="printed") >= chroma).all()  # it never fades anything
    assert readouts.fade(chroma, length, rule="unscaled").tolist() == [0, 0.5, 0.5, 0.5, 0.5]
    assert torch.allclose(readouts.fade(chroma, length, bins=8, eta=0.12), readouts.fade(chroma, length))


def test_uncertainty():
    even, sure = torch.full((1, 32, 1), 1 / 32), torch.eye(32)[None, 0, :, None]
    assert readouts.uncertainty(even, torch.tensor([[0.5]])).item() == pytest.approx(0.5 * np.log(32))
    assert readouts.uncertainty(sure, torch.tensor([[0.5]])).item() == 0
    assert readouts.uncertainty(even, torch.zeros(1, 1)).item() == 0


def test_bad_input(p):
    with pytest.raises(ValueError, match=r"shape \(N, 31, \.\.\.\)"):
        readouts.expectation(p, torch.zeros(31))
    with pytest.raises(ValueError, match="edges finite"):
        readouts.median(p, gaussian_axis().edges)
    with pytest.raises(ValueError, match="share must be between 0 and 1"):
        readouts.quantile(p, AXIS.edges, 1)
    with pytest.raises(
        ValueError, match=r"rules code, printed and unscaled, and eta above 0, got 'max', 0\.03"
    ):
        readouts.fade(torch.zeros(1), torch.zeros(1), rule="max")
