"""Measure the shipped networks on validation photos, and write it down: data/results/networks.json, and the model cards.

    python -m colorize.measure --photos FOLDER

FOLDER is the one that the networks were trained with; only its validation split is looked at.
"""

import sys
from dataclasses import fields
from pathlib import Path

import torch

from .colorizer import Colorizer, shipped
from .console import Parser
from .datasets import photo_files
from .evaluation import Scores, compare, intervals, numbers, validation_photos
from .files import data_folder, read_results, write_results, write_whole
from .folders import Index
from .parallel import machine
from .recipes import Phase, Recipe, RecipeError, chosen, is_thumbnail, load
from .weights import WeightsError

MEMORY = 2**29  # bytes of photos, at most
COLUMNS = {
    "raw_auc": "raw AuC",
    "rebalanced_auc": "rebalanced AuC",
    "rmse": "RMSE",
    "psnr": "PSNR",
    "chroma": "chroma",
    "colorfulness": "colorfulness",
    "skies": "skies",
    "blue": "(all blue)",
    "greens": "greens",
    "green": "(all green)",
}

# What a card says of a network and of its answer.
SHAPES = {
    "SmallNet": "A U-Net",
    "HypercolumnNet": "A small network in the style of VGG with hypercolumns",
    "FusionNet": "An encoder and a decoder that are told what the whole picture shows",
    "UNet": "A U-Net with dropout as its noise, the generator of a conditional GAN",
}
ANSWERS = {
    "l2": "a and b",
    "smooth_l1": "a and b",
    "gan": "a and b",
    "hue_chroma": "histograms of hue and chroma, 32 bins each",
    "lab_marginal": "histograms of a and of b, 32 bins each",
    "lab_joint": "a histogram of a and b together, 16 x 16 bins",
}


def held_out_files(recipe: Recipe, photos: Path) -> list[Path]:
    """List the validation photos of a recipe: thumbnails if it was trained on nothing else. ValueError if there is none."""
    streamed = any(phase.shorter for phase in recipe.phases)
    found = Index(photos, "validation") if streamed else photo_files(photos, "validation")
    small = all(phase.thumbnails == 1 for phase in recipe.phases)
    files = chosen([found[k] for k in range(len(found))], recipe)
    files = [path for path in files if is_thumbnail(path) == small]
    if not files:
        raise ValueError(f"no photo for validation in {photos} among those that the recipe asks for")
    return files


