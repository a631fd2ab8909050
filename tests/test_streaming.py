"""Measures taken batch by batch against the same measures of all photos at once."""

import pytest
import torch

from colorize import images, metrics, streaming
from colorize.bins import bin_cells, gamut_bins, grid_cell, nearest_bin
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


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("spread", [8.0, 60.0])  # at 60 many colors are none that a screen can show
def test_counting_by_the_grid_is_counting_by_the_nearest_bin(dtype, spread):
    random = torch.Generator().manual_seed(0)
    true, pred = (spread * torch.randn(3, 2, 40, 50, generator=random) for _ in range(2))
    true[0] = true[0].div(5).round() * 5  # on the borders between bins
    true, pred = true.to(dtype), pred.to(dtype)
    assert torch.isin(grid_cell(true).long(), bin_cells()).all() == (spread == 8)
    accuracy = streaming.Accuracy()
    accuracy.update(pred, true)
    expected = torch.zeros(313, 152, dtype=torch.int64)
    first = (pred.double() - true.double()).norm(dim=1).ceil().clamp(max=151).long()
    expected.index_put_((nearest_bin(true), first), torch.tensor(1), accumulate=True)
    moved = (accuracy.counts - expected).abs().sum().item()
    assert moved <= 2 * 3  # a distance that is whole but for rounding
    assert torch.equal(accuracy.counts.sum(dim=1), expected.sum(dim=1))


def test_pixels_beyond_the_last_threshold_are_never_accepted_in_any_batch():
    true = torch.zeros(2, 2, 1, 4)
    pred = torch.zeros(2, 2, 1, 4)
    pred[0, 0, 0] = torch.tensor([0.0, 150.0, 150.5, 200.0])
    pred[1, 1, 0] = torch.tensor([0.0, -3.0, -151.0, 1000.0])
    far = true + 300  # a color that no screen can show: counted by another way
    for shift in (true, far):
        accuracy = streaming.Accuracy()
        for k in range(2):  # the second photo is added to the first
            accuracy.update((pred + shift)[k : k + 1], (true + shift)[k : k + 1])
        curve = accuracy.curve()
        assert accuracy.counts.sum() == 8
        assert [curve[t].item() for t in (0, 2, 3, 149, 150)] == [2 / 8, 2 / 8, 3 / 8, 3 / 8, 4 / 8]
        assert torch.equal(accuracy.curve(rebalanced=True), curve)  # one bin: all count the same
        assert accuracy.auc() == pytest.approx(metrics.auc(pred + shift, true + shift), abs=1e-12)


def test_before_the_first_batch():
    with pytest.raises(ValueError, match="there is no curve yet"):
        streaming.Measures().compute()
    with pytest.raises(ValueError, match=r"\(N, 2, H, W\) and \(N, 3, H, W\), got \(1, 3, 2, 2\)"):
        streaming.Measures().update(torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2))


def test_identical_pictures_have_a_finite_mean(photos):
    found = taken(rgb_to_lab(photos)[:, 1:], photos, 5).compute()
    assert found["raw_auc"] == found["rebalanced_auc"] == 1
    assert (found["psnr"], found["geometric_psnr"]) == pytest.approx((metrics.PSNR_CAP,) * 2)


def test_parts_are_the_measures_of_each_photo(photos, predicted):
    """A batch's parts against each measure taken of one photo alone, as a user of :mod:`colorize.metrics` would."""
    true_lab = rgb_to_lab(photos)
    found = streaming.parts(predicted, photos)
    painted = paint(true_lab[:, :1], predicted)
    counts = streaming.tally(found["cells"])
    assert counts.shape == (5, 313, 152)
    for k in range(5):
        one = slice(k, k + 1)
        bins = nearest_bin(true_lab[one, 1:])
        assert torch.equal(counts[k].sum(dim=1), torch.bincount(bins.flatten(), minlength=313))
        curve = streaming.curve(counts[k])
        assert metrics.area(curve).item() == pytest.approx(
            metrics.auc(predicted[one], true_lab[one, 1:]), abs=1e-9
        )
        rmse = metrics.rmse_alpha_beta(painted[one], photos[one])
        assert found["errors"][k].mean().item() == pytest.approx(rmse, rel=1e-5)
        assert found["psnr"][k].item() == pytest.approx(
            metrics.psnr(painted[one], photos[one]).item(), abs=1e-4
        )
        frobenius = metrics.frobenius(predicted[one], true_lab[one, 1:]).item()
        assert found["frobenius"][k].item() == pytest.approx(frobenius, rel=1e-6)


