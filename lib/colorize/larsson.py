"""The tables of Larsson et al. 2016 in miniature, each with its numbers in data/results/hypercolumns.json.

    python -m colorize.larsson [PART ...] --photos FOLDER

PART is spaces (their Table 1), layers (Table 2), sparse (section 3.5), readouts (Table 5) or histograms (Table 4); all when none
is named. The first three train on the toy world and need no photos; the others ask the shipped network "hypercolumns" about
validation photos. FOLDER is the one that it was trained with (data/README.md). Table 3 compares with other systems; what the
shipped networks reach on the same photos stands in data/results/networks.json.
"""

import functools
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from .colorizer import Colorizer
from .console import Parser
from .decode import paint
from .files import read_results, write_results
from .lab import rgb_to_lab
from .measure import held_out
from .networks import HypercolumnNet
from .networks.heads import HEADS
from .networks.hypercolumn import grid_points, hypercolumns, sampled_loss
from .parallel import machine
from .quantiles import histogram
from .recipes import load
from .streaming import Measures
from .toyworld import Scenes, ToyWorld
from .training import fit
from .transfer import fit_bias, quantile_transfer

SCENE, WIDTH, HIDDEN, STEPS, BATCH, RATE, POINTS = 48, 8, 64, 300, 16, 4e-3, 64
SCENES = 200  # that no network has seen
PIXELS = 128  # side of the validation photos, and of what the network looks at
LAM = 10.0  # of equation 6; the paper does not name its own
SLICES = {  # of the hypercolumn: the paper's name, and what it is here
    "data..fc7": {},
    "data..conv5": {"last": "conv5_2"},
    "conv4..fc7": {"first": "conv4_1"},
    "conv5..fc7": {"first": "conv5_1"},
    "fc6..fc7": {"first": "conv6"},
    "fc7": {"first": "conv7"},
}
WAYS = {  # of Table 5: hue, chroma, fading; RMSE and PSNR that the paper has
    "sample, sample": (("sample", "sample", None), (0.426, 21.41)),
    "mode, mode": (("mode", "mode", None), (0.304, 23.90)),
    "expectation, expectation": (("expectation", "expectation", None), (0.374, 23.13)),
    "expectation, expectation, fading": (("expectation", "expectation", "code"), (0.307, 24.35)),
    "expectation, median": (("expectation", "median", None), (0.342, 23.77)),
    "expectation, median, fading": (("expectation", "median", "code"), (0.299, 24.45)),
    "expectation, median, fading as printed": (("expectation", "median", "printed"), None),
    "expectation, median, fading without 1/K": (("expectation", "median", "unscaled"), None),
}


@functools.cache  # three tables share a network
def train(
    answer: str = "hue_chroma", side: int = 1, seed: int = 0, **options: Any
) -> tuple[HypercolumnNet, dict]:
    """Train a small network on the toy world; ``options`` go to :class:`HypercolumnNet`. With it: the last loss."""
    torch.manual_seed(seed)
    network = HypercolumnNet(answer, **{"width": WIDTH, "hidden": HIDDEN, "points": POINTS} | options)
    loss = sampled_loss(answer, side)
    history = fit(
        network, ToyWorld(SCENE), loss, STEPS, BATCH, RATE, seed=seed, examples=_whole, progress=False
    )
    return network, {"loss": round(history.smooth()[-1], 3)}


