"""The two players: shapes, what a patch sees, noise; their losses and optima in closed form; the loop; what goes wrong."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from lessons import ROOT
from scipy.spatial.distance import jensenshannon
from torch import nn

from colorize import adversarial, toygan, weights
from colorize.adversarial import (
    SIGNALS,
    Match,
    discriminator_loss,
    fit_pair,
    generator_loss,
    l1,
    optimal_discriminator,
    signs,
)
from colorize.checkpoints import CheckpointError
from colorize.colorizer import Colorizer
from colorize.networks import PatchDiscriminator, UNet
from colorize.networks.gan import UNIT, map_size, receptive_field
from colorize.toyworld import Palette, ToyWorld


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# Networks


@pytest.mark.parametrize("size", [(1, 1), (7, 30), (64, 64), (65, 97)])
def test_the_generator_takes_any_size(size):
    torch.manual_seed(0)
    network = UNet(width=1 / 32).eval()
    answer = network(torch.rand(2, 1, *size) * 100)
    assert answer.shape == (2, 2, *size)
    assert answer.abs().max() <= UNIT


def test_channels_are_those_of_the_report():
    network, judge = UNet(width=1), PatchDiscriminator(width=1)
    assert [down.conv.out_channels for down in network.down] == [64, 128, 256, 512, 512, 512]
    assert [up.conv.out_channels for up in network.up] == [512, 512, 256, 128, 64]
    convs = [layer for layer in judge.body if isinstance(layer, nn.Conv2d)]
    assert [conv.out_channels for conv in convs] == [64, 128, 256, 1]
    assert sum(p.numel() for p in UNet().parameters()) * 2 < 4e6  # bytes, in half precision


def test_skips_carry_what_the_innermost_level_cannot():
    """With the innermost level silenced the answer still follows the picture, pixel by pixel."""
    torch.manual_seed(0)
    network = UNet(width=1 / 16).eval()
    nn.init.zeros_(network.down[-1].conv.weight)
    one, other = torch.full((1, 1, 64, 64), 50.0), torch.full((1, 1, 64, 64), 50.0)
    other[..., 32, 32] = 90
    assert (network(one) - network(other)).abs().amax(dim=1)[0, 30:35, 30:35].min() > 0


@pytest.mark.parametrize("halvings", [1, 2, 3])
def test_a_logit_sees_its_patch_and_nothing_else(halvings):
    torch.manual_seed(0)
    judge = PatchDiscriminator(width=1 / 16, halvings=halvings).eval()
    lightness, ab = torch.rand(1, 1, 128, 128) * 100, torch.randn(1, 2, 128, 128, requires_grad=True)
    logits = judge(lightness, ab)
    assert logits.shape[2:] == (map_size(128, halvings),) * 2
    middle = logits.shape[-1] // 2
    logits[0, 0, middle, middle].backward()
    seen = ab.grad.abs().sum(dim=(0, 1)) > 0
    assert [seen.any(dim=dim).sum().item() for dim in (0, 1)] == [receptive_field(halvings)] * 2


@pytest.mark.parametrize(
    ("pixels", "halvings", "side", "sees"), [(64, 2, 14, 34), (256, 3, 30, 70), (256, 2, 62, 34)]
)
def test_maps_of_the_report_and_of_pix2pix(pixels, halvings, side, sees):
    judge = PatchDiscriminator(width=1 / 32, halvings=halvings).eval()
    with torch.no_grad():
        found = judge(torch.zeros(1, 1, pixels, pixels), torch.zeros(1, 2, pixels, pixels))
    assert found.shape == (1, 1, side, side) and map_size(pixels, halvings) == side
    assert receptive_field(halvings) == sees


def test_the_discriminator_sees_both_lightness_and_color():
    torch.manual_seed(0)
    judge = PatchDiscriminator(width=1 / 16).eval()
    lightness, ab = torch.rand(1, 1, 24, 24) * 100, torch.randn(1, 2, 24, 24) * 20
    logits = judge(lightness, ab)
    assert not torch.equal(judge(lightness.flip(3), ab), logits)
    assert not torch.equal(judge(lightness, ab.flip(1)), logits)


def test_noise_is_dropout_in_use():
    torch.manual_seed(0)
    network, seen = UNet(width=1 / 8).eval(), torch.rand(1, 1, 40, 40) * 100
    with torch.no_grad():
        assert torch.equal(network(seen), network(seen))
        network.noise = True
        assert not torch.equal(network(seen), network(seen))
        network.noise = False
        before = torch.get_rng_state()
        network.train()
        found = network.samples(seen, 3, seed=5)
        assert network.training and not network.noise
        assert torch.equal(torch.get_rng_state(), before)
        assert found.shape == (3, 1, 2, 40, 40) and not torch.equal(found[0], found[1])
        assert torch.equal(found, network.eval().samples(seen, 3, seed=5))


def test_a_colorizer_takes_it_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZE_DATA", str(tmp_path))
    (tmp_path / "weights").mkdir()
    torch.manual_seed(0)
    path = tmp_path / "weights" / "gan.safetensors"
    weights.save(path, UNet(width=1 / 16), {"outputs": 2, "width": 1 / 16}, 32, {"loss": "gan"})
    colorizer, picture = Colorizer.load("gan"), np.random.default_rng(0).random((45, 37, 3))
    first = colorizer.colorize(picture)
    assert first.shape == (45, 37, 3) and np.array_equal(first, colorizer.colorize(picture))
    colorizer.network.noise = True
    assert not np.array_equal(colorizer.colorize(picture), colorizer.colorize(picture))


def test_wrong_arguments_are_one_sentence():
    with pytest.raises(ValueError, match="outputs must be 2, got 313"):
        UNet(313)
    with pytest.raises(ValueError, match="width must be above 0, got 0"):
        UNet(width=0)
    with pytest.raises(ValueError, match="halvings must be 1 or more, got 0"):
        PatchDiscriminator(halvings=0)
    with pytest.raises(ValueError, match=r"pictures of 12 pixels or more, got \(11, 40\)"):
        PatchDiscriminator()(torch.zeros(1, 1, 11, 40), torch.zeros(1, 2, 11, 40))
    with pytest.raises(ValueError, match=r"same shape, got \(1, 2, 3, 3\) and \(1, 2, 1, 1\)"):
        l1(torch.zeros(1, 2, 3, 3), torch.zeros(1, 2, 1, 1))
    with pytest.raises(ValueError, match="smoothing must be 0 or above and below 1, got 1"):
        discriminator_loss(torch.zeros(1), torch.zeros(1), 1)
    with pytest.raises(ValueError, match="one step or more"):
        signs(Match())


# Losses and optima


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_losses_by_hand(smoothing):
    real, fake = np.array([2.0, -1.0, 0.5]), np.array([-3.0, 0.2])
    d_real, d_fake = (1 / (1 + np.exp(-z)) for z in (real, fake))
    t = 1 - smoothing
    for_real = -(t * np.log(d_real) + (1 - t) * np.log(1 - d_real)).mean()
    wanted = (for_real - np.log(1 - d_fake).mean()) / 2
    assert discriminator_loss(torch.tensor(real), torch.tensor(fake), smoothing).item() == pytest.approx(
        wanted
    )
    assert generator_loss(torch.tensor(fake)).item() == pytest.approx(-np.log(d_fake).mean())
    assert l1(torch.tensor([[[[3.0]], [[-1.0]]]]), torch.zeros(1, 2, 1, 1)).item() == 2


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_best_discriminator_of_known_densities(smoothing):
    """On a line of eight cells, each with a logit of its own, and seen as often as it occurs: the exact expectation."""
    random = np.random.default_rng(0)
    true, made = (torch.tensor(random.multinomial(400, random.dirichlet(np.ones(8))) + 1) for _ in range(2))
    p, q = true / true.sum(), made / made.sum()
    logits = torch.zeros(8, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([logits], max_iter=200, line_search_fn="strong_wolfe")

    def loss():
        search.zero_grad()
        value = discriminator_loss(logits.repeat_interleave(true), logits.repeat_interleave(made), smoothing)
        value.backward()
        return value

    search.step(loss)
    assert torch.allclose(logits.sigmoid().float(), optimal_discriminator(p, q, smoothing), atol=1e-4)
    if not smoothing:
        assert loss().item() == pytest.approx(math.log(2) - jensenshannon(p, q) ** 2, abs=1e-6)


def test_the_best_discriminator_of_two_gaussians():
    """True: N(0, 1), made up: N(1, 1). The best logit is ln p - ln q = 1/2 - x, a straight line that training finds."""
    random = torch.Generator().manual_seed(0)
    real, fake = torch.randn(20_000, 1, generator=random), 1 + torch.randn(20_000, 1, generator=random)
    line = nn.Linear(1, 1)
    adam = torch.optim.Adam(line.parameters(), 0.1)
    for _ in range(150):
        adam.zero_grad()
        discriminator_loss(line(real), line(fake)).backward()
        adam.step()
    assert (line.weight.item(), line.bias.item()) == pytest.approx((-1, 0.5), abs=0.05)
    x = torch.linspace(-2, 3, 11)[:, None]
    p, q = (torch.distributions.Normal(mean, 1.0).log_prob(x).exp() for mean in (0.0, 1.0))
    assert torch.allclose(line(x).sigmoid(), optimal_discriminator(p, q), atol=0.02)


@pytest.mark.parametrize("kind", ToyWorld(24).kinds)
def test_l1_is_least_at_the_median(kind):
    """Over a grid and its own colors, the expected L1 of a palette is least from its lower to its upper median, axis by axis."""
    palette = ToyWorld(24).palette(kind)
    low, high = palette.smooth_l1(1e-3)  # of which L1 is the limit
    for axis in (0, 1):
        grid = torch.cat((torch.arange(-110, 111).double(), palette.colors[:, axis]))
        cost = (grid[:, None] - palette.colors[:, axis]).abs() @ palette.probabilities
        best = grid[cost < cost.min() + 1e-9]
        assert best.min().item() == pytest.approx(low[axis].item(), abs=2e-3)
        assert best.max().item() == pytest.approx(high[axis].item(), abs=2e-3)


# The loop


def duel(path=None, steps=8, width=1 / 32, data=None, **options):
    return toygan.duel(
        data or toygan.Discs(), steps, width=width, batch_size=4, progress=False, checkpoint=path, **options
    )


class Killed(Exception):
    """What a test ends a run with."""


class Killing(toygan.Discs):
    """Discs that end the run in which step 5 is drawn."""

    def batch(self, n, seed):
        if seed % 1_000_003 == 5:
            raise Killed
        return super().batch(n, seed)


def test_a_stopped_match_goes_on_exactly(tmp_path):
    whole, match = duel()
    with pytest.raises(Killed):
        duel(tmp_path / "run.pt", data=Killing(), checkpoint_every=3)
    torch.manual_seed(77)
    again, rest = duel(tmp_path / "run.pt", log=tmp_path / "run.csv")
    assert rest.losses == match.losses and rest.signals == match.signals and rest.finished
    assert all(map(torch.equal, again.state_dict().values(), whole.state_dict().values()))
    lines = (tmp_path / "run.csv").read_text().splitlines()
    assert lines[0] == "step,loss,learning_rate," + ",".join(SIGNALS) and len(lines) == 9
    assert float(lines[-1].split(",")[1]) == match.losses[-1]
    with pytest.raises(CheckpointError, match=r"balance 1\.0 there, 2\.0 here"):
        duel(tmp_path / "run.pt", balance=2.0)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on this system")
def test_a_killed_match_goes_on_exactly(tmp_path):
    """SIGKILL at the sixth step, in a process of its own."""
    code = """
