"""The short trainings of lessons 3 to 6: how large they are, and what they gave us with three seeds.

    python -m colorize.toyruns [NAME ...]

trains them with three seeds each and writes data/results/toy_NAME.json, from which the lessons draw the band around a
reader's own curve. The sizes are here, in one place; COLORIZE_SHORT=1 makes them smaller and changes nothing else.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from .files import data_folder, write_whole
from .losses import classification, l2, smooth_l1
from .networks import SmallNet
from .parallel import machine
from .prior import color_prior, rebalancing_weights
from .toyworld import ToyWorld, total_variation
from .training import History, Loss, fit

SEEDS = (0, 1, 2)
WINDOW = 50  # steps, of the running mean that is drawn


@dataclass(frozen=True)
class Size:
    """How large a training is: the only thing that the short run changes."""

    scene: int = 48  # pixels along a side of a scene
    width: int = 16  # of the SmallNet
    steps: int = 1200
    batch_size: int = 16
    learning_rate: float = 4e-3


SHORT = Size(scene=24, width=8, steps=150)


def size() -> Size:
    """Return the size of the trainings in the lessons: with COLORIZE_SHORT=1 the short one."""
    return SHORT if os.environ.get("COLORIZE_SHORT", "0") not in ("", "0") else Size()


def toy_prior(world: ToyWorld, scenes: int = 500) -> Tensor:
    """Count the colors of a toy world, as :func:`colorize.prior.color_prior` does: (313,), sums to 1."""
    return color_prior(world.scenes(scenes, seed=10**6).ab)


# Each takes the toy world, whose own colors decide the weights of "rebalanced".
LOSSES: dict[str, Callable[[ToyWorld], Loss]] = {
    "l2": lambda world: l2,
    "smooth_l1": lambda world: smooth_l1,
    "classification": lambda world: classification(),
    "rebalanced": lambda world: classification(rebalancing_weights(toy_prior(world))),
}
REGRESSION = ("l2", "smooth_l1")


def train(
    name: str, seed: int = 0, size: Size | None = None, progress: bool = False
) -> tuple[nn.Module, History]:
    """Train one network on the toy world.

    Parameters
    ----------
    name : "l2", "smooth_l1", "classification" or "rebalanced".
    seed : of the network's start and of the scenes.
    size : left out, :func:`size`.
    progress : show a bar.

    Returns
    -------
    The network, and the history of its training.
    """
    if name not in LOSSES:
        raise ValueError(f"name must be one of {', '.join(LOSSES)}, got {name!r}")
    size = size or globals()["size"]()
    world = ToyWorld(size.scene)
    torch.manual_seed(seed)
    network = SmallNet(outputs=2 if name in REGRESSION else 313, width=size.width)
    loss = LOSSES[name](world)
    history = fit(
        network, world, loss, size.steps, size.batch_size, size.learning_rate, seed=seed, progress=progress
    )
    return network, history


def answers(
    network: nn.Module, world: ToyWorld, scenes: int = 200, seed: int = 2 * 10**6
) -> dict[str, Tensor]:
    """Ask a network about scenes that it has not seen, and average what it says of each kind.

    Parameters
    ----------
    network : answers with ab, or with logits.
    scenes : how many.

    Returns
    -------
    For each kind that occurs its mean answer, float64: (2,) ab, or (313,) the mean of the distributions.
    """
    found = world.scenes(scenes, seed)
    with torch.inference_mode():
        answer = torch.cat([network(part[:, None]).float() for part in found.lightness.split(50)])
    if answer.shape[1] != 2:
        answer = answer.softmax(dim=1)
    kind = found.kind[:, :: network.stride, :: network.stride]
    means = {}
    for number, name in enumerate(world.kinds):
        here = kind == number
        if here.any():
            means[name] = answer.movedim(1, -1)[here].double().mean(dim=0)
    return means


def distances(
    name: str, network: nn.Module, world: ToyWorld, bin_weight: Tensor | None = None
) -> dict[str, float]:
    """Distance of a network's mean answer at each kind from the exact optimum of its loss.

    Regression: ab units from the mean color (for "smooth_l1": from the nearest of its minima). Classification: total
    variation from the mean of the soft codes, reweighted for "rebalanced" by ``bin_weight``, or by the world's own.
    """
    if name == "rebalanced" and bin_weight is None:
        bin_weight = rebalancing_weights(toy_prior(world))
    found = {}
    for kind, answer in answers(network, world).items():
        palette = world.palette(kind)
        if name == "l2":
            found[kind] = (answer - palette.mean()).norm().item()
        elif name == "smooth_l1":
            low, high = palette.smooth_l1()
            found[kind] = (answer - answer.clamp(low, high)).norm().item()
        else:
            weight = bin_weight if name == "rebalanced" else None
            found[kind] = total_variation(answer, palette.posterior(True, weight)).item()
    return found


def results_file(name: str) -> Path:
    """Path of the stored results of a training, data/results/toy_NAME.json."""
    return data_folder() / "results" / f"toy_{name}.json"


def band(name: str) -> tuple[Tensor, Tensor, Tensor] | None:
    """Return the band of our three seeds: steps (k,), lowest and highest smoothed loss (k,). None at the short size."""
    if size() != Size() or not results_file(name).exists():
        return None
    stored = json.loads(results_file(name).read_text(encoding="utf-8"))
    curves = torch.tensor(stored["curves"])  # (seeds, k)
    return torch.tensor(stored["steps"]), curves.amin(dim=0), curves.amax(dim=0)


def measure(name: str) -> dict:
    """Train with each seed and gather what is stored: curves, distances from the optimum, seconds, machine."""
    world, histories, found = ToyWorld(size().scene), [], []
    for seed in SEEDS:
        network, history = train(name, seed, progress=True)
        histories.append(history)
        found.append({kind: round(value, 4) for kind, value in distances(name, network, world).items()})
    every = range(WINDOW - 1, size().steps, 10)
    return {
        "name": name,
        "size": asdict(size()),
        "command": f"python -m colorize.toyruns {name}",
        "machine": machine(),
        "seconds": [round(history.seconds, 1) for history in histories],
        "seeds": list(SEEDS),
        "distances": found,
        "steps": [step + 1 for step in every],
        "curves": [[round(history.smooth(WINDOW)[step], 4) for step in every] for history in histories],
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m colorize.toyruns", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(LOSSES)}; all when left out")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in LOSSES:
            parser.error(f"NAME must be one of {', '.join(LOSSES)}, got {name!r}")
    for name in options.names or LOSSES:
        found = measure(name)
        results_file(name).parent.mkdir(parents=True, exist_ok=True)
        with write_whole(results_file(name)) as file:
            file.write((json.dumps(found) + "\n").encode())
        worst = max((max(d[k] for d in found["distances"]), k) for k in found["distances"][0])
        print(f"{name}: {found['seconds']} s; worst distance from the optimum {worst[0]:.3f} ({worst[1]})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
