"""Numbers on photos never seen: of baselines and networks, pooled and with intervals."""

import math

import pytest
import torch

from colorize import evaluation, images, metrics
from colorize.bins import nearest_bin
from colorize.colorizer import Colorizer
from colorize.decode import paint
from colorize.lab import rgb_to_lab
from colorize.networks import HypercolumnNet, SmallNet
from colorize.prior import color_prior


@pytest.fixture(scope="module")
def photos():
    return torch.stack([images.square(images.bundled(name), 64) for name in images.BUNDLED])


def found(ab, photos):
    return evaluation.numbers(evaluation.scores(ab, photos))


def test_the_truth_is_perfect_and_gray_is_gray(photos):
    rows = {name: evaluation.numbers(row) for name, row in evaluation.compare({}, photos).items()}
    assert list(rows) == ["truth", "gray", "random", "constant"]
    assert rows["truth"]["raw_auc"] == rows["truth"]["rebalanced_auc"] == 100
    assert rows["truth"]["skies"] == 100
    assert rows["truth"]["psnr"] > 80
    assert rows["gray"]["chroma"] == rows["gray"]["skies"] == rows["gray"]["green"] == 0
    assert rows["gray"]["colorfulness"] < 0.5
    assert rows["gray"]["rebalanced_auc"] < rows["gray"]["raw_auc"] < 100
    true_ab = rgb_to_lab(photos)[:, 1:]
    assert rows["constant"]["chroma"] == pytest.approx(true_ab.mean(dim=(0, 2, 3)).norm().item(), abs=0.01)
    assert rows["random"]["chroma"] == pytest.approx(rows["truth"]["chroma"], abs=0.01)
    assert rows["random"]["raw_auc"] < rows["gray"]["raw_auc"]


def test_shares_of_photos_add_up_to_the_pooled_measures(photos):
    """The quotient of totals is what the measure gives for all photos at once."""
    true_ab = rgb_to_lab(photos)[:, 1:]
    ab = true_ab.roll(1, 0) * 0.7
    weight = (1 / color_prior(true_ab))[nearest_bin(true_ab)]
    painted = paint(rgb_to_lab(photos)[:, :1], ab)
    rows = found(ab, photos)
    assert rows["raw_auc"] == pytest.approx(100 * metrics.auc(ab, true_ab), abs=0.006)
    assert rows["rebalanced_auc"] == pytest.approx(100 * metrics.auc(ab, true_ab, weight), abs=0.006)
    assert rows["rmse"] == pytest.approx(metrics.rmse_alpha_beta(painted, photos), abs=0.006)
    assert rows["psnr"] == pytest.approx(metrics.psnr(painted, photos).mean().item(), abs=0.006)
    assert rows["colorfulness"] == pytest.approx(metrics.colorfulness(painted).mean().item(), abs=0.006)


def test_a_few_at_a_time_is_all_at_once(photos):
    """Networks, temperatures and baselines; the sets of 2, 2 and 1 photos share the prior and the mean of all."""
    torch.manual_seed(0)
    two = {"plain": Colorizer(SmallNet(width=4), 32), "means": Colorizer(SmallNet(outputs=2, width=4), 64)}
    whole = evaluation.compare(two, photos)
    assert list(whole) == ["truth", "gray", "random", "constant", "plain, T = 1", "plain, T = 0.38", "means"]
    ab = evaluation.predict(two["plain"], photos, (0.38,))[0.38]
    once = found(ab, photos)
    assert evaluation.numbers(whole["plain, T = 0.38"]) == pytest.approx(once, abs=0.011, nan_ok=True)
    for name, row in evaluation.compare(two, photos, batch=2).items():
        for key, (above, below) in row.items():
            assert torch.allclose(above, whole[name][key][0], rtol=1e-4, atol=1e-4), (name, key)
            assert torch.equal(below, whole[name][key][1]) or key == "rebalanced_auc"


