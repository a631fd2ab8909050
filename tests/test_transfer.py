"""Histogram transfer against scikit-image, autograd, finite differences, and the toy world's closed form."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.exposure import match_histograms

from colorize import decode, images
from colorize.bins import nearest_bin
from colorize.colorizer import Colorizer
from colorize.lab import rgb_to_lab
from colorize.metrics import mean_chroma
from colorize.prior import color_prior
from colorize.toyworld import ToyWorld
from colorize.transfer import (
    Fit,
    chi_square,
    fit_bias,
    histogram,
    match_quantiles,
    quantile_transfer,
    transfer_energy,
)


def random(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def distribution(bins, seed=0):
    p = random(bins, seed=seed).double()
    return p / p.sum()


# Quantiles


def test_the_kth_smallest_becomes_the_kth_smallest():
    source, reference = random(2, 3, 8, 5), random(1, 3, 4, 10, seed=1)
    found = match_quantiles(source, reference)
    for picture, channel in itertools.product(range(2), range(3)):
        order = source[picture, channel].flatten().argsort()
        wanted = reference[0, channel].flatten().sort().values
        assert torch.equal(found[picture, channel].flatten()[order], wanted)


@pytest.mark.parametrize("kind", ["floats", "few values"])
def test_quantiles_as_in_scikit_image(kind):
    source, reference = random(1, 3, 20, 15), random(2, 3, 11, 9, seed=1) ** 2
    if kind == "few values":
        source, reference = (source * 7).floor(), (reference * 5).floor()
    pooled = reference.movedim(1, -1).reshape(1, -1, 3).numpy()  # one picture with the pixels of both
    wanted = match_histograms(source[0].movedim(0, -1).numpy(), pooled, channel_axis=-1)
    found = match_quantiles(source, reference)[0].movedim(0, -1).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=40), st.randoms())
def test_equal_histograms_change_nothing(values, shuffler):
    mixed = values.copy()
    shuffler.shuffle(mixed)
    source, reference = (torch.tensor(v, dtype=torch.float32).view(1, 1, 1, -1) for v in (values, mixed))
    assert torch.equal(match_quantiles(source, reference), source)
    assert torch.equal(match_quantiles(source, reference.repeat(3, 1, 1, 1)), source)


def test_order_and_range_are_kept():
    source, reference = random(1, 1, 30, 30), random(1, 1, 7, 7, seed=1)
    found = match_quantiles(source, reference).flatten()
    assert (found[source.flatten().argsort()].diff() >= 0).all()
    assert reference.min() <= found.min() and found.max() <= reference.max()


def test_a_picture_with_its_own_colors_stays_as_it_is():
    photo = images.square(images.bundled("coffee"), 64)[None]
    shuffled = photo.flatten(2)[:, :, torch.randperm(64 * 64, generator=torch.Generator().manual_seed(0))]
    for correct in (False, True):
        found = quantile_transfer(photo, shuffled.view(photo.shape), correct)
        assert (found - photo).abs().max() < 1e-5


def test_lightness_is_corrected_and_colors_arrive():
    photo = images.square(images.bundled("astronaut"), 64)[None]
    pale = decode.paint(rgb_to_lab(photo)[:, :1], 0.3 * rgb_to_lab(photo)[:, 1:])
    found = quantile_transfer(pale, photo)
    inside = ((found > 0) & (found < 1)).all(dim=1)  # where nothing was clipped
    assert inside.float().mean() > 0.8
    assert (found.mean(dim=1) - pale.mean(dim=1))[inside].abs().max() < 1e-5
    chroma = [mean_chroma(rgb_to_lab(x)[:, 1:]).item() for x in (pale, found, photo)]
    assert chroma[1] == pytest.approx(chroma[2], rel=0.1) and chroma[0] < 0.5 * chroma[2]
    rough = quantile_transfer(pale, photo, correct=False)
    assert (rough.mean(dim=1) - pale.mean(dim=1)).abs().max() > 0.01


def test_black_stays_black():
    assert quantile_transfer(torch.zeros(1, 3, 4, 4), random(1, 3, 4, 4)).max() < 0.5 / 255


# Histograms


def test_histograms():
    ab = torch.tensor([[0.0, 0.0], [50.0, 0.0]]).T.reshape(1, 2, 1, 2)
    hard, soft = histogram(ab, soft=False), histogram(ab)
    assert torch.equal(hard, color_prior(ab)) and hard[120] == 0.5
    assert soft.sum() == pytest.approx(1) and soft[120] == pytest.approx(0.6489 / 2, abs=1e-4)
    assert soft[[119, 121]].tolist() == pytest.approx([0.0878 / 2] * 2, abs=1e-4)


def test_chi_square():
    p, q = distribution(9, 1), distribution(9, 2)
    assert chi_square(p, p) == 0
    assert chi_square(p, q) == pytest.approx(
        sum((a - b) ** 2 / (a + b) / 2 for a, b in zip(p.tolist(), q.tolist(), strict=True))
    )
    assert chi_square(p, q) == chi_square(q, p)
    apart = torch.tensor([0.5, 0.5, 0.0, 0.0, 0.0])
    assert chi_square(apart, apart.flip(0)) == 1  # and a bin that is empty in both does no harm


# Energy


@pytest.fixture
def problem():
    logits = 3 * torch.randn(2, 7, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    logits[0, 2] = -torch.inf  # ruled out everywhere in the first picture
    return logits, torch.linspace(-1, 2, 7, dtype=torch.float64), distribution(7)


def energy_spelled_out(logits, bias, target, lam):
    """Equation 6, pixel by pixel."""
    total, mean = 0, 0
    pixels = logits.movedim(1, -1).reshape(-1, logits.shape[1])
    for z in pixels:
        y, y_star = torch.softmax(z, 0), torch.softmax(torch.log_softmax(z, 0) + bias, 0)
        possible = y > 0
        total = total + (y_star[possible] * (y_star[possible] / y[possible]).log()).sum()
        mean = mean + y_star / len(pixels)
    return total / len(pixels) + lam * ((mean - target) ** 2 / (mean + target)).sum() / 2


def test_energy_is_equation_6(problem):
    for lam in (0.0, 1.0, 20.0):
        assert transfer_energy(*problem, lam)[0] == pytest.approx(energy_spelled_out(*problem, lam).item())
    logits, bias, target = problem
    assert transfer_energy(logits, 0 * bias, target, 0.0)[0].abs() < 1e-12


def test_gradient_is_that_of_autograd_and_of_differences(problem):
    logits, bias, target = problem
    bias = bias.requires_grad_()
    (wanted,) = torch.autograd.grad(energy_spelled_out(logits, bias, target, 5.0), bias)
    bias = bias.detach()
    _, found, v = transfer_energy(logits, bias, target, 5.0)
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-12)
    for q in range(7):
        step = 1e-5 * torch.eye(7, dtype=torch.float64)[q]
        ahead, behind = (transfer_energy(logits, bias + s, target, 5.0)[0] for s in (step, -step))
        assert (ahead - behind) / 2e-5 == pytest.approx(found[q].item(), abs=1e-7)
    assert found @ v > 0  # along -v the energy falls
    assert found.sum().abs() < 1e-12  # what all bins share changes nothing


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.3, 3.0, 30.0, 1000.0]))
def test_energy_never_rises(seed, lam):
    generator = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(1, 12, 3, 3, generator=generator)
    target = distribution(12, seed)
    target[:5] = 0
    fit = fit_bias(logits, target / target.sum(), lam)
    assert (np.diff(fit.energies) <= 0).all()
    assert fit.bias.mean().abs() < 1e-5 and fit.bias.isfinite().all()
    after = transfer_energy(logits, fit.bias, target / target.sum(), lam)[0].item()
    assert after == pytest.approx(fit.energies[-1], rel=1e-5, abs=1e-6)


def test_the_bottom_is_flat_and_lower_than_around(problem):
    logits, _, target = problem
    fit = fit_bias(logits, target, 5.0, steps=2000, tolerance=1e-14)
    assert fit.converged
    energy, gradient, _ = transfer_energy(logits, fit.bias, target, 5.0)
    assert gradient.abs().max() < 1e-5
    noise = torch.Generator().manual_seed(0)
    for _ in range(20):
        other = fit.bias + 0.05 * torch.randn(7, generator=noise)
        assert transfer_energy(logits, other, target, 5.0)[0] > energy


def test_nothing_to_do():
    logits = torch.randn(1, 9, 4, 4, generator=torch.Generator().manual_seed(0))
    own = torch.softmax(logits.double(), 1).mean(dim=(0, 2, 3))
    for fit in (
        fit_bias(logits, own),
        fit_bias(logits, distribution(9), lam=0.0),
        fit_bias(logits, own, steps=0),
    ):
        assert isinstance(fit, Fit) and fit.bias.abs().max() < 1e-5
    assert fit_bias(logits, own, steps=0).energies == [pytest.approx(0, abs=1e-12)]


def test_strong_pull_reaches_the_histogram():
    logits = torch.randn(1, 9, 16, 16, generator=torch.Generator().manual_seed(0))
    target = distribution(9, 3)
    fit = fit_bias(logits, target, lam=1e4, steps=500, tolerance=1e-12)
    mean = torch.softmax(logits.double() + fit.bias.view(1, -1, 1, 1), 1).mean(dim=(0, 2, 3))
    torch.testing.assert_close(mean, target, atol=1e-3, rtol=0)


def test_a_strong_pull_does_not_overshoot():
    """A photo on which a step that is too long makes every pixel certain of one color: flat all around, and high above."""
    photo = images.square(images.bundled("chelsea"), 128)
    _, logits = Colorizer.load("best").answer(photo)
    target = histogram(rgb_to_lab(photo)[None, 1:], soft=False)
    weak, strong = fit_bias(logits, target, lam=10.0), fit_bias(logits, target, lam=100.0)
    assert weak.converged and strong.converged
    # The bottom for one lambda is a place for the next one, too; and less is not possible with a larger lambda.
    assert weak.energies[-1] < strong.energies[-1] < transfer_energy(logits, weak.bias, target, 100.0)[0]


# The toy world: what a histogram can tell, and what it cannot


@pytest.mark.parametrize("lam", [1.0, 5.0, 12.0])
def test_things_of_one_color_get_it_as_much_as_the_closed_form_says(lam):
    """Where all things of a kind have one color, and no other kind could have made its bins.

    With probability p of the true color before and y after, the two conditions dE/db = 0 give, whatever the thing's size,
    ``logit y = logit p + 2 lam / (1 + y)^2``: the logits of all colors of the kind that do not occur fall by lam / 2, the
    one that occurs rises by 2 lam / (1 + y)^2 - lam / 2.
    """
    world, checked = ToyWorld(24), set()
    for seed in range(6):
        scene = world.scenes(1, seed)
        logits = world.posterior(scene.kind).log()
        bins = nearest_bin(scene.ab)
        fit = fit_bias(logits, histogram(scene.ab, soft=False), lam, steps=2000, tolerance=1e-13)
        after = torch.softmax(logits.double() + fit.bias.view(1, -1, 1, 1), 1).gather(1, bins[:, None])[0, 0]
        for name, own in seen_once(world, scene, bins).items():
            p = world.palette(name).posterior()[own].item()
            y = solve(lambda y, p=p: np.log(y / (1 - y)) - np.log(p / (1 - p)) - 2 * lam / (1 + y) ** 2)
            there = scene.kind[0] == world.kinds.index(name)
            assert after[there].numpy() == pytest.approx(y, abs=2e-4), name
            checked.add(name)
    assert {"apple", "roof", "tree"} <= checked


def test_true_histogram_gives_true_colors():
    """Every thing that can be known, on every pixel; and the error falls, with all that cannot be known counted in."""
    world = ToyWorld(24)
    for seed in range(6):
        scene = world.scenes(1, seed)
        logits = world.posterior(scene.kind).log()
        bins = nearest_bin(scene.ab)
        fit = fit_bias(logits, histogram(scene.ab, soft=False), lam=20.0)
        biased = logits + fit.bias.view(1, -1, 1, 1)
        for name, own in seen_once(world, scene, bins).items():
            there = scene.kind == world.kinds.index(name)
            assert (biased.argmax(dim=1)[there] == own).all(), name
        before, after = ((decode.mean(z) - scene.ab).norm(dim=1).mean() for z in (logits, biased))
        assert after < before


def test_a_histogram_does_not_tell_which_of_two_apples_is_red():
    """Two apples of one size, one red and one green: half and half before, half and half after."""
    apple = ToyWorld().palette("apple")
    logits = apple.posterior().log().view(1, 313, 1, 1).expand(1, 313, 1, 2)
    ab = apple.colors.T.reshape(1, 2, 1, 2)
    fit = fit_bias(logits, histogram(ab, soft=False), lam=100.0)
    assert torch.softmax(logits + fit.bias.view(1, -1, 1, 1), 1).amax().item() == pytest.approx(0.5, abs=1e-6)


def seen_once(world, scene, bins):
    """Kinds with several colors, of which one occurs in the scene, and no other kind of the scene could have its colors."""
    kinds = scene.kind.unique().tolist()
    found = {}
    for k in kinds:
        mine = set(world.palette(k).posterior().nonzero().flatten().tolist())
        others = {
            q for j in kinds if j != k for q in world.palette(j).posterior().nonzero().flatten().tolist()
        }
        own = bins[scene.kind == k].unique().tolist()
        if len(mine) > 1 and len(own) == 1 and not mine & others:
            found[world.kinds[k]] = own[0]
    return found


def solve(f, low=1e-12, high=1 - 1e-12):
    """Root of a rising function, by bisection."""
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (low, middle) if f(middle) > 0 else (middle, high)
    return middle


# Mistakes


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: match_quantiles([1, 2], random(1, 2, 3, 3)), "source must be a tensor of floats"),
        (
            lambda: match_quantiles(random(2, 3, 3), random(1, 2, 3, 3)),
            r"source must have shape .* got \(2, 3, 3\)",
        ),
        (
            lambda: match_quantiles(random(1, 2, 3, 3), random(1, 3, 3, 3)),
            r"reference must have shape \(N, 2, H, W\)",
        ),
        (lambda: match_quantiles(random(1, 2, 3, 3) / 0, random(1, 2, 3, 3)), "source must be finite"),
        (lambda: match_quantiles(random(1, 2, 3, 3), random(1, 2, 0, 3)), "reference must have shape"),
        (lambda: quantile_transfer(random(3, 3, 3), random(1, 3, 3, 3)), "rgb must have shape"),
        (lambda: histogram(random(1, 2, 0, 3)), "a histogram needs pixels"),
        (lambda: chi_square(random(3), random(4)), r"must both be \(Q,\)"),
        (lambda: fit_bias(random(1, 9, 2, 2), distribution(9), lam=-1.0), "lam must be 0 or above"),
        (lambda: fit_bias(random(1, 9, 2, 2), distribution(9), lam=float("nan")), "lam must be 0 or above"),
        (lambda: fit_bias(random(1, 9, 2, 2), distribution(8)), r"must have shape \(9,\)"),
        (lambda: fit_bias(random(9, 2, 2), distribution(9)), r"logits must have shape \(N, Q, H, W\)"),
        (lambda: fit_bias(random(1, 9, 2, 2), 2 * distribution(9)), "with sum 1, got a sum of 2"),
        (lambda: fit_bias(random(1, 9, 2, 2), distribution(9), steps=-1), "steps must be a whole number"),
        (lambda: fit_bias(random(1, 9, 2, 2), [1.0]), "must be tensors"),
    ],
)
def test_mistakes_get_one_sentence(call, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        call()