import os, signal, sys
import torch
from colorize import toygan
class Killing(toygan.Discs):
    def batch(self, n, seed):
        if seed % 1_000_003 == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().batch(n, seed)
torch.set_num_threads(1)
toygan.duel(Killing(), 8, width=1 / 32, batch_size=4, progress=False, checkpoint=sys.argv[1], checkpoint_every=1)
"""
    path = tmp_path / "run.pt"
    assert subprocess.run([sys.executable, "-c", code, path], cwd=ROOT / "lib").returncode == -9
    assert len(torch.load(path, weights_only=True)["value.losses"]) == 5
    again, rest = duel(path)
    whole, match = duel()
    assert rest.losses == match.losses
    assert all(map(torch.equal, again.state_dict().values(), whole.state_dict().values()))


def test_ctrl_c_ends_after_the_step(capsys):
    class Pressing(toygan.Discs):
        def batch(self, n, seed):
            if seed % 1_000_003 == 2:
                import signal

                signal.raise_signal(signal.SIGINT)
            return super().batch(n, seed)

    _, match = duel(data=Pressing())
    assert len(match.losses) == 3 and not match.finished
    assert "stopped after 3 of 8 steps" in capsys.readouterr().out


def test_one_step_is_what_it_says():
    """The first numbers of a match against the same discriminator, asked by hand about one constant color."""
    data = toygan.Discs()
    lab = torch.cat(data.scenes(4, 0)[:2], dim=1)
    torch.manual_seed(0)
    judge = PatchDiscriminator(width=1 / 32)

    class Still(nn.Module):
        stride = 1

        def __init__(self):
            super().__init__()
            self.bias = nn.Parameter(torch.tensor([5.0, -3.0]))

        def forward(self, lightness):
            return self.bias.view(1, 2, 1, 1) + 0 * lightness

    still = Still()
    with torch.no_grad():
        made, real_ab = still(lab[:, :1]), lab[:, 1:]
        real, fake = judge(lab[:, :1], real_ab), judge(lab[:, :1], made)
    match = fit_pair(still, judge, data, 1, 4, seed=0, progress=False, smoothing=0.1)
    found = {name: values[0] for name, values in match.signals.items()}
    assert found["discriminator"] == pytest.approx(discriminator_loss(real, fake, 0.1).item(), rel=1e-3)
    assert found["l1"] == pytest.approx((made - real_ab).abs().mean().item(), rel=1e-3)
    assert found["chroma"] == pytest.approx(math.hypot(5, 3), rel=1e-5)
    assert found["real"] == (real > 0).float().mean().item()
    assert found["fake"] == (fake < 0).float().mean().item()
    assert match.losses[0] == pytest.approx(found["adversarial"] + 100 * found["l1"] / UNIT, rel=1e-6)


def test_weights_switch_a_player_off():
    """With no weight on the adversarial loss a generator does what L1 says, whoever the discriminator is."""
    found = []
    for balance in (1.0, 0.0):
        network, _ = duel(adversarial=False, balance=balance)
        found.append(network.head.weight.detach())
    assert torch.equal(*found)
    network, _ = duel(l1_weight=0.0)
    assert not torch.equal(network.head.weight, found[0])


def test_a_loss_that_explodes_is_said():
    with pytest.raises(ValueError, match=r"the loss is .* at step \d: try a smaller learning rate"):
        duel(learning_rate=1e30)


# What goes wrong, and what goes right


def asked(network, palette=None):
    """Mean answer of a network on each of 60 discs."""
    lightness, _, disc = toygan.Discs(palette).scenes(60, seed=9_000_000)
    with torch.no_grad():
        answer = network(lightness).movedim(1, -1)
    return torch.stack([ab[here].mean(dim=0) for ab, here in zip(answer, disc, strict=True)])


def test_a_discriminator_wins():
    """One that learns twenty times as fast: all right, and the generator's loss climbs."""
    _, match = toygan.duel(
        toygan.Discs(), 100, width=1 / 16, learning_rate=1e-4, l1_weight=0.0, balance=20.0, progress=False
    )
    found = signs(match)
    assert "discriminator wins" in found and "gray" not in found
    assert match.recent("real") > 0.95 and match.recent("fake") > 0.95
    first, last = sum(match.signals["adversarial"][:20]) / 20, match.recent("adversarial", 20)
    assert last > 3 * first
    assert match.recent("discriminator") < 0.2
    # A fair match of the same length shows no such sign: the other way round it is the discriminator that is slow.
    _, fair = toygan.duel(toygan.Discs(), 40, width=1 / 16, balance=0.1, progress=False)
    assert "discriminator wins" not in signs(fair)


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, set()),
        ({"chroma": [9.9] * 40}, {"gray"}),
        ({"chroma": [10.1] * 40}, set()),
        ({"real": [0.96] * 40, "adversarial": [1.0] * 20 + [1.6] * 20}, {"discriminator wins"}),
        ({"real": [0.96] * 40, "adversarial": [1.0] * 20 + [1.4] * 20}, set()),
        ({"real": [0.94] * 40, "adversarial": [1.0] * 20 + [1.6] * 20}, set()),
    ],
)
def test_signs_at_their_thresholds(changed, wanted):
    """Half the true chroma; 95 % right; 1.5 times the first loss. Read from the last 20 of 40 steps, and the first."""
    match = Match(steps=40)
    usual = {"l1": 5.0, "discriminator": 0.5, "real": 0.8, "fake": 0.96, "chroma": 20.0, "true_chroma": 20.0}
    match.losses = [1.0] * 40
    match.signals = (
        {name: [value] * 40 for name, value in usual.items()} | {"adversarial": [1.0] * 40} | changed
    )
    assert set(signs(match, 20)) == wanted


