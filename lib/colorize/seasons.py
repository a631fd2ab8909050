"""A toy world with seasons: the color of some things depends on what shows far away, and what a glance at the whole is worth is known.

A sign in the top left corner is light in summer and dark in fall. Grass and trees have a color for each season, everything else
has the palette it always had (:mod:`colorize.toyworld`). The gray picture holds all that is needed; but a network whose local
features do not reach the sign cannot tell the seasons apart. So the best answers under the squared loss can be computed:
who sees the sign, or is told, answers with the season's color, and who does not with the mean of the two, which is neither.

>>> world = SeasonWorld()
>>> world.answers("grass")  # summer, fall, and without a season: rows of a and b
tensor([[-33.,  38.],
        [  7.,  42.],
        [-13.,  40.]], dtype=torch.float64)
>>> [world.excess("grass", way) for way in WAYS]  # in squared ab units, above what no network can avoid
[0.0, 202.0, 404.0, 808.0]
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .lab import lab_to_rgb
from .losses import l2
from .networks import FusionNet
from .networks.fusion import joint_loss, labeled_colors, reach
from .toyworld import ToyWorld
from .training import History, Loss, fit

SEASONS = ("summer", "fall")  # 1/2 each
SEASONAL = {"grass": ((-33, 38), (7, 42)), "tree": ((-27, 28), (33, 48))}
SIGN = 6  # pixels along each side of the sign
SHOWN = (92.0, 12.0)  # L of the sign
# What a network is told about the season: the truth, nothing, that of any other picture, the wrong one.
WAYS = ("own", "none", "shuffled", "swapped")
NEAR = ((64, 2), (128, 2), (256, 2))  # an encoder that sees less far than the paper's, for small scenes


@dataclass(frozen=True)
class SeasonScenes:
    """n scenes with a sign."""

    lightness: Tensor  # (n, S, S) float32, L in 0..100
    ab: Tensor  # (n, 2, S, S) float32
    kind: Tensor  # (n, S, S) int64, the kind of thing at each pixel; the sign has the number behind the last
    season: Tensor  # (n,) int64, 0 for summer

    def rgb(self) -> Tensor:
        """Return the scenes as sRGB pictures, (n, 3, S, S) float32 in [0, 1]."""
        return lab_to_rgb(torch.cat((self.lightness[:, None], self.ab), dim=1))


class SeasonWorld:
    """Scenes of the toy world in two seasons. ``kinds`` are those of the toy world, then "sign".

    Parameters
    ----------
    size : S, pixels along each side, 24 or above; anything else is a ValueError.
    """

    def __init__(self, size: int = 48) -> None:
        self.world = ToyWorld(size)
        self.size = int(self.world.size)
        self.kinds = (*self.world.kinds, "sign")
        self._table = torch.stack([self.answers(kind) for kind in self.kinds])  # (kinds, 3, 2)

    def answers(self, kind: str) -> Tensor:
        """Best answers at a kind under the squared loss, (3, 2) float64: in summer, in fall, and if the season is unknown."""
        if kind in SEASONAL:
            colors = torch.tensor(SEASONAL[kind], dtype=torch.float64)
            return torch.cat((colors, colors.mean(dim=0, keepdim=True)))
        mean = torch.zeros(2, dtype=torch.float64) if kind == "sign" else self.world.palette(kind).mean()
        return mean.expand(3, 2)

    def excess(self, kind: str, way: str) -> float:
        """What it costs to be told less than the truth: expected loss, ``1/2 ||ab - ab*||^2``, above the own season's.

        With d between the colors of the two seasons: the mean is off by d / 2, which is ``d^2 / 8``. The color of the
        other season is off by d: ``d^2 / 2``, and half of that where the season told is any other picture's. A wrong glance
        at the whole costs four times as much as none, a random one twice as much.

        Parameters
        ----------
        way : "own", "none", "shuffled" or "swapped"; anything else is a ValueError.
        """
        if way not in WAYS:
            raise ValueError(f"way must be one of {', '.join(WAYS)}, got {way!r}")
        summer, fall, _ = self.answers(kind)
        return (summer - fall).square().sum().item() * (0, 1 / 8, 1 / 4, 1 / 2)[WAYS.index(way)]

    def scenes(self, n: int, seed: int) -> SeasonScenes:
        """Draw n scenes. The same seed and n give the same; ValueError if n is no whole number of 1 or above."""
        found = self.world.scenes(n, seed)
        season = torch.from_numpy(np.random.default_rng((2, seed % 2**64)).integers(2, size=n))
        lightness, ab, kind = found.lightness.clone(), found.ab.clone(), found.kind.clone()
        for name in SEASONAL:
            colors = self._table[self.kinds.index(name)].float()[season]  # (n, 2)
            here = kind == self.kinds.index(name)
            ab = torch.where(here[:, None], colors[:, :, None, None], ab)
        corner = (..., slice(SIGN), slice(SIGN))
        lightness[corner] = torch.tensor(SHOWN)[season].view(n, 1, 1)
        ab[corner], kind[corner] = 0, self.kinds.index("sign")
        return SeasonScenes(lightness, ab, kind, season)

    def batch(self, n: int, seed: int) -> tuple[Tensor, Tensor]:
        """Draw n scenes to train on: sRGB (n, 3, S, S) float32 in [0, 1], and the season (n,) int64."""
        found = self.scenes(n, seed)
        return found.rgb(), found.season

    def optimum(self, kind: Tensor, season: Tensor, sees: Tensor | None = None) -> Tensor:
        """Best answer at each pixel under the squared loss: kind (n, S, S) and season (n,) -> ab (n, 2, S, S) float32.

        Parameters
        ----------
        sees : (S, S) bool, the pixels at which the season is known; all of them when left out. See :meth:`sees_sign`.
        """
        known = season.view(-1, 1, 1).expand_as(kind)
        if sees is not None:
            known = torch.where(sees, known, 2)
        return self._table.float()[kind, known].movedim(-1, 1)

    def sees_sign(self, network: FusionNet) -> Tensor:
        """Where a network's local features reach the sign: (S/2, S/2) bool. Measured, by :func:`colorize.networks.fusion.reach`."""
        where = torch.zeros(self.size, self.size, dtype=torch.bool)
        where[:SIGN, :SIGN] = True
        return reach(network, where)


