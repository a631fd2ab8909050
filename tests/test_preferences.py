"""Biases that prefer colors: the law of the tilted mean, quarter turns, the covariance of draws, entropies that are known."""

import math

import numpy as np
import pytest
import torch

from colorize import decode
from colorize.bins import gamut_bins
from colorize.preferences import (
    draw_biases,
    hue_bias,
    hue_biases,
    hue_distribution,
    rotate_bias,
    uncertainty,
)
from colorize.toyworld import ToyWorld


def distribution(*numbers):
    """Logits (1, 313, 1, 1) of a pixel with these {bin center: probability}."""
    logits = torch.full((1, 313, 1, 1), -torch.inf)
    for center, p in numbers:
        (q,) = (gamut_bins() == torch.tensor(center)).all(dim=1).nonzero().flatten()
        logits[0, q] = math.log(p)
    return logits


@pytest.mark.parametrize("angle", [0, 37, 90, 200])
@pytest.mark.parametrize("strength", [0.0, 3.0])
def test_the_mean_moves_by_the_covariance(angle, strength):
    logits = 2 * torch.randn(
        1, 313, 1, 1, generator=torch.Generator().manual_seed(angle), dtype=torch.float64
    )
    means = [
        decode.mean(logits + hue_bias(angle, s).double().view(1, -1, 1, 1))[0, :, 0, 0]
        for s in (strength - 0.01, strength + 0.01)
    ]
    p = torch.softmax(logits[0, :, 0, 0] + hue_bias(angle, strength).double(), 0).numpy()
    covariance = np.cov(gamut_bins().double().numpy().T, aweights=p, bias=True)
    direction = [math.cos(math.radians(angle)), math.sin(math.radians(angle))]
    slope = (means[1] - means[0]) / 0.02
    np.testing.assert_allclose(slope.numpy(), covariance @ direction / 100, rtol=1e-3, atol=1e-4)


def test_what_is_certain_does_not_move():
    logits = distribution(((50.0, 40.0), 1.0))
    for bias in hue_biases(8, strength=50.0):
        assert decode.mean(logits + bias.view(1, -1, 1, 1)).flatten().tolist() == [50, 40]


def test_an_apple_turns_red_and_green():
    world = ToyWorld(24)
    kind = torch.full((1, 24, 24), world.kinds.index("apple"))
    logits = world.posterior(kind).log()
    red, green = (decode.mean(logits + hue_bias(angle, 10.0).view(1, -1, 1, 1))[0, 0] for angle in (0, 180))
    assert (red > 49).all() and (green < -39).all()


def test_hue_biases_go_round():
    biases = hue_biases(4, 3.0, start=30)
    assert biases.shape == (4, 313)
    torch.testing.assert_close(biases[1], hue_bias(120, 3.0))
    torch.testing.assert_close(biases[0], -biases[2])
    assert torch.equal(hue_bias(10, 0.0).abs(), torch.zeros(313))
    assert gamut_bins()[hue_bias(0).argmax(), 0] == 100


def test_turning_a_bias():
    bias = torch.randn(313, generator=torch.Generator().manual_seed(0))
    assert torch.equal(rotate_bias(bias, 0), bias)
    assert torch.equal(rotate_bias(bias, 360), bias)
    centers = [tuple(c) for c in gamut_bins().int().tolist()]
    quarter = rotate_bias(bias, 90)  # what it said of red it says of yellow
    both = [(q, centers.index((b, -a))) for q, (a, b) in enumerate(centers) if (b, -a) in centers]
    assert len(both) > 200
    for new, old in both:
        assert quarter[new] == bias[old]
    smooth = hue_bias(20, 5.0)  # half a bin's rounding: 5 sqrt(2) ab units, 0.05 nats each
    inside = gamut_bins().norm(dim=1) < 60
    assert (rotate_bias(smooth, 50) - hue_bias(70, 5.0))[inside].abs().max() < 0.36


