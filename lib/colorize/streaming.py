"""Measures over any number of photos, in one pass and constant memory, on any device.

Each keeps what it needs as sums: the AuC a table of 313 bins and 152 distances, from which the rebalanced one follows at the
end, when it is known how often each color occurred. ``update`` takes a batch, ``compute`` can be asked at any time.

>>> measures = Measures()
>>> photo = torch.rand(1, 3, 8, 8)
>>> measures.update(rgb_to_lab(photo)[:, 1:], photo)
>>> measures.compute()["raw_auc"], measures.photos
(1.0, 1)
"""

import math

import torch
from torch import Tensor

from . import metrics
from .bins import gamut_bins, nearest_bin
from .decode import paint
from .lab import rgb_to_lab
from .metrics import AUC_LIMIT, PSNR_CAP


class Accuracy:
    """AuC, raw and rebalanced, and the curves that they are the areas of.

    Attributes
    ----------
    counts : (313, 152) int64: pixels of each true bin, by the first threshold that accepts them. Whole numbers, so that the
        order of the batches changes nothing.
    """

    def __init__(self) -> None:
        self.counts = torch.zeros(len(gamut_bins()), AUC_LIMIT + 2, dtype=torch.int64)

    def update(self, pred_ab: Tensor, true_ab: Tensor) -> None:
        """Count the pixels of a batch: (N, 2, H, W) twice, as :func:`colorize.metrics.auc` takes them."""
        first = metrics.first_threshold(pred_ab, true_ab)
        cells = nearest_bin(true_ab) * (AUC_LIMIT + 2) + first
        found = torch.bincount(cells.flatten(), minlength=self.counts.numel())
        self.counts += found.view(self.counts.shape).to(self.counts.device)

    def curve(self, rebalanced: bool = False) -> Tensor:
        """Share of pixels within each of the thresholds 0, 1, ..., 150: (151,) float64.

        Rebalanced, each pixel weighs 1 / (share of its true bin among all pixels seen): each bin that occurs counts the same.
        ValueError before the first batch.
        """
        totals = self.counts.sum(dim=1)
        if not totals.sum() > 0:
            raise ValueError("there is no curve yet: no batch has been counted")
        counts = self.counts[totals > 0].double()
        if rebalanced:
            counts = counts / counts.sum(dim=1, keepdim=True)
        histogram = counts.sum(dim=0)
        return histogram.cumsum(0)[:-1] / histogram.sum()

    def auc(self, rebalanced: bool = False, step: int = 1, rule: str = "trapezoid") -> float:
        """Area under the curve; ``step`` and ``rule`` as in :func:`colorize.metrics.area`."""
        return metrics.area(self.curve(rebalanced), step, rule).item()


class Measures:
    """All measures of a colorization at once: AuC, RMSE in alpha-beta, PSNR, Frobenius distance, chroma, colorfulness.

    Attributes
    ----------
    accuracy : :class:`Accuracy`, for curves and other ways to take the area.
    photos : how many were seen.
    """

    def __init__(self) -> None:
        self.accuracy = Accuracy()
        self.photos = 0
        self._pixels = 0
        self._sums: dict[str, float] = {}

    def update(self, pred_ab: Tensor, true_rgb: Tensor) -> None:
        """Take a batch.

        Parameters
        ----------
        pred_ab : (N, 2, H, W), predicted a and b.
        true_rgb : (N, 3, H, W), the true photos, sRGB in [0, 1]; their lightness and the prediction make the picture that
            PSNR, RMSE and colorfulness are taken of.

        Raises
        ------
        ValueError for other shapes, or values that are not finite.
        """
        lab = rgb_to_lab(true_rgb)
        self.accuracy.update(pred_ab, lab[:, 1:])
        painted = paint(lab[:, :1], pred_ab)
        count, pixels = len(true_rgb), true_rgb.shape[0] * true_rgb.shape[2] * true_rgb.shape[3]
        psnr = metrics.psnr(painted, true_rgb).double().clamp(max=PSNR_CAP)
        sums = {
            "rmse": pixels * metrics.rmse_alpha_beta(painted, true_rgb),
            "rms": pixels * metrics.rmse_alpha_beta(painted, true_rgb, "rms") ** 2,
            "psnr": psnr.sum().item(),
            "log_psnr": psnr.clamp(min=1e-3).log().sum().item(),
            "frobenius": metrics.frobenius(pred_ab, lab[:, 1:]).double().sum().item(),
            "chroma": metrics.mean_chroma(pred_ab).double().sum().item(),
            "colorfulness": metrics.colorfulness(painted).double().sum().item(),
        }
        for name, value in sums.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self.photos, self._pixels = self.photos + count, self._pixels + pixels

    def compute(self) -> dict[str, float]:
        """What has been measured so far.

        Returns
        -------
        raw_auc, rebalanced_auc : in [0, 1]. rmse, rms : alpha-beta, in the two readings. psnr, geometric_psnr : in dB, cut
        off at 58.92 a photo. frobenius, chroma : ab units. colorfulness.
        Pooled over all pixels (AuC, rmse, rms), the others means over photos.

        Raises
        ------
        ValueError before the first batch.
        """
        raw = self.accuracy.auc()
        mean = {name: value / self.photos for name, value in self._sums.items()}
        return {
            "raw_auc": raw,
            "rebalanced_auc": self.accuracy.auc(rebalanced=True),
            "rmse": self._sums["rmse"] / self._pixels,
            "rms": math.sqrt(self._sums["rms"] / self._pixels),
            "psnr": mean["psnr"],
            "geometric_psnr": math.exp(mean["log_psnr"]),
            "frobenius": mean["frobenius"],
            "chroma": mean["chroma"],
            "colorfulness": mean["colorfulness"],
        }
