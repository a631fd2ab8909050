"""What runs on the CPU gives the same numbers on a GPU. Skipped where there is none."""

import pytest
import torch

from colorize import bins, decode, lab, losses, metrics, prior
from colorize.networks import SmallNet

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no GPU that PyTorch can use on this machine"
)


@pytest.fixture
def rgb():
    return torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(0))


def test_color_and_bins(rgb):
    here, there = lab.rgb_to_lab(rgb), lab.rgb_to_lab(rgb.cuda())
    assert there.is_cuda
    assert (there.cpu() - here).abs().max() < 1e-3
    assert (lab.lab_to_rgb(there).cpu() - rgb).abs().max() < 1e-4
    pixels = (rgb * 255).byte()
    assert (lab.rgb_to_lab(pixels.cuda()).cpu() - lab.rgb_to_lab(pixels)).abs().max() < 1e-3
    ab = here[:, 1:] * 2  # partly outside the gamut
    assert torch.equal(bins.nearest_bin(ab.cuda()).cpu(), bins.nearest_bin(ab))
    for mine, theirs in zip(bins.soft_encode(ab), bins.soft_encode(ab.cuda()), strict=True):
        assert theirs.is_cuda
        assert (theirs.cpu().sort(1).values.double() - mine.sort(1).values.double()).abs().max() < 1e-4


def test_readouts_losses_and_metrics(rgb):
    ab = lab.rgb_to_lab(rgb)[:, 1:]
    logits = 5 * torch.randn(2, 313, 16, 24, generator=torch.Generator().manual_seed(1))
    for T in (0, 0.38, 1):
        assert (
            decode.annealed_mean(logits.cuda(), T).cpu() - decode.annealed_mean(logits, T)
        ).abs().max() < 1e-2
    for readout in (decode.median, decode.entropy):
        assert (readout(logits.cuda()).cpu() - readout(logits)).abs().max() < 1e-2
    for shared in (False, True):
        drawn = [
            decode.sample(z, 1.0, torch.Generator().manual_seed(2), shared) for z in (logits, logits.cuda())
        ]
        assert drawn[1].is_cuda
        assert (drawn[1].cpu() != drawn[0]).float().mean() < 1e-2  # a tie may fall the other way
    assert (losses.smooth_l1(ab.cuda(), ab.cuda() * 0).cpu() - losses.smooth_l1(ab, ab * 0)).abs() < 1e-3
    weights = prior.rebalancing_weights(prior.color_prior(ab.cuda()))
    here, there = logits.clone().requires_grad_(), logits.cuda().requires_grad_()
    losses.classification(weights.cpu())(here, ab).backward()
    losses.classification(weights)(there, ab.cuda()).backward()
    assert (there.grad.cpu() - here.grad).abs().max() < 1e-6
    assert metrics.auc(ab.cuda() * 0, ab.cuda()) == pytest.approx(metrics.auc(ab * 0, ab), abs=1e-6)
    assert (metrics.psnr(rgb.cuda() ** 2, rgb.cuda()).cpu() - metrics.psnr(rgb**2, rgb)).abs().max() < 1e-3


def test_the_network_moves_as_a_whole(rgb):
    torch.manual_seed(0)
    network = SmallNet(width=8).eval()
    lightness = lab.rgb_to_lab(rgb)[:, :1]
    with torch.no_grad():
        here = network(lightness)
        assert (network.cuda()(lightness.cuda()).cpu() - here).abs().max() < 1e-2
