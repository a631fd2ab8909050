"""The world with seasons: its scenes, its exact optima, and what networks with and without a glance at the whole make of it."""

import numpy as np
import pytest
import torch

from colorize import seasons
from colorize.lab import rgb_to_lab
from colorize.networks import FusionNet
from colorize.seasons import SEASONAL, SHOWN, SIGN, WAYS, SeasonWorld, Sign
from colorize.toyworld import ToyWorld


@pytest.fixture(scope="module")
def world():
    return SeasonWorld(48)


@pytest.fixture(scope="module")
def scenes(world):
    return world.scenes(60, seed=5)


def test_scenes_are_those_of_the_toy_world_but_for_sign_and_seasons(world, scenes):
    toy = ToyWorld(48).scenes(60, seed=5)
    corner = torch.zeros(48, 48, dtype=torch.bool)
    corner[:SIGN, :SIGN] = True
    seasonal = torch.isin(toy.kind, torch.tensor([toy_kind(name) for name in SEASONAL]))
    same = ~corner & ~seasonal
    assert torch.equal(scenes.lightness[:, ~corner], toy.lightness[:, ~corner])
    assert torch.equal(scenes.kind[:, ~corner], toy.kind[:, ~corner])
    assert torch.equal(scenes.ab.movedim(1, -1)[same], toy.ab.movedim(1, -1)[same])
    assert (scenes.kind[:, corner] == world.kinds.index("sign")).all()
    for n in range(60):
        assert (scenes.lightness[n, corner] == SHOWN[scenes.season[n]]).all()
        for name, colors in SEASONAL.items():
            here = (scenes.kind[n] == toy_kind(name)) & ~corner
            color = torch.tensor(colors[scenes.season[n]]).float()
            assert (scenes.ab[n, :, here] == color[:, None]).all()


def toy_kind(name):
    return ToyWorld().kinds.index(name)


def test_scenes_repeat_and_seasons_are_even(world):
    one, same, other = world.scenes(20, seed=1), world.scenes(20, seed=1), world.scenes(20, seed=2)
    assert all(map(torch.equal, vars(one).values(), vars(same).values()))
    assert not torch.equal(one.season, other.season)
    many = torch.cat([world.scenes(100, seed).season for seed in range(4)])
    assert abs(many.double().mean().item() - 0.5) < 0.1
    rgb, season = world.batch(20, seed=1)
    assert torch.equal(rgb, one.rgb()) and torch.equal(season, one.season)


def test_all_colors_are_colors_of_srgb(scenes):
    """Also those of fall, at every lightness that grass and trees have: nothing is clipped."""
    lab = torch.cat((scenes.lightness[:, None], scenes.ab), dim=1)
    assert (rgb_to_lab(scenes.rgb()) - lab).abs().max() < 0.05


def test_the_gray_picture_tells_the_season_in_the_corner_alone(world):
    lightness = world.scenes(40, seed=3).lightness.clone()
    lightness[:, :SIGN, :SIGN] = 0
    assert torch.equal(lightness[:, SIGN:, SIGN:], ToyWorld(48).scenes(40, seed=3).lightness[:, SIGN:, SIGN:])


def test_the_perfect_embedding_reads_the_sign(scenes):
    found = Sign()(scenes.lightness[:, None])
    assert torch.equal(found.argmax(dim=1), scenes.season) and torch.equal(found.sum(dim=1), torch.ones(60))


