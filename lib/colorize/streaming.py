"""Measures over any number of photos, in one pass and constant memory, on any device.

:func:`parts` says what a batch of photos adds to each measure, photo by photo. :class:`Measures` keeps the sums of that;
:mod:`colorize.evaluation` keeps the photos apart, since its intervals draw them again and again. The AuC needs a table of 313
bins and 152 distances, from which the rebalanced one follows at the end, when it is known how often each color occurred.

>>> measures = Measures()
>>> photo = torch.rand(1, 3, 8, 8)
>>> measures.update(rgb_to_lab(photo)[:, 1:], photo)
>>> measures.compute()["raw_auc"], measures.photos
(1.0, 1)
"""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from . import metrics
from .bins import bin_cells, grid_cell, nearest_bin
from .curves import ErrorCurve, PsnrHistogram
from .decode import paint
from .lab import rgb_to_lab
from .metrics import AUC_LIMIT, PSNR_CAP

BINS, GRID, THRESHOLDS = 313, 625, AUC_LIMIT + 2
AT_ONCE = 2**16  # pixels: one photo of 256 x 256


def cells(distance: Tensor, true_ab: Tensor) -> Tensor:
    """Number each pixel's cell in a table of 313 true bins by 152 thresholds, of which the first that accepts it counts.

    ``distance``, (N, H, W), from :func:`colorize.metrics.color_distance`, and ``true_ab``, (N, 2, H, W) -> (N, H, W) int64.
    """
    return nearest_bin(true_ab).mul_(THRESHOLDS).add_(metrics.first_threshold(distance))


def tally(cells: Tensor) -> Tensor:
    """Count the pixels in each cell, photo by photo: (N, H, W) int64 -> (N, 313, 152) int64."""
    size, photo = BINS * THRESHOLDS, torch.arange(len(cells), device=cells.device)
    if len(cells) > 1:
        cells = cells + size * photo.view(-1, 1, 1)  # a table for each photo, one behind the other
    return torch.bincount(cells.flatten(), minlength=size * len(photo)).view(-1, BINS, THRESHOLDS)


def curve(counts: Tensor, weight: Tensor | None = None) -> Tensor:
    """Share of pixels within each of the thresholds 0, 1, ..., 150, from a tally: (..., 313, 152) -> (..., 151) float64.

    ``weight``, (313,), says what a pixel of each true bin counts; without it all count the same.
    """
    histogram = counts.sum(dim=-2).double() if weight is None else weight.double() @ counts.double()
    return histogram.cumsum(-1)[..., :-1] / histogram.sum(-1, keepdim=True)


def bin_weights(totals: Tensor) -> Tensor:
    """What makes each bin that occurs count the same: 1 / (how many pixels it has), (313,) float64; 0 for the others."""
    return torch.where(totals > 0, 1 / totals.double(), 0.0)


def parts(pred_ab: Tensor, true_rgb: Tensor, true_lab: Tensor | None = None) -> dict[str, Tensor]:
    """Take all measures of a batch, each photo by itself.

    Parameters
    ----------
    pred_ab : (N, 2, H, W), predicted a and b.
    true_rgb : (N, 3, H, W), the true photos, sRGB in [0, 1], or uint8. Their lightness and the prediction make the picture
        that PSNR, RMSE and colorfulness are taken of.
    true_lab : (N, 3, H, W), the same in Lab, if that is known already.

    Returns
    -------
    cells : (N, H, W) int64, see :func:`cells`.
    errors : (N, H, W), distance of each pixel in alpha-beta.
    psnr : (N,) in dB, infinity where a picture is exact. frobenius, chroma : (N,) ab units. colorfulness : (N,).

    Raises
    ------
    ValueError for other shapes, no pixels, or values that are not finite.
    """
    true_lab = rgb_to_lab(true_rgb) if true_lab is None else true_lab
    true_rgb = true_rgb / 255 if true_rgb.dtype == torch.uint8 else true_rgb
    distance = metrics.color_distance(pred_ab, true_lab[:, 1:])
    painted = paint(true_lab[:, :1], pred_ab)
    return {
        "cells": cells(distance, true_lab[:, 1:]),
        "errors": metrics.alpha_beta_distance(painted, true_rgb),
        "psnr": metrics.psnr(painted, true_rgb),
        "frobenius": distance.square_().sum(dim=(1, 2)).sqrt_(),
        "chroma": metrics.mean_chroma(pred_ab),
        "colorfulness": metrics.colorfulness(painted),
    }


