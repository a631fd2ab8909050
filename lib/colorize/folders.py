"""A folder of photos that does not fit into memory: an index of its files, and a stream of batches from it.

The index is made once and kept in the cache: two million names are one block of bytes on the disk, of which a process
touches only what it needs. Worker processes decode, shrink and crop; what they send is 8-bit pixels. Which crop is drawn
at which step depends on the seed alone, so that a run goes on exactly where it was stopped.
"""

import hashlib
import json
import os
import signal
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm.auto import tqdm

from .datasets import SUFFIXES, is_gray, is_validation
from .files import cache_folder, write_whole
from .images import ImageError, read, resize

TRIES = 50  # unusable photos in a row, after which a stream gives up
# No 8-bit color with |a| and |b| up to 5 has channels farther apart than this (tested): most photos have such a pixel, and
# need no conversion to Lab before one knows that they are not gray.
GRAY_SPREAD = 24
Sample = tuple[Tensor, list[tuple[str, str]]]  # a crop, and which photos could not be used, with the reason


class Index:
    """The names of a folder's photos, on disk: ``len(index)``, ``index[7]``.

    Parameters
    ----------
    folder : searched with all its subfolders.
    split : "train", "validation" or "all"; see :func:`colorize.datasets.is_validation`.

    The index is kept in the cache, and made anew if the folder or one of its subfolders has changed.

    Raises
    ------
    ValueError if there is no such folder, no such split, or no photo in it.
    """

    def __init__(self, folder: str | Path, split: str = "all") -> None:
        if split not in ("train", "validation", "all"):
            raise ValueError(f"split must be 'train', 'validation' or 'all', got {split!r}")
        self.folder, self.split = Path(folder).resolve(), split
        if not self.folder.is_dir():
            raise ValueError(f"there is no folder {folder}")
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        self.path = cache_folder() / f"index-{name}.safetensors"
        if not self._is_fresh():
            write_index(self.path, *_search(self.folder))
        self._open()
        if len(self) == 0:
            raise ValueError(f"no photo for {split} in {folder} (looked for {', '.join(sorted(SUFFIXES))})")

    def __len__(self) -> int:
        return len(self._ends) if self._chosen is None else len(self._chosen)

    def __getitem__(self, number: int) -> Path:
        at = number if self._chosen is None else int(self._chosen[number])
        start = self._ends[at - 1] if at else 0
        return self.folder / os.fsdecode(self._names[start : self._ends[at]].tobytes())

    def __getstate__(self) -> dict:
        """Send a worker process the place of the index, not the index."""
        return {"folder": self.folder, "split": self.split, "path": self.path}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._open()

    def _open(self) -> None:
        """Map the file: its pages are read when they are needed, and are the same memory for all processes."""
        with safe_open(self.path, framework="pt") as file:
            self._names, self._ends = (file.get_tensor(key).numpy() for key in ("names", "ends"))
            held_out = file.get_tensor("validation").numpy()
        wanted = {"all": None, "train": False, "validation": True}[self.split]
        self._chosen = None if wanted is None else np.flatnonzero(held_out == wanted).astype(np.int32)

    def _is_fresh(self) -> bool:
        try:
            with safe_open(self.path, framework="pt") as file:
                times = json.loads(file.metadata()["folders"])
            return all((self.folder / name).stat().st_mtime_ns == time for name, time in times.items())
        except (OSError, SafetensorError, TypeError, KeyError, ValueError):
            return False


def write_index(path: Path, names: Iterable[bytes], folders: dict[str, int]) -> None:
    """Write an index file.

    Parameters
    ----------
    path : the file.
    names : of the photos, relative to their folder, sorted.
    folders : when each subfolder was last changed, in nanoseconds.
    """
    names = list(names)
    tensors = {
        "names": torch.frombuffer(bytearray(b"".join(names)) or bytearray(1), dtype=torch.uint8),
        "ends": torch.tensor([len(name) for name in names], dtype=torch.int64).cumsum(0),
        "validation": torch.tensor([is_validation(os.fsdecode(name)) for name in names], dtype=torch.bool),
    }
    with write_whole(path) as file:
        file.write(save(tensors, {"folders": json.dumps(folders)}))


def _search(folder: Path) -> tuple[list[bytes], dict[str, int]]:
    names, folders = [], {}
    with tqdm(desc=f"looking through {folder.name}", unit=" photos", delay=1) as bar:
        for root, _, files in os.walk(folder):
            inside = os.path.relpath(root, folder)
            folders[inside] = os.stat(root).st_mtime_ns
            found = [name for name in files if os.path.splitext(name)[1].lower() in SUFFIXES]
            names += [os.fsencode(os.path.normpath(os.path.join(inside, name))) for name in found]
            bar.update(len(found))
    return sorted(names), folders