def _whole(batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    lab = rgb_to_lab(batch[0])
    return lab[:, :1], lab


def measured(ab: Tensor, rgb: Tensor) -> dict[str, float]:
    """What the tables report, of predictions at any resolution: RMSE in alpha-beta as printed, PSNR in dB, chroma, AuC."""
    measures = Measures()
    for part, true in zip(ab.split(20), rgb.split(20), strict=True):
        measures.update(F.interpolate(part, true.shape[2:], mode="bilinear", align_corners=False), true)
    found = measures.compute()
    return {key: round(found[key], 4 if "auc" in key else 3) for key in ("rmse", "psnr", "chroma", "raw_auc")}


def best(answer: str, world: ToyWorld, scenes: Scenes) -> Tensor:
    """The answer that no network can beat on toy scenes, (n, outputs, S, S): from the palettes, pixel by pixel."""
    head = HEADS[answer]()
    found = torch.zeros(*scenes.kind.shape, head.outputs)
    for number, name in enumerate(world.kinds):
        here = scenes.kind == number
        if here.any():
            palette, lightness = world.palette(name), scenes.lightness[here]  # (M,)
            colors = palette.colors.float().T[:, None].expand(2, len(lightness), -1)
            lab = torch.cat((lightness[:, None].expand(-1, colors.shape[2])[None], colors))[None]
            found[here] = head.best(lab, palette.probabilities.float())[0].T
    return found.movedim(-1, 1)


def _unseen() -> tuple[ToyWorld, Scenes, Tensor, Tensor]:
    world = ToyWorld(SCENE)
    scenes = world.scenes(SCENES, seed=5_000_000)
    return world, scenes, scenes.rgb(), scenes.lightness[:, None]


def _asked(network: HypercolumnNet, lightness: Tensor) -> Tensor:
    with torch.inference_mode():
        return torch.cat([network(part) for part in lightness.split(20)])


def spaces() -> dict:
    """Table 1: what to predict. Each answer trained, and beside it the best that is possible, both with the same readout."""
    world, scenes, rgb, lightness = _unseen()
    rows = {"no colorization": {"best": measured(torch.zeros_like(scenes.ab), rgb)}}
    for answer in tqdm(HEADS, unit="answer"):
        network, trained = train(**({} if answer == "hue_chroma" else {"answer": answer}))
        logits, ideal = _asked(network, lightness), best(answer, world, scenes)
        ways: dict[str, dict[str, Any]] = {answer: {}}
        if answer == "hue_chroma":
            ways = {"hue_chroma": {"fading": None}, "hue_chroma, fading": {}}
        for name, way in ways.items():
            rows[name] = {
                "trained": measured(network.head.readout(logits, lightness, **way), rgb) | trained,
                "best": measured(network.head.readout(ideal, lightness, **way), rgb),
            }
    network, trained = train(side=7)
    rows["hue_chroma, fading, 7 x 7"] = {
        "trained": measured(network.readout(_asked(network, lightness), lightness), rgb) | trained
    }
    return {**_size(), "rows": rows}


def layers() -> dict:
    """Table 2: which layers a hypercolumn needs."""
    _, _, rgb, lightness = _unseen()
    rows = {}
    for name, options in tqdm(SLICES.items(), unit="network"):
        network, trained = train(**options)
        channels = network.enter.in_channels
        found = measured(network.readout(_asked(network, lightness), lightness), rgb)
        rows[name] = (
            {"layers": f"{network.used[0]}..{network.used[-1]}", "channels": channels} | found | trained
        )
    return {**_size(), "rows": rows}


def sparse() -> dict:
    """Section 3.5: how many places of a picture are enough, and what they cost in memory."""
    _, _, rgb, lightness = _unseen()
    rows = {}
    for points in tqdm((1, 8, POINTS, SCENE * SCENE // 4), unit="network"):
        network, trained = train(**({} if points == POINTS else {"points": points}))
        rows[str(points)] = measured(network.readout(_asked(network, lightness), lightness), rgb) | trained
    kept = {}
    network = HypercolumnNet().eval()
    found = {
        name: layer.detach().requires_grad_()
        for name, layer in network.layers(torch.full((1, 1, 256, 256), 50.0)).items()
    }
    for name, places in {
        "128 places": torch.rand(1, 128, 2) * 256,
        "all places": grid_points(256, 256)[None],
    }.items():
        run = functools.partial(_there_and_back, network, found, places)
        megabytes = _saved(run, but=[*found.values(), *network.parameters()]) / 1e6
        kept[name] = round(megabytes, 2)
    columns = 12_417
    return {
        **_size(),
        "rows": rows,
        "MB of hypercolumns of one photo of 256 x 256": kept | {"channels": network.enter.in_channels},
        "the paper's, computed": {
            "128 places, value and gradient, 4 bytes each: MB": round(columns * 128 * 8 / 1e6, 1),
            "all places, 2 bytes: GB": round(columns * 256**2 * 2 / 1e9, 2),
            "all places, 4 bytes: GB": round(columns * 256**2 * 4 / 1e9, 2),
        },
    }


def _there_and_back(network: HypercolumnNet, layers: dict[str, Tensor], places: Tensor) -> None:
    network.enter(hypercolumns(layers, places)).sum().backward()


def _saved(run: Callable[[], object], but: Iterable[Tensor]) -> int:
    """Bytes that autograd keeps for the way back, each tensor once, those of some tensors left out."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        run()
    for tensor in but:
        kept.pop(tensor.untyped_storage().data_ptr(), None)
    return sum(kept.values())


def readouts(folder: Path) -> dict:
    """Table 5: from histograms of hue and chroma to a color, on photos, and with the exact histograms of the toy world."""
    colorizer, seen = Colorizer.load("hypercolumns"), held_out(load("hypercolumns"), folder, PIXELS)
    world, scenes, rgb, toy_lightness = _unseen()
    lightness, ideal = rgb_to_lab(seen)[:, :1], best("hue_chroma", world, scenes)
    network: Any = colorizer.network  # a HypercolumnNet
    logits, head = _asked(network, lightness), network.head
    rows: dict[str, dict[str, Any]] = {
        "no colorization": {
            "photos": measured(torch.zeros(len(seen), 2, 1, 1), seen),
            "paper": (0.343, 22.98),
        }
    }
    for name, ((hue, chroma, fading), paper) in tqdm(WAYS.items(), unit="way"):
        way = {"hue": hue, "chroma": chroma, "fading": fading}
        rows[name] = {
            "photos": measured(head.readout(logits, lightness, generator=_random(), **way), seen),
            "toy world, exact": measured(head.readout(ideal, toy_lightness, generator=_random(), **way), rgb),
            "paper": paper,
        }
    return {"photos": len(seen), "pixels": PIXELS, "scenes": SCENES, "rows": rows}


def _random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def histograms(folder: Path) -> dict:
    """Table 4: how much the true histogram of a photo's colors helps, by quantile matching and by the energy of equation 6."""
    colorizer = Colorizer.load("hypercolumns")
    seen = held_out(load("hypercolumns"), folder, PIXELS)[::3]
    network: Any = colorizer.network  # a HypercolumnNet
    lightness, head = rgb_to_lab(seen)[:, :1], network.head
    logits = _asked(network, lightness)
    plain, matched, biased = [], [], []
    for k in tqdm(range(len(seen)), unit="photo"):
        one = slice(k, k + 1)
        plain.append(head.readout(logits[one], lightness[one]))
        painted = quantile_transfer(paint(lightness[one], plain[-1]), seen[one])
        matched.append(rgb_to_lab(painted)[:, 1:])
        small = F.interpolate(seen[one], logits.shape[2:], mode="area")
        targets = head.targets(rgb_to_lab(small).flatten(2).unsqueeze(-1))[:2]
        halves = []
        for z, index in zip(
            logits[one].chunk(2, dim=1), targets, strict=True
        ):  # "the optimization is run twice"
            fitted = fit_bias(z, histogram(index, len(head.axis))[0], LAM)
            halves.append(z + fitted.bias.view(1, -1, 1, 1))
        biased.append(head.readout(torch.cat(halves, dim=1), lightness[one]))
    rows = {
        "gray": measured(torch.zeros(len(seen), 2, 1, 1), seen),
        "ours": measured(torch.cat(plain), seen),
        "ours, quantile matching": measured(torch.cat(matched), seen),
        "ours, energy": measured(torch.cat(biased), seen),
    }
    paper = {
        "Deshpande, clusters": 0.236,
        "Deshpande, quantiles": 0.211,
        "quantile matching": 0.178,
        "energy": 0.165,
    }
    return {
        "photos": len(seen),
        "pixels": PIXELS,
        "lambda": LAM,
        "rows": rows,
        "RMSE in the paper, SUN-6": paper,
    }


def _size() -> dict:
    return {
        "scene": SCENE,
        "scenes": SCENES,
        "width": WIDTH,
        "hidden": HIDDEN,
        "steps": STEPS,
        "batch_size": BATCH,
        "points": POINTS,
        "seed": 0,
    }


TOY = {"spaces": spaces, "layers": layers, "sparse": sparse}
PHOTOS = {"readouts": readouts, "histograms": histograms}


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = Parser(prog="python -m colorize.larsson", description=__doc__.split("\n")[0])
    parts = (*TOY, *PHOTOS)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(parts)}; all when none is named"
    )
    parser.add_argument("--photos", type=Path, help="folder of photos, as data/README.md describes it")
    options = parser.parse_args(arguments)
    asked = options.parts or parts
    if unknown := [part for part in asked if part not in parts]:
        parser.error(f"PART must be one of {', '.join(parts)}, got {unknown[0]!r}")
    if options.photos is None and (needy := [part for part in asked if part in PHOTOS]):
        parser.error(f"the part {needy[0]} needs photos: --photos FOLDER")
    results = read_results("hypercolumns")
    for part in asked:
        try:
            found = TOY[part]() if part in TOY else PHOTOS[part](options.photos)
        except (ValueError, OSError) as error:
            parser.error(str(error))
        about = {"command": f"python -m colorize.larsson {part}" + " --photos FOLDER" * (part in PHOTOS)}
        about["machine"] = machine()
        results[part] = about | found
        path = write_results("hypercolumns", results)
        print(f"{part}: written to {path}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
