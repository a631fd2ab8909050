"""Labels by ICM: the energy against loops, the result against every single change and, where they are few, all labelings."""

import itertools
import math

import numpy as np
import pytest
import torch

from colorize.bins import gamut_bins, nearest_bin
from colorize.labeling import icm, spatial_energy
from colorize.neighbors import contrast_weights
from colorize.toyworld import ToyWorld

THREE = torch.tensor([[0.0, 0.0], [30.0, 0.0], [0.0, 80.0]])


def small(bins=3, height=3, width=3, n=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(n, bins, height, width, generator=generator)
    light = 50 + 6 * torch.randn(n, 1, height, width, generator=generator)
    return logits, light


def noisy_toys(n=6, seed=0):
    """What a mediocre network could answer: the true bin likelier than others of the palette, and noise on everything."""
    world = ToyWorld(24)
    scenes = world.scenes(n, seed)
    true = nearest_bin(scenes.ab)
    right = torch.zeros(n, 313, 24, 24).scatter_(1, true[:, None], 1.0)
    p = 0.5 * world.posterior(scenes.kind) + 0.3 * right + 0.2 / 313
    noise = torch.randn(p.shape, generator=torch.Generator().manual_seed(seed))
    return p.log() + 1.5 * noise, scenes.lightness[:, None], scenes.ab, true


def test_energy_pair_by_pair():
    logits, light = small(height=4, width=5, n=2)
    logits[0, 1, 0, 0] = -math.inf
    right, down = (2 * w for w in contrast_weights(light))
    label = torch.randint(3, (2, 4, 5), generator=torch.Generator().manual_seed(0))
    label[0, 0, 0] = 0
    found = spatial_energy(label, logits, right, down, 40.0, THREE)
    prices = [[0, 30 / 40, 1], [30 / 40, 0, 1], [1, 1, 0]]
    for n in range(2):
        p = torch.softmax(logits[n].double(), dim=0)
        total = 0.0
        for y, x in np.ndindex(4, 5):
            q = label[n, y, x]
            total -= math.log(p[q, y, x])
            total += right[n, y, x] * prices[q][label[n, y, x + 1]] if x < 4 else 0
            total += down[n, y, x] * prices[q][label[n, y + 1, x]] if y < 3 else 0
        assert found[n].item() == pytest.approx(float(total), rel=1e-5)
    label[0, 0, 0] = 1
    assert spatial_energy(label, logits, right, down, 40.0, THREE)[0] == math.inf


@pytest.mark.parametrize("strength", [0.0, 0.5, 3.0, 30.0])
def test_energy_never_rises_and_no_single_change_lowers_it(strength):
    logits, light = small(bins=313, height=7, width=6, n=2)
    found = icm(logits, light, strength, sweeps=100)
    energies = torch.stack(found.energies)
    assert (energies.diff(dim=0) <= 1e-6).all() and len(energies) < 50
    right, down = (strength * w for w in contrast_weights(light))
    own = spatial_energy(found.label, logits, right, down)
    torch.testing.assert_close(own, energies[-1])
    generator = np.random.default_rng(0)
    for _ in range(300):
        n, y, x, q = (int(generator.integers(k)) for k in (2, 7, 6, 313))
        other = found.label.clone()
        other[n, y, x] = q
        assert spatial_energy(other, logits, right, down)[n] >= own[n] - 1e-3


def test_near_the_best_of_all_labelings():
    """19,683 of them. ICM stops in a local minimum; where neighbors hardly matter, and here mostly, that is the best one."""
    every = torch.tensor(list(itertools.product(range(3), repeat=9))).view(-1, 3, 3)
    best_found = 0
    for seed in range(10):
        logits, light = small(seed=seed)
        right, down = contrast_weights(light)
        shape = (len(every), -1, -1, -1)
        energies = spatial_energy(
            every, logits.expand(shape), right.expand(shape[:3]), down.expand(shape[:3]), 40.0, THREE
        )
        found = icm(logits, light, 1.0, centers=THREE)
        assert energies.min() - 1e-4 <= found.energies[-1].item() <= energies.min() + 2
        best_found += found.energies[-1].item() < energies.min() + 1e-4
    assert best_found >= 7


def test_without_a_spatial_term_it_is_the_mode():
    logits, light = small(bins=313, height=5, width=5)
    for found in (icm(logits, light, 0.0), icm(logits, light, 5.0, sweeps=0)):
        assert torch.equal(found.label, logits.argmax(dim=1)) and len(found.energies) == 1
        assert torch.equal(found.ab[0, :, 2, 3], gamut_bins()[found.label[0, 2, 3]])


def test_a_lone_pixel_follows_its_neighbors_unless_it_is_sure_or_looks_different():
    logits = torch.zeros(1, 3, 5, 5)
    logits[:, 0] = 2.0
    logits[0, :, 2, 2] = torch.tensor([0.0, 0.0, 1.0])
    light = torch.full((1, 1, 5, 5), 50.0)
    assert (icm(logits, light, 1.0, centers=THREE).label == 0).all()
    light[0, 0, 2, 2] = 90.0
    assert icm(logits, light, 1.0, centers=THREE).label[0, 2, 2] == 2
    light[0, 0, 2, 2] = 50.0
    logits[0, 2, 2, 2] = 20.0
    assert icm(logits, light, 1.0, centers=THREE).label[0, 2, 2] == 2


def test_colors_that_are_ruled_out_stay_out():
    logits, light = small(bins=313, height=6, width=6)
    logits[:, 100:] = -math.inf
    assert icm(logits, light, 50.0).label.max() < 100


def test_noise_of_the_toy_world_goes_away():
    logits, light, true_ab, true = noisy_toys()
    before, after = icm(logits, light, sweeps=0), icm(logits, light)
    error = [(found.ab - true_ab).norm(dim=1).mean().item() for found in (before, after)]
    wrong = [(found.label != true).float().mean().item() for found in (before, after)]
    assert error[1] < 0.75 * error[0] and wrong[1] < 0.6 * wrong[0], (error, wrong)  # 0.67 and 0.50
    assert torch.equal(icm(logits, light).label, after.label)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"logits": torch.zeros(1, 312, 3, 3)},
            r"logits must have shape \(N, 313, H, W\), got \(1, 312, 3, 3\)",
        ),
        ({"logits": torch.zeros(1, 313, 3, 4)}, "logits and lightness must be as many and as large"),
        ({"logits": torch.full((1, 313, 3, 3), -math.inf)}, "must leave at least one color"),
        ({"lightness": torch.zeros(1, 3, 3)}, r"lightness must have shape \(N, 1, H, W\)"),
        ({"strength": -1.0}, "strength must be 0 or above"),
        ({"sigma": 0.0}, "sigma must be above 0"),
        ({"reach": 0.0}, "reach must be above 0"),
        ({"sweeps": 1.5}, "sweeps must be a whole number"),
    ],
)
def test_mistakes_get_one_sentence(change, sentence):
    arguments = {"logits": torch.zeros(1, 313, 3, 3), "lightness": torch.zeros(1, 1, 3, 3)} | change
    with pytest.raises((TypeError, ValueError), match=sentence):
        icm(**arguments)


def test_labels_of_another_shape_are_refused():
    logits, light = small()
    with pytest.raises(ValueError, match=r"label must have shape \(1, 3, 3\)"):
        spatial_energy(torch.zeros(3, 3, dtype=torch.int64), logits, *contrast_weights(light), centers=THREE)
    with pytest.raises(ValueError, match="weights of pairs"):
        spatial_energy(logits.argmax(dim=1), logits, *contrast_weights(light[..., 1:]), centers=THREE)
