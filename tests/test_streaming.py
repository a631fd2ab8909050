"""Measures taken batch by batch against the same measures of all photos at once."""

import pytest
import torch

from colorize import images, metrics, streaming
from colorize.bins import nearest_bin
from colorize.decode import paint
from colorize.lab import rgb_to_lab
from colorize.prior import color_prior


@pytest.fixture(scope="module")
def photos():
    return torch.stack([images.square(images.bundled(name), 48) for name in images.BUNDLED])


@pytest.fixture(scope="module")
def predicted(photos):
    return rgb_to_lab(photos)[:, 1:].roll(1, 0) * 0.8


def taken(predicted, photos, *cuts):
    measures = streaming.Measures()
    for ab, part in zip(predicted.split(cuts), photos.split(cuts), strict=True):
        measures.update(ab, part)
    return measures


def test_batches_are_all_at_once(photos, predicted):
    true_ab = rgb_to_lab(photos)[:, 1:]
    weight = (1 / color_prior(true_ab))[nearest_bin(true_ab)]
    painted = paint(rgb_to_lab(photos)[:, :1], predicted)
    psnr = metrics.psnr(painted, photos)
    expected = {
        "raw_auc": metrics.auc(predicted, true_ab),
        "rebalanced_auc": metrics.auc(predicted, true_ab, weight),
        "rmse": metrics.rmse_alpha_beta(painted, photos),
        "rms": metrics.rmse_alpha_beta(painted, photos, "rms"),
        "psnr": metrics.mean_psnr(psnr),
        "geometric_psnr": metrics.mean_psnr(psnr, "geometric"),
        "frobenius": metrics.frobenius(predicted, true_ab).mean().item(),
        "chroma": metrics.mean_chroma(predicted).mean().item(),
        "colorfulness": metrics.colorfulness(painted).mean().item(),
    }
    for cuts in ((5,), (2, 2, 1), (1, 1, 1, 1, 1), (4, 1)):
        measures = taken(predicted, photos, *cuts)
        assert measures.photos == 5
        assert measures.compute() == pytest.approx(expected, rel=1e-6)
    for step, rule in ((1, "mean"), (10, "mean")):
        found = measures.accuracy.auc(rebalanced=True, step=step, rule=rule)
        assert found == pytest.approx(metrics.auc(predicted, true_ab, weight, step=step, rule=rule), abs=1e-9)


def test_sizes_may_differ_and_pixels_are_pooled(photos, predicted):
    """A photo of four times the pixels counts four times in what is pooled, once in what is a mean over photos."""
    measures = taken(predicted[:1], photos[:1], 1)
    small = measures.compute()
    large = images.square(photos[1], 24)
    ab = rgb_to_lab(large[None])[:, 1:] * 0
    measures.update(ab, large[None])
    both, alone = measures.compute(), taken(ab, large[None], 1).compute()
    for name in ("raw_auc", "rmse"):
        assert both[name] == pytest.approx(0.8 * small[name] + 0.2 * alone[name])
    for name in ("psnr", "chroma", "colorfulness", "frobenius"):
        assert both[name] == pytest.approx(0.5 * small[name] + 0.5 * alone[name])


def test_the_curve_is_the_share_of_accepted_pixels(photos, predicted):
    """Larsson's Figure 7, of another distance: a cumulative histogram of the errors."""
    true_ab = rgb_to_lab(photos)[:, 1:]
    accuracy = taken(predicted, photos, 3, 2).accuracy
    distance = (predicted.double() - true_ab.double()).norm(dim=1)
    expected = torch.stack([(distance <= t).double().mean() for t in range(151)])
    assert torch.allclose(accuracy.curve(), expected, atol=1e-12)
    bins = nearest_bin(true_ab)
    each = [torch.stack([(distance[bins == q] <= t).double().mean() for t in (5, 20)]) for q in bins.unique()]
    assert torch.allclose(accuracy.curve(rebalanced=True)[[5, 20]], torch.stack(each).mean(dim=0), atol=1e-12)


def test_before_the_first_batch():
    with pytest.raises(ValueError, match="there is no curve yet"):
        streaming.Measures().compute()
    with pytest.raises(ValueError, match="must both have shape"):
        streaming.Measures().update(torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2))


def test_identical_pictures_have_a_finite_mean(photos):
    found = taken(rgb_to_lab(photos)[:, 1:], photos, 5).compute()
    assert found["raw_auc"] == found["rebalanced_auc"] == 1
    assert (found["psnr"], found["geometric_psnr"]) == pytest.approx((metrics.PSNR_CAP,) * 2)
