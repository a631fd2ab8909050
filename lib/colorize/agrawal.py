"""The comparison of Agrawal & Sawhney in miniature: losses, bins, dropout, update rules, with their two measures.

    python -m colorize.agrawal --photos FOLDER [--rows NAME ...] [--steps 300] [--device auto]

FOLDER holds thumbnails, such as those of CIFAR-10 (data/README.md): their baseline was trained on them, their other networks
on 64 pixels of ImageNet. Writes data/results/agrawal.json, row by row: what is there under the same plan is not done again.
Their Frobenius norms (11 to 19) are in units that the report does not name; here they are in ab units, over 32 x 32 pixels.
"""

import copy
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from .console import Parser
from .datasets import Thumbnails, photo_files
from .files import read_results, write_results
from .lab import rgb_to_lab
from .losses import l2, smooth_l1
from .marginal import Marginal, adapted_axis, equal_axis, jumps, lattice, with_means
from .metrics import bin_accuracy, frobenius, mean_chroma
from .networks import PlainNet
from .parallel import find_device, machine
from .training import History, Loss, fit, staircase

SIZE, WIDTH, PHOTOS, SEEN = 32, 16, 10_000, 1000  # pixels; channels; pictures to train on, and to judge by
STEPS, BATCH, RATE = 300, 32, 1e-3  # theirs: 8,000 steps of 250
DROP = 0.75  # of the steps, after which the rate is a tenth; theirs at about epoch 150 of 200
SEARCHES, SEARCH_PHOTOS, SEARCH_STEPS = 20, 100, 40
BINS = (10, 30, 50)
REGRESSION: dict[str, Loss] = {"l2": l2, "smooth_l1": smooth_l1}


class Nesterov(torch.optim.SGD):
    """SGD with Nesterov's momentum, as :func:`colorize.training.fit` makes optimizers: the first beta is the momentum."""

    def __init__(self, parameters: Any, lr: float, betas: tuple[float, float], weight_decay: float) -> None:
        super().__init__(parameters, lr, momentum=betas[0], weight_decay=weight_decay, nesterov=True)


OPTIMIZERS = {"adam": torch.optim.Adam, "nadam": torch.optim.NAdam, "nesterov": Nesterov}


@dataclass(frozen=True)
class Row:
    """One network of the comparison."""

    loss: str = "cross_entropy"  # or l2, smooth_l1
    bins: int = 10  # of each axis
    adapted: bool = False  # as many pixels in each bin, not one width
    layers: int = 9
    kernel: int = 5
    dropout: float = 0.0
    dense: bool = False  # a fully connected layer at the end
    centered: bool = False
    optimizer: str = "adam"
    rate: float = RATE
    photos: int = PHOTOS


ROWS = {
    "baseline": Row("l2", layers=3, dense=True, photos=2000),
    "l2": Row("l2"),
    "l2_dense": Row("l2", dense=True),
    "l2_dropout": Row("l2", dropout=0.4),
    "smooth_l1": Row("smooth_l1"),
    "ce10": Row(),
    "ce30": Row(bins=30),
    "ce50": Row(bins=50),
    "ce10_adapted": Row(adapted=True),
    "ce30_adapted": Row(bins=30, adapted=True),
    # Whose mean they subtracted is not said. That of the whole set changes nothing but the border of a picture: batch norm undoes it.
    "ce10_centered": Row(centered=True),
    "ce10_nesterov": Row(optimizer="nesterov", rate=0.01),
    # "Nesterov momentum" cites a paper on Nesterov's momentum in Adam.
    "ce10_nadam": Row(optimizer="nadam"),
    "ce10_kernel3": Row(kernel=3),
    "ce10_kernel7": Row(kernel=7),
}


