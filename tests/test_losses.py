"""Losses against PyTorch's own, written out with dense targets; gradients against finite differences."""

import math

import pytest
import torch
import torch.nn.functional as F

from colorize import losses
from colorize.bins import nearest_bin, soft_encode
from colorize.prior import color_prior, rebalancing_weights


def case(n=2, q=313, size=3, seed=0, dtype=torch.float64):
    random = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(n, q, size, size, generator=random, dtype=dtype)
    ab = 40 * torch.randn(n, 2, size, size, generator=random, dtype=dtype)
    pixel = torch.rand(n, size, size, generator=random, dtype=dtype)
    return logits, ab, pixel


def dense(index, weight, q=313):
    shape = (index.shape[0], q, *index.shape[2:])
    return torch.zeros(shape, dtype=weight.dtype).scatter_add_(1, index, weight)


@pytest.mark.parametrize("weighted", [False, True])
def test_soft_cross_entropy_equals_pytorch_on_dense_targets(weighted):
    logits, ab, pixel = case()
    index, weight = soft_encode(ab)
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    each = F.cross_entropy(theirs, dense(index, weight), reduction="none")
    expected = (each * pixel).mean() if weighted else each.mean()
    got = losses.soft_cross_entropy(ours, index, weight, pixel if weighted else None)
    assert got.item() == pytest.approx(expected.item(), abs=1e-12)
    got.backward()
    expected.backward()
    assert (ours.grad - theirs.grad).abs().max() < 1e-14


def test_gradient_by_finite_differences():
    logits, ab, pixel = case(n=1, size=2)
    index, weight = soft_encode(ab)
    few = logits[:, :7].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: losses.soft_cross_entropy(z, index % 7, weight, pixel), few)


def test_a_bin_named_twice_counts_twice():
    logits = torch.randn(
        1, 4, 1, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    ).requires_grad_()
    index = torch.tensor([2, 2, 0]).view(1, 3, 1, 1)
    weight = torch.tensor([0.3, 0.3, 0.4], dtype=torch.float64).view(1, 3, 1, 1)
    expected = F.cross_entropy(logits, dense(index, weight, 4))
    assert losses.soft_cross_entropy(logits, index, weight).item() == pytest.approx(expected.item())
    (ours,) = torch.autograd.grad(losses.soft_cross_entropy(logits, index, weight), logits)
    (theirs,) = torch.autograd.grad(expected, logits)
    assert torch.allclose(ours, theirs)


def test_a_network_that_knows_nothing_starts_at_the_logarithm_of_313():
    _, ab, _ = case(dtype=torch.float32)
    start = losses.soft_cross_entropy(torch.zeros(2, 313, 3, 3), *soft_encode(ab))
    assert start.item() == pytest.approx(math.log(313), abs=1e-5)


def test_large_logits_and_half_precision():
    logits, ab, _ = case(dtype=torch.float32)
    index, weight = soft_encode(ab)
    huge = losses.soft_cross_entropy(logits * 1e4, index, weight)
    assert huge.isfinite()
    half = logits.bfloat16().requires_grad_()
    got = losses.soft_cross_entropy(half, index, weight)
    assert got.dtype == torch.float32
    got.backward()
    full = half.detach().float().requires_grad_()
    losses.soft_cross_entropy(full, index, weight).backward()
    assert half.grad.dtype == torch.bfloat16
    assert (half.grad.float() - full.grad).abs().max() < 1e-2 * full.grad.abs().max()


def test_classification_loss_weighs_pixels_by_their_nearest_bin():
    logits, ab, _ = case(dtype=torch.float32)
    bins = torch.rand(313, generator=torch.Generator().manual_seed(2))
    index, weight = soft_encode(ab)
    expected = losses.soft_cross_entropy(logits, index, weight, bins[nearest_bin(ab)])
    assert losses.classification(bins)(logits, ab).item() == pytest.approx(expected.item(), rel=1e-6)
    plain = losses.soft_cross_entropy(logits, *soft_encode(ab, 10))
    assert losses.classification(neighbors=10)(logits, ab).item() == pytest.approx(plain.item(), rel=1e-6)


def test_l2_by_hand():
    pred = torch.tensor([[3.0, 0.0], [4.0, 1.0]]).view(1, 2, 1, 2)  # distances 5 and 1
    true = torch.zeros(1, 2, 1, 2)
    assert losses.l2(pred, true).item() == pytest.approx((12.5 + 0.5) / 2)
    assert losses.l2(pred, true, torch.tensor([[[2.0, 0.0]]])).item() == pytest.approx(12.5)


def test_bad_input_gets_one_sentence():
    logits, ab, _ = case()
    index, weight = soft_encode(ab)
    with pytest.raises(ValueError, match=r"got \(2, 313, 3, 3\), \(2, 5, 3, 3\) and \(2, 4, 3, 3\)"):
        losses.soft_cross_entropy(logits, index, weight[:, :4])
    with pytest.raises(ValueError, match="logits must have shape"):
        losses.soft_cross_entropy(logits[:, :, :2], index, weight)
    with pytest.raises(ValueError, match=r"pixel_weight must have shape \(2, 3, 3\), got \(2, 1, 3, 3\)"):
        losses.soft_cross_entropy(logits, index, weight, torch.ones(2, 1, 3, 3))
    with pytest.raises(ValueError, match="pred_ab and true_ab"):
        losses.l2(ab, ab[:1])


# Prior and weights


def test_prior_counts_nearest_bins():
    _, ab, _ = case(n=3, size=8)
    prior = color_prior(ab)
    expected = torch.tensor([(nearest_bin(ab) == q).double().mean() for q in range(313)])
    assert torch.allclose(prior, expected)
    assert prior.sum().item() == pytest.approx(1)


@pytest.mark.parametrize("lam", [0.0, 0.25, 0.5, 1.0])
def test_weights_average_to_one_and_follow_the_formula(lam):
    prior = torch.rand(313, generator=torch.Generator().manual_seed(3), dtype=torch.float64) ** 4
    prior /= prior.sum()
    weight = rebalancing_weights(prior, lam)
    assert (prior * weight).sum().item() == pytest.approx(1)
    mixed = (1 - lam) * prior + lam / 313
    assert torch.allclose(weight * mixed, (weight * mixed)[0].expand(313))
    if lam == 1:
        assert torch.allclose(weight, torch.ones_like(weight))


def test_bad_priors_get_one_sentence():
    good = torch.full((4,), 0.25)
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5"):
        rebalancing_weights(good, 1.5)
    for bad in (good * 2, torch.tensor([1.5, -0.5]), good.view(2, 2)):
        with pytest.raises(ValueError, match="prior must be"):
            rebalancing_weights(bad)
    with pytest.raises(ValueError, match="smooth the prior"):
        rebalancing_weights(torch.tensor([1.0, 0.0]), 0)
    with pytest.raises(ValueError, match="needs pixels"):
        color_prior(torch.zeros(0, 2, 3, 3))
