"""Train a network from its recipe, with a log, a curve and sample pictures on the way.

    colorize train --recipe NAME --data FOLDER [--out runs]

NAME is one of data/recipes/ or a file of your own. It can be stopped, or killed, and goes on where it was when it is called
again. Several GPUs:

    torchrun --nproc-per-node 8 -m colorize train --recipe NAME --data FOLDER

Several machines: add torchrun's --nnodes and --rdzv-endpoint; all must see the same FOLDER and the same --out.
"""

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn

from . import parallel, weights
from .adversarial import fit_pair
from .colorizer import Colorizer
from .console import Parser
from .datasets import Mix, Thumbnails
from .decode import paint
from .evaluation import numbers, predict, scores
from .files import write_whole
from .folders import PhotoFolder
from .images import to_uint8
from .lab import rgb_to_lab
from .measure import card, held_out, held_out_files, rows_of
from .recipes import (
    OPTIMIZERS,
    Recipe,
    RecipeError,
    arguments,
    load,
    make_data,
    make_examples,
    make_loss,
    make_network,
    make_rate,
    make_rival,
)
from .training import History, fit

SAMPLES = 8  # photos in the picture that shows how far it has come
REPORTS = 20  # in a phase


def run(
    name: str, recipe: Recipe, photos: Path, out: Path, device: torch.device | str = "cpu"
) -> tuple[nn.Module, float, Mix | PhotoFolder] | None:
    """Train a network phase by phase; each has a checkpoint of its own in ``out``, from which the same call goes on.

    Beside NAME-1.pt, the checkpoint of the first phase, stand NAME-1.csv (the loss of each step, and what was measured on
    validation photos), NAME-1.png (its curve) and NAME-1.jpg (validation photos: gray, colored, true).

    Returns
    -------
    The network, the seconds of training in all sessions together, and the data of the last phase; None if Ctrl-C ended it.
    """
    network = parallel.synchronized(make_network(recipe).to(device))
    rival = make_rival(recipe)
    rival = None if rival is None else rival.to(device)
    seconds = 0.0
    loss: Any = None
    for number, phase in enumerate(recipe.phases, start=1):
        data = make_data(recipe, phase, photos)
        loss = loss or make_loss(recipe, data)
        files = out / f"{name}-{number}"
        if parallel.rank() == 0:
            size = [len(part) for part in data.parts] if isinstance(data, Mix) else [len(data)]
            print(f"{name}, phase {number} of {len(recipe.phases)}: {size} pictures", flush=True)
        shared: dict[str, Any] = {
            "betas": recipe.betas,
            "rate": make_rate(recipe, phase),
            "checkpoint": files.with_suffix(".pt"),
            "checkpoint_every": max(200, phase.steps // 200),
            "log": files.with_suffix(".csv"),
            "report": _reporter(network, recipe, photos, files) if parallel.rank() == 0 else _nothing,
            "report_every": max(1, phase.steps // REPORTS),
        }
        plan, seed = (phase.steps, phase.batch_size, phase.learning_rate), recipe.seed * 100 + number
        if rival is not None:
            shared |= {key: getattr(recipe, key) for key in ("l1_weight", "balance", "smoothing")}
            history: History = fit_pair(network, rival, data, *plan, seed, **shared)
        else:
            history = fit(
                network,
                data,
                loss,
                *plan,
                recipe.weight_decay,
                seed,
                optimizer=OPTIMIZERS[recipe.optimizer],
                examples=make_examples(recipe),
                precision=recipe.precision,
                accumulate=recipe.accumulate,
                compiled=recipe.compiled,
                **shared,
            )
        seconds += history.seconds
        if not history.finished:
            return None
    return network, seconds, data


def _nothing(_history: History) -> None:
    """What the other processes report."""


def _reporter(
    network: nn.Module, recipe: Recipe, photos: Path, files: Path
) -> Callable[[History], dict[str, float]]:
    """Make the function that looks at validation photos during a training, and draws what it sees."""
    seen = held_out(recipe, photos, recipe.view, most=64)

    def report(history: History) -> dict[str, float]:
        ((_, ab),) = predict(Colorizer(network, recipe.view), seen, (1.0,)).items()
        network.eval()
        _draw(history, files.with_suffix(".png"))
        few = slice(0, SAMPLES)
        lightness = rgb_to_lab(seen[few])[:, :1]
        rows = [paint(lightness, torch.zeros_like(ab[few])), paint(lightness, ab[few]), seen[few]]
        picture = torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)  # (3, 3 S, SAMPLES x S)
        with write_whole(files.with_suffix(".jpg")) as file:
            Image.fromarray(to_uint8(picture)).save(file, "JPEG", quality=90, subsampling=0)
        found = numbers(scores(ab, seen))
        return {key: found[key] for key in ("raw_auc", "rebalanced_auc", "chroma")}

    return report


def _draw(history: History, path: Path) -> None:
    """Draw the curve of the loss, and what was measured so far, into a file that any viewer of pictures shows."""
    from matplotlib.figure import Figure  # not pyplot: no window, and no import where nothing is drawn

    fig = Figure((8, 3), layout="constrained")
    left, right = fig.subplots(1, 2)
    left.plot(range(1, len(history.losses) + 1), history.smooth(), linewidth=1)
    left.set(xlabel="step (mean of the last 50)", ylabel="loss")
    for key, style in (("raw_auc", "o-"), ("rebalanced_auc", "s--")):
        right.plot([r["step"] for r in history.reports], [r[key] for r in history.reports], style, label=key)
    right.set(xlabel="step", ylabel="AuC on validation photos, %")
    if history.reports:
        right.legend(frameon=False)
    with write_whole(path) as file:
        fig.savefig(file, format="png", dpi=100)


def export(
    name: str,
    recipe: Recipe,
    network: nn.Module,
    seconds: float,
    data: Mix | PhotoFolder,
    photos: Path,
    folder: Path,
) -> Path:
    """Measure a trained network on the validation split, and write its weights and its card to a folder."""
    parts = data.parts if isinstance(data, Mix) else [data]
    kinds = [("thumbnails" if isinstance(part, Thumbnails) else "photos", len(part)) for part in parts]
    network = network.cpu()
    # Measured as it will be stored: rounded.
    network.load_state_dict(weights.restored(weights.stored(network, recipe.bits)), strict=False)
    about = {
        "parameters": sum(p.numel() for p in network.parameters()),
        "pictures": " and ".join(f"{count:,} {kind}" for kind, count in kinds),
        "minutes": seconds / 60,
        "machine": parallel.machine() + (f", {parallel.world()} processes" if parallel.world() > 1 else ""),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    colorizer = Colorizer(network, recipe.view, name)
    rows, count = rows_of(colorizer, name, recipe, photos)
    results = {row: found["numbers"] for row, found in rows.items()}
    weights.save(path, network, arguments(recipe), recipe.view, asdict(recipe) | about, results, recipe.bits)
    with write_whole(path.with_suffix(".md")) as file:
        file.write(card(name, asdict(recipe) | about, rows, count).encode())
    return path


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = Parser(prog="colorize train", description=__doc__)
    parser.add_argument(
        "-r",
        "--recipe",
        required=True,
        metavar="NAME",
        help="a name of data/recipes/, or a file NAME.toml of your own",
    )
    parser.add_argument("--data", required=True, type=Path, metavar="FOLDER", help="photos, with subfolders")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("runs"),
        metavar="FOLDER",
        help="for checkpoints, logs, curves and sample pictures (runs)",
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FOLDER", help="for the trained weights and their card (as --out)"
    )
    parser.add_argument("-d", "--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (auto)")
    options = parser.parse_args(arguments)
    name = Path(options.recipe).stem
    try:
        recipe = load(options.recipe)
        held_out_files(recipe, options.data)  # none: said now, and not after days
        options.out.mkdir(parents=True, exist_ok=True)
        with parallel.processes(options.device) as device:
            trained = run(name, recipe, options.data, options.out, device)
            if trained is None:
                if parallel.rank() == 0:
                    print("run the same command again to go on")
                return 1
            if parallel.rank() == 0:
                folder = options.weights or options.out
                print(f"written: {export(name, recipe, *trained, options.data, folder)}")
    except (RecipeError, ValueError) as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
