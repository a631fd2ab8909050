"""Photos to train on and to judge by: folders of files, the validation split, crops, the gray filter.

A data set is anything with ``batch(n, seed)``, which returns pictures (n, 3, S, S), sRGB, and depends on nothing but its
arguments. That makes training repeatable, and a run that was stopped goes on exactly where it was: step 1,000 draws the
same crops whether or not steps 1 to 999 were taken in the same session.
"""

import hashlib
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from .images import ImageError, read, resize
from .lab import rgb_to_lab

SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp"}
GRAY = 5.0  # ab units; Zhang et al. 2016, supplementary, section 3.2


def is_validation(path: str | Path) -> bool:
    """Tell whether a file belongs to the validation split: about one in ten, decided by its name alone.

    The first byte of the SHA-1 of the file's name (without folders) is below 26. So the split needs no list, is the same
    everywhere, and stays what it is when files are added.

    >>> [is_validation(f"{n}.jpg") for n in range(5)]
    [False, False, True, False, False]
    """
    return hashlib.sha1(os.path.basename(path).encode(errors="surrogateescape")).digest()[0] < 26


def photo_files(folder: str | Path, split: str = "all") -> list[Path]:
    """List the photos of a folder and its subfolders, sorted by name.

    Parameters
    ----------
    folder : where to look.
    split : "train", "validation" or "all".

    Raises
    ------
    ValueError if there is no such folder, no such split, or no photo in it.
    """
    folder = Path(folder)
    if split not in ("train", "validation", "all"):
        raise ValueError(f"split must be 'train', 'validation' or 'all', got {split!r}")
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if split != "all":
        files = [path for path in files if is_validation(path) == (split == "validation")]
    if not files:
        raise ValueError(f"no photo for {split} in {folder} (looked for {', '.join(sorted(SUFFIXES))})")
    return files


def is_gray(rgb: Tensor, threshold: float = GRAY) -> Tensor:
    """Tell which pictures have no color: no pixel whose a or b is farther than the threshold from 0.

    Parameters
    ----------
    rgb : (N, 3, H, W), float in [0, 1] or uint8.
    threshold : in ab units; the paper's 5.

    Returns
    -------
    (N,) bool.
    """
    return (rgb_to_lab(rgb)[:, 1:].abs() <= threshold).flatten(1).all(dim=1)


class Crops:
    """Random square crops of photos, kept in memory as 8-bit pixels at a few sizes.

    Parameters
    ----------
    files : the photos. Gray ones are left out; unreadable ones, too, with a warning that names them.
    size : S, the side of a crop in pixels.
    zooms : a photo is kept with its shorter side at S times each of these; which one is used is drawn with the crop. A
        photo that is smaller is enlarged.

    Attributes
    ----------
    photos : one list a zoom, of uint8 tensors (3, H, W).
    """

    def __init__(self, files: Sequence[Path], size: int, zooms: Sequence[float] = (1.1, 1.4, 1.8)) -> None:
        self.size = size
        self.photos: list[list[Tensor]] = [[] for _ in zooms]
        for photo in read_photos(files):
            if not is_gray(photo[None])[0]:
                for kept, zoom in zip(self.photos, zooms, strict=True):
                    small = resize(photo, round(size * zoom))
                    kept.append((small * 255).round().to(torch.uint8))
        if not self.photos[0]:
            raise ValueError(f"none of {len(files)} files is a readable photo with color")

    def __len__(self) -> int:
        return len(self.photos[0])

    def batch(self, n: int, seed: int) -> Tensor:
        """Draw n crops, half of them mirrored: (n, 3, S, S) uint8, the same for the same n and seed."""
        random = torch.Generator().manual_seed(seed)
        crops = []
        for zoom, photo, top, left, mirror in torch.rand(n, 5, generator=random).tolist():
            level = self.photos[int(zoom * len(self.photos))]
            image = level[int(photo * len(level))]
            height, width = image.shape[1:]
            y, x = int(top * (height - self.size + 1)), int(left * (width - self.size + 1))
            crop = image[:, y : y + self.size, x : x + self.size]
            crops.append(crop.flip(2) if mirror < 0.5 else crop)
        return torch.stack(crops)


