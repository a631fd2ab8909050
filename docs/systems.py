"""All systems on the same photos, by `colorize evaluate`: data/results/systems.json, the README's table, and a picture.

make systems PHOTOS=folder     (data/README.md says which photos)
"""

import json
import sys
import tempfile
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont

from colorize import cli, images
from colorize.colorizer import Colorizer
from colorize.files import read_results, write_results, write_whole
from colorize.lab import to_gray

# In the order of the course: network, what it is and after whom, the lesson that explains it.
SYSTEMS = {
    "l2": ("regression, squared distance", "3"),
    "smooth_l1": ("regression, smooth L1 (Agrawal & Sawhney)", "3"),
    "classification": ("313 colors", "4"),
    "rebalanced": ("313 colors, rare ones count more (Zhang et al.)", "5"),
    "zhang_small": ("the same loss; the paper's layers, an eighth of their channels", "7"),
    "best": ("as `rebalanced`, trained longer", "8"),
    "hypercolumns": ("histograms of hue and chroma (Larsson et al.)", "9"),
    "fusion": ("regression, told what the picture shows (Deep Koalarization)", "10"),
    "gan": ("L1 and a discriminator (Agrawal & Sawhney, Isola et al.)", "11"),
}
BASELINES = {"gray": "no color at all", "constant": "one color, the mean of the photos"}
START, END = "<!-- systems: written by `make systems` -->", "<!-- end of systems -->"
FOLDERS = ("imagenet800", "bsds300")  # of the photos
README = Path(__file__).parent.parent / "README.md"
PICTURE = Path(__file__).with_suffix(".jpg")
EDGE, GAP, MARGIN = 104, 4, 118  # pixels; the margin holds the names


def row_of(name: str, rows: dict, networks: dict) -> dict:
    """Return a network's row at its own temperature; regression has one row."""
    return rows.get(name) or rows[f"{name}, T = {networks[name]['temperature']:g}"]


def table(found: dict) -> str:
    """Write the table of systems, Markdown, from data/results/systems.json."""
    lines = [
        "| network | what it is | lesson | numbers | ms a photo | raw AuC | rebalanced AuC | PSNR | chroma |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    true = found["rows"]["truth"]["numbers"]
    for name, what in BASELINES.items():
        lines.append(f"| {name} | {what} | 8 | | | {_cells(found['rows'][name])} |")
    for name, (what, lesson) in SYSTEMS.items():
        spent = found["networks"][name]
        cells = f"{spent['parameters'] / 1e6:.1f} M | {1000 * spent['seconds']:.0f}"
        cells += f" | {_cells(row_of(name, found['rows'], found['networks']))}"
        lines.append(f"| [`{name}`](data/weights/{name}.md) | {what} | {lesson} | {cells} |")
    lines.append(f"| | the true colors | | | | 100 | 100 | | {true['chroma']:.1f} |")
    return "\n".join(lines)


def _cells(row: dict) -> str:
    """AuC with the interval of the gain over gray, PSNR, chroma."""
    values, cells = row["numbers"], []
    for key in ("raw_auc", "rebalanced_auc"):
        low, high = row.get("gain_intervals", {}).get(key, (0, 0))
        spread = f" ({low:+.1f} to {high:+.1f})" if "gain_intervals" in row else ""
        cells.append(f"{values[key]:.1f}{spread}")
    return " | ".join([*cells, f"{values['psnr']:.1f}", f"{values['chroma']:.1f}"])


def with_table(text: str, found: dict) -> str:
    """Return the README's text with the table of now between its two marks."""
    before, rest = text.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{table(found)}\n{END}{after}"


def strip() -> torch.Tensor:
    """Draw the bundled photos, squares, by each system: (3, H, W); a row each, its name before it."""
    photos = torch.stack([images.square(images.bundled(name), EDGE) for name in images.BUNDLED])
    shown = {"gray": to_gray(photos)}
    for name in SYSTEMS:
        colorizer = Colorizer.load(name)
        colored = [images.to_tensor(colorizer.colorize(photo, colorizer.temperature)) for photo in photos]
        shown[name] = torch.stack(colored)
    rows = []
    for name, row in (shown | {"true": photos}).items():
        framed = torch.nn.functional.pad(row, [GAP // 2] * 4, value=1.0)
        rows.append(torch.cat([_label(name, framed.shape[2]), *framed], dim=2))
    return torch.cat(rows, dim=1)


def _label(name: str, height: int) -> torch.Tensor:
    """A name in black on white, at the right height: (3, height, MARGIN)."""
    board = Image.new("RGB", (MARGIN, height), "white")
    font = ImageFont.load_default(16)
    ImageDraw.Draw(board).text((4, height // 2), name, fill="black", font=font, anchor="lm")
    return images.to_tensor(board)


def main(photos: Path) -> int:
    """Measure the systems on the validation photos of a folder, squares of 256 pixels, and write table and picture."""
    with tempfile.TemporaryDirectory() as out:
        folders = [str(photos / name) for name in FOLDERS]
        options = ["--split", "validation", "--size", "256", "--out", out, "--overwrite"]
        if code := cli.main(["evaluate", *folders, "--network", *SYSTEMS, *options]):
            return code
        found = json.loads((Path(out) / "evaluation.json").read_text(encoding="utf-8"))
    write_results("systems", {"command": "make systems PHOTOS=folder"} | found)
    text = with_table(README.read_text(encoding="utf-8"), read_results("systems"))
    with write_whole(README) as file:
        file.write(text.encode())
    images.save(strip(), PICTURE, quality=82)
    print(f"written: data/results/systems.json, the table in {README.name}, {PICTURE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