def held_out(recipe: Recipe, photos: Path, size: int, most: int = MEMORY) -> torch.Tensor:
    """Read the validation photos that a recipe's network is measured on: (N, 3, size, size).

    ``most`` of them, evenly spread, and no more than fit into half a gigabyte: 682 of 256 x 256 pixels.
    """
    files = held_out_files(recipe, photos)
    most = max(1, min(most, MEMORY // (12 * size**2)))
    return validation_photos(files[:: -(-len(files) // most)], size)


def table(rows: dict[str, Scores]) -> dict[str, dict]:
    """Numbers of each row; beside the two AuC their intervals, and the gain over gray with its own."""
    found: dict[str, dict] = {}
    for name, row in rows.items():
        found[name] = {"numbers": numbers(row)}
        if name not in ("truth", "gray"):
            gain = {
                key: round(found[name]["numbers"][key] - found["gray"]["numbers"][key], 2)
                for key in ("raw_auc", "rebalanced_auc")
            }
            spread, moved = intervals(row), intervals(row, rows["gray"])
            found[name] |= {"intervals": spread, "gain": gain, "gain_intervals": {k: moved[k] for k in gain}}
    return found


def rows_of(colorizer: Colorizer, name: str, recipe: Recipe, photos: Path) -> tuple[dict, int]:
    """Table of the baselines and one network, and the number of photos."""
    seen = held_out(recipe, photos, recipe.measured)
    return table(compare({name: colorizer}, seen)), len(seen)


def card(name: str, about: dict, rows: dict[str, dict], photos: int) -> str:
    """Write a model card, Markdown: what the network is, what it was trained on, what it reached.

    Parameters
    ----------
    name : of the network.
    about : the recipe that the weights file holds, with what the training added to it.
    rows : from :func:`table`.
    photos : how many were measured.
    """
    kind = about.get("network", "SmallNet")
    shape = SHAPES.get(kind, "The paper's network with fewer channels")
    answer = ANSWERS.get(about["loss"], "a distribution over 313 colors")
    plan = about["phases"]
    # In the order of their definition, and of the settings those that are not as usual: a file keeps no order.
    usual = {field.name: field.default for field in fields(Recipe)}
    settings = {
        key: about[key]
        for key, default in usual.items()
        if key not in ("phases", "network") and key in about and _plain(about[key]) != _plain(default)
    }
    heads = [field.name for field in fields(Phase) if any(phase.get(field.name) for phase in plan)]
    phases = [[_plain(phase[key]) for key in heads] for phase in plan]
    lines = [
        " | ".join(
            [
                row,
                *(_cell(key, found["numbers"][key], found.get("intervals", {}).get(key)) for key in COLUMNS),
            ]
        )
        for row, found in rows.items()
    ]
    more = f" after those of `{about['start']}`" if about.get("start") else ""
    gains = [
        f"- {row}: raw AuC {_signed(found, 'raw_auc')}, rebalanced AuC {_signed(found, 'rebalanced_auc')}"
        for row, found in rows.items()
        if row.split(",")[0] == name
    ]
    return f"""# {name}

{shape} (`colorize.networks.{kind}`, {about["parameters"]:,} numbers) that takes L and answers with
{answer}. Made for the lessons: it is small and was trained on few pictures.

**Trained on** {about["pictures"]} (see `data/README.md`), without the validation split, {about["minutes"]:.0f} minutes{more} on
{about["machine"]}. Again: `make weights NAME={name} PHOTOS=folder`; the recipe is
`data/recipes/{name}.toml`.

| {" | ".join(heads)} |
|{"---|" * len(heads)}
{chr(10).join("| " + " | ".join(phase) + " |" for phase in phases)}

{chr(10).join(f"- {key}: {_plain(value)}" for key, value in settings.items())}

**Measured** on {photos} validation pictures, squares of {about["measured"]} pixels, never trained on:

| | {" | ".join(COLUMNS.values())} |
|---|{"---|" * len(COLUMNS)}
{chr(10).join(f"| {line} |" for line in lines)}

Above gray, with intervals that hold 95 % of resampled sets of pictures:

{chr(10).join(gains)}

AuC in percent, with such intervals; RMSE in alpha-beta; PSNR in dB; chroma in ab units. Skies: percentage of the truly blue,
bright pixels that got b < 0, beside the percentage of all pixels that did; greens: the same for truly green pixels and
a < 0. `random` gives each picture the colors of another, `constant` the mean color of the set. The rebalanced AuC
weighs by this set's own colors: compare it only within this table.

**License.** MIT, as the code. The photos were used for training only; their own terms bind those who copy them.
Colors are guesses: do not take them for what was there.
"""


def _plain(value: object) -> str:
    """A number, a word, or several, as a person writes them."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value or "none")


def _cell(key: str, value: float, spread: tuple[float, float] | None) -> str:
    if value > 100:
        return "exact"
    text = f"{value:.2f}" if key == "rmse" else f"{value:.1f}"
    return f"{text} ({spread[0]:.1f}–{spread[1]:.1f})" if spread and key.endswith("auc") else text


def _signed(found: dict, key: str) -> str:
    low, high = found["gain_intervals"][key]
    return f"{found['gain'][key]:+.1f} ({low:+.1f} to {high:+.1f})"


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = Parser(prog="python -m colorize.measure", description=__doc__.split("\n")[0])
    parser.add_argument("--photos", required=True, type=Path, help="folder of photos, with subfolders")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="networks, or weights files; none named: all that are shipped",
    )
    parser.add_argument(
        "--on", metavar="RECIPE", help="measure on the photos of another recipe, where the two share a split"
    )
    options = parser.parse_args(arguments)
    results = read_results("networks")
    try:
        for given in options.names or shipped():
            colorizer, name = Colorizer.load(given), Path(given).stem
            recipe = load(options.on or name)
            rows, count = rows_of(colorizer, name, recipe, options.photos)
            key = f"{name} on {options.on}" if options.on else name
            results[key] = {"photos": count, "pixels": recipe.measured, "machine": machine(), "rows": rows}
            about = colorizer.recipe | {"measured": recipe.measured}
            if key in shipped():
                with write_whole(data_folder() / "weights" / f"{name}.md") as file:
                    file.write(card(name, about, rows, count).encode())
            write_results("networks", dict(sorted(results.items())))
            print(f"{key}: measured on {count} pictures", flush=True)
    except (RecipeError, WeightsError, ValueError) as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