class Thumbnails:
    """Very small square pictures, such as those of CIFAR-10, enlarged to S pixels.

    Parameters
    ----------
    files : pictures of one size. Gray and unreadable ones are left out, as in :class:`Crops`.
    size : S, the side of an enlarged picture.
    """

    def __init__(self, files: Sequence[Path], size: int) -> None:
        self.size = size
        pixels = torch.stack([(photo * 255).round().to(torch.uint8) for photo in read_photos(files)])
        # In large chunks: a hundred thousand conversions of 32 x 32 pixels would take minutes.
        colored = torch.cat([~is_gray(chunk) for chunk in pixels.split(4096)])
        self.photos = pixels[colored]  # (M, 3, s, s)

    def __len__(self) -> int:
        return len(self.photos)

    def batch(self, n: int, seed: int) -> Tensor:
        """Draw n pictures, half of them mirrored: (n, 3, S, S) uint8, the same for the same n and seed."""
        random = torch.Generator().manual_seed(seed)
        small = self.photos[torch.randint(len(self.photos), (n,), generator=random)]
        mirror = torch.rand(n, generator=random) < 0.5
        small = torch.where(mirror.view(n, 1, 1, 1), small.flip(3), small)
        large = F.interpolate(small.float(), size=(self.size, self.size), mode="bicubic", align_corners=False)
        return large.clamp(0, 255).round().to(torch.uint8)


class Labeled:
    """Small square pictures with what they show: a folder that holds a folder for each class, such as those of CIFAR-10.

    Parameters
    ----------
    folder : the folders in it name the classes, in the order of their names.
    split : "train", "validation" or "all", as :func:`photo_files` takes it.
    shift : pixels; a drawn picture is moved by up to so much each way, and its border filled by reflection.

    Attributes
    ----------
    photos : (M, 3, s, s) uint8. labels : (M,) int64. classes : their names.

    Raises
    ------
    ValueError if a photo lies in no class's folder, there are fewer than two classes, or pictures differ in size.
    """

    def __init__(
        self, folder: str | Path, split: str = "all", shift: int = 4, size: int | None = None
    ) -> None:
        self.shift = shift
        files = photo_files(folder, split)
        if stray := [path for path in files if path.parent.parent != Path(folder)]:
            raise ValueError(
                f"{stray[0]} lies in no class's folder: {folder} must hold a folder for each class"
            )
        self.classes = sorted({path.parent.name for path in files})
        if len(self.classes) < 2:
            raise ValueError(
                f"{folder} must hold a folder for each of two or more classes, got {self.classes}"
            )
        photos, labels = [], []
        for path in files:
            photos.append((read(path) * 255).round().to(torch.uint8))
            labels.append(self.classes.index(path.parent.name))
            if photos[-1].shape != photos[0].shape:
                sizes = f"{tuple(photos[0].shape)} and {tuple(photos[-1].shape)}"
                raise ValueError(f"pictures with labels must have one size, got {sizes} ({path})")
        self.photos, self.labels = torch.stack(photos), torch.tensor(labels)

    def __len__(self) -> int:
        return len(self.photos)

    def batch(self, n: int, seed: int) -> tuple[Tensor, Tensor]:
        """Draw n pictures, half of them mirrored, and their labels: (n, 3, s, s) uint8 and (n,) int64."""
        random = torch.Generator().manual_seed(seed)
        drawn = torch.randint(len(self.photos), (n,), generator=random)
        mirror = torch.rand(n, generator=random) < 0.5
        top, left = torch.randint(2 * self.shift + 1, (2, n), generator=random)
        small, size = self.photos[drawn], self.photos.shape[-1]
        small = torch.where(mirror.view(n, 1, 1, 1), small.flip(3), small)
        wide = F.pad(small.float(), [self.shift] * 4, mode="reflect").to(torch.uint8)
        windows = wide.unfold(2, size, 1).unfold(3, size, 1)  # (n, 3, 2 shift + 1, 2 shift + 1, s, s), a view
        return windows[torch.arange(n), :, top, left], self.labels[drawn]


class Mix:
    """Several data sets in one batch, in fixed shares.

    Parameters
    ----------
    parts : data sets, all with pictures of one size.
    shares : the share of each, above 0; they need not sum to 1.
    """

    def __init__(self, parts: Sequence, shares: Sequence[float]) -> None:
        self.parts, self.shares = list(parts), [share / sum(shares) for share in shares]
        self.size = self.parts[0].size

    def batch(self, n: int, seed: int) -> Tensor:
        """Draw from each part its share of n, rounded; the last part fills up."""
        counts = [round(n * share) for share in self.shares[:-1]]
        counts.append(n - sum(counts))
        drawn = [part.batch(count, seed) for part, count in zip(self.parts, counts, strict=True) if count > 0]
        return torch.cat(drawn)


def read_photos(files: Sequence[Path]) -> Iterator[Tensor]:
    """Read photos one by one, (3, H, W) float; say at the end how many could not be read, and name the first."""
    failed = []
    for path in files:
        try:
            yield read(path)
        except ImageError as error:
            failed.append(str(error))
    if failed:
        warnings.warn(
            f"{len(failed)} of {len(files)} photos were skipped; the first: {failed[0]}", stacklevel=2
        )
