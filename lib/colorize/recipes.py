"""The recipes of the shipped networks: what each was trained on, how, and for how long.

    python -m colorize.recipes NAME --photos FOLDER [--steps N]

trains one of them again. FOLDER holds photos in any subfolders; those in a subfolder whose name begins with "cifar" are
taken for thumbnails. data/README.md says how to build the folder that we used.
"""

import argparse
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from .datasets import Crops, Mix, Thumbnails, photo_files
from .lab import rgb_to_lab
from .losses import classification, l2
from .networks import SmallNet
from .prior import color_prior, rebalancing_weights
from .training import Loss, fit


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


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m colorize.recipes", description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--photos", required=True, type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    options = parser.parse_args(arguments)
    recipe = RECIPES[options.name]
    options.out.mkdir(parents=True, exist_ok=True)
    data = make_data(recipe, options.photos)
    print(f"{options.name}: {[len(part) for part in data.parts]} pictures, {asdict(recipe)}", flush=True)
    network, start = make_network(recipe), time.monotonic()
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
    print(
        f"{len(history.losses)} steps, {(time.monotonic() - start) / 60:.1f} minutes in this session",
        flush=True,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
