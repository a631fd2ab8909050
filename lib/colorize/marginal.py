"""Color as two classifications, one for a and one for b, with bins along each axis. Agrawal & Sawhney, section 4.2.

Ten equal bins from -100 to 100, an answer of 10 + 10 numbers for each pixel, and the likelier bin of each axis as its color.
Two things are lost on the way. An axis does not know what the other chose: where half of the balloons are red and half
are blue, (a of the red, b of the blue) is as likely as either. And the likeliest bin jumps where two are nearly even.
Section 6 proposes what is here too: bins that are narrow where colors are frequent.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .quantiles import Axis

LIMIT = 100.0  # ab units


def equal_axis(bins: int = 10, limit: float = LIMIT) -> Axis:
    """Cut [-limit, limit] into bins of one width; their middles stand for them.

    The same bins as :func:`colorize.metrics.bin_accuracy` has. Values beyond belong to the first and the last bin.

    >>> equal_axis(4).centers
    tensor([-75., -25.,  25.,  75.])
    """
    if bins < 1 or not limit > 0:
        raise ValueError(f"bins must be 1 or more and limit above 0, got {bins} and {limit}")
    found = (torch.arange(2 * bins + 1, dtype=torch.float64, device="cpu") / bins - 1) * limit
    return Axis(found[::2].float().contiguous(), found[1::2].float().contiguous())


def with_means(axis: Axis, values: Tensor) -> Axis:
    """Let the mean of the values in a bin stand for it, as their ``unbin`` does; an empty bin keeps its center.

    No other choice has a smaller squared error on these values.

    >>> with_means(equal_axis(2), torch.tensor([10.0, 20.0, 60.0])).centers
    tensor([-50.,  30.])
    """
    index = axis.index(values.flatten())
    count = torch.bincount(index, minlength=len(axis))
    total = torch.bincount(index, values.flatten().double(), minlength=len(axis))
    means = torch.where(count > 0, total / count.clamp(min=1), axis.centers.double())
    return Axis(axis.edges, means.float())


def adapted_axis(values: Tensor, bins: int = 10) -> Axis:
    """Cut an axis so that each bin holds as many of the given values: narrow near gray, wide where colors are rare.

    Edges are quantiles, the two last ones infinite; the mean of its values stands for a bin. Where one value is so frequent
    that two edges fall together, the bin between them would be empty and is left out: there may be fewer than asked for.

    Parameters
    ----------
    values : a or b of many pixels, in any shape; ValueError for none.

    >>> adapted_axis(torch.tensor([-40.0, -2.0, -1.0, 1.0, 2.0, 70.0]), 3)
    Axis(edges=tensor([-inf, -1.,  2., inf]), centers=tensor([-21.,   0.,  36.]))
    """
    if bins < 1 or not values.numel():
        raise ValueError(f"adapted_axis needs values and 1 bin or more, got {values.numel()} and {bins}")
    ordered = values.detach().flatten().float().cpu().sort().values
    at = torch.arange(1, bins, device="cpu") * len(ordered) // bins  # the first value of each further bin
    inner = ordered[at].unique()
    inner = inner[inner > ordered[0]]
    infinity = torch.tensor([torch.inf], device="cpu")
    edges = torch.cat((-infinity, inner, infinity))
    return with_means(Axis(edges, torch.zeros(len(edges) - 1, device="cpu")), ordered)


class Marginal:
    """A pair of axes: the loss of a network that answers with logits (N, K_a + K_b, H, W), and what color they mean.

    >>> pair = Marginal(equal_axis(10), equal_axis(10))
    >>> pair.outputs
    20
    >>> round(pair.loss(torch.zeros(1, 20, 1, 1), torch.zeros(1, 2, 1, 1)).item(), 3)  # knows nothing: 2 ln 10
    4.605
    """

    def __init__(self, a: Axis, b: Axis) -> None:
        self.axes = (a, b)
        self.outputs = len(a) + len(b)

    def split(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Cut logits (N, K_a + K_b, H, W) into those of a and of b. ValueError for another number of them."""
        if logits.shape[1] != self.outputs:
            raise ValueError(f"logits must have {self.outputs} channels, got {tuple(logits.shape)}")
        a, b = logits.split([len(axis) for axis in self.axes], dim=1)
        return a, b

    def loss(self, logits: Tensor, ab: Tensor) -> Tensor:
        """Cross-entropy of a and of b against the true bins, summed, mean over pixels; in nats."""
        pairs = zip(self.split(logits), self.axes, ab.unbind(dim=1), strict=True)
        a, b = (F.cross_entropy(z.float(), axis.index(values)) for z, axis, values in pairs)
        return a + b

    def mode(self, logits: Tensor) -> Tensor:
        """Color of the likeliest bin of each axis, each for itself, as the report does it: (N, 2, H, W)."""
        pairs = zip(self.split(logits), self.axes, strict=True)
        return torch.stack([axis.centers.to(z)[z.argmax(dim=1)] for z, axis in pairs], dim=1)

    def mean(self, logits: Tensor) -> Tensor:
        """Expected color: no jumps, and no more vivid than L2: (N, 2, H, W)."""
        pairs = zip(self.split(logits), self.axes, strict=True)
        return torch.stack(
            [torch.einsum("nkhw,k->nhw", z.softmax(dim=1), axis.centers.to(z)) for z, axis in pairs], dim=1
        )

    def quantized(self, ab: Tensor) -> Tensor:
        """What is left of true colors when each is replaced by its bin: (N, 2, H, W) -> the same. No network gets closer."""
        pairs = zip(self.axes, ab.unbind(dim=1), strict=True)
        return torch.stack([axis.centers.to(ab)[axis.index(values)] for axis, values in pairs], dim=1)


