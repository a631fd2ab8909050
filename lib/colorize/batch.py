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
    inputs : photos, and folders of them. A folder is searched with its subfolders, hidden files and ``out`` left out.
    out : a folder; or, for a single photo, the file to write, if it ends like one.

    Returns
    -------
    jobs : photos of a folder keep their subfolders below ``out``. A photo in a format that is only read here (GIF, BMP,
        AVIF, ...) becomes ``NAME.gif.png``.
    failed : inputs that are not there, folders without photos, and photos whose target another photo has, each with a
        sentence.

    Raises
    ------
    ValueError if ``out`` is a file, and there are several photos.
    """
    single = out.suffix.lower() in images.WRITES and not out.is_dir()
    if single and (len(inputs) != 1 or inputs[0].is_dir()):
        raise ValueError(f"{out} is the name of one picture: for several photos, name a folder")
    jobs, failed, taken = [], [], {}
    for given in inputs:
        files = _photos(given, out) if given.is_dir() else [given] if given.is_file() else []
        if not files:
            reason = f"no photo in it (looked for {', '.join(sorted(READS))})"
            failed.append(
                (given, f"{given}: {reason if given.is_dir() else 'there is no such file or folder'}")
            )
        for source in files:
            inside = source.relative_to(given) if given.is_dir() else Path(source.name)
            if inside.suffix.lower() not in images.WRITES:
                inside = inside.with_name(inside.name + ".png")
            target = out if single else out / inside
            if target not in taken:
                taken[target] = source
                jobs.append(Job(source, target))
            elif (other := taken[target]) != source:
                sentence = f"{source}: {target} belongs to {other} already; color it into another folder"
                failed.append((source, sentence))
    return jobs, failed


def _photos(folder: Path, out: Path) -> list[Path]:
    """Photos of a folder and its subfolders, sorted by name."""
    found, apart = [], out.resolve()
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and Path(root, name).resolve() != apart
        )
        found += [Path(root, name) for name in names if not name.startswith(".")]
    return sorted(path for path in found if path.suffix.lower() in READS)


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
    overwrite : replace what is there; without it such a photo is skipped. A photo itself is never replaced.

    Returns
    -------
    Report. Ctrl-C ends it between two photos, or within one, of which nothing is left then.
    """
    report = Report()
    how = "" if colorizer.network.outputs == 2 else f", T = {T:g}"
    note = f"colors guessed by colorize (network {colorizer.name}{how})"
    try:
        for job in tqdm(jobs, unit="photo", disable=None):
            if job.target.exists() and job.target.samefile(job.source):
                sentence = f"{job.source}: would be written over the photo itself; choose another folder"
                report.failed.append((job.source, sentence))
            elif job.target.exists() and not overwrite:
                report.skipped.append(job)
            else:
                try:
                    _colorize_file(colorizer, job, T, quality, note)
                    report.colored.append(job)
                except images.ImageError as error:
                    report.failed.append((job.source, str(error)))
                except OSError as error:
                    sentence = f"{job.source}: {job.target} could not be written ({error.strerror or error})"
                    report.failed.append((job.source, sentence))
                except (MemoryError, torch.OutOfMemoryError):
                    report.failed.append((job.source, f"{job.source}: too large for the memory that is free"))
    except KeyboardInterrupt:
        report.stopped = True
    return report


def _colorize_file(colorizer: Colorizer, job: Job, T: float, quality: int, note: str) -> None:
    colored = colorizer.colorize(images.read(job.source), T)
    size = colored.shape[1], colored.shape[0]
    kept = metadata.options(job.source, job.target.suffix.lower(), size, note)
    job.target.parent.mkdir(parents=True, exist_ok=True)
    images.save(colored, job.target, quality, kept)
