"""How far is one set of pictures from another? The Frechet distance of two Gaussians, fitted to features.

Both sets go through a network, each picture becomes a vector of features, and each set the Gaussian with its mean and covariance. The
distance of two Gaussians has a closed form (Dowson & Landau 1982)::

    d^2 = |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2))

With features of Inception, and d^2 reported, it is called FID (Heusel et al. 2017). With other features it is another number: the features
of this course's small classifier tell directions, and no value can be compared with one of a paper.

>>> gaussian = Moments(2)
>>> for part in torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0]]).split(3):
...     gaussian.update(part)
>>> gaussian.mean, gaussian.covariance.diag()
(tensor([1., 2.], dtype=torch.float64), tensor([1.3333, 5.3333], dtype=torch.float64))
"""

import torch
from torch import Tensor


class Moments:
    """Mean and covariance of any number of vectors, in constant memory, in float64.

    Batches are merged as Chan, Golub and LeVeque (1979) do, about the mean so far: a sum of squares minus a square of sums
    would lose its digits where the mean is large and the spread small.

    Parameters
    ----------
    size : D, the length of a vector.
    """

    def __init__(self, size: int) -> None:
        self.count = 0
        self.mean = torch.zeros(size, dtype=torch.float64)
        self._scatter = torch.zeros(size, size, dtype=torch.float64)  # sum of (x - mean)(x - mean)^T

    def update(self, vectors: Tensor) -> None:
        """Take in vectors (N, D). ValueError for another shape, or values that are not finite."""
        if vectors.ndim != 2 or vectors.shape[1] != len(self.mean):
            raise ValueError(f"vectors must have shape (N, {len(self.mean)}), got {tuple(vectors.shape)}")
        if not vectors.isfinite().all():
            raise ValueError("vectors must be finite, got NaN or infinity")
        if not len(vectors):
            return
        values = vectors.detach().cpu().double()
        middle = values.mean(dim=0)
        apart, total = middle - self.mean, self.count + len(values)
        centered = values - middle
        self._scatter += centered.T @ centered + torch.outer(apart, apart) * (
            self.count * len(values) / total
        )
        self.mean = self.mean + apart * len(values) / total
        self.count = total

    @property
    def covariance(self) -> Tensor:
        """(D, D), divided by one less than the number of vectors. ValueError for fewer than two."""
        if self.count < 2:
            raise ValueError(f"a covariance needs two vectors or more, got {self.count}")
        return self._scatter / (self.count - 1)


def moments(vectors: Tensor) -> Moments:
    """Mean and covariance of vectors (N, D)."""
    found = Moments(vectors.shape[-1])
    found.update(vectors)
    return found


def root(matrix: Tensor) -> Tensor:
    """Root of a symmetric matrix (D, D) without negative eigenvalues, itself symmetric; those below 0 by rounding count as 0."""
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def frechet_distance(first: Moments, second: Moments) -> float:
    """Squared Frechet distance of two Gaussians, as FID is reported.

    trace((C1 C2)^(1/2)) is computed as the sum of the roots of the eigenvalues of ``R C2 R`` with R the root of C1: the two matrices have the
    same eigenvalues, and this one is symmetric. Needs no more vectors than two; with fewer than D the distance is too large
    by chance alone, and with few it is so, too.

    Raises
    ------
    ValueError for vectors of different lengths, or fewer than two.

    >>> a, b = moments(torch.tensor([[0.0], [2.0]])), moments(torch.tensor([[3.0], [5.0]]))
    >>> frechet_distance(a, b)  # the same spread, 3 apart
    9.0
    """
    if first.mean.shape != second.mean.shape:
        raise ValueError(f"vectors must have one length, got {len(first.mean)} and {len(second.mean)}")
    half = root(first.covariance)
    between = torch.linalg.eigvalsh(half @ second.covariance @ half).clamp(min=0).sqrt().sum()
    shift = (first.mean - second.mean).square().sum()
    spread = first.covariance.trace() + second.covariance.trace() - 2 * between
    return max(0.0, (shift + spread).item())
