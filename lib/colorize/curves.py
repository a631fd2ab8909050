"""How are errors distributed? Larsson et al. 2016 show it twice: over pixels in Figure 7, over pictures in Figure 8.

A mean hides whether all pixels are a little wrong or a few are very wrong. Both curves are counts in bins of a fixed width: of
any number of photos in constant memory, in whole numbers, so that no order of the photos and no division of the work among
processes changes them.

>>> errors = ErrorCurve()
>>> errors.add(torch.tensor([0.0, 0.1, 0.1, 2.0]))
>>> errors.below(0.5), errors.below(0.125), errors.below(3)
(0.75, 0.75, 1.0)
"""

import torch
from torch import Tensor


class Histogram:
    """Counts of values in bins of one width, from 0 to a limit.

    Attributes
    ----------
    width : of a bin. A power of two: the division by it is exact, so that each value is in the bin where it belongs.
    limit : a multiple of the width; what is as large or larger is counted in one bin more.
    counts : (limit / width + 1,) int64; bin k holds the values of k width to (k + 1) width, without the latter.
    """

    width: float
    limit: float

    def __init__(self) -> None:
        self.counts = torch.zeros(round(self.limit / self.width) + 1, dtype=torch.int64)

    def add(self, values: Tensor) -> None:
        """Count values of any shape, 0 or above, on any device. ValueError for others; infinity is large."""
        values = values.detach().flatten()
        if not len(values):
            return
        if not values.min() >= 0:
            raise ValueError(f"{type(self).__name__} takes numbers of 0 and above, got {values.min():g}")
        bins = (values / self.width).clamp_(max=len(self.counts) - 1).long()
        self.counts += torch.bincount(bins, minlength=len(self.counts)).to(self.counts.device)

    def merge(self, other: "Histogram") -> None:
        """Add what another has counted, in another process for example."""
        self.counts += other.counts

    def edges(self) -> Tensor:
        """Where bins begin and end: 0, width, ..., limit, float64."""
        return torch.arange(len(self.counts), dtype=torch.float64) * self.width

    def cumulative(self) -> Tensor:
        """Share of the values below each of the edges, float64: from 0 up to what lies below the limit. ValueError before any."""
        if not self.counts.any():
            raise ValueError(f"there is no curve yet: {type(self).__name__} has counted nothing")
        below = self.counts.cumsum(0) - self.counts
        return below.double() / self.counts.sum()

    def below(self, value: float) -> float:
        """Share of the values below one of the edges; of another number, below the edge before it."""
        if not 0 <= value <= self.limit:
            raise ValueError(f"the curve runs from 0 to {self.limit:g}, got {value:g}")
        return self.cumulative()[int(value / self.width)].item()


class ErrorCurve(Histogram):
    """Cumulative histogram of the error of each pixel, the distance in alpha-beta. Larsson et al. 2016, Figure 7.

    The share of pixels whose error (:func:`colorize.metrics.alpha_beta_distance`, their equations 9 and 10) lies below x, for
    x from 0 to 6, which no two colors of sRGB exceed. Higher is better: more pixels with a lower error. Plot
    :meth:`cumulative` over :meth:`edges`.
    """

    width = 2**-10
    limit = 6.0


class PsnrHistogram(Histogram):
    """Histogram of the PSNR of each picture. Larsson et al. 2016, Figure 8.

    Bins of 1/4 dB up to 60 dB; 8-bit pictures that differ by rounding alone have 58.92 (:func:`colorize.metrics.mean_psnr`).
    Identical pictures, at infinity, are in the last bin.
    """

    width = 2**-2
    limit = 60.0

    def shares(self, step: float = 1.0) -> tuple[Tensor, Tensor]:
        """Bars of a plot: where they begin, and the share of pictures in each, which sum to 1.

        ``step`` is their width in dB, a multiple of 1/4 that divides 60 (ValueError for others); the last bar, from 60 on,
        has no end.

        >>> psnrs = PsnrHistogram()
        >>> psnrs.add(torch.tensor([24.1, 24.9, 25.0, 80.0]))
        >>> edges, shares = psnrs.shares()
        >>> [(edges[k].item(), shares[k].item()) for k in shares.nonzero().flatten()]
        [(24.0, 0.5), (25.0, 0.25), (60.0, 0.25)]
        """
        each = round(step / self.width)
        if each < 1 or each * self.width != step or (len(self.counts) - 1) % each:
            raise ValueError(f"step must be a multiple of {self.width} dB that divides 60, got {step}")
        below = torch.cat((self.cumulative()[::each], torch.ones(1, dtype=torch.float64)))
        return self.edges()[::each], below.diff()
