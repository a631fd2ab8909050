"""Gaussian and uniform bins, histograms of patches, and the losses over them: against SciPy, NumPy and autograd."""

import numpy as np
import pytest
import scipy.stats
import torch
import torch.nn.functional as F

from colorize import quantiles
from colorize.huechroma import hue_chroma
from colorize.toyworld import ToyWorld


@pytest.mark.parametrize("bins", [1, 2, 16, 32])
def test_gaussian_bins_are_scipys_quantiles(bins):
    axis = quantiles.gaussian_axis(bins)
    gaussian = scipy.stats.norm(0, 25)
    assert np.allclose(axis.edges, gaussian.ppf(np.arange(bins + 1) / bins), rtol=1e-5, atol=1e-5)
    assert np.allclose(axis.centers, gaussian.ppf((np.arange(bins) + 0.5) / bins), rtol=1e-5, atol=1e-5)
    assert len(axis) == bins


def test_each_gaussian_bin_holds_the_same_share():
    axis = quantiles.gaussian_axis()
    drawn = 25 * torch.randn(320_000, generator=torch.Generator().manual_seed(0))
    counts = torch.bincount(axis.index(drawn), minlength=32)
    assert counts.sum() == 320_000
    assert (counts - 10_000).abs().max() < 500  # five standard deviations
    assert axis.centers.abs().max() == pytest.approx(53.9, abs=0.1)
    assert axis.edges[17] - axis.edges[16] == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize(
    "axis", [quantiles.gaussian_axis(), quantiles.uniform_axis(), quantiles.gaussian_axis(1)]
)
def test_numbers_are_numpys(axis):
    values = np.random.default_rng(0).normal(0.4, 30, (7, 50)).astype(np.float32)
    values[0, :20] = np.linspace(0, 1, 20)
    expected = np.digitize(values, axis.edges[1:-1].numpy())
    assert np.array_equal(axis.index(torch.from_numpy(values)), expected)
    inside = axis.centers
    assert torch.equal(axis.index(inside), torch.arange(len(axis)))
    left = axis.edges[1:-1]  # a bin has its left edge
    assert torch.equal(axis.index(left), torch.arange(1, len(axis)))


def test_uniform_bins():
    axis = quantiles.uniform_axis(4)
    assert axis.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert axis.centers.tolist() == [0.125, 0.375, 0.625, 0.875]
    assert axis.index(torch.tensor([0.0, 1.0, 1.2, -0.1])).tolist() == [0, 3, 3, 0]


def test_the_joint_grid_is_two_axes():
    axis = quantiles.gaussian_axis(16)
    ab = 30 * torch.randn(2, 2, 9, generator=torch.Generator().manual_seed(0))
    number = quantiles.joint_index(ab, axis)
    centers = quantiles.joint_centers(axis)
    assert centers.shape == (256, 2) and number.shape == (2, 9)
    for k, channel in enumerate(ab.unbind(1)):
        assert torch.equal(centers[number][..., k], axis.centers[axis.index(channel)])
    assert torch.equal(quantiles.joint_index(centers.T[None], axis)[0], torch.arange(256))


def test_a_patch_is_what_numpy_cuts_out():
    picture = torch.arange(2 * 3 * 6 * 5.0).view(2, 3, 6, 5)
    points = torch.tensor([[[0, 0], [2, 3], [5, 4]], [[1, 1], [3, 0], [0, 4]]]).float()
    padded = np.pad(picture.numpy(), ((0, 0), (0, 0), (2, 2), (2, 2)), mode="edge")
    found = quantiles.patch(picture, points, 5)
    assert found.shape == (2, 3, 3, 25)
    for n in range(2):
        for p, (row, column) in enumerate(points[n].int().tolist()):
            expected = padded[n, :, row : row + 5, column : column + 5].reshape(3, 25)
            assert np.array_equal(found[n, :, p], expected)
    assert torch.equal(quantiles.patch(picture, points, 1)[0, :, 1, 0], picture[0, :, 2, 3])


def test_sparse_histograms_are_the_dense_ones_at_their_points():
    random = torch.Generator().manual_seed(0)
    index = torch.randint(8, (2, 11, 9), generator=random)
    dense = quantiles.dense_histograms(index, 8, 7)
    points = torch.stack(
        (torch.randint(11, (2, 20), generator=random), torch.randint(9, (2, 20), generator=random)), -1
    )
    found = quantiles.histogram(quantiles.patch(index[:, None], points, 7)[:, 0], 8)
    for n in range(2):
        for p, (row, column) in enumerate(points[n].tolist()):
            assert torch.allclose(found[n, p], dense[n, :, row, column], atol=1e-6)
    assert torch.allclose(dense.sum(dim=1), torch.ones(2, 11, 9))


