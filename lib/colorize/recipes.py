"""The recipes of the shipped networks: what each was trained on, how, and for how long.

    python -m colorize.recipes NAME --photos FOLDER [--out runs]

trains one of them again. FOLDER holds photos in any subfolders; those in a subfolder whose name begins with "cifar" are
taken for thumbnails. data/README.md says how to build the folder that we used.
"""

import argparse
import os
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from .colorizer import Colorizer, data_folder, save_weights
from .datasets import Crops, Mix, Thumbnails, photo_files
from .evaluation import baselines, numbers, predict, validation_photos
from .files import write_whole
from .lab import rgb_to_lab
from .losses import classification, l2
from .networks import SmallNet
from .prior import color_prior, rebalancing_weights
from .training import History, Loss, fit


@dataclass(frozen=True)
class Recipe:
    """How one network is made. The three first networks are twins: all but the loss is the same."""

    loss: str  # "l2", "classification" or "rebalanced"
    width: int = 32
    size: int = 96  # pixels, side of a crop
    zooms: tuple[float, ...] = (1.05, 1.3, 1.7)
    thumbnails: float = 0.5  # share of the batch
    steps: int = 6000
    batch_size: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    lam: float = 0.5  # lambda of the rebalancing
    seed: int = 0
    bfloat16: bool = True
    view: int = 128  # pixels, the shorter side at which the network looks at a photo


RECIPES = {
    "l2": Recipe("l2"),
    "classification": Recipe("classification"),
    "rebalanced": Recipe("rebalanced"),
}


def make_data(recipe: Recipe, photos: str | Path) -> Mix:
    """Read the training photos of a folder, without the validation split, into memory."""
    files = photo_files(photos, "train")
    thumbnails = [path for path in files if any(part.startswith("cifar") for part in path.parts)]
    large = sorted(set(files) - set(thumbnails))
    parts, shares = [Crops(large, recipe.size, recipe.zooms)], [1.0]
    if thumbnails:
        parts.append(Thumbnails(thumbnails, recipe.size))
        shares = [1 - recipe.thumbnails, recipe.thumbnails]
    return Mix(parts, shares)


def make_network(recipe: Recipe) -> nn.Module:
    """Make the untrained network of a recipe, from its seed."""
    torch.manual_seed(recipe.seed)
    network = SmallNet(outputs=2 if recipe.loss == "l2" else 313, width=recipe.width)
    return network.to(memory_format=torch.channels_last)


def make_loss(recipe: Recipe, data: Mix) -> Loss:
    """Make the loss of a recipe; the weights of "rebalanced" come from the photos that are not thumbnails."""
    if recipe.loss == "l2":
        return l2
    if recipe.loss == "classification":
        return classification()
    ab = torch.cat([rgb_to_lab(photo[None])[:, 1:].flatten(2) for photo in data.parts[0].photos[0]], dim=2)
    return classification(rebalancing_weights(color_prior(ab.unsqueeze(-1)), recipe.lam))


def card(name: str, recipe: Recipe, about: dict, results: dict) -> str:
    """Write a model card, Markdown: what the network is, what it was trained on, what it reached."""
    columns = ("raw_auc", "rebalanced_auc", "psnr", "chroma", "skies", "blue", "greens", "green")
    rows = [
        f"| {row} | " + " | ".join(f"{found[c]:.1f}" for c in columns) + " |"
        for row, found in results.items()
    ]
    settings = "\n".join(f"- {key}: {value}" for key, value in asdict(recipe).items())
    return f"""# {name}

A U-Net (`colorize.networks.SmallNet`, {about["parameters"]:,} numbers) that takes L and answers with
{"a and b" if recipe.loss == "l2" else "a distribution over 313 colors"}, at half the resolution of its input. Made for the lessons: it is
small, was trained on few photos, and paints skies and grass more surely than people, food or clothes.

**Trained on** {about["pictures"]} (see `data/README.md`), without the validation split, {about["minutes"]:.0f} minutes on
{about["machine"]}. Again: `make weights NAME={name} PHOTOS=folder`.

{settings}

**Measured** on {about["validation"]} validation photos, squares of {about["size"]} pixels, never trained on:

| | {" | ".join(columns)} |
|---|{"---|" * len(columns)}
{chr(10).join(rows)}

AuC in percent, PSNR in dB, chroma in ab units. `skies`: percentage of truly blue, bright pixels that got b < 0, beside
`blue`, the same of all pixels; `greens` and `green`: likewise for truly green pixels and a < 0.
The rebalanced AuC weighs by this set's own colors: compare it only within this table.

**License.** MIT, as the code. The photos were used for training only; their own terms bind those who copy them.
Colors are guesses: do not take them for what was there.
"""


def export(name: str, recipe: Recipe, network: nn.Module, history: History, data: Mix, photos: Path) -> Path:
    """Measure a trained network on the validation split, and write its weights and its card to data/weights/."""
    files = [
        path
        for path in photo_files(photos, "validation")
        if not any(part.startswith("cifar") for part in path.parts)
    ]
    held_out = validation_photos(files, recipe.view)
    colorizer = Colorizer(network, recipe.view, name)
    results = baselines(held_out)
    for T, ab in predict(colorizer, held_out, (1.0,) if recipe.loss == "l2" else (1.0, 0.38)).items():
        results[name if recipe.loss == "l2" else f"{name}, T = {T:g}"] = numbers(ab, held_out)
    about = {
        "parameters": sum(p.numel() for p in network.parameters()),
        "pictures": " and ".join(
            f"{len(part):,} {kind}" for part, kind in zip(data.parts, ("photos", "thumbnails"), strict=False)
        ),
        "minutes": history.seconds / 60,
        "machine": f"{os.cpu_count()} shared cores ({platform.machine()}, no GPU), PyTorch {torch.__version__}",
        "validation": len(held_out),
        "size": recipe.view,
    }
    folder = data_folder() / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    arguments = {"outputs": network.outputs, "width": recipe.width}
    save_weights(path, network, arguments, recipe.view, asdict(recipe) | about, results)
    with write_whole(path.with_suffix(".md")) as file:
        file.write(card(name, recipe, about, results).encode())
    return path


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m colorize.recipes", description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--photos", required=True, type=Path, help="folder of photos, with subfolders")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="folder for checkpoint and log")
    options = parser.parse_args(arguments)
    recipe = RECIPES[options.name]
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        data = make_data(recipe, options.photos)
    except ValueError as error:
        parser.error(str(error))
    print(f"{options.name}: {[len(part) for part in data.parts]} pictures", flush=True)
    network = make_network(recipe)
    history = fit(
        network,
        data,
        make_loss(recipe, data),
        recipe.steps,
        recipe.batch_size,
        recipe.learning_rate,
        recipe.weight_decay,
        recipe.seed,
        recipe.bfloat16,
        checkpoint=options.out / f"{options.name}.pt",
        log=options.out / f"{options.name}.csv",
    )
    if not history.finished:
        print("run the same command again to go on")
        return 1
    print(f"written: {export(options.name, recipe, network, history, data, options.photos)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