@pytest.mark.parametrize("kind", [*SEASONAL, "apple", "sky", "sign"])
def test_no_answer_is_better_than_the_optimum(world, kind):
    """By brute force over a grid of answers: expected loss, summed over seasons and the palette's colors."""
    grid = np.stack(np.meshgrid(np.arange(-40, 61, 1.0), np.arange(-40, 71, 1.0)), axis=-1).reshape(-1, 2)

    def losses(colors, shares):
        return sum(
            p * 0.5 * ((grid - np.array(c)) ** 2).sum(axis=1) for c, p in zip(colors, shares, strict=True)
        )

    if kind in SEASONAL:
        cases = [([SEASONAL[kind][0]], [1]), ([SEASONAL[kind][1]], [1]), (SEASONAL[kind], [0.5, 0.5])]
    elif kind == "sign":
        cases = [([(0, 0)], [1])] * 3
    else:
        palette = world.world.palette(kind)
        cases = [(palette.colors.tolist(), palette.probabilities.tolist())] * 3
    for (colors, shares), answer in zip(cases, world.answers(kind).tolist(), strict=True):
        assert grid[losses(colors, shares).argmin()] == pytest.approx(answer, abs=0.51)


def test_the_exact_costs_are_those_of_drawn_scenes(world):
    """A painter who is told each way answers 400 scenes; the mean loss is the sum that was computed."""
    scenes = world.scenes(400, seed=11)
    told = {
        "own": scenes.season,
        "none": torch.full_like(scenes.season, 2),
        "shuffled": torch.randint(2, (400,), generator=torch.Generator().manual_seed(0)),
        "swapped": 1 - scenes.season,
    }
    best = world.optimum(scenes.kind, scenes.season)
    for name in (*SEASONAL, "apple"):
        here = scenes.kind == world.kinds.index(name)
        for way in WAYS:
            answer = world.optimum(scenes.kind, told[way])
            loss = (answer - scenes.ab).square() - (best - scenes.ab).square()
            found = 0.5 * loss.sum(dim=1)[here].mean().item()
            assert found == pytest.approx(world.excess(name, way), rel=0.1, abs=1e-3), (name, way)


def test_where_the_season_is_not_known_the_optimum_is_the_mean(world, scenes):
    sees = torch.zeros(48, 48, dtype=torch.bool)
    sees[:, :20] = True
    best, known = (
        world.optimum(scenes.kind, scenes.season, sees),
        world.optimum(scenes.kind, scenes.season),
    )
    assert torch.equal(best[..., :20], known[..., :20])
    grass = scenes.kind[..., 20:] == toy_kind("grass")
    assert (best[..., 20:].movedim(1, -1)[grass] == torch.tensor([-13.0, 40.0])).all()
    others = ~torch.isin(scenes.kind, torch.tensor([toy_kind(name) for name in SEASONAL]))
    assert torch.equal(best.movedim(1, -1)[others], known.movedim(1, -1)[others])


def test_a_good_part_of_the_scenes_is_out_of_reach(world):
    """Cells from row or column 18 on, of 24 x 24; the paper's encoder would see all of so small a scene."""
    seen = world.sees_sign(FusionNet(width=1 / 16, embedding="none", encoder=seasons.NEAR))
    expected = torch.zeros(24, 24, dtype=torch.bool)
    expected[:18, :18] = True
    assert torch.equal(seen, expected)
    assert world.sees_sign(FusionNet(width=1 / 16, embedding="none")).all()


class Exact(FusionNet):
    """A network that answers with the optimum for the season it is told; for a test of what is measured."""

    def __init__(self, world, scenes):
        super().__init__(width=1 / 16, embedding=Sign(), encoder=seasons.NEAR)
        self.world = world
        self.kinds = {
            bytes(L.numpy().tobytes()): kind for L, kind in zip(scenes.lightness, scenes.kind, strict=True)
        }

    def forward(self, lightness, embedding=None):
        kind = torch.stack([self.kinds[bytes(L[0].numpy().tobytes())] for L in lightness])[:, ::2, ::2]
        unknown = embedding.sum(dim=1) == 0
        answer = self.world.optimum(kind, torch.where(unknown, 2, embedding.argmax(dim=1)))
        answer[:, :, self.world.sees_sign(self)] = 99  # within reach of the sign: must not count
        return answer