def test_draws_have_their_covariance():
    draws = draw_biases(20_000, seed=0, strength=1.5, length=30.0).double()
    centers = gamut_bins().double()
    wanted = 1.5**2 * torch.exp(-((centers[:, None] - centers) ** 2).sum(dim=2) / (2 * 30.0**2))
    assert draws.mean(dim=0).abs().max() < 0.06
    assert (torch.cov(draws.T) - wanted).abs().max() < 0.12
    assert torch.equal(draw_biases(3, seed=5), draw_biases(3, seed=5))
    assert not torch.equal(draw_biases(3, seed=5), draw_biases(3, seed=6))
    assert torch.equal(draw_biases(2, seed=5, strength=0.0).abs(), torch.zeros(2, 313))


def test_hue_distribution():
    logits = distribution(((50.0, 0.0), 0.2), ((20.0, 0.0), 0.2), ((0.0, 30.0), 0.3), ((0.0, 0.0), 0.3))
    found = hue_distribution(logits, sectors=8)[0, :, 0, 0]
    assert found.tolist() == pytest.approx([4 / 7, 0, 3 / 7, 0, 0, 0, 0, 0])
    gray = hue_distribution(distribution(((0.0, 0.0), 1.0)), sectors=8)
    assert gray.flatten().tolist() == [0.125] * 8
    everything = hue_distribution(torch.zeros(1, 313, 2, 3))
    assert everything.shape == (1, 32, 2, 3)
    torch.testing.assert_close(everything.sum(dim=1), torch.ones(1, 2, 3))
    # 11 degrees to either side of red are in its sector.
    for b in (-10.0, 10.0):
        assert hue_distribution(distribution(((50.0, b), 1.0)), sectors=8)[0, 0] == 1
    # -180 and 180 degrees are one direction, in the middle of its sector.
    assert hue_distribution(distribution(((-50.0, 0.0), 1.0)), sectors=8)[0, 4] == 1


def test_uncertainty_where_it_is_known():
    def at(*numbers):
        return uncertainty(distribution(*numbers)).item()

    assert at(((50.0, 0.0), 1.0)) == 0
    assert at(((0.0, 0.0), 1.0)) == 0  # no hue is known, and none matters
    assert at(((50.0, 0.0), 0.5), ((-50.0, 0.0), 0.5)) == pytest.approx(50 * math.log(2))
    assert at(((50.0, 0.0), 0.25), ((-50.0, 0.0), 0.25), ((0.0, 0.0), 0.5)) == pytest.approx(25 * math.log(2))
    assert at(((50.0, 0.0), 0.5), ((20.0, 0.0), 0.5)) == 0  # one hue in two chromas


def test_uncertainty_of_a_balloon_and_of_the_sky():
    world = ToyWorld(24)
    table = world.posterior(torch.arange(len(world.kinds)).view(1, 1, -1).expand(1, 1, -1)).log()
    found = dict(zip(world.kinds, uncertainty(table)[0, 0].tolist(), strict=True))
    chroma = world.palette("balloon").posterior() @ gamut_bins().double().norm(dim=1)
    assert found["balloon"] == pytest.approx(math.log(6) * chroma.item(), rel=1e-5)
    assert found["sky"] == found["grass"] == found["lemon"] == 0
    assert found["apple"] > 10


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: hue_bias("red"), "angle must be a number"),
        (lambda: hue_bias(float("nan")), "angle must be finite"),
        (lambda: hue_bias(0, float("inf")), "strength must be finite"),
        (lambda: hue_biases(0), "n must be a whole number"),
        (lambda: rotate_bias(torch.zeros(312), 90), r"bias must have shape \(313,\), got \(312,\)"),
        (lambda: draw_biases(1.5, 0), "n must be a whole number"),
        (lambda: draw_biases(1, 0, strength=-1.0), "strength must be 0 or above"),
        (lambda: draw_biases(1, 0, length=0.0), "length must be above 0"),
        (lambda: hue_distribution(torch.zeros(1, 312, 2, 2)), r"logits must have shape \(N, 313, H, W\)"),
        (lambda: uncertainty(torch.zeros(1, 313, 2, 2), sectors=0), "sectors must be a whole number"),
    ],
)
def test_mistakes_get_one_sentence(call, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        call()