class Sign(nn.Module):
    """A perfect embedding: reads the sign, L (N, 1, H, W) -> (N, 2), one for the season and zero for the other."""

    size = 2

    def forward(self, lightness: Tensor) -> Tensor:
        """Look at the corner, and nowhere else."""
        dark = lightness[:, 0, :SIGN, :SIGN].mean(dim=(1, 2)) < sum(SHOWN) / 2
        return F.one_hot(dark.long(), 2).to(lightness.dtype)


def train(
    embedding: str, seed: int = 0, scene: int = 48, width: float = 0.25, steps: int = 800, batch: int = 16
) -> tuple[FusionNet, History]:
    """Train a network on the world with seasons, squared loss.

    Parameters
    ----------
    embedding : "none"; "perfect", which is :class:`Sign`; "own", the network's global features; or "named", the same with the
        season as a class to be named (Iizuka et al.).
    seed : of the network's start and of the scenes.
    scene, width, steps, batch : the size of the training.
    """
    kinds: dict[str, str | nn.Module] = {"none": "none", "perfect": Sign(), "own": "own", "named": "own"}
    if embedding not in kinds:
        raise ValueError(f"embedding must be one of {', '.join(kinds)}, got {embedding!r}")
    torch.manual_seed(seed)
    named = embedding == "named"
    network = FusionNet(width=width, embedding=kinds[embedding], classes=len(SEASONS) * named, encoder=NEAR)
    options: dict[str, Any] = {"examples": labeled_colors(network.stride)} if named else {}
    loss: Loss = joint_loss() if named else l2
    history = fit(network, SeasonWorld(scene), loss, steps, batch, 4e-3, seed=seed, progress=False, **options)
    return network, history


