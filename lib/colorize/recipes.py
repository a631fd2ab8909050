"""The recipes of the shipped networks: what each was trained on, how, and for how long.

    python -m colorize.recipes NAME --photos FOLDER [--out runs]

trains one of them again. FOLDER holds photos in any subfolders; those in a subfolder whose name begins with "cifar" are
taken for thumbnails. data/README.md says how to build the folder that we used.
"""

import argparse
import os
import platform
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from torch import nn

from .colorizer import NETWORKS, Colorizer, save_weights
from .datasets import Crops, Mix, Thumbnails, photo_files
from .evaluation import baselines, numbers, predict, validation_photos
from .files import data_folder, write_whole
from .lab import rgb_to_lab
from .losses import classification, l2, smooth_l1
from .prior import color_prior, rebalancing_weights
from .training import Loss, fit

MEASURED = 128  # pixels, side of the squares on which all networks are measured


@dataclass(frozen=True)
class Phase:
    """A stretch of a training run, with pictures of one size and a learning rate that rises and falls once."""

    size: int  # pixels, side of a crop
    zooms: tuple[float, ...]  # see Crops
    thumbnails: float  # share of the batch
    steps: int
    batch_size: int
    learning_rate: float


# Pictures grow during the training. Small ones come first, because a step costs by the pixel: at 32 pixels the network
# sees eight times as many pictures a minute as at 96, each of them a whole scene.
GROWING = (
    Phase(32, (1.05, 1.4, 2.0), 0.7, 2000, 256, 3e-3),
    Phase(64, (1.05, 1.35, 1.8), 0.5, 1000, 64, 2e-3),
    Phase(104, (1.05, 1.25, 1.6), 0.4, 900, 32, 1.5e-3),
)


@dataclass(frozen=True)
class Recipe:
    """How one network is made. The three first networks are twins: all but the loss is the same."""

    loss: str  # "l2", "smooth_l1", "classification" or "rebalanced"
    phases: tuple[Phase, ...] = GROWING
    network: str = "SmallNet"
    width: float = 32  # channels of a SmallNet, or the factor on those of a ZhangNet
    weight_decay: float = 0.01
    lam: float = 0.5  # lambda of the rebalancing
    seed: int = 0
    bfloat16: bool = True
    view: int = 128  # pixels, the shorter side at which the network looks at a photo
    start: str | None = None  # name of the shipped network that it goes on from

    @property
    def regression(self) -> bool:
        """True if the network answers with a and b, false if with a distribution."""
        return self.loss in ("l2", "smooth_l1")


RECIPES = {
    "l2": Recipe("l2"),
    "smooth_l1": Recipe("smooth_l1"),
    "classification": Recipe("classification"),
    "rebalanced": Recipe("rebalanced"),
    "first": Recipe(
        "rebalanced",
        (
            Phase(32, (1.05, 1.4, 2.0), 0.7, 2500, 256, 2.5e-3),
            Phase(64, (1.05, 1.35, 1.8), 0.5, 1200, 64, 1.5e-3),
            Phase(104, (1.05, 1.25, 1.6), 0.4, 1200, 32, 1e-3),
        ),
        weight_decay=0.05,
        seed=1,
        view=96,
        start="rebalanced",
    ),
    "zhang_small": Recipe("rebalanced", network="ZhangNet", width=1 / 8),
    "l2_tuned": Recipe(
        "l2",
        (
            Phase(32, (1.05, 1.4, 2.0), 0.7, 1000, 256, 1.5e-3),
            Phase(64, (1.05, 1.35, 1.8), 0.5, 500, 64, 1e-3),
            Phase(104, (1.05, 1.25, 1.6), 0.4, 450, 32, 7.5e-4),
        ),
        start="rebalanced",
    ),
    # Goes on from `first`, with larger pictures at the end. Its colors were a fifth too vivid: lambda is a little higher.
    "best": Recipe(
        "rebalanced",
        (
            Phase(32, (1.05, 1.4, 2.0), 0.7, 3000, 256, 2e-3),
            Phase(64, (1.05, 1.35, 1.8), 0.5, 1500, 64, 1.5e-3),
            Phase(128, (1.05, 1.25, 1.6), 0.3, 1200, 24, 1e-3),
        ),
        weight_decay=0.05,
        lam=0.6,
        seed=2,
        start="first",
    ),
}


def is_thumbnail(path: Path) -> bool:
    """Tell thumbnails from photos: by a folder whose name begins with "cifar"."""
    return any(part.startswith("cifar") for part in path.parts)


def make_data(phase: Phase, photos: str | Path) -> Mix:
    """Read the training photos of a folder, without the validation split, into memory."""
    files = photo_files(photos, "train")
    thumbnails = [path for path in files if is_thumbnail(path)]
    parts = [Crops([path for path in files if not is_thumbnail(path)], phase.size, phase.zooms)]
    if not thumbnails or phase.thumbnails == 0:
        return Mix(parts, [1.0])
    parts.append(Thumbnails(thumbnails, phase.size))
    return Mix(parts, [1 - phase.thumbnails, phase.thumbnails])


def make_network(recipe: Recipe) -> nn.Module:
    """Make the network of a recipe as it is before the training: from its seed, or a shipped one to go on from."""
    torch.manual_seed(recipe.seed)
    network = NETWORKS[recipe.network](outputs=2 if recipe.regression else 313, width=recipe.width)
    if recipe.start is not None:
        start = Colorizer.load(recipe.start).network
        # From classification to regression everything goes on but the last layer, which answers another question.
        known = {
            key: tensor
            for key, tensor in start.state_dict().items()
            if start.outputs == network.outputs or not key.startswith("head.")
        }
        network.load_state_dict(known, strict=False)
    return network


