"""Color many photos: which files, where each result goes, what is kept, and what went wrong with which.

A photo that cannot be colored is noted, and the next one begins. Nothing is overwritten unless asked for, and the photos
themselves never.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tqdm.auto import tqdm

from . import images, metadata
from .colorizer import Colorizer
from .datasets import SUFFIXES

ELONGATED = 100  # times longer than wide: beyond it, what the network sees would not fit into memory
# Beside those that photos to train on have: what a person may have, too, and what gets at least a sentence.
READS = SUFFIXES | {".gif", ".avif", ".heic", ".heif", ".jp2", ".ppm", ".pgm"}


@dataclass(frozen=True)
class Job:
    """One photo, and the file that its colored copy will be."""

    source: Path
    target: Path


@dataclass
class Report:
    """What became of the photos."""

    colored: list[Job] = field(default_factory=list)
    skipped: list[Job] = field(default_factory=list)  # their targets are there already
    failed: list[tuple[Path, str]] = field(default_factory=list)  # and why, a sentence that names the file
    stopped: bool = False  # by Ctrl-C


def plan(inputs: Sequence[Path], out: Path) -> tuple[list[Job], list[tuple[Path, str]]]:
    """Decide which photos are colored, and where to.

    Parameters
    ----------
    inputs : photos, and folders of them. A folder is searched with its subfolders; hidden files, links to folders, and
        ``out`` are left out.
    out : a folder; or, for a single photo, the file to write, if it ends like one.

    Returns
    -------
    jobs : photos of a folder keep their subfolders below ``out``. A photo in a format that is only read here (GIF, BMP,
        AVIF, ...) becomes ``NAME.gif.png``.
    failed : inputs that are not there, folders that cannot be read or hold no photo, and photos whose target another photo
        has or is, each with a sentence.

    Raises
    ------
    ValueError if ``out`` is the name of one picture and there are several photos, or a file of another kind.
    """
    single = out.suffix.lower() in images.WRITES and not os.path.isdir(out)
    if single and (len(inputs) != 1 or os.path.isdir(inputs[0])):
        raise ValueError(f"{out} is the name of one picture: for several photos, name a folder")
    if not single and (os.path.isfile(out) or (out.suffix.lower() in READS and not os.path.isdir(out))):
        received = "a file" if os.path.isfile(out) else repr(out.suffix)
        raise ValueError(
            f"{out}: expected a folder, or one picture's name (.jpg, .png, .tif or .webp), received {received}"
        )
    found, failed = [], []
    for given in inputs:
        is_folder = os.path.isdir(given)
        files, reasons = _photos(given, out) if is_folder else _file(given)
        failed += reasons
        found += [(path, path.relative_to(given) if is_folder else Path(path.name)) for path in files]
    originals = {_identity(source) for source, _ in found} - {None}
    jobs: list[Job] = []
    taken: dict[Path, Path] = {}
    for source, inside in found:
        if inside.suffix.lower() not in images.WRITES:
            inside = inside.with_name(inside.name + ".png")
        target = out if single else out / inside
        other = taken.setdefault(target, source)
        if _identity(target) in originals:
            sentence = f"{source}: {target} would be written over a photo itself; choose another folder"
            failed.append((source, sentence))
        elif other is source:
            jobs.append(Job(source, target))
        elif os.path.realpath(other) != os.path.realpath(source):  # and not the same named a second time
            sentence = f"{source}: {target} belongs to {other} already; color it into another folder"
            failed.append((source, sentence))
    return jobs, failed


def _identity(path: Path) -> tuple[int, int] | None:
    """What two names of one file have in common, on every file system; None if there is no such file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _file(path: Path) -> tuple[list[Path], list[tuple[Path, str]]]:
    """A file that was named, or why it cannot be looked at."""
    try:
        path.lstat()
    except FileNotFoundError:
        return [], [(path, f"{path}: there is no such file or folder")]
    except OSError as error:
        return [], [
            (path, f"{path}: expected a file or folder, received none that can be read ({error.strerror})")
        ]
    return [path], []


def _photos(folder: Path, out: Path) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Photos of a folder and its subfolders, sorted by name; folders that cannot be read, or this one if it holds none."""
    found, apart, failed = [], os.path.realpath(out), []

    def unreadable(error: OSError) -> None:
        sentence = f"{error.filename}: expected a folder that can be read, received one that cannot ({error.strerror})"
        failed.append((Path(error.filename), sentence))

    for root, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and os.path.realpath(os.path.join(root, name)) != apart
        )
        found += [Path(root, name) for name in names if not name.startswith(".")]
    found = sorted(path for path in found if path.suffix.lower() in READS)
    if not found and not failed:
        failed.append((folder, f"{folder}: no photo in it (looked for {', '.join(sorted(READS))})"))
    return found, failed


def colorize_files(
    colorizer: Colorizer, jobs: Sequence[Job], T: float = 0.38, quality: int = 95, overwrite: bool = False
) -> Report:
    """Color photos, and write each whole or not at all, upright, at its own size, with its metadata.

    Parameters
    ----------
    colorizer : the network.
    jobs : from :func:`plan`.
    T : temperature of the annealed mean.
    quality : 1 to 100, of JPEG and WebP.
    overwrite : replace what is there; without it such a photo is skipped. What was written in the same run is never replaced:
        a file system that does not tell a.jpg from A.JPG, or a link, may give two photos one target.

    Returns
    -------
    Report. Ctrl-C ends it between two photos, or within one, of which nothing is left then.
    """
    report = Report()
    how = "" if colorizer.network.outputs == 2 else f", T = {T:g}"
    note = f"colors guessed by colorize (network {colorizer.name}{how})"
    written: dict[tuple[int, int] | None, Path] = {}  # by _identity
    try:
        for job in tqdm(jobs, unit="photo", disable=None):
            there = _identity(job.target)
            if there and there in written:
                sentence = f"{job.source}: {job.target} belongs to {written[there]} already; color it into another folder"
                report.failed.append((job.source, sentence))
            elif there and not overwrite:
                report.skipped.append(job)
            else:
                try:
                    _colorize_file(colorizer, job, T, quality, note)
                    report.colored.append(job)
                    written[_identity(job.target)] = job.source
                except images.ImageError as error:
                    report.failed.append((job.source, str(error)))
                except OSError as error:
                    sentence = f"{job.source}: {job.target} could not be written ({error.strerror or error})"
                    report.failed.append((job.source, sentence))
                except (MemoryError, RuntimeError) as error:
                    if not out_of_memory(error):
                        raise
                    report.failed.append((job.source, f"{job.source}: too large for the memory that is free"))
    except KeyboardInterrupt:
        report.stopped = True
    return report


def out_of_memory(error: Exception) -> bool:
    """Tell whether an error says that memory is used up; for that of the CPU PyTorch has no class of its own."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "allocate memory" in str(error)


def _colorize_file(colorizer: Colorizer, job: Job, T: float, quality: int, note: str) -> None:
    photo = images.read(job.source)
    height, width = photo.shape[1:]
    if max(height, width) > ELONGATED * min(height, width):
        raise images.ImageError(
            f"{job.source}: expected sides of which one is at most {ELONGATED} times the other, received {width} x {height}"
        )
    colored = colorizer.colorize(photo, T)
    size = colored.shape[1], colored.shape[0]
    kept = metadata.options(job.source, job.target.suffix.lower(), size, note)
    job.target.parent.mkdir(parents=True, exist_ok=True)
    images.save(colored, job.target, quality, kept)