def in_turn(*batches: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """On a CPU some photos after the others, so that what is computed on the way stays in the cache; elsewhere all at once."""
    if len({len(batch) for batch in batches}) > 1:
        raise ValueError(f"as many predictions as photos are needed, got {[len(batch) for batch in batches]}")
    count, pixels = len(batches[0]), batches[0].shape[-2] * batches[0].shape[-1]
    some = max(1, AT_ONCE // max(1, pixels)) if batches[0].device.type == "cpu" else max(1, count)
    return zip(*(batch.split(some) for batch in batches), strict=True)


class Accuracy:
    """AuC, raw and rebalanced, and the curves that they are the areas of.

    Attributes
    ----------
    counts : (313, 152) int64: pixels of each true bin, by the first threshold that accepts them. Whole numbers, so that the
        order of the batches changes nothing.
    """

    def __init__(self) -> None:
        self.counts = torch.zeros(BINS, THRESHOLDS, dtype=torch.int64)

    def update(self, pred_ab: Tensor, true_ab: Tensor) -> None:
        """Count the pixels of a batch: (N, 2, H, W) twice, as :func:`colorize.metrics.auc` takes them."""
        # Counted by the points of the grid that colors round to; those of the bins are picked out at the end.
        found = []
        for pred, true in in_turn(pred_ab, true_ab):
            distance = metrics.color_distance(pred, true)
            threshold = distance.ceil_().clamp_(max=AUC_LIMIT + 1)
            found.append(threshold.add_(grid_cell(true), alpha=THRESHOLDS).int())  # exact up to 2^24
        counts = torch.bincount(torch.cat(found).flatten(), minlength=GRID * THRESHOLDS)
        of_bins = counts.view(GRID, THRESHOLDS)[bin_cells().to(counts.device)]
        if (
            of_bins.sum() < counts.sum()
        ):  # true colors that no screen can show: their nearest bin has to be searched
            self.add(cells(metrics.color_distance(pred_ab, true_ab), true_ab))
        else:
            self.counts += of_bins.to(self.counts.device)

    def add(self, cells: Tensor) -> None:
        """Count pixels by their cells, int64 of any shape, from :func:`cells`."""
        self.counts += tally(cells.view(1, 1, -1))[0].to(self.counts.device)

    def merge(self, other: "Accuracy") -> None:
        """Add what another has counted."""
        self.counts += other.counts

    def curve(self, rebalanced: bool = False) -> Tensor:
        """Share of pixels within each of the thresholds 0, 1, ..., 150: (151,) float64.

        Rebalanced, each pixel weighs 1 / (share of its true bin among all pixels seen): each bin that occurs counts the same.
        ValueError before the first batch.
        """
        totals = self.counts.sum(dim=1)
        if not totals.sum() > 0:
            raise ValueError("there is no curve yet: no batch has been counted")
        return curve(self.counts, bin_weights(totals) if rebalanced else None)

    def auc(self, rebalanced: bool = False, step: int = 1, rule: str = "trapezoid") -> float:
        """Area under the curve; ``step`` and ``rule`` as in :func:`colorize.metrics.area`."""
        return metrics.area(self.curve(rebalanced), step, rule).item()


class Measures:
    """All measures of a colorization at once: AuC, RMSE in alpha-beta, PSNR, Frobenius distance, chroma, colorfulness.

    Parameters
    ----------
    errors : also keep which pixels have which error.
    bins : also take :func:`colorize.metrics.bin_accuracy` with these numbers of bins for each axis, 10 and 50 for example.

    Attributes
    ----------
    accuracy : :class:`Accuracy`, for curves and other ways to take the area.
    errors : :class:`colorize.curves.ErrorCurve`, which pixels have which error in alpha-beta; None unless asked for.
    psnrs : :class:`colorize.curves.PsnrHistogram`, which photos have which PSNR.
    photos : how many were seen.
    """

    def __init__(self, errors: bool = False, bins: Sequence[int] = ()) -> None:
        self.accuracy = Accuracy()
        self.bins = tuple(bins)
        self.errors = ErrorCurve() if errors else None
        self.psnrs = PsnrHistogram()
        self.photos = 0
        self._pixels = 0
        self._sums: dict[str, float] = {}

    def update(self, pred_ab: Tensor, true_rgb: Tensor) -> None:
        """Take a batch, as :func:`parts` does. A batch that is refused (ValueError) leaves everything as it was."""
        _check(pred_ab, true_rgb)
        for ab, rgb in in_turn(pred_ab, true_rgb):
            lab = rgb_to_lab(rgb)
            pixels = lab[:, 0].numel()
            self._add(parts(ab, rgb, lab))
            self._sum(
                {f"bin_accuracy_{n}": pixels * metrics.bin_accuracy(ab, lab[:, 1:], n) for n in self.bins}
            )

    def _add(self, found: dict[str, Tensor]) -> None:
        errors = found["errors"]
        psnr = found["psnr"].double().clamp(max=PSNR_CAP)
        sums = {
            "rmse": errors.sum(dtype=torch.float64),
            "rms": errors.square().sum(dtype=torch.float64),
            "psnr": psnr.sum(),
            "log_psnr": psnr.clamp(min=1e-3).log().sum(),
        }
        sums |= {
            name: found[name].sum(dtype=torch.float64) for name in ("frobenius", "chroma", "colorfulness")
        }
        self._sum({name: value.item() for name, value in sums.items()})
        self.accuracy.add(found["cells"])
        self.psnrs.add(found["psnr"])
        if self.errors:
            self.errors.add(errors)
        self.photos, self._pixels = self.photos + len(errors), self._pixels + errors.numel()

    def merge(self, other: "Measures") -> None:
        """Take what another has seen, in another process for example, as if it had been seen here.

        ValueError if one of the two keeps errors or a bin accuracy that the other does not.
        """
        if (self.bins, self.errors is None) != (other.bins, other.errors is None):
            raise ValueError("only measures made with the same errors and bins can be merged")
        self.accuracy.merge(other.accuracy)
        self.psnrs.merge(other.psnrs)
        if self.errors and other.errors:
            self.errors.merge(other.errors)
        self._sum(other._sums)
        self.photos, self._pixels = self.photos + other.photos, self._pixels + other._pixels

    def _sum(self, more: dict[str, float]) -> None:
        for name, value in more.items():
            self._sums[name] = self._sums.get(name, 0.0) + value

    def compute(self) -> dict[str, float]:
        """What has been measured so far.

        Returns
        -------
        raw_auc, rebalanced_auc : in [0, 1]. rmse, rms : alpha-beta, in the two readings. psnr, geometric_psnr : in dB, cut
        off at 58.92 a photo. frobenius, chroma : ab units. colorfulness. bin_accuracy_10 and the like, if asked for.
        Pooled over all pixels (AuC, rmse, rms, bin accuracy), the others means over photos.

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
            **{name: self._sums[name] / self._pixels for name in (f"bin_accuracy_{n}" for n in self.bins)},
        }


def _check(pred_ab: Tensor, true_rgb: Tensor) -> None:
    """Refuse a batch before any of its photos is counted."""
    if true_rgb.ndim != 4 or true_rgb.shape[1] != 3 or pred_ab.shape != true_rgb[:, :2].shape:
        raise ValueError(
            "pred_ab and true_rgb must have shape (N, 2, H, W) and (N, 3, H, W), "
            f"got {tuple(pred_ab.shape)} and {tuple(true_rgb.shape)}"
        )
    if not true_rgb.numel():
        raise ValueError(f"measures need pixels, got photos of shape {tuple(true_rgb.shape)}")
    for name, values in (("pred_ab", pred_ab), ("true_rgb", true_rgb)):
        if not all(value.isfinite() for value in values.aminmax()):
            raise ValueError(f"{name} must be finite, got NaN or infinity")