def test_a_perfect_network_measures_as_computed(world, scenes):
    """Own season: no cost. The other's: the exact one. And nothing but grass and trees is moved."""
    network = Exact(world, scenes)
    found = {way: seasons.measured(network, world, scenes, way) for way in WAYS}
    for way in ("own", "none", "swapped"):
        for name in SEASONAL:
            assert found[way]["excess"][name] == pytest.approx(world.excess(name, way), abs=0.06)
    assert found["own"]["distance"] == {"grass": 0, "tree": 0}
    summer, fall, mean = world.answers("grass").tolist()
    assert found["own"]["answers"]["grass"] == {"summer": summer, "fall": fall}
    assert found["swapped"]["answers"]["grass"] == {"summer": fall, "fall": summer}
    assert found["none"]["answers"]["grass"] == {"summer": mean, "fall": mean}
    assert {way: found[way]["others"] for way in WAYS} == dict.fromkeys(WAYS, 0)
    assert {way: found[way]["moved"]["others"] for way in WAYS} == dict.fromkeys(WAYS, 0)
    assert found["own"]["moved"]["seasonal"] == 0
    swapped = found["swapped"]["moved"][
        "seasonal"
    ]  # by the distance of the two colors: 40.2 for grass, 63.2 for trees
    assert 40.1 < swapped < 63.3 and found["none"]["moved"]["seasonal"] == pytest.approx(
        swapped / 2, abs=0.01
    )
    assert 0.3 < found["shuffled"]["excess"]["grass"] / world.excess("grass", "shuffled") < 1.7  # 60 scenes


def test_shuffled_is_never_a_pictures_own(world, scenes):
    class Number(torch.nn.Module):
        size = 1

        def forward(self, lightness):
            return torch.arange(len(lightness)).float()[:, None]

    class Echo(FusionNet):
        def forward(self, lightness, embedding=None):
            return embedding[:, :, None, None]

    network = Echo(width=1 / 16, embedding=Number(), encoder=seasons.NEAR)
    own, other = (seasons.ask(network, scenes, way).flatten() for way in ("own", "shuffled"))
    assert (own != other).all() and torch.equal(own, other.sort().values)
    swapped = seasons.ask(network, scenes, "swapped").flatten().long()
    assert (scenes.season[swapped] != scenes.season).all()


def test_networks_learn_what_they_can_know(world):
    """Short: the perfect embedding tells the seasons apart where none cannot, and the twin stays at one color for both."""
    scenes = world.scenes(40, seed=6_000_000)
    apart = {}
    for embedding in ("none", "perfect"):
        network, history = seasons.train(embedding, width=1 / 8, steps=160, batch=8)
        assert history.finished
        found = seasons.measured(network, world, scenes)["answers"]["grass"]
        apart[embedding] = np.linalg.norm(np.subtract(found["summer"], found["fall"]))
    d = np.linalg.norm(np.subtract(*SEASONAL["grass"]))
    assert apart["none"] < 0.15 * d and apart["perfect"] > 0.6 * d


def test_named_seasons_train(world):
    network, _ = seasons.train("named", scene=24, width=1 / 16, steps=2, batch=4)
    assert network.classify(SeasonWorld(24).scenes(3, 0).lightness[:, None]).shape == (3, 2)


def test_what_cannot_be_is_refused(world, scenes):
    network = FusionNet(width=1 / 16, embedding="none", encoder=seasons.NEAR).eval()
    for attempt in (lambda: world.excess("grass", "no"), lambda: seasons.ask(network, scenes, "no")):
        with pytest.raises(ValueError, match="way must be one of own, none, shuffled, swapped, got 'no'"):
            attempt()
    with pytest.raises(ValueError, match="embedding must be one of none, perfect, own, named, got 'vgg'"):
        seasons.train("vgg")
    one = seasons.SeasonScenes(scenes.lightness, scenes.ab, scenes.kind, scenes.season * 0)
    with pytest.raises(ValueError, match="scenes of both are needed"):
        seasons.ask(network, one, "swapped")
