"""Filter and quadratic energy against loops and dense solves; and that both help where a prediction is noisy."""

import math

import numpy as np
import pytest
import torch

from colorize.neighbors import contrast_weights
from colorize.smoothing import joint_bilateral, learn_weights, quadratic_energy, smooth
from colorize.toyworld import ToyWorld


def random(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def small(height=6, width=5, n=2):
    """Colors and a lightness in which some neighbors are alike and some are not."""
    return 60 * random(n, 2, height, width) - 30, 40 + 20 * random(n, 1, height, width, seed=1)


def noisy_toys(n, seed, noise=25.0):
    scenes = ToyWorld(24).scenes(n, seed)
    normal = torch.randn(scenes.ab.shape, generator=torch.Generator().manual_seed(seed))
    return scenes.lightness[:, None], scenes.ab, scenes.ab + noise * normal


def error(ab, true):
    return (ab - true).norm(dim=1).mean().item()


# The filter


@pytest.mark.parametrize(("space", "lightness"), [(0.7, 8.0), (1.5, 3.0), (1.0, math.inf), (9.0, 20.0)])
def test_filter_is_the_sum_over_all_pairs(space, lightness):
    ab, light = small()
    found = joint_bilateral(ab, light, space, lightness)
    reach = math.ceil(2 * space)
    for n, y, x in np.ndindex(2, 6, 5):
        total, sums = 0.0, np.zeros(2)
        for v, u in np.ndindex(6, 5):
            if max(abs(v - y), abs(u - x)) <= reach:
                step = (light[n, 0, y, x] - light[n, 0, v, u]).item()
                near = ((v - y) ** 2 + (u - x) ** 2) / (2 * space**2)
                weight = math.exp(-near - (step / lightness) ** 2 / 2)
                total, sums = total + weight, sums + weight * ab[n, :, v, u].double().numpy()
        np.testing.assert_allclose(found[n, :, y, x].numpy(), sums / total, atol=1e-4)


def test_filter_leaves_one_color_alone():
    light = 100 * random(1, 1, 20, 30)
    color = torch.tensor([31.0, -17.0]).view(1, 2, 1, 1).expand(1, 2, 20, 30)
    torch.testing.assert_close(joint_bilateral(color, light), color)


def test_filter_keeps_edges_that_the_lightness_has():
    light = torch.cat((torch.full((1, 1, 9, 9), 20.0), torch.full((1, 1, 9, 9), 90.0)), dim=3)
    ab = torch.where(light > 50, 40.0, -40.0).expand(1, 2, 9, 18)
    torch.testing.assert_close(joint_bilateral(ab, light), ab)
    assert joint_bilateral(ab, light, sigma_lightness=math.inf)[0, 0, 4, 8] > -20  # bleeds
    assert torch.equal(joint_bilateral(ab, light), joint_bilateral(ab, light))


def test_filter_takes_other_precisions_and_leaves_its_input():
    ab, light = small()
    before = ab.clone()
    exact = joint_bilateral(ab.double(), light.double())
    assert exact.dtype == torch.float64 and torch.equal(ab, before)
    torch.testing.assert_close(joint_bilateral(ab, light), exact.float(), atol=1e-4, rtol=0)
    assert joint_bilateral(ab.half(), light.half()).dtype == torch.float32
    assert joint_bilateral(torch.ones(1, 2, 1, 1), torch.ones(1, 1, 1, 1)).flatten().tolist() == [1, 1]


# The quadratic energy


def test_energy_pair_by_pair():
    ab, light = small()
    predicted = torch.zeros_like(ab) + 3
    right, down = contrast_weights(light)
    confidence = random(2, 6, 5, seed=2)
    found = quadratic_energy(ab, predicted, right, down, confidence)
    for n in range(2):
        total = 0.0
        for y, x in np.ndindex(6, 5):
            total += confidence[n, y, x] * ((ab[n, :, y, x] - 3) ** 2).sum()
            if x < 4:
                total += right[n, y, x] * ((ab[n, :, y, x] - ab[n, :, y, x + 1]) ** 2).sum()
            if y < 5:
                total += down[n, y, x] * ((ab[n, :, y, x] - ab[n, :, y + 1, x]) ** 2).sum()
        assert found[n].item() == pytest.approx(total.item(), rel=1e-5)


def test_solution_is_that_of_a_dense_solve():
    ab, light = small()
    confidence = random(2, 6, 5, seed=2)
    found = smooth(ab, light, strength=3.0, sigma=10.0, confidence=confidence)
    right, down = (3 * w.double() for w in contrast_weights(light, 10.0))
    for n in range(2):
        system = np.diag(confidence[n].double().numpy().ravel())
        for y, x in np.ndindex(6, 5):
            for weight, v, u in ((right, y, x + 1), (down, y + 1, x)):
                if v < 6 and u < 5:
                    p, q = y * 5 + x, v * 5 + u
                    system[[p, q], [p, q]] += weight[n, y, x].item()
                    system[[p, q], [q, p]] -= weight[n, y, x].item()
        wanted = np.linalg.solve(system, (confidence[n] * ab[n]).flatten(1).T.double().numpy())
        np.testing.assert_allclose(found[n].flatten(1).T.numpy(), wanted, atol=1e-4)


def test_solution_is_the_bottom_of_the_energy():
    ab, light = (x.double() for x in small())
    pairs = tuple(4 * w for w in contrast_weights(light))
    found = smooth(ab, light, strength=4.0).requires_grad_()
    energy = quadratic_energy(found, ab, *pairs)
    (gradient,) = torch.autograd.grad(energy.sum(), found)
    assert gradient.abs().max() < 1e-9
    for seed in range(10):
        step = torch.randn(ab.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        assert (quadratic_energy(found + 0.1 * step, ab, *pairs) > energy).all()


def test_limits_of_the_strength():
    ab, light = small()
    torch.testing.assert_close(smooth(ab, light, strength=0.0), ab)
    flat = smooth(ab, torch.full_like(light, 50.0), strength=1e7)
    torch.testing.assert_close(flat, ab.mean(dim=(2, 3), keepdim=True).expand_as(ab), atol=1e-2, rtol=0)


def test_confidence_makes_scribbles_of_it():
    """Nothing known but two painted columns: colors flow, and stop at the edge."""
    light = torch.cat((torch.full((1, 1, 8, 8), 30.0), torch.full((1, 1, 8, 8), 70.0)), dim=3)
    painted, confidence = torch.zeros(1, 2, 8, 16), torch.zeros(1, 8, 16)
    painted[:, 0, :, 1], painted[:, 0, :, 14], confidence[:, :, [1, 14]] = 50.0, -50.0, 1e4
    found = smooth(painted, light, strength=1.0, confidence=confidence)
    assert found[0, 0, :, :8].min() > 49.9 and found[0, 0, :, 8:].max() < -49.9
    assert found[0, 1].abs().max() < 1e-6


def test_weights_are_counted():
    """Two contrasts: across a step of 0 colors differ by (3, 4), across a step of 10 by (30, 40)."""
    light = torch.tensor([[50.0, 50.0, 60.0, 60.0, 70.0]]).view(1, 1, 1, 5)
    a = torch.tensor([0.0, 3.0, 33.0, 36.0, 66.0])
    true = torch.stack((a, 4 / 3 * a)).view(1, 2, 1, 5)
    learned = learn_weights(light, true, true + 10 * torch.tensor([0.6, 0.8]).view(1, 2, 1, 1), classes=2)
    assert learned.edges.tolist() == [0, 10]
    assert (learned.weight / learned.scale).tolist() == pytest.approx([100 / 25, 100 / 2500])
    right, down = learned(light)
    torch.testing.assert_close(
        right[0, 0] / learned.scale, torch.tensor([4, 0.04, 4, 0.04], dtype=torch.float64)
    )
    assert down.shape == (1, 0, 5)


def test_both_help_on_the_toy_world():
    light, true, noisy = noisy_toys(8, seed=1)
    learned = learn_weights(*noisy_toys(16, seed=2))  # other scenes
    assert (learned.weight.diff() <= 0).float().mean() > 0.6 and learned.weight[0] > 50 * learned.weight[-1]
    errors = {
        "noisy": error(noisy, true),
        "filter": error(joint_bilateral(noisy, light, 1.5), true),
        "by hand": error(smooth(noisy, light), true),
        "learned": error(smooth(noisy, light, pairs=learned(light)), true),
        "without edges": error(smooth(noisy, light, sigma=math.inf), true),
    }
    assert max(errors["filter"], errors["by hand"], errors["learned"]) < 0.5 * errors["noisy"]
    assert errors["learned"] < errors["by hand"] < errors["without edges"], errors


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda ab, light: joint_bilateral(ab[0], light), r"ab must have shape \(N, 2, H, W\)"),
        (lambda ab, light: joint_bilateral(ab, light[..., 1:]), r"lightness must have shape \(2, 1, 6, 5\)"),
        (lambda ab, light: joint_bilateral(ab, light, 0.0), "sigma_space must be above 0"),
        (lambda ab, light: joint_bilateral(ab, light, 1.0, -1.0), "sigma_lightness must be above 0"),
        (lambda ab, light: joint_bilateral(ab / 0, light), "ab must be finite"),
        (lambda ab, light: smooth(ab, light, strength=-1.0), "strength must be 0 or above"),
        (lambda ab, light: smooth(ab, light, sigma=0.0), "sigma must be above 0"),
        (
            lambda ab, light: smooth(ab, light, confidence=torch.ones(6, 5)),
            r"confidence must be .* shape \(2, 6, 5\)",
        ),
        (
            lambda ab, light: smooth(ab, light, confidence=-torch.ones(2, 6, 5)),
            "confidence must be 0 or above",
        ),
        (
            lambda ab, light: smooth(ab, light, confidence=torch.zeros(2, 6, 5)),
            "above 0 somewhere in each picture",
        ),
        (
            lambda ab, light: smooth(ab, light, pairs=(torch.ones(1, 6, 4), torch.ones(1, 5, 5))),
            r"weights of pairs, to the right and down, must have shapes \(2, 6, 4\) and \(2, 5, 5\)",
        ),
        (
            lambda ab, light: quadratic_energy(ab, ab[:1], *contrast_weights(light)),
            "predicted must have shape",
        ),
        (lambda ab, light: quadratic_energy(ab, ab, *contrast_weights(light.mT)), "weights of pairs"),
        (lambda ab, light: learn_weights(light, ab, ab, classes=0), "classes must be a whole number"),
        (lambda ab, light: learn_weights(light, ab, ab[:1]), "predicted_ab must have shape"),
        (
            lambda ab, light: learn_weights(*(x[..., :1, :1] for x in (light, ab, ab))),
            "needs pictures with neighbors",
        ),
    ],
)
def test_mistakes_get_one_sentence(call, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        call(*small())