def test_all_measures_against_an_independent_implementation(photos, predicted):
    """scikit-image and NumPy, float64, from the definitions: all agree to a millionth."""
    import numpy as np
    from skimage import color
    from skimage.metrics import peak_signal_noise_ratio

    rgb = photos.double().movedim(1, -1).numpy()
    pred = predicted.double().movedim(1, -1).numpy()
    lab = np.stack([color.rgb2lab(photo) for photo in rgb])
    with pytest.warns(UserWarning, match="negative Z"):  # colors that no screen can show
        painted = np.stack(
            [color.lab2rgb(np.dstack((photo[..., 0], ab))) for photo, ab in zip(lab, pred, strict=True)]
        )

    def opponents(image):
        red, green, blue = np.moveaxis(image, -1, 0)
        return blue - (red + green) / 2, red - green, (red + green + blue) / 3 + 1e-4

    (yb, rg, lightness), (true_yb, true_rg, true_lightness) = opponents(painted), opponents(rgb)
    errors = np.hypot(yb / lightness - true_yb / true_lightness, rg / lightness - true_rg / true_lightness)
    psnr = [peak_signal_noise_ratio(t, p, data_range=1) for t, p in zip(rgb, painted, strict=True)]
    distance = np.hypot(*np.moveaxis(pred - lab[..., 1:], -1, 0))
    raw = np.array([(distance <= t).mean() for t in range(151)])
    bins = nearest_bin(torch.from_numpy(lab[..., 1:]).movedim(-1, 1)).numpy()
    each = [[(distance[bins == q] <= t).mean() for t in range(151)] for q in np.unique(bins)]
    spread = np.hypot(yb.std(axis=(1, 2)), rg.std(axis=(1, 2)))
    expected = {
        "raw_auc": np.trapezoid(raw) / 150,
        "rebalanced_auc": np.trapezoid(np.mean(each, axis=0)) / 150,
        "rmse": errors.mean(),
        "rms": np.sqrt((errors**2).mean()),
        "psnr": np.mean(psnr),
        "geometric_psnr": np.exp(np.log(psnr).mean()),
        "frobenius": np.sqrt((distance**2).sum(axis=(1, 2))).mean(),
        "chroma": np.hypot(*np.moveaxis(pred, -1, 0)).mean(),
        "colorfulness": 255 * (spread + 0.3 * np.hypot(yb.mean(axis=(1, 2)), rg.mean(axis=(1, 2)))).mean(),
    }
    assert taken(predicted, photos, 2, 3).compute() == pytest.approx(expected, rel=1e-6)
    assert taken(predicted.double(), photos.double(), 5).compute() == pytest.approx(expected, rel=1e-6)


def test_photos_of_8_bits(photos, predicted):
    pixels = (photos * 255).round().byte()
    expected = taken(predicted, pixels / 255, 5).compute()
    assert taken(predicted, pixels, 5).compute() == pytest.approx(expected, rel=1e-6)


def test_two_halves_merged_are_the_whole(photos, predicted):
    whole, half, other = (streaming.Measures(errors=True, bins=(10, 50)) for _ in range(3))
    whole.update(predicted, photos)
    half.update(predicted[:2], photos[:2])
    other.update(predicted[2:], photos[2:])
    half.merge(other)
    assert half.photos == 5
    assert half.compute() == pytest.approx(whole.compute(), rel=1e-12)
    assert torch.equal(half.errors.counts, whole.errors.counts)
    assert torch.equal(half.psnrs.counts, whole.psnrs.counts)
    assert whole.errors.counts.sum() == 5 * 48 * 48
    assert whole.psnrs.counts.sum() == 5
    for n in (10, 50):
        expected = metrics.bin_accuracy(predicted, rgb_to_lab(photos)[:, 1:], n)
        assert whole.compute()[f"bin_accuracy_{n}"] == pytest.approx(expected, rel=1e-9)
    with pytest.raises(ValueError, match="made with the same errors and bins"):
        whole.merge(streaming.Measures(bins=(10, 50)))


def test_small_pictures_are_taken_many_at_a_time(photos, predicted, monkeypatch):
    expected = taken(predicted, photos, 5).compute()
    for at_once in (1, 2 * 48 * 48, 10**6):
        monkeypatch.setattr(streaming, "AT_ONCE", at_once)
        assert taken(predicted, photos, 5).compute() == pytest.approx(expected, rel=1e-6)


def test_a_refused_batch_changes_nothing(photos, predicted):
    measures = taken(predicted, photos, 5)
    before = measures.compute()
    bad = predicted.clone()
    bad[4, 0, 0, 0] = torch.nan
    for ab, rgb in (
        (bad, photos),
        (predicted, photos.where(photos < 0.9, torch.nan)),
        (predicted[:3], photos),
    ):
        with pytest.raises(ValueError, match=r"pred_ab|true_rgb"):
            measures.update(ab, rgb)
    with pytest.raises(ValueError, match="measures need pixels"):
        measures.update(predicted[:0], photos[:0])
    assert measures.compute() == before
    assert measures.photos == 5


def test_bins_are_those_of_the_library():
    assert len(gamut_bins()) == streaming.BINS
