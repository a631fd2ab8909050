"""Losses against PyTorch's own, written out with dense targets; gradients against finite differences."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from colorize import losses
from colorize.bins import nearest_bin, soft_encode


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


@pytest.mark.parametrize("beta", [0.5, 1.0, 30.0])
def test_smooth_l1_equals_pytorch_and_a_sum_by_hand(beta):
    _, true, pixel = case(n=3)
    pred = case(n=3, seed=1)[1].requires_grad_()
    got = losses.smooth_l1(pred, true, beta, pixel)
    each = F.smooth_l1_loss(pred, true, beta=beta, reduction="none")
    assert got.item() == pytest.approx((each.sum(1) * pixel).mean().item(), rel=1e-12)
    by_hand = 0.0
    for (n, axis, y, x), p in np.ndenumerate(pred.detach().numpy()):
        d = abs(p - true[n, axis, y, x].item())
        by_hand += pixel[n, y, x].item() * (d * d / (2 * beta) if d < beta else d - beta / 2)
    assert got.item() == pytest.approx(by_hand / (3 * 3 * 3), rel=1e-12)
    (ours,) = torch.autograd.grad(got, pred)
    (theirs,) = torch.autograd.grad((each.sum(1) * pixel).mean(), pred)
    assert torch.allclose(ours, theirs, rtol=1e-12, atol=0)


def test_smooth_l1_by_hand():
    pred = torch.tensor([[3.0, 0.0], [-0.5, 1.0]]).view(1, 2, 1, 2)  # (3, -0.5) and (0, 1)
    true = torch.zeros(1, 2, 1, 2)
    assert losses.smooth_l1(pred, true).item() == pytest.approx((2.5 + 0.125 + 0.5) / 2)
    assert losses.smooth_l1(pred, true, pixel_weight=torch.tensor([[[2.0, 0.0]]])).item() == pytest.approx(
        2.625
    )
    assert losses.smooth_l1(true, true).item() == 0


def test_smooth_l1_gradient_by_finite_differences():
    pred, true = (
        torch.tensor([[2.0, 0.3, -0.7], [-5.0, 0.0, 0.9]], dtype=torch.float64).view(1, 2, 1, 3) * s
        for s in (1, 0.1)
    )
    pixel = torch.tensor([[[0.5, 2.0, 1.0]]], dtype=torch.float64)
    check = torch.autograd.gradcheck(
        lambda p: losses.smooth_l1(p, true, 1.0, pixel), pred.requires_grad_(), atol=1e-7
    )
    assert check
    (at_truth,) = torch.autograd.grad(losses.smooth_l1(pred, pred.detach()), pred)
    assert torch.equal(at_truth, torch.zeros_like(pred))


def test_smooth_l1_of_ab_divided_by_110_is_half_the_square():
    """The trap of Agrawal & Sawhney's loss: on the usual scale of networks nothing of L1 is left."""
    _, true, pixel = case(n=3, size=8)
    pred = case(n=3, size=8, seed=1)[1]
    pred = true + (pred - true).clamp(-109, 109)  # colors of photos do not lie farther apart
    assert (pred - true).abs().max() > 100
    small = losses.smooth_l1(pred / 110, true / 110, pixel_weight=pixel)
    assert small.item() == pytest.approx(losses.l2(pred, true, pixel).item() / 110**2, rel=1e-12)
    assert (
        losses.smooth_l1(pred, true).item() < losses.l2(pred, true).item() / 5
    )  # in ab units it is another loss


class BackwardOnly(torch.autograd.Function):
    """The rebalancing layer of the paper's own code: changes nothing forward, multiplies the gradient backward."""

    @staticmethod
    def forward(ctx, logits, pixel_weight):
        ctx.save_for_backward(pixel_weight)
        return logits.view_as(logits)

    @staticmethod
    def backward(ctx, grad):
        (pixel_weight,) = ctx.saved_tensors
        return grad * pixel_weight.unsqueeze(1), None


def test_rebalancing_backward_only_gives_the_same_gradient_as_a_weight_in_the_loss():
    _, ab, _ = case()
    index, weight = soft_encode(ab)
    bins = 0.1 + 6 * torch.rand(313, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    pixel = bins[index[:, 0]]
    gradients, values = [], []
    for backward_only in (True, False):
        torch.manual_seed(5)
        network = torch.nn.Sequential(
            torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(8, 313, 1)
        ).double()
        logits = network(torch.linspace(-1, 1, 18, dtype=torch.float64).view(2, 1, 3, 3))
        logits.retain_grad()
        if backward_only:
            loss = losses.soft_cross_entropy(BackwardOnly.apply(logits, pixel), index, weight)
        else:
            loss = losses.soft_cross_entropy(logits, index, weight, pixel)
        loss.backward()
        values.append(loss.item())
        gradients.append([logits.grad, *(p.grad for p in network.parameters())])
    assert abs(values[0] - values[1]) > 1  # only the number that is logged differs
    for back, forth in zip(*gradients, strict=True):
        assert back.abs().max() > 1e-3
        assert torch.allclose(back, forth, rtol=1e-10, atol=1e-14)


def test_bad_input_gets_one_sentence():
    logits, ab, _ = case()
    index, weight = soft_encode(ab)
    with pytest.raises(ValueError, match=r"got \(2, 313, 3, 3\), \(2, 5, 3, 3\) and \(2, 4, 3, 3\)"):
        losses.soft_cross_entropy(logits, index, weight[:, :4])
    with pytest.raises(ValueError, match="logits must have shape"):
        losses.soft_cross_entropy(logits[:, :, :2], index, weight)
    with pytest.raises(ValueError, match=r"pixel_weight must have shape \(2, 3, 3\), got \(2, 1, 3, 3\)"):
        losses.soft_cross_entropy(logits, index, weight, torch.ones(2, 1, 3, 3))
    for loss in (losses.l2, losses.smooth_l1):
        for pred, true in ((ab, ab[:1]), (ab[:, :1], ab[:, :1]), (ab[0], ab[0])):
            with pytest.raises(ValueError, match="pred_ab and true_ab"):
                loss(pred, true)
        with pytest.raises(ValueError, match="pixel_weight must have shape"):
            loss(ab, ab, pixel_weight=torch.ones(3))
    for beta in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="beta must be above 0, got"):
            losses.smooth_l1(ab, ab, beta)