def ask(network: FusionNet, scenes: SeasonScenes, way: str = "own") -> Tensor:
    """Ask a network about scenes, with the embeddings of the scenes or of others: ab (n, 2, S/2, S/2).

    Parameters
    ----------
    way : "own"; "none", zeros, which a network may read as no season or as one of them; "shuffled", that of another scene at
        random; or "swapped", that of a scene in another season.
        A network without an embedding answers always the same. ValueError for another.
    """
    if way not in WAYS:
        raise ValueError(f"way must be one of {', '.join(WAYS)}, got {way!r}")
    lightness, season = scenes.lightness[:, None], scenes.season
    if way == "swapped" and len(season.unique()) < len(SEASONS):
        raise ValueError("to swap the seasons, scenes of both are needed")
    with torch.inference_mode():
        embedding = network.embed(lightness)
        if way == "none":
            embedding = torch.zeros_like(embedding)
        elif way == "shuffled":
            order = torch.randperm(len(season), generator=torch.Generator().manual_seed(0))
            embedding = embedding[order.roll(1)[order.argsort()]]  # never its own
        elif way == "swapped":
            first = [int((season != one).nonzero()[0]) for one in season]
            embedding = embedding[first]
        parts = zip(lightness.split(50), embedding.split(50), strict=True)
        return torch.cat([network(L, embedding=part) for L, part in parts])


def measured(network: FusionNet, world: SeasonWorld, scenes: SeasonScenes, way: str = "own") -> dict:
    """What a network answers to scenes that it has not seen, beyond the reach of its local features to the sign.

    Returns
    -------
    "answers" : for each seasonal kind its mean answer in summer and in fall, a and b, with ``way`` as for :func:`ask`.
    "distance" : the same, ab units from the season's own color, mean of both.
    "excess" : the loss at these pixels minus that of the best who is told the season; exact: :meth:`SeasonWorld.excess`.
    "others" : ab units by which the answer at all other kinds is off its optimum, the palettes' means.
    "moved" : ab units from the answers with the scenes' own embeddings, mean over the seasonal kinds, and over the others.
    """
    step = slice(None, None, network.stride)
    kind, true_ab = scenes.kind[:, step, step], scenes.ab[:, :, step, step]
    far = ~world.sees_sign(network).expand_as(kind)
    ab, best = ask(network, scenes, way), world.optimum(kind, scenes.season)
    loss = 0.5 * ((ab - true_ab).square() - (best - true_ab).square()).sum(dim=1)
    found: dict = {"answers": {}, "distance": {}, "excess": {}}
    seasonal = torch.zeros_like(far)
    for name in SEASONAL:
        this = kind == world.kinds.index(name)
        seasonal |= this
        if not (this & far).any():
            continue
        means = [
            ab.movedim(1, -1)[this & far & (scenes.season == k).view(-1, 1, 1)].double().mean(dim=0)
            for k in range(len(SEASONS))
        ]
        apart = (torch.stack(means) - world.answers(name)[:2]).norm(dim=1)
        found["answers"][name] = {
            season: [round(x, 1) for x in mean.tolist()] for season, mean in zip(SEASONS, means, strict=True)
        }
        found["distance"][name] = round(apart.mean().item(), 2)
        found["excess"][name] = round(loss[this & far].mean().item(), 1)
    others, seasonal = far & ~seasonal, far & seasonal
    moved = (ab - ask(network, scenes)).norm(dim=1)
    groups = {"seasonal": seasonal, "others": others}
    found["others"] = round((ab - best).norm(dim=1)[others].mean().item(), 2)
    found["moved"] = {name: round(moved[here].mean().item(), 2) for name, here in groups.items()}
    return found
