"""The toy world: its scenes keep their promises, and its exact answers are what numerical minimization finds."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from colorize import toyworld
from colorize.bins import gamut_bins, nearest_bin, soft_encode
from colorize.decode import mode
from colorize.lab import lab_to_rgb, rgb_to_lab
from colorize.losses import l2
from colorize.networks import SmallNet
from colorize.prior import color_prior, rebalancing_weights
from colorize.toyscenes import KINDS
from colorize.toyworld import Palette, ToyWorld, total_variation
from colorize.training import fit

WORLD = ToyWorld()
NAMES = WORLD.kinds
MANY = [name for name in NAMES if len(WORLD.palettes[name].colors) > 1]


@pytest.fixture(scope="module")
def many():
    """2,000 scenes, with everything that is known about them."""
    return WORLD.scenes(2000, seed=11)


@pytest.fixture(scope="module")
def lab(many):
    """Lab of the same scenes after a way through sRGB, as a training sees them."""
    return rgb_to_lab(many.rgb())


@pytest.fixture(scope="module")
def weights():
    rgb, _ = WORLD.batch(300, seed=5)
    return rebalancing_weights(color_prior(rgb_to_lab(rgb)[:, 1:]))


# Scenes


@pytest.mark.parametrize("size", [24, 31, 48, 128])
def test_shapes_and_types(size):
    rgb, kind = ToyWorld(size).batch(3, seed=0)
    assert rgb.shape == (3, 3, size, size)
    assert rgb.dtype == torch.float32
    assert 0 <= rgb.min() <= rgb.max() <= 1
    assert kind.shape == (3, size, size)
    assert kind.dtype == torch.int64
    scenes = ToyWorld(size).scenes(3, seed=0)
    assert scenes.lightness.shape == scenes.thing.shape == (3, size, size)
    assert scenes.ab.shape == (3, 2, size, size)
    assert scenes.kinds.shape == scenes.choices.shape == (3, 15)
    assert torch.equal(scenes.rgb(), rgb)
    assert torch.equal(scenes.kind, kind)


def test_only_the_arguments_decide():
    torch.manual_seed(1)
    np.random.seed(1)
    first = WORLD.batch(70, seed=3)  # more than one block
    torch.manual_seed(2)
    np.random.seed(2)
    WORLD.batch(5, seed=4)
    again = ToyWorld(48).batch(70, seed=3)
    assert all(torch.equal(x, y) for x, y in zip(first, again, strict=True))
    assert len({picture.numpy().tobytes() for picture in first[0]}) == 70
    other = WORLD.batch(70, seed=4)
    assert not any(torch.equal(x, y) for x, y in zip(first, other, strict=True))
    assert not torch.equal(WORLD.batch(2, seed=-1)[0], WORLD.batch(2, seed=1)[0])


def test_every_kind_occurs_and_rare_ones_are_rare(many):
    shares = torch.bincount(many.kind.flatten(), minlength=len(NAMES)).double() / many.kind.numel()
    assert (shares > 0).all()
    assert shares.sum().item() == pytest.approx(1)
    assert torch.allclose(WORLD.shares(500, seed=1), shares, atol=0.02, rtol=0.2)
    kite = NAMES.index("kite")
    seen = (many.kinds == kite) & (pixels_of_things(many) >= 8)
    assert seen.sum() >= 50
    assert shares[kite] < 0.005
    assert WORLD.palette("kite").mean().norm() > 70  # vivid


def test_grass_is_grainy_and_sky_is_not(many):
    """Each pixel has the grain of its own kind: from one pixel to the next, grass varies more."""
    step = (many.lightness[:, :, 1:] - many.lightness[:, :, :-1]).abs()
    same = many.thing[:, :, 1:] == many.thing[:, :, :-1]
    found = {k: step[same & (many.kind[:, :, 1:] == NAMES.index(k))].mean() for k in ("sky", "grass", "path")}
    assert found["sky"] < 0.3 < 2 < found["path"] < found["grass"]


def test_the_stem_of_a_tulip_is_grass(many):
    """A cup without its stem is less than a fifth of the picture high, with it nearly a third."""
    rows = torch.stack([(many.thing == thing).any(dim=2).sum(dim=1) for thing in range(12, 15)], dim=1)
    height = rows[many.kinds[:, 12:] == NAMES.index("tulip")] / WORLD.size
    assert len(height) > 500
    assert 0.1 < height.max() < 0.22


def test_the_mean_of_the_balloons_is_gray():
    assert WORLD.palette("balloon").mean().norm() < 0.01


@pytest.mark.parametrize(("n", "seed"), [(5, 4), (70, 3)])
def test_shares_count_the_scenes_that_are_asked_for(n, seed):
    kind = WORLD.scenes(n, seed).kind
    by_hand = [(kind == number).sum().item() / kind.numel() for number in range(len(NAMES))]
    assert WORLD.shares(n, seed).tolist() == pytest.approx(by_hand, abs=1e-12)


def pixels_of_things(scenes) -> torch.Tensor:
    """(n, 15): how many pixels of each thing can be seen."""
    return F.one_hot(scenes.thing.flatten(1), 15).sum(dim=1)


@pytest.mark.parametrize("size", [24, 48, 100])
def test_each_thing_has_one_kind_and_one_color_of_its_palette(size):
    scenes = ToyWorld(size).scenes(40, seed=7)
    for n in range(40):
        for thing in scenes.thing[n].unique().tolist():
            here = scenes.thing[n] == thing
            kind = scenes.kinds[n, thing].item()
            assert kind >= 0
            assert (scenes.kind[n][here] == kind).all()
            colors = scenes.ab[n][:, here].T.unique(dim=0)
            palette = WORLD.palette(kind).colors.float()
            assert len(colors) == 1
            assert torch.equal(colors[0], palette[scenes.choices[n, thing]])


def test_pictures_give_back_lightness_and_color(many, lab):
    """Nothing is clipped, and no color comes back in another bin."""
    assert (lab[:, 0] - many.lightness).abs().max() < 1e-3
    assert (lab[:, 1:] - many.ab).abs().max() < 2e-3
    assert torch.equal(nearest_bin(lab[:500, 1:]), nearest_bin(many.ab[:500]))


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_every_color_is_in_gamut_at_every_lightness_of_its_kind(kind, many):
    low, high = kind.lightness
    here = many.lightness[many.kind == NAMES.index(kind.name)]
    assert low - 1e-4 <= here.min() <= here.max() <= high + 1e-4
    lightness = torch.linspace(low, high, 200, dtype=torch.float64)
    for a, b, _ in kind.palette:
        lab = torch.stack((lightness, torch.full_like(lightness, a), torch.full_like(lightness, b)))[:, None]
        rgb = lab_to_rgb(lab)
        assert 0 < rgb.min() <= rgb.max() < 1
        assert (rgb_to_lab(rgb) - lab).abs().max() < 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_colors_keep_away_from_the_borders_between_bins(name):
    centers = gamut_bins().double()
    for color in WORLD.palettes[name].colors:
        squared = (centers - color).square().sum(dim=1)
        own = squared.argmin()
        others = torch.arange(len(centers)) != own
        # distance to the line halfway between two centers
        border = (squared[others] - squared[own]) / (2 * (centers[others] - centers[own]).norm(dim=1))
        assert border.min() >= 2


@pytest.mark.parametrize("name", NAMES)
def test_rounding_does_not_change_soft_codes(name, many, lab):
    """The five nearest bins are clear of the sixth, so every pixel of a color has the code of the palette."""
    palette = WORLD.palettes[name]
    distance = torch.cdist(palette.colors, gamut_bins().double()).sort(dim=1).values
    assert (distance[:, 5] - distance[:, 4]).min() > 0.3
    here = many.kind == NAMES.index(name)
    ab = lab.movedim(1, -1)[here][:20_000, 1:]
    index, weight = soft_encode(ab.T[None, :, :, None])
    found = torch.zeros(len(ab), 313).scatter_(1, index[0, :, :, 0].T, weight[0, :, :, 0].T)
    codes = soft_codes(palette.colors)[torch.cdist(ab.double(), palette.colors).argmin(dim=1)]
    assert total_variation(found[..., None, None], codes.float()[..., None, None]).max() < 1e-3


@pytest.mark.parametrize("name", MANY)
def test_colors_are_drawn_as_often_as_the_palette_says(name, many):
    palette = WORLD.palettes[name]
    drawn = many.choices[many.kinds == NAMES.index(name)]
    found = torch.bincount(drawn, minlength=len(palette.colors)).double() / len(drawn)
    p = palette.probabilities
    assert len(found) == len(p)
    assert ((found - p).abs() < 4 * (p * (1 - p) / len(drawn)).sqrt()).all()


def test_things_of_a_scene_are_colored_independently(many):
    """Two apples of a scene agree as often as two coins."""
    apples = (many.kinds == NAMES.index("apple")).int()
    pairs = [(i, j) for i in range(12, 15) for j in range(i)]
    agree = torch.cat(
        [(many.choices[:, i] == many.choices[:, j])[(apples[:, i] * apples[:, j]).bool()] for i, j in pairs]
    ).double()
    assert len(agree) > 200
    assert abs(agree.mean().item() - 0.5) < 4 * 0.5 / math.sqrt(len(agree))


# The gray picture


def test_the_same_gray_pictures_in_other_colors():
    seed = 9
    first, second = (WORLD.scenes(100, seed, color_seed=c) for c in (1, 2))
    assert torch.equal(first.lightness, second.lightness)
    assert torch.equal(first.kind, second.kind)
    assert torch.equal(first.thing, second.thing)
    gray = [rgb_to_lab(scenes.rgb())[:, 0] for scenes in (first, second)]
    assert (gray[0] - gray[1]).abs().max() < 2e-3
    changed = (first.ab != second.ab).any(dim=1)
    for name in NAMES:
        here = changed[first.kind == NAMES.index(name)]
        assert here.any() == (name in MANY)
    assert torch.equal(WORLD.batch(100, seed, color_seed=1)[0], first.rgb())
    assert torch.equal(WORLD.batch(100, seed, color_seed=seed)[0], WORLD.batch(100, seed)[0])
    assert not torch.equal(WORLD.batch(100, seed, color_seed=0)[0], WORLD.batch(100, seed)[0])  # 0 is a seed


def test_places_and_colors_are_drawn_from_streams_of_their_own(monkeypatch):
    """With one stream for both, a number that decides a place would decide a color elsewhere."""
    stream, made = toyworld._stream, []

    def recorded(*args):
        made.append(stream(*args))
        return stream(*args)

    monkeypatch.setattr(toyworld, "_stream", recorded)
    for color_seed in (None, 5):
        made.clear()
        WORLD.scenes(1, seed=5, color_seed=color_seed)
        places, colors = (generator.random(1000) for generator in made)
        assert abs(np.corrcoef(places, colors)[0, 1]) < 0.2


def gray_features(scenes, name: str, leak: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """What gray shows of the things of a kind, (m, F), and which color each was given, (m,).

    A window around the thing, the whole scene at low resolution, the thing's size, place, mean and spread of lightness.
    ``leak`` lightens each thing by so many units of L times the number of its color.
    """
    lightness, things = scenes.lightness.numpy().astype(float), scenes.thing.numpy()
    features, labels = [], []
    for n, thing in (scenes.kinds == NAMES.index(name)).nonzero().tolist():
        here = things[n] == thing
        if here.sum() < 6:
            continue
        color = scenes.choices[n, thing].item()
        gray = lightness[n] + leak * color * here
        y, x = (int(place.mean().round()) for place in here.nonzero())
        window = np.pad(gray, 7, mode="edge")[y : y + 15, x : x + 15]
        coarse = gray.reshape(8, 6, 8, 6).mean(axis=(1, 3))
        inside = gray[here]
        numbers = [here.sum(), x, y, inside.mean(), inside.std(), inside.min(), inside.max()]
        features.append(np.concatenate((window.ravel(), coarse.ravel(), numbers)))
        labels.append(color)
    return np.array(features), np.array(labels)


def held_out_correlation(features: np.ndarray, labels: np.ndarray) -> float:
    """Learn on one half to tell the most likely color from the others, by ridge regression and by nearest neighbors.

    Returns the larger correlation of truth and prediction on the other half, in standard deviations of chance.
    """
    truth = (labels == np.bincount(labels).argmax()).astype(float)
    features = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-9)
    half = len(truth) // 2
    train, test = features[:half], features[half:]
    mean = truth[:half].mean()
    solution = np.linalg.solve(train.T @ train + 30 * np.eye(train.shape[1]), train.T @ (truth[:half] - mean))
    far = (test**2).sum(axis=1)[:, None] + (train**2).sum(axis=1) - 2 * test @ train.T
    nearest = truth[:half][np.argsort(far, axis=1)[:, :15]].mean(axis=1)
    found = [np.corrcoef(guess, truth[half:])[0, 1] for guess in (test @ solution, nearest)]
    return max(found) * math.sqrt(len(truth) - half)


@pytest.mark.parametrize("name", MANY)
def test_gray_says_nothing_about_the_color(name, many):
    """A classifier of color from gray stays at chance on things it has not seen; a leak of 3 units of L betrays itself."""
    found = held_out_correlation(*gray_features(many, name))
    leaking = held_out_correlation(*gray_features(many, name, leak=3.0))
    assert found < 3.5
    assert leaking > 5


def test_gray_tells_the_kind():
    """The most similar gray window has, nearly always, the same kind of thing in the middle."""
    few = WORLD.scenes(700, seed=12)
    features, labels = [], []
    for number, name in enumerate(NAMES):
        if name not in ("sky", "grass"):  # nothing there to center a window on
            found = gray_features(few, name)[0][:250, :225]
            features.append(found - found.mean(axis=1, keepdims=True))
            labels.append(np.full(len(found), number))
    features, labels = np.concatenate(features), np.concatenate(labels)
    far = (features**2).sum(axis=1)[:, None] + (features**2).sum(axis=1) - 2 * features @ features.T
    np.fill_diagonal(far, np.inf)
    right = labels[far.argmin(axis=1)] == labels
    assert {NAMES[k] for k in set(labels) if right[labels == k].mean() < 0.75} == set()
    assert right.mean() > 0.85


# The exact answers, against minimization


def soft_codes(colors: torch.Tensor) -> torch.Tensor:
    """(k, 2) -> (k, 313) by brute force, written out anew."""
    distance = torch.cdist(colors, gamut_bins().double())
    near = distance <= distance.kthvalue(5, dim=1, keepdim=True).values
    code = torch.exp(-(distance**2) / 50) * near
    return code / code.sum(dim=1, keepdim=True)


def single_bins(colors: torch.Tensor) -> torch.Tensor:
    return F.one_hot(torch.cdist(colors, gamut_bins().double()).argmin(dim=1), 313).double()


@pytest.mark.parametrize("name", NAMES)
def test_the_mean_minimizes_l2(name):
    palette = WORLD.palettes[name]
    p, colors = palette.probabilities.numpy(), palette.colors.numpy()
    found = minimize(lambda x: p @ (0.5 * ((x - colors) ** 2).sum(axis=1)), x0=[10.0, -10.0], tol=1e-12)
    assert np.abs(palette.mean().numpy() - found.x).max() < 1e-3


def smooth_l1_minima(values, p, beta, step=0.01) -> tuple[float, float]:
    """First and last minimum on a fine grid, by the loss of PyTorch: another way than balancing forces."""
    x = torch.arange(min(values) - 1, max(values) + 1 + step, step, dtype=torch.float64)
    x, target = torch.broadcast_tensors(x[:, None], torch.tensor(values, dtype=torch.float64))
    loss = F.smooth_l1_loss(x, target, reduction="none", beta=beta) @ torch.tensor(p, dtype=torch.float64)
    best = (loss <= loss.min() + 1e-12).nonzero()
    return x[best[0, 0], 0].item(), x[best[-1, 0], 0].item()


@pytest.mark.parametrize("beta", [0.25, 1.0, 4.0, 20.0, 45.0, 300.0])
@pytest.mark.parametrize("name", NAMES)
def test_smooth_l1_minima_are_those_of_a_grid_search(name, beta):
    palette = WORLD.palettes[name]
    answer = palette.smooth_l1(beta)
    for axis in range(2):
        expected = smooth_l1_minima(palette.colors[:, axis].tolist(), palette.probabilities.tolist(), beta)
        assert answer[:, axis].tolist() == pytest.approx(expected, abs=0.011)


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.integers(-40, 40), min_size=1, max_size=6),
    parts=st.lists(st.integers(1, 5), min_size=6, max_size=6),
    beta=st.sampled_from([0.5, 1.0, 3.0, 10.0, 25.0]),
)
def test_smooth_l1_of_any_palette(values, parts, beta):
    parts = parts[: len(values)]
    p = [part / sum(parts) for part in parts]
    answer = Palette([(v, -v) for v in values], p).smooth_l1(beta)
    expected = smooth_l1_minima(values, p, beta)
    assert answer[:, 0].tolist() == pytest.approx(expected, abs=0.011)
    assert answer[:, 1].tolist() == pytest.approx([-expected[1], -expected[0]], abs=0.011)


def test_what_smooth_l1_says_of_apples_plums_and_balloons():
    apple, plum, balloon = (WORLD.palette(name) for name in ("apple", "plum", "balloon"))
    assert apple.smooth_l1(1.0).tolist() == [[-36, 38], [52, 38]]  # all of a; both apples have the same b
    shift = 0.3 / 0.7
    assert torch.allclose(plum.smooth_l1(1.0), torch.tensor([33 - shift, -28 + shift]).double().repeat(2, 1))
    low, high = balloon.smooth_l1(1.0)
    assert torch.allclose(high, torch.tensor([6.76, 6.76]).double())
    assert torch.allclose(low, -high)  # gray is among the best
    # Once ab is divided by 110 no color lies beyond beta = 1, and smooth L1 is L2: its only minimum is the mean.
    for palette in WORLD.palettes.values():
        scaled = Palette(palette.colors / 110, palette.probabilities)
        if (palette.colors.amax(dim=0) - palette.colors.amin(dim=0)).max() <= 110:
            assert torch.allclose(scaled.smooth_l1(1.0) * 110, palette.mean().repeat(2, 1))
        assert torch.allclose(palette.smooth_l1(200.0), palette.mean().repeat(2, 1))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_posterior_and_floor_are_what_gradient_descent_finds(name, soft, weighted, weights):
    """Logits from zero down the slope of the expected loss, which is written out over the colors of the palette."""
    palette, chosen = WORLD.palette(name), weights if weighted else None
    bins = single_bins(palette.colors)
    targets = (soft_codes(palette.colors) if soft else bins).numpy()
    v = weights[bins.argmax(dim=1)].numpy() if weighted else 1.0
    share = palette.probabilities.numpy() * v

    def loss(z):
        log_q = z - np.logaddexp.reduce(z)
        value = sum(s * -(t @ log_q) for s, t in zip(share, targets, strict=True))
        slope = sum(s * (np.exp(log_q) - t) for s, t in zip(share, targets, strict=True))
        return value / share.sum(), slope / share.sum()  # scaled for the tolerances; the minimum is the same

    found = minimize(loss, np.zeros(313), jac=True, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-8})
    q = torch.softmax(torch.from_numpy(found.x), dim=0)
    answer = palette.posterior(soft, chosen)
    assert answer.dtype == torch.float64
    assert answer.sum().item() == pytest.approx(1)
    assert total_variation(answer, q) < 2e-3
    floor = palette.cross_entropy_floor(soft, chosen) / share.sum()
    assert floor - 1e-6 < found.fun < floor + 2e-3


def test_pixels_of_many_scenes_average_to_the_posterior(many, lab, weights):
    """What a network is shown, converted through sRGB like everything in a training, against what is said to be the limit."""
    for name in ("apple", "plum", "balloon", "tulip", "lemon"):
        here = many.kind == NAMES.index(name)
        ab = lab.movedim(1, -1)[here][:, 1:]
        q, w = (part[0, :, :, 0].T for part in soft_encode(ab.T[None, :, :, None]))
        for v in (torch.ones(313), weights):
            w_pixel = w.double() * v.double()[q[:, :1]]
            found = torch.zeros(313, dtype=torch.float64).index_add_(0, q.flatten(), w_pixel.flatten())
            limit = WORLD.palette(name).posterior(soft=True, bin_weight=v)
            assert total_variation(found / found.sum(), limit) < 0.06


def test_soft_targets_do_not_converge_to_the_palette():
    apart = {
        name: total_variation(palette.posterior(), palette.posterior(soft=True)).item()
        for name, palette in WORLD.palettes.items()
    }
    assert sum(distance >= 0.35 for distance in apart.values()) >= 8
    assert min(apart.values()) > 0.3
    center = Palette([(0, 0)], [1.0])
    assert total_variation(center.posterior(), center.posterior(soft=True)).item() == pytest.approx(
        0.351, abs=1e-3
    )


def test_rebalancing_shifts_toward_the_rare(weights):
    tulip = WORLD.palette("tulip")
    pale, vivid = nearest_bin(tulip.colors.T[None, :, :, None]).flatten().tolist()
    plain, shifted = tulip.posterior(), tulip.posterior(bin_weight=weights)
    assert plain[[pale, vivid]].tolist() == pytest.approx([0.85, 0.15])
    expected = 0.15 * weights[vivid] / (0.15 * weights[vivid] + 0.85 * weights[pale])
    assert shifted[vivid].item() == pytest.approx(expected.item())
    assert shifted[vivid] > 0.5
    # Weights other than 0 cannot move a kind of one color.
    lemon = WORLD.palette("lemon")
    assert torch.allclose(lemon.posterior(True), lemon.posterior(True, weights))


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("T", [0.2, 0.38, 1.0, 2.0])
def test_annealing_balances_surprise_and_entropy(T, soft):
    """Among all q, softmax(ln p / T) has the least ``E_q[- ln p] - T H(q)``; the annealed mean is the mean of that q."""
    for name in ("plum", "tulip", "balloon", "roof"):
        palette = WORLD.palette(name)
        p = palette.posterior(soft)
        support = (p > 0).nonzero().flatten()
        surprise, centers = -p[support].log(), gamut_bins().double()[support]

        def free_energy(z, surprise=surprise):
            q = torch.softmax(torch.as_tensor(z), dim=0)
            return (q @ surprise - T * torch.special.entr(q).sum()).item()

        found = minimize(
            free_energy,
            np.zeros(len(support)),
            method="L-BFGS-B",
            options={"ftol": 1e-15, "gtol": 1e-9, "maxfun": 10**6},
        )
        expected = torch.softmax(torch.from_numpy(found.x), dim=0) @ centers
        assert torch.allclose(palette.annealed_mean(T, soft), expected, atol=0.05)


def test_annealing_to_the_mode():
    plum = WORLD.palette("plum")
    assert plum.annealed_mean(0).tolist() == [30, -30]
    assert plum.annealed_mean(0.01).tolist() == pytest.approx([30, -30])
    logits = plum.posterior().log().view(1, -1, 1, 1)
    assert torch.equal(plum.annealed_mean(0), mode(logits).flatten())
    assert plum.annealed_mean(1.0).tolist() == pytest.approx([0.7 * 30 + 0.3 * 10, -0.7 * 30 + 0.3 * 40])


# Maps


def test_maps_look_up_the_kind_of_each_pixel(weights):
    _, kind = WORLD.batch(2, seed=0)
    posterior = WORLD.posterior(kind, soft=True, bin_weight=weights)
    hard, ab = WORLD.posterior(kind), WORLD.mean_ab(kind)
    assert posterior.shape == hard.shape == (2, 313, 48, 48)
    assert ab.shape == (2, 2, 48, 48)
    assert posterior.dtype == hard.dtype == ab.dtype == torch.float32
    for n, y, x in ((0, 0, 0), (0, 40, 20), (1, 30, 7), (1, 47, 47)):
        palette = WORLD.palette(kind[n, y, x].item())
        assert torch.allclose(posterior[n, :, y, x], palette.posterior(True, weights).float())
        assert torch.allclose(hard[n, :, y, x], palette.posterior().float())
        assert torch.allclose(ab[n, :, y, x], palette.mean().float())
    apart = total_variation(hard, posterior)
    assert apart.shape == (2, 48, 48)
    assert apart[0, 0, 0].item() == pytest.approx(
        total_variation(hard[0, :, 0, 0], posterior[0, :, 0, 0]).item()
    )


def test_the_mean_beats_the_truth_of_another_draw():
    """Under L2 on real scenes the mean color wins over every shifted answer, and over guessing a color of the palette."""
    scenes = WORLD.scenes(300, seed=21)
    best = WORLD.mean_ab(scenes.kind)
    least = l2(best, scenes.ab)
    for shift in ((2.0, 0.0), (0.0, 2.0), (-2.0, 0.0), (0.0, -2.0)):
        assert l2(best + torch.tensor(shift).view(1, 2, 1, 1), scenes.ab) > least
    assert l2(WORLD.scenes(300, seed=21, color_seed=1).ab, scenes.ab) > 1.5 * least


@pytest.mark.parametrize("weighted", [False, True])
def test_floor_of_a_map_is_the_mean_over_its_pixels(weighted, weights):
    kind = WORLD.batch(20, seed=2)[1]
    chosen = weights if weighted else None
    share = torch.bincount(kind.flatten(), minlength=len(NAMES)).double() / kind.numel()
    expected = sum(
        share[k].item() * WORLD.palette(k).cross_entropy_floor(True, chosen) for k in range(len(NAMES))
    )
    assert WORLD.cross_entropy_floor(kind, soft=True, bin_weight=chosen) == pytest.approx(expected, rel=1e-5)
    assert WORLD.cross_entropy_floor(kind) < WORLD.cross_entropy_floor(kind, soft=True)


def test_the_world_has_the_prior_of_its_kinds(many, lab):
    prior = color_prior(lab[:, 1:])
    shares = torch.bincount(many.kind.flatten(), minlength=len(NAMES)).double() / many.kind.numel()
    expected = shares @ torch.stack([palette.posterior() for palette in WORLD.palettes.values()])
    assert total_variation(prior, expected) < 0.02


# The rest


def test_fit_takes_the_world():
    torch.manual_seed(0)
    history = fit(SmallNet(outputs=2, width=4), ToyWorld(24), l2, steps=3, batch_size=2, progress=False)
    assert history.finished


def test_bad_arguments_get_one_sentence(weights):
    for size in (23, 0, 48.0, "48"):
        with pytest.raises(ValueError, match=f"size must be a whole number, 24 or above, got {size!r}"):
            ToyWorld(size)
    for n in (0, -3, 2.5):
        for draw in (WORLD.batch, WORLD.scenes):
            with pytest.raises(ValueError, match=f"n must be a whole number, 1 or above, got {n}"):
                draw(n, seed=0)
    for kind in ("aple", 14, -1, 1.5):
        with pytest.raises(
            ValueError, match=f"kind must be one of sky, cloud, .*, kite, or its number, got {kind!r}"
        ):
            WORLD.palette(kind)
    for function in (WORLD.posterior, WORLD.mean_ab, WORLD.cross_entropy_floor):
        with pytest.raises(ValueError, match=r"map \(n, S, S\) of torch.int64, got \(48, 48\) torch.int64"):
            function(torch.zeros(48, 48, dtype=torch.int64))
        with pytest.raises(ValueError, match=r"got \(1, 4, 4\) torch.float32"):
            function(torch.zeros(1, 4, 4))
        with pytest.raises(ValueError, match="got str"):
            function("apple")
        with pytest.raises(ValueError, match=r"kind must lie in 0\.\.13, got 14 to 14"):
            function(torch.full((1, 4, 4), 14))
    apple = WORLD.palette("apple")
    for beta in (0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="beta must be above 0"):
            apple.smooth_l1(beta)
    with pytest.raises(ValueError, match=r"bin_weight must be \(313,\), 0 or above, got \(2,\)"):
        apple.posterior(bin_weight=torch.ones(2))
    with pytest.raises(ValueError, match="0 or above"):
        apple.cross_entropy_floor(bin_weight=-weights)
    with pytest.raises(ValueError, match="got 0 for all of them"):
        apple.posterior(bin_weight=torch.zeros(313))
    with pytest.raises(ValueError, match=r"got \(2, 2\) and \(3,\)"):
        Palette([(0, 0), (1, 1)], [0.5, 0.25, 0.25])
    for p in ([0.5, 0.6], [1.0, 0.0], [1.5, -0.5]):
        with pytest.raises(ValueError, match="above 0 with sum 1, got"):
            Palette([(0, 0), (1, 1)], p)
    with pytest.raises(ValueError, match=r"got \(3,\) and \(2,\)"):
        total_variation(torch.ones(3), torch.ones(2))
    with pytest.raises(ValueError, match="both be"):
        total_variation(torch.ones(3, 3), torch.ones(3, 3))


def test_a_palette_shows_what_it_holds():
    assert repr(WORLD.palette("plum")) == "Palette((33, -28): 0.7, (7, 42): 0.3)"
