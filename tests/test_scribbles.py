"""Scribbles against a dense solve of the equations spelled out in loops, and pictures whose answer is known."""

import itertools
import math

import numpy as np
import pytest
import torch

from colorize import images
from colorize.lab import rgb_to_lab
from colorize.scribbles import Stroke, propagate, rasterize, weights


def flat(height, width, value=50.0):
    return torch.full((1, 1, height, width), value)


def equations(light, spread):
    """The weights of Levin et al., one pixel after the other, as their published program has them."""
    y = light.double().numpy() / 100
    height, width = y.shape
    found = np.zeros((y.size, y.size))
    for r, (row, column) in enumerate(np.ndindex(height, width)):
        around = [
            (v, u)
            for v in range(max(0, row - 1), min(height, row + 2))
            for u in range(max(0, column - 1), min(width, column + 2))
        ]
        variance = np.var([y[p] for p in around])
        around.remove((row, column))
        squared = np.array([(y[p] - y[row, column]) ** 2 for p in around])
        scale = max(spread * variance, -squared.min() / math.log(0.01), 2e-6)
        share = np.exp(-squared / scale)
        for (v, u), w in zip(around, share / share.sum(), strict=True):
            found[r, v * width + u] = w
    return found


@pytest.mark.parametrize("spread", [0.6, 2.0])
@pytest.mark.parametrize("kind", ["photo", "noise", "flat", "step"])
def test_weights_are_those_of_the_program(kind, spread):
    light = {
        "photo": rgb_to_lab(images.square(images.bundled("coffee"), 12))[0],
        "noise": 100 * torch.rand(7, 9, generator=torch.Generator().manual_seed(0)),
        "flat": torch.full((5, 4), 33.0),
        "step": torch.cat((torch.zeros(6, 3), torch.full((6, 3), 100.0)), dim=1),
    }[kind]
    found = weights(light, spread).toarray()
    np.testing.assert_allclose(found, equations(light, spread), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_solution_is_that_of_a_dense_solve():
    """All pixels at once, painted ones with an equation of their own."""
    light = rgb_to_lab(images.square(images.bundled("chelsea"), 20))[None, :1]
    strokes = [
        Stroke([(2, 3), (8, 6)], (30, 10), 1.0),
        Stroke([(15, 15)], (-20, 40), 2.0),
        Stroke([(3, 18)], (0, 0), 0.5),
    ]
    ab, mask = rasterize(strokes, 20, 20)
    found = propagate(light, ab, mask)
    painted = mask.flatten().numpy()
    system = np.eye(400) - np.where(painted[:, None], 0, equations(light[0, 0], 0.6))
    right = np.where(painted, ab.flatten(2).double().numpy()[0], 0)
    wanted = np.linalg.solve(system, right.T).T
    np.testing.assert_allclose(found.flatten(2)[0].numpy(), wanted, atol=1e-4)


def test_painted_pixels_keep_their_colors_and_all_others_lie_between():
    light = rgb_to_lab(images.square(images.bundled("astronaut"), 48))[None, :1]
    ab = torch.randn(1, 2, 48, 48, generator=torch.Generator().manual_seed(0)) * 40
    mask = torch.rand(1, 48, 48, generator=torch.Generator().manual_seed(1)) < 0.02
    found = propagate(light, ab, mask)
    assert torch.equal(found[:, :, mask[0]], ab[:, :, mask[0]])
    for c in (0, 1):
        least, most = ab[0, c][mask[0]].aminmax()
        assert least - 1e-4 <= found[0, c].min() and found[0, c].max() <= most + 1e-4


@pytest.mark.parametrize("where", [(0, 0), (9, 4), (19, 14)])
def test_one_scribble_colors_everything(where):
    """On a constant picture, and on any other: nothing says that a pixel should differ from its neighbors."""
    ab, mask = rasterize([Stroke([where], (25, -40), 0.5)], 15, 20)
    assert mask.sum() == 1
    photo = 100 * torch.rand(1, 1, 15, 20, generator=torch.Generator().manual_seed(0))
    for light in (flat(15, 20), flat(15, 20, 0.0), photo):
        found = propagate(light, ab, mask)
        torch.testing.assert_close(
            found, torch.tensor([25.0, -40.0]).view(1, 2, 1, 1).expand_as(found), atol=1e-3, rtol=0
        )


def test_an_edge_keeps_two_colors_apart():
    light = torch.cat((flat(24, 12, 30.0), flat(24, 12, 80.0)), dim=3)
    strokes = [Stroke([(3, 3), (3, 20)], (50, 0)), Stroke([(20, 3), (20, 20)], (-50, 0))]
    found = propagate(light, *rasterize(strokes, 24, 24))[0, 0]
    # Pixels at the edge belong to their side: nothing is mixed there. Without the edge there is a ramp.
    assert found[:, :11].min() > 40 and found[:, 13:].max() < -40
    ramp = propagate(flat(24, 24), *rasterize(strokes, 24, 24))[0, 0]
    assert ramp[:, 11:13].abs().max() < 10


def test_a_ramp_between_two_columns_is_straight():
    """One row without contrast: the mean of both neighbors, everywhere, is a straight line."""
    ab, mask = torch.zeros(1, 2, 1, 11), torch.zeros(1, 1, 11, dtype=torch.bool)
    ab[0, :, 0, 10], mask[0, 0, [0, 10]] = torch.tensor([30.0, -10.0]), True
    found = propagate(flat(1, 11), ab, mask)
    torch.testing.assert_close(found[0, 0, 0], torch.arange(11) * 3.0)
    torch.testing.assert_close(found[0, 1, 0], torch.arange(11) * -1.0)


def test_each_picture_of_a_batch_is_solved_by_itself():
    light = 100 * torch.rand(2, 1, 8, 9, generator=torch.Generator().manual_seed(0))
    drawn = [rasterize([Stroke([(1, 1)], c), Stroke([(6, 6)], (0, 9))], 8, 9) for c in ((30, 0), (0, 50))]
    ab, mask = (torch.cat(parts) for parts in zip(*drawn, strict=True))
    together = propagate(light, ab, mask)
    for n in range(2):
        assert torch.equal(together[n : n + 1], propagate(light[n : n + 1], ab[n : n + 1], mask[n : n + 1]))


def test_everything_painted_is_left_alone():
    ab = torch.randn(1, 2, 4, 5)
    assert torch.equal(propagate(flat(4, 5), ab, torch.ones(1, 4, 5, dtype=torch.bool)), ab)
    one = propagate(flat(1, 1), torch.ones(1, 2, 1, 1), torch.ones(1, 1, 1, dtype=torch.bool))
    assert one.flatten().tolist() == [1, 1]


# Strokes


def test_strokes_cover_what_is_near_the_line():
    points, radius = [(2.0, 3.0), (10.5, 3.0), (10.5, 12.2), (4.0, 9.0)], 1.7
    ab, mask = rasterize([Stroke(points, (12, -7), radius)], 16, 14)
    for y, x in np.ndindex(16, 14):
        near = min(distance((x, y), a, b) for a, b in itertools.pairwise(points))
        assert mask[0, y, x] == (near <= radius), (x, y)
    assert (ab[0, :, mask[0]] == torch.tensor([[12.0], [-7.0]])).all() and (ab[0, :, ~mask[0]] == 0).all()


def distance(p, a, b):
    p, a, b = map(np.array, (p, a, b))
    t = np.clip((p - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
    return np.linalg.norm(p - a - t * (b - a))


def test_the_thinnest_stroke_is_not_lost():
    for x, y in ((2.0, 2.0), (2.5, 2.5), (2.3, 2.8)):
        assert rasterize([Stroke([(x, y)], (9, 9), 0.01)], 6, 6)[1].any()


def test_later_strokes_cover_and_what_is_outside_is_cut_off():
    ab, mask = rasterize(
        [Stroke([(-5, 2), (50, 2)], (1, 1), 1.0), Stroke([(2, -40), (2, 40)], (7, 7), 0.5)], 5, 6
    )
    assert ab[0, 0, 2].tolist() == [1, 1, 7, 1, 1, 1] and mask[0, 0].tolist() == [
        False,
        False,
        True,
        False,
        False,
        False,
    ]
    assert not rasterize([Stroke([(-50, -50), (-60, 90)], (1, 1))], 5, 6)[1].any()
    assert not rasterize([], 5, 6)[1].any()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"mask": torch.zeros(1, 4, 4, dtype=torch.bool)},
            "there are no scribbles: paint at least one pixel",
        ),
        ({"mask": torch.ones(1, 4, 4)}, "mask must be a tensor of bool, got torch.float32"),
        (
            {"mask": torch.ones(1, 1, 4, 4, dtype=torch.bool)},
            r"mask must have shape \(1, 4, 4\), got \(1, 1, 4, 4\)",
        ),
        ({"ab": torch.zeros(1, 3, 4, 4)}, r"ab must have shape \(N, 2, H, W\)"),
        ({"ab": torch.zeros(1, 2, 4, 5)}, r"ab must have shape \(1, 2, 4, 4\)"),
        ({"ab": torch.full((1, 2, 4, 4), math.nan)}, "ab must be finite"),
        ({"lightness": torch.zeros(4, 4)}, r"lightness must have shape \(N, 1, H, W\), got \(4, 4\)"),
        ({"spread": 0.0}, "spread must be above 0"),
    ],
)
def test_mistakes_get_one_sentence(change, sentence):
    arguments = {
        "lightness": flat(4, 4),
        "ab": torch.zeros(1, 2, 4, 4),
        "mask": torch.ones(1, 4, 4, dtype=torch.bool),
    }
    with pytest.raises((TypeError, ValueError), match=sentence):
        propagate(**arguments | change)


@pytest.mark.parametrize(
    ("stroke", "sentence"),
    [
        (Stroke([], (1, 1)), "stroke 2: points must be one or more pairs"),
        (Stroke([(1, 2, 3)], (1, 1)), "stroke 2: points"),
        (Stroke([(1, math.nan)], (1, 1)), "stroke 2: points"),
        (Stroke([(1, 2)], (1, 1, 1)), "stroke 2: color must be a pair"),
        (Stroke([(1, 2)], (1, math.inf)), "stroke 2: color must be a pair"),
        (Stroke([(1, 2)], (1, 1), 0), "stroke 2: radius must be above 0"),
    ],
)
def test_wrong_strokes_are_named(stroke, sentence):
    with pytest.raises(ValueError, match=sentence):
        rasterize([Stroke([(0, 0)], (1, 1)), stroke], 5, 5)


def test_a_contrast_too_small_to_matter_is_measured_in_units_of_y():
    """Y runs from 0 to 1: 0.2 units of L are 0.002, squared 0.000004, twice the least scale. Nothing else fixes the unit."""
    middle = weights(torch.tensor([[50.0, 50.0, 50.2]])).toarray()[1]
    assert middle[2] / middle[0] == pytest.approx(math.exp(-2), rel=1e-3)
