"""Which photos of a folder show the same? Near-duplicates, found by a hash of 64 bits that survives resizing and JPEG.

A photo whose copy lies on the other side of the validation split is remembered, not recognized: what is measured on it
is too good. The difference hash: reduced to 8 x 9 gray pixels, each bit says whether a pixel is darker than its neighbor to the
right. Brightness and contrast leave it alone; crops and mirrors do not.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .datasets import is_validation, read_photos
from .lab import rgb_to_lab

BITS = 64
NEAR = 6  # bits of 64: at most so many differ between copies


class Pair(NamedTuple):
    """Two photos that look like copies, and by how many bits they differ."""

    first: Path
    second: Path
    bits: int

    @property
    def across(self) -> bool:
        """True if one of them is trained on and the other one judged by."""
        return is_validation(self.first) != is_validation(self.second)


def small_gray(rgb: Tensor) -> Tensor:
    """Reduce a picture to 8 rows of 9 gray pixels, each the mean of L over its part: (3, H, W) in [0, 1] -> (8, 9)."""
    if rgb.ndim != 3 or rgb.shape[0] != 3:
        raise ValueError(f"rgb must have shape (3, H, W), got {tuple(rgb.shape)}")
    return F.adaptive_avg_pool2d(rgb_to_lab(rgb)[:1], (8, 9))[0]


def difference_hash(gray: Tensor) -> Tensor:
    """Compare neighbors: gray (N, 8, 9) -> bits (N, 64) bool, row by row; true where a pixel is darker than the one to its right.

    >>> difference_hash(torch.arange(72.0).view(1, 8, 9)).all().item()
    True
    """
    if gray.ndim != 3 or gray.shape[1:] != (8, 9):
        raise ValueError(f"gray must have shape (N, 8, 9), got {tuple(gray.shape)}")
    return (gray[:, :, :-1] < gray[:, :, 1:]).flatten(1)


def bit_distances(bits: Tensor) -> Tensor:
    """In how many bits do two hashes differ? (N, K) bool -> (N, N) int64, 0 on the diagonal."""
    plus = bits.float()
    return (plus @ (1 - plus).T + (1 - plus) @ plus.T).round().long()


def near_duplicates(files: Sequence[Path], most: int = NEAR) -> list[Pair]:
    """Find the pairs of photos whose hashes differ by at most ``most`` of 64 bits, nearest first.

    Compares each with each: fine for some ten thousand photos. A photo of one shade, such as a blank page, is alike
    to all others of its kind.

    Parameters
    ----------
    files : photos; those that cannot be read are left out with a warning.
    most : bits, 0 to 64.

    Raises
    ------
    ValueError if most is no number of bits.
    """
    if not 0 <= most <= BITS:
        raise ValueError(f"most must be 0 to {BITS} bits, got {most}")
    kept, grays = [], []
    for path in files:
        for photo in read_photos([path]):
            kept.append(path)
            grays.append(small_gray(photo))
    if len(kept) < 2:
        return []
    apart = bit_distances(difference_hash(torch.stack(grays)))
    first, second = torch.triu(apart <= most, diagonal=1).nonzero(as_tuple=True)
    pairs = [
        Pair(kept[i], kept[j], int(apart[i, j])) for i, j in zip(first.tolist(), second.tolist(), strict=True)
    ]
    return sorted(pairs, key=lambda pair: (pair.bits, pair.first, pair.second))