class PhotoFolder(Dataset):
    """Random crops of a folder's photos, of any number and size, for :func:`colorize.training.fit`.

    Each photo comes once in an epoch, in a new order every time; half of the crops are mirrored. A photo that cannot be
    read, or is gray, is replaced by another and noted in ``skipped``.

    Parameters
    ----------
    folder, split : see :class:`Index`.
    size : S, the side of a crop in pixels.
    shorter : photos are first resized so that their shorter side has so many pixels.
    squash : resize both sides to ``shorter``, whatever the photo's shape, as the paper does.
    workers : processes that decode; none given, one for each core but one. 0: decode in this process.

    Attributes
    ----------
    skipped : names of the photos that could not be used, with the reason; filled as batches come.
    """

    def __init__(
        self,
        folder: str | Path,
        size: int,
        shorter: int = 256,
        squash: bool = False,
        split: str = "train",
        workers: int | None = None,
    ) -> None:
        if size > shorter:
            raise ValueError(f"size, the side of a crop, must be at most shorter = {shorter}, got {size}")
        self.index = Index(folder, split)
        self.size, self.shorter, self.squash = size, shorter, squash
        self.workers = max(1, (os.cpu_count() or 2) - 1) if workers is None else workers
        self.skipped: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, key: tuple[int, int, int]) -> Sample:
        """Return crop (3, S, S) uint8 and failures for (photo's number, number of the draw, seed)."""
        photo, draw, seed = key
        random = np.random.default_rng((seed, draw))
        failures: list[tuple[str, str]] = []
        for _ in range(TRIES):
            path = self.index[photo]
            try:
                picture = read(path, at_least=self.shorter)
                small = resize(picture, (self.shorter, self.shorter) if self.squash else self.shorter)
                pixels = (small * 255).round().to(torch.uint8)
                if _has_color(pixels):
                    return self._crop(pixels, random), failures
                failures.append((str(path), "gray"))
            except ImageError as error:
                failures.append((str(path), str(error)))
            photo = int(random.integers(len(self)))
        raise ValueError(f"{TRIES} photos in a row could not be used; the last: {': '.join(failures[-1])}")

    def _crop(self, pixels: Tensor, random: np.random.Generator) -> Tensor:
        height, width = pixels.shape[1:]
        top, left = random.integers(height - self.size + 1), random.integers(width - self.size + 1)
        crop = pixels[:, top : top + self.size, left : left + self.size]
        return crop.flip(2) if random.random() < 0.5 else crop.clone()

    def batch(self, n: int, seed: int) -> Tensor:
        """Draw n photos at random, decoded here and now: (n, 3, S, S) uint8."""
        photos = np.random.default_rng((seed, n)).integers(len(self), size=n).tolist()
        return self._note(_stack([self[photo, draw, seed] for draw, photo in enumerate(photos)]))

    def stream(
        self, batch_size: int, seed: int, first: int, steps: int, rank: int = 0, world: int = 1
    ) -> Iterator[Tensor]:
        """Yield the batches of steps ``first`` to ``steps - 1``: of each, the share of process ``rank`` of ``world``.

        Shape (batch_size / world, 3, S, S), uint8; for a GPU in memory that it can copy from by itself.
        """
        loader = DataLoader(
            self,
            batch_sampler=self._plan(batch_size, seed, first, steps, rank, world),
            num_workers=self.workers,
            collate_fn=_stack,
            worker_init_fn=_leave_ctrl_c_alone,
            pin_memory=torch.cuda.is_available(),
            prefetch_factor=4 if self.workers else None,
        )
        before = len(self.skipped)
        try:
            for found in loader:
                yield self._note(found)
        except ValueError as error:  # from a worker it comes with the worker's traceback in front
            raise ValueError(str(error).strip().splitlines()[-1].removeprefix("ValueError: ")) from None
        finally:
            new = list(self.skipped.items())[before:]
            if new:
                name, reason = new[0]
                message = f"{len(new)} photos were replaced by others; the first: {name} ({reason})"
                warnings.warn(message, stacklevel=2)

    def _plan(
        self, batch_size: int, seed: int, first: int, steps: int, rank: int, world: int
    ) -> Iterator[list[tuple[int, int, int]]]:
        """Name for each step the photos, the numbers of the draws, and the seed. One epoch's order is kept at a time."""
        share, epoch, order = batch_size // world, -1, np.empty(0, int)
        for step in range(first, steps):
            keys = []
            for draw in range(step * batch_size + rank * share, step * batch_size + (rank + 1) * share):
                if draw // len(self) != epoch:
                    epoch = draw // len(self)
                    order = np.random.default_rng((seed, epoch, 1)).permutation(len(self))
                keys.append((int(order[draw % len(self)]), draw, seed))
            yield keys

    def _note(self, found: tuple[Tensor, list[tuple[str, str]]]) -> Tensor:
        crops, failures = found
        self.skipped.update(failures)
        return crops


def _has_color(pixels: Tensor) -> bool:
    spread = pixels.amax(dim=0) - pixels.amin(dim=0)  # (H, W) uint8
    return bool((spread > GRAY_SPREAD).any()) or not bool(is_gray(pixels[None])[0])


def _stack(samples: list[Sample]) -> Sample:
    crops, failures = zip(*samples, strict=True)
    return torch.stack(crops), [failure for some in failures for failure in some]


def _leave_ctrl_c_alone(_worker: int) -> None:
    """Ctrl-C reaches all processes of a terminal; the loop decides when to stop, and the workers end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
