"""Draw the README's picture: `.venv/bin/python docs/first_screen.py`."""

from pathlib import Path

import torch

from colorize import images
from colorize.colorizer import Colorizer
from colorize.lab import to_gray

EDGE, GAP = 180, 6  # pixels


def main() -> None:
    """Write first_screen.jpg beside this file: five photos in gray, colored by the network of lesson 0, and as they were."""
    photos = torch.stack([images.square(images.bundled(name), EDGE) for name in images.BUNDLED])
    gray = to_gray(photos)
    colorizer = Colorizer.load("first")
    colored = torch.stack([images.to_tensor(colorizer.colorize(photo)) for photo in gray])
    framed = torch.nn.functional.pad(torch.cat((gray, colored, photos)), [GAP // 2] * 4, value=1.0)
    rows = [torch.cat(list(row), dim=2) for row in framed.split(len(photos))]
    images.save(torch.cat(rows, dim=1), Path(__file__).with_suffix(".jpg"), quality=90)


if __name__ == "__main__":
    main()
