"""Count how often each color occurs in a folder of photos: the prior behind the rebalancing weights.

    python -m colorize.make_prior --photos FOLDER --out data/priors/NAME.json

Afterwards ``colorize.prior.load_prior("NAME")`` reads it. The validation split and gray photos are left out.
"""

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from .bins import SPACING, gamut_bins
from .datasets import is_gray, photo_files, read_photos
from .files import write_whole
from .images import resize
from .lab import rgb_to_lab
from .prior import COLUMNS, color_prior, smooth_prior

SHORTER_SIDE = 256  # pixels; larger photos are reduced to it, which costs no colors worth counting
SIGMA = 5.0  # ab units, of the smoothing


@dataclass
class Count:
    """What was found in a folder: the prior as counted, and from how much."""

    share: Tensor  # (313,) float64, sums to 1
    photos: int
    gray: int
    unreadable: int
    pixels: int
    names: list[str]  # all files that were looked at, relative to the folder


def count(folder: str | Path) -> Count:
    """Count the nearest bins of all photos of a folder, without the validation split and gray photos.

    All pixels of a photo count the same, and all photos count the same, whatever their size: a training run, too, draws
    a photo first and then a crop. Photos with a shorter side above 256 pixels are reduced to it, others stay as they are.

    Raises
    ------
    ValueError if there is no such folder, no photo in it, or none of them can be read and has color.
    """
    folder = Path(folder)
    files = photo_files(folder, "train")
    shares, gray, pixels = [], 0, 0
    for photo in read_photos(files):
        if min(photo.shape[1:]) > SHORTER_SIDE:
            photo = resize(photo, SHORTER_SIDE)
        if is_gray(photo[None])[0]:
            gray += 1
            continue
        shares.append(color_prior(rgb_to_lab(photo)[None, 1:]))
        pixels += photo[0].numel()
    if not shares:
        raise ValueError(f"none of {len(files)} photos in {folder} can be read and has color")
    names = [path.relative_to(folder).as_posix() for path in files]
    share = torch.stack(shares).mean(dim=0)
    return Count(share, len(shares), gray, len(files) - len(shares) - gray, pixels, names)


def document(found: Count, source: str) -> str:
    """Write a prior as JSON: how it was made, then one line a bin with a, b, share as counted, and share smoothed.

    Parameters
    ----------
    found : from :func:`count`.
    source : what to call the photos.
    """
    about = {
        "photos_from": source,
        "made_by": "python -m colorize.make_prior",
        "photos": found.photos,
        "left_out_gray": found.gray,
        "left_out_unreadable": found.unreadable,
        "left_out_validation": "file names whose SHA-1 has a first byte below 26",
        "pixels": found.pixels,
        "shorter_side": SHORTER_SIDE,
        "weight": "each photo the same",
        "spacing": SPACING,
        "sigma": SIGMA,
        "sha256_of_names": hashlib.sha256("\n".join(found.names).encode()).hexdigest(),
        "columns": COLUMNS,
    }
    # Ten digits: more would change from one machine to the next with the order of a sum.
    columns = zip(
        gamut_bins().int().tolist(),
        found.share.tolist(),
        smooth_prior(found.share, SIGMA).tolist(),
        strict=True,
    )
    rows = [f"  [{a}, {b}, {share:.10g}, {smoothed:.10g}]" for (a, b), share, smoothed in columns]
    head = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in about.items()]
    return "{\n" + ",\n".join(head) + ',\n "bins": [\n' + ",\n".join(rows) + "\n ]\n}\n"


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m colorize.make_prior", description=__doc__.split("\n")[0])
    parser.add_argument("--photos", required=True, type=Path, help="folder of photos, with subfolders")
    parser.add_argument("--out", required=True, type=Path, help="file to write, ends in .json")
    options = parser.parse_args(arguments)
    if options.out.suffix != ".json":
        parser.error(f"--out must end in .json, got {options.out}")
    try:
        found = count(options.photos)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        with write_whole(options.out) as file:
            file.write(document(found, options.photos.resolve().name).encode())
    except (ValueError, OSError) as error:
        parser.error(str(error))
    print(
        f"{found.photos:,} photos, {found.pixels:,} pixels; left out: {found.gray} gray, "
        f"{found.unreadable} unreadable"
    )
    print(f"written: {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