def make_loss(recipe: Recipe, data: Mix) -> Loss:
    """Make the loss of a recipe; the weights of "rebalanced" come from the photos that are not thumbnails."""
    if recipe.regression:
        return {"l2": l2, "smooth_l1": smooth_l1}[recipe.loss]
    if recipe.loss == "classification":
        return classification()
    ab = torch.cat([rgb_to_lab(photo[None])[:, 1:].flatten(2) for photo in data.parts[0].photos[0]], dim=2)
    return classification(rebalancing_weights(color_prior(ab.unsqueeze(-1)), recipe.lam))


def card(name: str, recipe: Recipe, about: dict, results: dict) -> str:
    """Write a model card, Markdown: what the network is, what it was trained on, what it reached."""
    columns = {
        "raw_auc": "raw AuC",
        "rebalanced_auc": "rebalanced AuC",
        "psnr": "PSNR",
        "chroma": "chroma",
        "skies": "skies",
        "blue": "(all blue)",
        "greens": "greens",
        "green": "(all green)",
    }
    rows = [
        f"| {row} | " + " | ".join("exact" if found[c] > 100 else f"{found[c]:.1f}" for c in columns) + " |"
        for row, found in results.items()
    ]
    settings = "\n".join(f"- {key}: {value}" for key, value in asdict(recipe).items() if key != "phases")
    plan = [[field.name for field in fields(Phase)], *(asdict(phase).values() for phase in recipe.phases)]
    more = f" after those of `{recipe.start}`" if recipe.start else ""
    table = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in plan]
    return f"""# {name}

A U-Net (`colorize.networks.SmallNet`, {about["parameters"]:,} numbers) that takes L and answers with
{"a and b" if recipe.regression else "a distribution over 313 colors"}, at half the resolution of its input. Made for the lessons: it is
small, was trained on few photos, and paints skies and grass more surely than people, food or clothes.

**Trained on** {about["pictures"]} (see `data/README.md`), without the validation split, {about["minutes"]:.0f} minutes{more} on
{about["machine"]}. Again: `make weights NAME={name} PHOTOS=folder`.

{table[0]}
|{"---|" * len(plan[0])}
{chr(10).join(table[1:])}

{settings}

**Measured** on {about["validation"]} validation photos, squares of {about["size"]} pixels, never trained on:

| | {" | ".join(columns.values())} |
|---|{"---|" * len(columns)}
{chr(10).join(rows)}

AuC in percent, PSNR in dB, chroma in ab units. Skies: percentage of the truly blue, bright pixels that got b < 0, beside
the percentage of all pixels that did; greens: the same for truly green pixels and a < 0.
The rebalanced AuC weighs by this set's own colors: compare it only within this table.

**License.** MIT, as the code. The photos were used for training only; their own terms bind those who copy them.
Colors are guesses: do not take them for what was there.
"""


def train(name: str, recipe: Recipe, photos: Path, out: Path) -> tuple[nn.Module, float, Mix] | None:
    """Train a network phase by phase; each has a checkpoint of its own in ``out``, from which the same call goes on.

    Returns
    -------
    The network, the seconds of training in all sessions together, and the data of the last phase; None if Ctrl-C ended it.
    """
    network, seconds, loss = make_network(recipe), 0.0, None
    for number, phase in enumerate(recipe.phases, start=1):
        data = make_data(phase, photos)
        loss = loss or make_loss(recipe, data)
        print(
            f"{name}, phase {number} of {len(recipe.phases)}: {[len(part) for part in data.parts]} pictures",
            flush=True,
        )
        history = fit(
            network,
            data,
            loss,
            phase.steps,
            phase.batch_size,
            phase.learning_rate,
            recipe.weight_decay,
            recipe.seed * 100 + number,
            precision="bfloat16" if recipe.bfloat16 else "float32",
            checkpoint=out / f"{name}-{number}.pt",
            log=out / f"{name}-{number}.csv",
        )
        seconds += history.seconds
        if not history.finished:
            return None
    return network, seconds, data


def export(name: str, recipe: Recipe, network: nn.Module, seconds: float, data: Mix, photos: Path) -> Path:
    """Measure a trained network on the validation split, and write its weights and its card to data/weights/."""
    files = [path for path in photo_files(photos, "validation") if not is_thumbnail(path)]
    held_out = validation_photos(files, MEASURED)
    colorizer = Colorizer(network, recipe.view, name)
    results = baselines(held_out)
    for T, ab in predict(colorizer, held_out, (1.0,) if recipe.regression else (1.0, 0.38)).items():
        results[name if recipe.regression else f"{name}, T = {T:g}"] = numbers(ab, held_out)
    about = {
        "parameters": sum(p.numel() for p in network.parameters()),
        "pictures": " and ".join(
            f"{len(part):,} {kind}" for part, kind in zip(data.parts, ("photos", "thumbnails"), strict=False)
        ),
        "minutes": seconds / 60,
        "machine": f"{os.cpu_count()} shared cores ({platform.machine()}, no GPU), PyTorch {torch.__version__}",
        "validation": len(held_out),
        "size": MEASURED,
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
        trained = train(options.name, recipe, options.photos, options.out)
    except ValueError as error:
        parser.error(str(error))
    if trained is None:
        print("run the same command again to go on")
        return 1
    print(f"written: {export(options.name, recipe, *trained, options.photos)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
