"""Metrics against their definitions, written out pixel by pixel in NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import metrics as skimage_metrics

from colorize import metrics


def random_ab(seed: int, n: int = 2, size: int = 6, scale: float = 40) -> torch.Tensor:
    return torch.randn(n, 2, size, size, generator=torch.Generator().manual_seed(seed)) * scale


def auc_by_loop(pred: torch.Tensor, true: torch.Tensor, weight: np.ndarray | None = None) -> float:
    """Count, for each of the 151 thresholds, the accepted pixels; then the trapezoids."""
    distance = np.sqrt(((pred - true).double().numpy() ** 2).sum(axis=1)).ravel()
    weight = np.ones_like(distance) if weight is None else weight.ravel()
    curve = [weight[distance <= t].sum() / weight.sum() for t in range(151)]
    return float(np.trapezoid(curve) / 150)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 200))
def test_auc_equals_the_loop(seed, scale):
    pred, true = random_ab(seed, scale=scale), random_ab(seed + 1, scale=scale)
    weight = torch.rand(2, 6, 6, generator=torch.Generator().manual_seed(seed))
    assert metrics.auc(pred, true) == pytest.approx(auc_by_loop(pred, true), abs=1e-9)
    assert metrics.auc(pred, true, weight) == pytest.approx(auc_by_loop(pred, true, weight.numpy()), abs=1e-6)


@pytest.mark.parametrize(
    ("off", "expected"), [(0, 1.0), (1, 149.5 / 150), (0.5, 149.5 / 150), (150, 0.5 / 150), (151, 0.0)]
)
def test_auc_by_hand(off, expected):
    true = torch.zeros(1, 2, 2, 3)
    pred = true.clone()
    pred[:, 0] = off
    assert metrics.auc(pred, true) == pytest.approx(expected)


def test_auc_pools_all_pixels_and_weights_count():
    true = torch.zeros(2, 2, 1, 1)
    pred = true.clone()
    pred[1, 0] = 50.0
    assert metrics.auc(pred, true) == pytest.approx((1 + 0.67) / 2)
    weight = torch.tensor([3.0, 1.0]).view(2, 1, 1)
    assert metrics.auc(pred, true, weight) == pytest.approx((3 + 0.67) / 4)
    assert metrics.auc(pred, true, weight * 7) == pytest.approx((3 + 0.67) / 4)
    assert metrics.auc(pred, true, torch.tensor([1.0, 0.0]).view(2, 1, 1)) == 1.0


def test_psnr_equals_scikit_image():
    random = torch.Generator().manual_seed(0)
    true, pred = torch.rand(3, 3, 8, 9, generator=random), torch.rand(3, 3, 8, 9, generator=random)
    got = metrics.psnr(pred, true)
    for one, p, t in zip(got, pred, true, strict=True):
        assert one.item() == pytest.approx(
            skimage_metrics.peak_signal_noise_ratio(t.numpy(), p.numpy(), data_range=1), abs=1e-4
        )
    assert torch.isinf(metrics.psnr(true, true)).all()


def test_rmse_alpha_beta_equals_the_definition():
    random = torch.Generator().manual_seed(1)
    true, pred = torch.rand(2, 3, 4, 5, generator=random), torch.rand(2, 3, 4, 5, generator=random)

    def alpha_beta(rgb):
        r, g, b = rgb.double().numpy().transpose(1, 0, 2, 3)
        lightness = (r + g + b) / 3
        return (b - (r + g) / 2) / (lightness + 1e-4), (r - g) / (lightness + 1e-4)

    (a1, b1), (a2, b2) = alpha_beta(true), alpha_beta(pred)
    expected = np.sqrt((a1 - a2) ** 2 + (b1 - b2) ** 2).mean()
    assert metrics.rmse_alpha_beta(pred, true) == pytest.approx(expected, abs=1e-6)
    assert metrics.rmse_alpha_beta(true, true) == 0
    black = torch.zeros(1, 3, 2, 2)
    assert metrics.rmse_alpha_beta(black, black + 1) == 0  # black, gray and white have no alpha and no beta


def test_mean_chroma_by_hand():
    ab = torch.tensor([[3.0, 0.0], [4.0, -2.0]]).view(1, 2, 1, 2)  # chroma 5 and 2
    assert metrics.mean_chroma(torch.cat((ab, ab * 0))).tolist() == [3.5, 0.0]


def test_bad_input_gets_one_sentence():
    ab, rgb = torch.zeros(1, 2, 3, 3), torch.zeros(1, 3, 3, 3)
    with pytest.raises(ValueError, match=r"\(N, 2, H, W\), got \(1, 2, 3, 3\) and \(1, 3, 3, 3\)"):
        metrics.auc(ab, rgb)
    with pytest.raises(ValueError, match=r"weight must have shape \(1, 3, 3\)"):
        metrics.auc(ab, ab, torch.ones(3, 3))
    for bad in (-torch.ones(1, 3, 3), torch.zeros(1, 3, 3)):
        with pytest.raises(ValueError, match="0 or above"):
            metrics.auc(ab, ab, bad)
    for metric in (metrics.psnr, metrics.rmse_alpha_beta):
        with pytest.raises(ValueError, match=r"\(N, 3, H, W\)"):
            metric(ab, ab)
    with pytest.raises(ValueError, match=r"\(N, 2, H, W\)"):
        metrics.mean_chroma(rgb)


def test_half_precision_and_more_bad_input():
    ab = torch.zeros(1, 2, 1, 2)
    with pytest.raises(ValueError, match="0 or above"):
        metrics.auc(ab, ab, torch.tensor([[[2.0, -1.0]]]))
    with pytest.raises(ValueError, match="must both have"):
        metrics.auc(ab, torch.zeros(2, 2, 1, 2))
    with pytest.raises(ValueError, match="must both have"):
        metrics.psnr(torch.zeros(1, 3, 1, 1), torch.zeros(1, 3, 2, 2))
    p = torch.full((1, 3, 8, 8), 0.01).half()
    q = torch.full((1, 3, 8, 8), 0.0102).half()
    assert metrics.psnr(p, q).item() == pytest.approx(metrics.psnr(p.double(), q.double()).item(), abs=1e-3)


def test_no_pixels_and_values_that_are_not_finite():
    with pytest.raises(ValueError, match="auc needs pixels"):
        metrics.auc(torch.zeros(0, 2, 3, 3), torch.zeros(0, 2, 3, 3))
    with pytest.raises(ValueError, match="must be finite"):
        metrics.auc(torch.full((1, 2, 1, 1), float("nan")), torch.zeros(1, 2, 1, 1))
    with pytest.raises(ValueError, match="weight must be finite"):
        metrics.auc(torch.zeros(1, 2, 1, 1), torch.zeros(1, 2, 1, 1), torch.full((1, 1, 1), float("inf")))


def test_colorfulness_against_numpy():
    rgb = torch.rand(3, 3, 9, 7, generator=torch.Generator().manual_seed(0))
    for picture, found in zip(rgb.numpy().astype(np.float64) * 255, metrics.colorfulness(rgb), strict=True):
        r, g, b = picture
        rg, yb = r - g, 0.5 * (r + g) - b
        expected = np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())
        assert found.item() == pytest.approx(expected, rel=1e-5)
    assert metrics.colorfulness(torch.full((1, 3, 4, 4), 0.3)).item() == 0
    with pytest.raises(ValueError, match=r"\(N, 3, H, W\), got \(3, 4, 4\)"):
        metrics.colorfulness(torch.zeros(3, 4, 4))


@pytest.mark.parametrize(
    ("step", "rule"), [(1, "trapezoid"), (1, "mean"), (10, "mean"), (10, "trapezoid"), (30, "mean")]
)
def test_auc_in_the_ways_of_other_papers(step, rule):
    pred, true = random_ab(3, n=3), random_ab(4, n=3)
    weight = torch.rand(3, 6, 6, generator=torch.Generator().manual_seed(0))

    def by_loop(pred, true, weight):
        distance, weight = (pred - true).double().norm(dim=1).numpy().ravel(), weight.double().numpy().ravel()
        curve = [weight[distance <= t].sum() / weight.sum() for t in range(0, 151, step)]
        return np.mean(curve) if rule == "mean" else np.trapezoid(curve) * step / 150

    found = metrics.auc(pred, true, weight, step=step, rule=rule)
    assert found == pytest.approx(by_loop(pred, true, weight), abs=1e-9)
    found = metrics.auc(pred, true, weight, step=step, rule=rule, per_photo=True)
    each = [by_loop(pred[k : k + 1], true[k : k + 1], weight[k : k + 1]) for k in range(3)]
    assert found == pytest.approx(np.mean(each), abs=1e-9)


def test_wrong_ways_get_one_sentence():
    ab, rgb = torch.zeros(2, 2, 1, 1), torch.zeros(2, 3, 1, 1)
    for options in ({"step": 7}, {"rule": "simpson"}):
        with pytest.raises(ValueError, match="a divisor of 150, got"):
            metrics.auc(ab, ab, **options)
    with pytest.raises(ValueError, match="above 0 somewhere in each photo"):
        metrics.auc(ab, ab, torch.tensor([1.0, 0.0]).view(2, 1, 1), per_photo=True)
    with pytest.raises(ValueError, match="readings printed and rms, got 'mean'"):
        metrics.rmse_alpha_beta(rgb, rgb, "mean")
    with pytest.raises(ValueError, match="needs pixels and a bin"):
        metrics.bin_accuracy(ab, ab, 0)
    with pytest.raises(ValueError, match="got 0 and 'arithmetic'"):
        metrics.mean_psnr(torch.zeros(0))
    with pytest.raises(ValueError, match="got 1 and 'harmonic'"):
        metrics.mean_psnr(torch.ones(1), "harmonic")
    with pytest.raises(ValueError, match=r"above 0 dB, got -1\.0"):
        metrics.mean_psnr(-torch.ones(1), "geometric")
    with pytest.raises(ValueError, match="must both have"):
        metrics.frobenius(ab, rgb)


def test_root_mean_square_is_not_the_mean():
    random = torch.Generator().manual_seed(2)
    true, pred = torch.rand(2, 3, 4, 5, generator=random), torch.rand(2, 3, 4, 5, generator=random)

    def alpha_beta(rgb):
        r, g, b = rgb.double().numpy().transpose(1, 0, 2, 3)
        return np.stack(((b - (r + g) / 2), (r - g))) / ((r + g + b) / 3 + 1e-4)

    expected = np.sqrt(((alpha_beta(true) - alpha_beta(pred)) ** 2).sum(axis=0).mean())
    assert metrics.rmse_alpha_beta(pred, true, "rms") == pytest.approx(expected, rel=1e-6)
    assert metrics.rmse_alpha_beta(pred, true) < expected


def test_mean_psnr_against_scipy():
    from scipy import stats

    values = torch.tensor([12.0, 25.0, 40.0])
    assert metrics.mean_psnr(values) == pytest.approx(np.mean(values.numpy()))
    assert metrics.mean_psnr(values, "geometric") == pytest.approx(stats.gmean(values.numpy()), rel=1e-6)
    same = torch.tensor([metrics.PSNR_CAP, float("inf"), 81.0])  # identical, and gray before
    assert metrics.mean_psnr(same) == pytest.approx(58.92, abs=0.005)
    assert metrics.mean_psnr(same, "geometric") == pytest.approx(58.92, abs=0.005)
    rounding = (torch.rand(1, 3, 200, 200, generator=torch.Generator().manual_seed(0)) - 0.5) / 255
    assert metrics.psnr(rounding, rounding * 0).item() == pytest.approx(metrics.PSNR_CAP, abs=0.05)


def test_frobenius_and_bin_accuracy_against_numpy():
    pred, true = random_ab(5, n=3, scale=60), random_ab(6, n=3, scale=60)
    expected = [
        np.linalg.norm((p - t).numpy().ravel().astype(np.float64)) for p, t in zip(pred, true, strict=True)
    ]
    assert metrics.frobenius(pred, true).numpy() == pytest.approx(expected, rel=1e-6)
    for bins in (1, 7, 10, 50):
        edges = np.linspace(-100, 100, bins + 1)[1:-1]
        p, t = (np.digitize(ab.numpy(), edges) for ab in (pred, true))
        assert metrics.bin_accuracy(pred, true, bins) == pytest.approx((p == t).all(axis=1).mean())
        assert metrics.bin_accuracy(pred, true, bins, joint=False) == pytest.approx((p == t).mean())
    assert metrics.bin_accuracy(pred, true, 1) == 1
