"""Recipes: what a network is trained on, how, and for how long. One readable file each, ``data/recipes/NAME.toml``.

A recipe may name another that it is ``like``, and then holds what is different. Its phases are stretches of training with
pictures of one size; each goes on with the network of the one before.
"""

import difflib
import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .colorizer import NETWORKS, Colorizer
from .datasets import Crops, Mix, Thumbnails, photo_files
from .files import data_folder
from .folders import PhotoFolder
from .lab import rgb_to_lab
from .losses import classification, l2, smooth_l1
from .networks.fusion import EMBEDDINGS, FusionNet
from .networks.gan import PatchDiscriminator
from .networks.heads import HEADS
from .networks.hypercolumn import sampled_loss
from .prior import color_prior, rebalancing_weights
from .training import PRECISIONS, Examples, Loss, Rate, cosine, staircase
from .weights import BITS

OPTIMIZERS = {"AdamW": torch.optim.AdamW, "Adam": torch.optim.Adam}
REGRESSION: dict[str, Loss] = {"l2": l2, "smooth_l1": smooth_l1}
USUAL = (*REGRESSION, "classification", "rebalanced")
GAN = "gan"  # a discriminator, and L1
FITTING = {  # losses of some networks
    "HypercolumnNet": tuple(HEADS),
    "FusionNet": tuple(REGRESSION),
    "UNet": (*REGRESSION, GAN),
}
# How two players are trained: there is no other way.
PAIR = {
    "optimizer": "Adam",
    "weight_decay": 0.0,
    "precision": "float32",
    "accumulate": 1,
    "compiled": False,
    "total": False,
}
# What a word in a recipe may be.
CHOICES = {
    "loss": (*USUAL, *(name for name in HEADS if name not in REGRESSION), GAN),
    "network": tuple(NETWORKS),
    "embedding": EMBEDDINGS,
    "optimizer": tuple(OPTIMIZERS),
    "rate": ("cosine", "staircase", "constant"),
    "precision": tuple(PRECISIONS),
    "bits": BITS,
}
# What must be above 0.
ABOVE = {
    "size",
    "steps",
    "batch_size",
    "learning_rate",
    "width",
    "neighbors",
    "accumulate",
    "points",
    "patch",
    "view",
    "measured",
}
PRIOR_PHOTOS = 1000  # of a folder that is streamed, for the prior


class RecipeError(ValueError):
    """A recipe is missing or wrong; the sentence names the file and the entry."""


@dataclass(frozen=True)
class Phase:
    """A stretch of a training run. Photos are kept in memory at a few zooms, or streamed if ``shorter`` is given."""

    size: int  # pixels, side of a crop
    steps: int
    batch_size: int
    learning_rate: float
    zooms: tuple[float, ...] = (1.1, 1.4, 1.8)  # see Crops
    thumbnails: float = 0.0  # share of the batch
    shorter: int = 0  # pixels, see PhotoFolder
    squash: bool = False
    drops: tuple[tuple[int, float], ...] = ()  # of a "staircase": steps, and the factor from there on


@dataclass(frozen=True)
class Recipe:
    """How one network is made."""

    loss: str
    phases: tuple[Phase, ...]
    network: str = "SmallNet"
    width: float = 32.0  # channels of a SmallNet, or the factor on those of a ZhangNet, FusionNet or UNet
    lam: float = 0.5  # lambda of the rebalancing
    neighbors: int = 5  # of the soft codes
    points: int = 128  # of a HypercolumnNet: places drawn in each picture
    patch: int = 1  # of a HypercolumnNet: side of the square whose colors are the target, odd
    embedding: str = "classifier"  # of a FusionNet: what it knows of the picture as a whole
    l1_weight: float = 100.0  # of a "gan": see colorize.adversarial, as the next two
    balance: float = 1.0
    smoothing: float = 0.0
    total: bool = False  # loss: the sum over the pixels of a picture, not their mean
    optimizer: str = "AdamW"
    betas: tuple[float, ...] = (0.9, 0.999)
    weight_decay: float = 0.01
    rate: str = "cosine"  # of learning: its course in each phase
    precision: str = "float32"
    accumulate: int = 1
    compiled: bool = False
    seed: int = 0
    view: int = 128  # pixels, the shorter side at which the network looks at a photo
    measured: int = 128  # pixels, side of the squares on which it is measured
    temperature: float = 0.38  # at which it is used when none is named
    start: str = ""  # name of the shipped network that it goes on from
    only: tuple[str, ...] = ()  # names of subfolders; empty: all
    bits: int = 16  # of a number in the weights file: see colorize.weights.stored

    @property
    def regression(self) -> bool:
        """True if the network answers with a and b, false if with a distribution."""
        return self.loss in (*REGRESSION, GAN)