def test_intervals_are_those_of_the_mean():
    """Against the normal distribution: of n photos with standard deviation s, a mean moves by 1.96 s / sqrt(n)."""
    values = torch.randn(400, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 10 + 50
    scores = {"psnr": (values, torch.ones(400, dtype=torch.float64))}
    ((low, high),) = evaluation.intervals(scores, draws=4000).values()
    half = 1.96 * values.std().item() / 20
    assert (low, high) == pytest.approx((values.mean().item() - half, values.mean().item() + half), abs=0.15)
    better = {"psnr": (values + 2, torch.ones(400, dtype=torch.float64))}
    assert evaluation.intervals(better, scores) == {
        "psnr": (2, 2)
    }  # the same photos: nothing is left of the spread
    assert evaluation.intervals(scores, seed=1) == evaluation.intervals(scores, seed=1)


def test_shares_of_blue_and_green_are_counted():
    """Two truly blue pixels, one green, one red; the prediction is right for one blue and for the green."""
    colors = [[60, 110, 230], [60, 110, 230], [40, 160, 40], [200, 40, 40]]
    photos = torch.tensor(colors, dtype=torch.float32).T.reshape(1, 3, 2, 2) / 255
    ab = torch.tensor([[5.0, -20], [5, 20], [-30, 30], [40, 30]]).T.reshape(1, 2, 2, 2)
    row = found(ab, photos)
    assert (row["skies"], row["blue"]) == (50, 25)
    assert (row["greens"], row["green"]) == (100, 25)
    nothing_green = found(ab[..., :1, :], photos[..., :1, :])
    assert math.isnan(nothing_green["greens"])


@pytest.mark.parametrize("size", [64, 48])
@pytest.mark.parametrize("kind", [SmallNet, HypercolumnNet])
def test_prediction_is_the_colorizers_own(photos, size, kind):
    torch.manual_seed(0)
    colorizer = Colorizer(kind(width=4), size=size)
    found = evaluation.predict(colorizer, photos, (1.0, 0.38), batch=2)
    assert set(found) == {1.0, 0.38}
    lightness, answer = colorizer.answer(photos[3])
    expected = rgb_to_lab(colorizer.paint(lightness, answer, 0.38))
    inside = (expected[:, 0] - lightness[:, 0]).abs() < 0.02  # where nothing was clipped
    assert (expected[:, 1:] - found[0.38][3]).abs().amax(dim=1)[inside].max() < 0.1


def test_gray_photos_are_left_out(tmp_path):
    images.save(torch.full((3, 20, 30), 0.5), tmp_path / "gray.png")
    images.save(images.bundled("coffee", 40), tmp_path / "coffee.png")
    found = evaluation.validation_photos(sorted(tmp_path.iterdir()), 16)
    assert found.shape == (1, 3, 16, 16)


def test_each_photo_by_itself(photos):
    """What the bootstrap draws from: the measures of each photo, taken one by one, pixels weighed by the set's colors."""
    true_ab = rgb_to_lab(photos)[:, 1:]
    ab = true_ab.flip(3) * 0.9
    prior = color_prior(true_ab)
    weight = (1 / prior)[nearest_bin(true_ab)]
    painted = paint(rgb_to_lab(photos)[:, :1], ab)
    for given in (None, prior):
        row = evaluation.scores(ab, photos, given)
        for k in range(5):
            one = slice(k, k + 1)
            value = {name: (above[k] / below[k]).item() for name, (above, below) in row.items()}
            assert value["raw_auc"] == pytest.approx(100 * metrics.auc(ab[one], true_ab[one]), rel=1e-9)
            rebalanced = metrics.auc(ab[one], true_ab[one], weight[one])
            assert value["rebalanced_auc"] == pytest.approx(100 * rebalanced, rel=1e-9)
            assert value["rmse"] == pytest.approx(
                metrics.rmse_alpha_beta(painted[one], photos[one]), rel=1e-5
            )
            assert value["psnr"] == pytest.approx(metrics.psnr(painted[one], photos[one]).item(), rel=1e-5)
            assert value["chroma"] == pytest.approx(metrics.mean_chroma(ab[one]).item(), rel=1e-5)
        share = row["rebalanced_auc"][1] / row["rebalanced_auc"][1].sum()
        expected = weight.sum(dim=(1, 2)) / weight.sum()
        assert torch.allclose(share, expected, rtol=1e-9)


def test_a_prior_without_a_color_that_occurs_is_refused(photos):
    prior = torch.zeros(313, dtype=torch.float64)
    prior[120] = 1
    with pytest.raises(ValueError, match="prior must be above 0 for each bin that occurs"):
        evaluation.scores(torch.zeros(5, 2, 64, 64), photos, prior)


def test_as_many_predictions_as_photos(photos):
    with pytest.raises(ValueError, match=r"as many predictions as photos are needed, got \[3, 5, 5\]"):
        evaluation.scores(torch.zeros(3, 2, 64, 64), photos)