def pair_of(row: Row, data: Thumbnails) -> Marginal | None:
    """Bins of a row, counted in the colors of its pictures; None for regression."""
    if row.loss in REGRESSION:
        return None
    ab = torch.cat([rgb_to_lab(part)[:, 1:] for part in data.photos[:2000].split(500)])
    axes = []
    for values in ab.unbind(dim=1):
        axes.append(
            adapted_axis(values, row.bins) if row.adapted else with_means(equal_axis(row.bins), values)
        )
    return Marginal(*axes)


def train(
    row: Row,
    data: Thumbnails,
    steps: int,
    seed: int = 0,
    device: str = "cpu",
    batch_size: int | None = None,
    **options: Any,
) -> tuple[PlainNet, Marginal | None, History]:
    """Train the network of a row, with batches of BATCH if nothing else is said; ``options`` are for :func:`colorize.training.fit`."""
    pair = pair_of(row, data)
    torch.manual_seed(seed)
    network = PlainNet(
        2 if pair is None else pair.outputs,
        WIDTH,
        row.layers,
        row.kernel,
        row.dropout,
        data.size if row.dense else 0,
        row.centered,
    ).to(device)
    loss: Loss = REGRESSION[row.loss] if pair is None else pair.loss
    history = fit(
        network,
        data,
        loss,
        steps,
        batch_size or BATCH,
        row.rate,
        0.0,
        seed,
        optimizer=OPTIMIZERS[row.optimizer],
        rate=staircase({round(DROP * steps): 0.1}),
        **options,
    )
    return network, pair, history


def answers(network: PlainNet, lightness: Tensor) -> Tensor:
    """Answers of a network, (N, outputs, H, W) on the CPU, to L (N, 1, H, W)."""
    device = next(network.parameters()).device
    with torch.inference_mode():
        return torch.cat([network(part.to(device)).cpu() for part in lightness.split(100)])


def judged(ab: Tensor, lab: Tensor) -> dict[str, float]:
    """Their measures of predicted ab, (N, 2, H, W), against pictures in Lab, and what shows dullness and blotches.

    frobenius : mean over pictures. accuracy_K : share of pixels in the right bins of both axes; apart_K : of each axis by itself.
    chroma : mean. jumps, lattice : see :mod:`colorize.marginal`.
    """
    true_ab = lab[:, 1:]
    found = {"frobenius": frobenius(ab, true_ab).mean().item(), "chroma": mean_chroma(ab).mean().item()}
    for bins in BINS:
        found[f"accuracy_{bins}"] = bin_accuracy(ab, true_ab, bins)
        found[f"apart_{bins}"] = bin_accuracy(ab, true_ab, bins, joint=False)
    found |= {"jumps": jumps(ab, lab[:, :1]), "lattice": lattice(ab)}
    return {name: round(value, 4) for name, value in found.items()}