def names() -> list[str]:
    """Return the names of the recipes in ``data/recipes/``, sorted."""
    return sorted(path.stem for path in (data_folder() / "recipes").glob("*.toml"))


def load(name: str | Path) -> Recipe:
    """Read a recipe by its name, or from a file that ends in .toml.

    Raises
    ------
    RecipeError if there is none, or an entry is unknown, missing, or of the wrong kind.
    """
    path = Path(name) if Path(name).suffix == ".toml" else data_folder() / "recipes" / f"{name}.toml"
    entries = _entries(path)
    if not isinstance(entries.get("phases"), list) or not entries["phases"]:
        raise RecipeError(f"{path}: a recipe needs at least one [[phases]]")
    phases = tuple(_make(Phase, entry, path) for entry in entries["phases"])
    recipe = _make(Recipe, {**entries, "phases": phases}, path)
    fitting = FITTING.get(recipe.network, USUAL)
    if recipe.loss not in fitting:
        raise RecipeError(
            f"{path}: the loss of a {recipe.network} is one of {', '.join(fitting)}, got {recipe.loss!r}"
        )
    for key, only in PAIR.items() if recipe.loss == GAN else ():
        if getattr(recipe, key) != only:
            raise RecipeError(
                f"{path}: with the loss gan {key} must be {only!r}, got {getattr(recipe, key)!r}"
            )
    return recipe


def _entries(path: Path, seen: tuple[Path, ...] = ()) -> dict:
    """Entries of a file, over those of the recipe that it is like."""
    if not path.is_file():
        close = difflib.get_close_matches(path.stem, names(), n=1)
        hint = f": did you mean {close[0]}?" if close else ""
        raise RecipeError(f"there is no recipe {path.stem!r}; there are {', '.join(names()) or 'none'}{hint}")
    if path in seen:
        raise RecipeError(f"{path}: a recipe cannot be like itself")
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is no TOML file: {error}") from None
    like = entries.pop("like", None)
    return entries if like is None else _entries(path.with_name(f"{like}.toml"), (*seen, path)) | entries


def _make(kind: type, entries: dict, path: Path) -> Any:
    """Make a Phase or a Recipe from the entries of a file, each checked against the kind of its field."""
    known = {field.name: field for field in fields(kind)}
    made = {}
    for name, given in entries.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            raise RecipeError(
                f"{path}: unknown entry {name!r}" + (f", did you mean {close[0]!r}?" if close else "")
            )
        value: Any = given
        if isinstance(given, list):
            value = tuple(tuple(part) if isinstance(part, list) else part for part in given)
        default = known[name].default
        wanted: Any = known[name].type if default is MISSING else type(default)
        wanted = {tuple[Phase, ...]: tuple}.get(wanted, wanted)
        if wanted is float and type(value) is int:
            value = float(value)
        if type(value) is not wanted:
            raise RecipeError(f"{path}: {name} must be of kind {wanted.__name__}, got {value!r}")
        if value not in CHOICES.get(name, (value,)):
            raise RecipeError(
                f"{path}: {name} must be one of {', '.join(map(str, CHOICES[name]))}, got {value!r}"
            )
        if name in ABOVE and not value > 0:
            raise RecipeError(f"{path}: {name} must be above 0, got {value!r}")
        if name == "zooms" and not (value and min(value) > 0):
            raise RecipeError(f"{path}: zooms must hold numbers above 0, got {list(value)!r}")
        made[name] = value
    if missing := [name for name, field in known.items() if field.default is MISSING and name not in made]:
        raise RecipeError(f"{path}: {', '.join(missing)} must be given")
    return kind(**made)


def is_thumbnail(path: Path) -> bool:
    """Tell thumbnails from photos: by a folder whose name begins with "cifar"."""
    return any(part.startswith("cifar") for part in path.parts)


def chosen(files: list[Path], recipe: Recipe) -> list[Path]:
    """Keep the files that lie in one of the recipe's subfolders."""
    return [path for path in files if not recipe.only or set(recipe.only) & set(path.parts)]