def jumps(ab: Tensor, lightness: Tensor, jump: float = 20.0, flat: float = 2.0) -> float:
    """Share of neighboring pixels of nearly the same L whose colors lie far apart: blotches, seen as a number.

    Parameters
    ----------
    ab, lightness : (N, 2, H, W) and (N, 1, H, W); side by side and one above the other count as neighbors.
    jump : in ab units, Euclidean; the width of one of their ten bins.
    flat : largest difference of L at which no jump is expected. NaN if there are no such neighbors.

    >>> jumps(torch.tensor([0.0, 30, 30]).view(1, 1, 1, 3).expand(1, 2, 1, 3), torch.full((1, 1, 1, 3), 50.0))
    0.5
    """
    _check(ab, lightness)
    far = count = 0
    for dim in (2, 3):
        even = (lightness.diff(dim=dim).abs() < flat)[:, 0]
        far += int((even & (ab.diff(dim=dim).norm(dim=1) > jump)).sum())
        count += int(even.sum())
    return far / count if count else float("nan")


def lattice(ab: Tensor, period: int = 2) -> float:
    """How much the steps between columns, and between rows, differ by their place in a lattice: a checkerboard, seen as a number.

    The largest of the ``period`` mean steps ``|ab(x + 1) - ab(x)|``, those of one phase each, over the mean of all, minus 1; of the
    two directions the larger. Near 0 for pictures; 1 where every second step is 0.

    >>> lattice(torch.tensor([0.0, 0, 9, 9, 0, 0, 9, 9, 0]).view(1, 1, 1, 9).expand(1, 2, 9, 9))
    1.0
    """
    _check(ab)
    found = []
    for dim in (2, 3):
        steps = ab.diff(dim=dim).norm(dim=1).movedim(dim - 1, 0)
        steps = steps[: len(steps) // period * period].flatten(1).double().mean(dim=1)
        phases = torch.stack([steps[phase::period].mean() for phase in range(period)])
        found.append((phases.max() / phases.mean() - 1).item() if phases.mean() > 0 else 0.0)
    return max(found)


def _check(ab: Tensor, lightness: Tensor | None = None) -> None:
    if ab.ndim != 4 or ab.shape[1] != 2:
        raise ValueError(f"ab must have shape (N, 2, H, W), got {tuple(ab.shape)}")
    if lightness is not None and lightness.shape != (expected := (len(ab), 1, *ab.shape[2:])):
        raise ValueError(f"lightness must have shape {expected}, got {tuple(lightness.shape)}")