def measure(
    row: Row, data: Thumbnails, lab: Tensor, steps: int, device: str = "cpu", progress: bool = True
) -> dict:
    """Train a row and judge it on pictures it has not seen, (N, 3, S, S) in Lab.

    Classification is judged three times: by the likeliest bins, as the report has it ("mode"), by the expectation ("mean"), and
    "bins", the true colors put into its bins, which says what the bins alone cost.
    """
    network, pair, history = train(row, data, steps, device=device, progress=progress)
    answer = answers(network, lab[:, :1])
    readouts: dict[str, Callable[[Tensor], Tensor]] = {"ab": lambda x: x}
    if pair is not None:
        readouts = {"mode": pair.mode, "mean": pair.mean}
    found = {name: judged(readout(answer), lab) for name, readout in readouts.items()}
    if pair is not None:
        found["bins"] = judged(pair.quantized(lab[:, 1:]), lab)
    curve = history.smooth(20)
    return {
        "seconds": round(history.seconds, 1),
        "parameters": sum(p.numel() for p in network.parameters()),
        "loss": [round(curve[at], 4) for at in range(0, len(curve), max(1, len(curve) // 20))],
        "numbers": found,
    }


def search(
    data: Thumbnails, steps: int, device: str = "cpu", count: int | None = None, progress: bool = True
) -> dict:
    """Random search as in section 4.2.8: short runs on 100 pictures, judged by the training loss they end with.

    Drawn: the learning rate, between 1e-5 and 1e-1 on a logarithmic scale, batch size and kernel. The best come first.
    """
    random = torch.Generator().manual_seed(0)
    few, runs = first(data, SEARCH_PHOTOS), []
    for _ in tqdm(range(count or SEARCHES), disable=None if progress else True):
        rate, size, kernel = torch.rand(3, generator=random).tolist()
        row = Row(rate=10 ** (4 * rate - 5), kernel=(3, 5, 7)[int(3 * kernel)])
        plan: dict[str, Any] = {
            "rate": float(f"{row.rate:.3g}"),
            "batch_size": (8, 16, 32)[int(3 * size)],
            "kernel": row.kernel,
        }
        try:
            _, _, history = train(
                row, few, steps, device=device, batch_size=plan["batch_size"], progress=False
            )
            runs.append(plan | {"loss": round(history.smooth(10)[-1], 4)})
        except ValueError:  # it was not finite
            runs.append(plan | {"loss": None})
    return {"steps": steps, "runs": sorted(runs, key=lambda run: (run["loss"] is None, run["loss"]))}


def first(data: Thumbnails, count: int) -> Thumbnails:
    """Make a data set of the first pictures of another."""
    few = copy.copy(data)
    few.photos = data.photos[:count]
    return few


def read_thumbnails(photos: Path, split: str, most: int) -> Thumbnails:
    """Read up to ``most`` thumbnails of a split, evenly spread over the files."""
    files = photo_files(photos, split)
    return Thumbnails(files[:: -(-len(files) // most)], SIZE)


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = Parser(prog="python -m colorize.agrawal", description=__doc__.split("\n")[0])
    parser.add_argument("--photos", required=True, type=Path, help="folder of thumbnails, with subfolders")
    parser.add_argument(
        "--rows", nargs="+", metavar="NAME", help=f"{', '.join(ROWS)}, search; all when left out"
    )
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of {BATCH} pictures ({STEPS})")
    parser.add_argument("-d", "--device", default="cpu", help="auto, cpu, cuda, mps (cpu)")
    options = parser.parse_args(arguments)
    asked = options.rows or [*ROWS, "search"]
    if unknown := [name for name in asked if name not in (*ROWS, "search")]:
        parser.error(f"a row must be one of {', '.join(ROWS)}, search, got {unknown[0]!r}")
    if options.steps < 1:
        parser.error(f"--steps must be 1 or more, got {options.steps}")
    results = read_results("agrawal") or {"rows": {}}
    try:
        device = str(find_device(options.device))
        data = read_thumbnails(options.photos, "train", PHOTOS)
        lab = rgb_to_lab(read_thumbnails(options.photos, "validation", SEEN).photos)
        for name in asked:
            row = ROWS.get(name, Row(photos=SEARCH_PHOTOS))
            few = first(data, row.photos)
            steps = options.steps if name in ROWS else min(SEARCH_STEPS, options.steps)
            plan = asdict(replace(row, photos=len(few))) | {"steps": steps, "batch": BATCH, "width": WIDTH}
            if results["rows"].get(name, {}).get("plan") == plan:
                print(f"{name}: done before", flush=True)
                continue
            found = measure(row, few, lab, steps, device) if name in ROWS else search(few, steps, device)
            results["rows"][name] = {"plan": plan, "machine": machine(), "device": device, **found}
            results |= {"command": "python -m colorize.agrawal --photos FOLDER", "photos": len(lab)}
            results["truth"] = judged(lab[:, 1:], lab)
            results["gray"] = judged(torch.zeros_like(lab[:, 1:]), lab)
            path = write_results("agrawal", results)
            print(f"{name}: written to {path}", flush=True)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
