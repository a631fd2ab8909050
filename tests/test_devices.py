"""What runs on the CPU gives the same numbers on a GPU. Skipped where there is none."""

import pytest
import torch

from colorize import bins, decode, evaluation, images, lab, losses, metrics, prior
from colorize.colorizer import Colorizer
from colorize.networks import SmallNet, ZhangNet
from colorize.training import fit

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


class Blobs:
    """Pictures of one color each, dark blue or bright yellow: easy to learn."""

    def batch(self, n, seed):
        bright = torch.rand(n, generator=torch.Generator().manual_seed(seed)) < 0.5
        color = torch.where(bright[:, None], torch.tensor([210, 190, 60]), torch.tensor([30, 50, 120]))
        return color.to(torch.uint8).view(n, 3, 1, 1).expand(n, 3, 64, 64)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_training_in_every_precision(precision):
    torch.manual_seed(0)
    network = ZhangNet(width=1 / 8).cuda()
    history = fit(network, Blobs(), losses.classification(), 60, 16, precision=precision, progress=False)
    assert history.losses[0] == pytest.approx(5.75, abs=1)
    assert sum(history.losses[-5:]) / 5 < 4.5


def test_a_stopped_training_goes_on_with_nearly_the_same_numbers(tmp_path):
    """On a GPU sums are taken in any order: the same to four digits, not bit for bit."""

    def run(steps_before):
        torch.manual_seed(0)
        network = ZhangNet(2, width=1 / 8).cuda()
        path = tmp_path / f"{steps_before}.pt"

        def stop(history):
            if len(history.losses) == steps_before:
                raise KeyboardInterrupt

        options = {"checkpoint": path, "checkpoint_every": 10, "progress": False}
        if steps_before:
            with pytest.raises(KeyboardInterrupt):
                fit(network, Blobs(), losses.l2, 30, 8, report=stop, report_every=steps_before, **options)
            network = ZhangNet(2, width=1 / 8).cuda()
        return fit(network, Blobs(), losses.l2, 30, 8, **options).losses

    whole, stopped = run(0), run(15)
    assert len(stopped) == 30
    assert stopped == pytest.approx(whole, rel=1e-2)


def test_a_compiled_network_is_the_same_network():
    torch.manual_seed(0)
    network = ZhangNet(2, width=1 / 8).cuda()
    plain = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    one = fit(network, Blobs(), losses.l2, 5, 8, progress=False).losses
    network.load_state_dict(plain)
    other = fit(network, Blobs(), losses.l2, 5, 8, compiled=True, progress=False).losses
    assert other == pytest.approx(one, rel=1e-2)


def test_a_photo_is_colored_and_measured_as_on_the_cpu():
    here, there = Colorizer.load("best"), Colorizer.load("best", "cuda")
    photo = images.bundled("coffee", 200)
    difference = here.colorize(photo, 1.0).astype(int) - there.colorize(photo, 1.0).astype(int)
    assert abs(difference).max() <= 4
    photos = torch.stack([images.square(images.bundled(name), 96) for name in images.BUNDLED])
    ours, theirs = (evaluation.compare({"best": colorizer}, photos) for colorizer in (here, there))
    for name, row in ours.items():
        assert evaluation.numbers(theirs[name]) == pytest.approx(
            evaluation.numbers(row), abs=0.3, nan_ok=True
        )
