"""Draw the README's picture: `.venv/bin/python docs/first_screen.py`."""

from pathlib import Path

import torch

from colorize import images
from colorize.lab import lab_to_rgb, rgb_to_lab

EDGE, GAP = 180, 6  # pixels


def main() -> None:
    """Write first_screen.jpg beside this file: five photos, L alone above, all of Lab below."""
    photos = torch.stack([images.square(images.bundled(name), EDGE) for name in images.BUNDLED])
    gray = lab_to_rgb(rgb_to_lab(photos) * torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1))
    framed = torch.nn.functional.pad(torch.cat((gray, photos)), [GAP // 2] * 4, value=1.0)
    rows = [torch.cat(list(row), dim=2) for row in framed.split(len(photos))]
    images.save(torch.cat(rows, dim=1), Path(__file__).with_suffix(".jpg"), quality=90)


if __name__ == "__main__":
    main()