def test_weighted_histograms():
    index, weight = torch.tensor([[0, 1, 1, 3]]), torch.tensor([[1.0, 2.0, 0.5, 0.5]])
    expected = np.histogram([0, 1, 1, 3], bins=4, range=(0, 4), weights=[1, 2, 0.5, 0.5])[0] / 4
    assert np.allclose(quantiles.histogram(index, 4, weight)[0], expected)
    assert quantiles.histogram(index, 4, 0 * weight)[0].tolist() == [0.25, 0.5, 0, 0.25]  # no hue counts


def test_kl_is_scipys_relative_entropy():
    random = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(4, 6, 5, generator=random)
    target = torch.rand(4, 6, 5, generator=random) * (torch.rand(4, 6, 5, generator=random) > 0.3)
    target /= target.sum(dim=1, keepdim=True)
    expected = scipy.stats.entropy(target.double(), logits.double().softmax(dim=1), axis=1)
    assert np.allclose(quantiles.kl(logits, target), expected, atol=1e-5)
    number = torch.randint(6, (4, 5), generator=random)
    onehot = F.one_hot(number, 6).movedim(-1, 1).float()
    assert torch.allclose(quantiles.kl(logits, number), quantiles.kl(logits, onehot), atol=1e-6)
    assert quantiles.kl(target.log(), target).abs().max() < 1e-6  # nothing is better than the target itself
    assert quantiles.kl(logits.bfloat16(), number).dtype == torch.float32


def test_hue_counts_by_chroma():
    """By the definition, pixel by pixel; and a gray pixel leaves no gradient for its hue."""
    random = torch.Generator().manual_seed(0)
    hue_logits = torch.randn(1, 8, 3, generator=random, requires_grad=True)
    chroma_logits = torch.randn(1, 8, 3, generator=random)
    hue, chroma, value = torch.tensor([[1, 2, 3]]), torch.tensor([[0, 4, 7]]), torch.tensor([[0.0, 0.5, 0.9]])
    loss = quantiles.hue_chroma_loss(hue_logits, chroma_logits, hue, chroma, value)
    by_hand = 0.0
    for p in range(3):
        log_hue, log_chroma = (z[0, :, p].log_softmax(0) for z in (hue_logits, chroma_logits))
        by_hand += -log_chroma[chroma[0, p]] - 5 * value[0, p] * log_hue[hue[0, p]]
    assert loss.item() == pytest.approx(by_hand.item() / 3, rel=1e-6)
    loss.backward()
    assert hue_logits.grad[0, :, 0].abs().max() == 0
    assert hue_logits.grad[0, :, 1].abs().max() > 0


@pytest.mark.parametrize("kind", ["apple", "roof", "plum"])
def test_the_exact_optimum_of_a_palette_has_no_gradient(kind):
    """The best answer to KL is the palette's own histogram; to the weighted hue loss it is that one, weighted by chroma."""
    palette = ToyWorld().palette(kind)
    colors, share = palette.colors.T.float(), palette.probabilities.float()
    rgb = torch.stack(
        [torch.tensor([0.8, 0.3, 0.2]), torch.tensor([0.2, 0.6, 0.1]), torch.tensor([0.5, 0.5, 0.3])]
    )
    axis = quantiles.gaussian_axis()
    target = quantiles.histogram(axis.index(colors), 32, share.expand(2, -1))  # of a and of b
    logits = torch.full((2, 32), -20.0).where(target == 0, target.log()).requires_grad_()
    numbers = axis.index(colors)  # (2, k)
    expected = sum(p * quantiles.kl(logits, numbers[:, k]).sum() for k, p in enumerate(share))
    expected.backward()
    assert logits.grad.abs().max() < 1e-5
    hue, chroma = hue_chroma(rgb[: len(share)].T.unsqueeze(1))
    even = quantiles.uniform_axis(8)
    weight = share * chroma[0]
    best = quantiles.histogram(even.index(hue), 8, weight[None])
    z = torch.full((1, 8), -20.0).where(best == 0, best.log()).view(1, 8, 1).requires_grad_()
    other = torch.zeros(1, 8, 1)
    total = sum(
        p
        * quantiles.hue_chroma_loss(
            z, other, even.index(hue)[:, k : k + 1], even.index(chroma)[:, k : k + 1], chroma[:, k : k + 1]
        )
        for k, p in enumerate(share)
    )
    total.backward()
    assert z.grad.abs().max() < 1e-5


def test_bad_input():
    with pytest.raises(ValueError, match="bins must be 1 or more and sigma above 0, got 0 and 25"):
        quantiles.gaussian_axis(0)
    with pytest.raises(ValueError, match="bins must be 1 or more, got 0"):
        quantiles.uniform_axis(0)
    with pytest.raises(ValueError, match="side must be odd, 1 or above, got 2"):
        quantiles.patch(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 2), 2)