def test_a_generator_collapses_to_gray():
    """Four hues around gray: the median is gray, and L1 alone goes there. What a match says is what the palette knows."""
    palette = Palette([(40, 0), (0, 40), (-40, 0), (0, -40)], torch.full((4,), 1 / 4))
    assert palette.smooth_l1(1e-3).abs().max() < 1e-2
    network, match = toygan.duel(toygan.Discs(palette), 100, False, width=1 / 16, progress=False)
    assert "gray" in signs(match, 20)
    assert match.recent("chroma", 20) < match.recent("true_chroma", 20) / 2
    assert asked(network, palette).norm(dim=1).mean() < 10


def test_the_discriminator_decides_where_l1_does_not():
    """An apple is red or green. L1 alone leaves each in between; the discriminator makes each one or the other."""
    palette = toygan.Discs().palette
    dull, _ = toygan.duel(toygan.Discs(), 80, False, width=1 / 16, progress=False)
    distance, _ = toygan.decided(asked(dull), palette)
    assert (distance > toygan.CLOSE).all()
    # The game is restless: seeds 0, 2 and 3 gave 98, 100 and 97 %, other settings 40 to 90 % nearer than 15 units.
    vivid, match = toygan.duel(toygan.Discs(), 400, width=1 / 16, learning_rate=3e-3, progress=False)
    distance, which = toygan.decided(asked(vivid), palette)
    assert (distance < toygan.CLOSE).double().mean() > 0.6
    assert distance.median() < 20
    assert set(which.tolist()) == {0, 1}  # both occur
    assert "gray" not in signs(match)


def test_the_command_writes_what_it_found(tmp_path, monkeypatch, capsys):
    import json

    monkeypatch.setenv("COLORIZE_DATA", str(tmp_path))
    monkeypatch.setattr(toygan, "WIDTH", 1 / 32)
    monkeypatch.setattr(toygan, "BATCH", 2)
    assert toygan.main(["--steps", "2"]) == 0
    found = json.loads((tmp_path / "results" / "toy_gan.json").read_text())
    assert set(found["rows"]) == {"l1", "gan"} and found["steps"] == 2
    assert found["command"] == "python -m colorize.toygan --steps 2"
    assert "written" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        toygan.main(["--steps", "0"])
    assert adversarial.L1_WEIGHT == 100