def make_data(recipe: Recipe, phase: Phase, photos: str | Path) -> Mix | PhotoFolder:
    """Read the training photos of a folder, without the validation split: into memory, or as a stream."""
    if phase.shorter:
        if recipe.only:
            raise RecipeError(
                "a recipe whose phases stream their photos (shorter) cannot choose subfolders (only)"
            )
        return PhotoFolder(photos, phase.size, phase.shorter, phase.squash)
    files = chosen(photo_files(photos, "train"), recipe)
    thumbnails = [path for path in files if is_thumbnail(path)]
    parts, shares = list[Crops | Thumbnails](), list[float]()
    if phase.thumbnails < 1 or not thumbnails:
        larger = [path for path in files if not is_thumbnail(path)]
        parts.append(Crops(larger, phase.size, phase.zooms))
        shares.append(1 - phase.thumbnails if thumbnails else 1)
    if thumbnails and phase.thumbnails > 0:
        parts.append(Thumbnails(thumbnails, phase.size))
        shares.append(phase.thumbnails)
    return Mix(parts, shares)


def arguments(recipe: Recipe) -> dict:
    """Return what the network's class is called with."""
    width = int(recipe.width) if recipe.width.is_integer() else recipe.width
    if is_hypercolumn(recipe):
        return {"answer": recipe.loss, "width": width, "points": recipe.points}
    plain = {"outputs": 2 if recipe.regression else 313, "width": width}
    return plain | ({"embedding": recipe.embedding} if recipe.network == "FusionNet" else {})


def is_hypercolumn(recipe: Recipe) -> bool:
    """True for the network that is asked at random points, and has losses of its own."""
    return recipe.network == "HypercolumnNet"


def make_network(recipe: Recipe) -> nn.Module:
    """Make the network of a recipe as it is before the training: from its seed, or a shipped one to go on from."""
    torch.manual_seed(recipe.seed)
    network = NETWORKS[recipe.network](**arguments(recipe))
    if isinstance(network, FusionNet):
        network.start()
    if recipe.start:
        start = Colorizer.load(recipe.start).network
        # From classification to regression everything goes on but the last layer, which answers another question.
        known = {
            key: tensor
            for key, tensor in start.state_dict().items()
            if start.outputs == network.outputs or not key.startswith("head.")
        }
        network.load_state_dict(known, strict=False)
    return network


def make_rival(recipe: Recipe) -> PatchDiscriminator | None:
    """Make the discriminator of a "gan" as it is before the training; None for another loss."""
    torch.manual_seed(recipe.seed + 1)
    return PatchDiscriminator(recipe.width) if recipe.loss == GAN else None


def make_loss(recipe: Recipe, data: Mix | PhotoFolder) -> Loss | None:
    """Make the loss of a recipe; the weights of "rebalanced" come from the colors of the data's photos. None for a "gan"."""
    if recipe.loss == GAN:
        return None
    if is_hypercolumn(recipe):
        loss: Loss = sampled_loss(recipe.loss, recipe.patch)
    elif recipe.regression:
        loss = REGRESSION[recipe.loss]
    elif recipe.loss == "classification":
        loss = classification(neighbors=recipe.neighbors)
    else:
        loss = classification(rebalancing_weights(_prior(data), recipe.lam), recipe.neighbors)
    if not recipe.total:
        return loss
    # The mean over all pixels, times the pixels of one picture.
    return lambda answer, true_ab: loss(answer, true_ab) * true_ab[0, 0].numel()


def make_examples(recipe: Recipe) -> Examples | None:
    """Say what a network is asked and compared with; None for the usual, ab at its own resolution.

    A HypercolumnNet draws its points itself: it gets L, and its loss the whole picture in Lab.
    """
    if not is_hypercolumn(recipe):
        return None

    def examples(batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, torch.Tensor]:
        lab = rgb_to_lab(batch[0])
        return lab[:, :1], lab

    return examples


def _prior(data: Mix | PhotoFolder) -> torch.Tensor:
    """Count colors: of all photos in memory (of thumbnails only if there is nothing else), or of some of a stream."""
    if isinstance(data, PhotoFolder):
        photos: Any = data.batch(min(PRIOR_PHOTOS, len(data)), seed=0)
    else:
        part = data.parts[0]
        photos = part.photos[0] if isinstance(part, Crops) else part.photos
    ab = torch.cat([rgb_to_lab(photo[None])[:, 1:].flatten(2) for photo in photos], dim=2)
    return color_prior(ab.unsqueeze(-1))


def make_rate(recipe: Recipe, phase: Phase) -> Rate:
    """Make the course of the learning rate in a phase."""
    if recipe.rate == "cosine":
        return cosine
    return staircase(dict(phase.drops) if recipe.rate == "staircase" else {})
