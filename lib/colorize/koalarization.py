"""What a glance at the whole adds, with its numbers in data/results/fusion.json: Deep Koalarization and Iizuka et al. 2016.

    python -m colorize.koalarization [PART ...] --photos FOLDER

PART is toy (a world in which the answer is known, a minute for each network), labels (global features that also name the picture,
on thumbnails) or photos (the shipped network "fusion" with its own, another picture's, and no embedding); all when none is named.
The first needs no photos. FOLDER is the one that the network was trained with (data/README.md).
"""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from . import probes, seasons
from .colorizer import Colorizer
from .console import Parser
from .datasets import Labeled, is_gray
from .evaluation import Scores, intervals, numbers, predict, scores
from .files import read_results, write_results
from .images import resize
from .lab import rgb_to_lab
from .losses import l2
from .measure import held_out
from .networks import FusionNet
from .networks.embedding import Embeddings
from .networks.fusion import ALPHA, joint_loss, labeled_colors
from .parallel import machine
from .recipes import load
from .training import Loss, fit

SEEDS, SCENE, STEPS, SCENES = (0, 1, 2), 48, 800, 200  # of the toy world
THUMBNAILS, WIDTH, BATCH = "cifar10_train", 0.25, 64
LABELED_STEPS, KNOWN, JUDGED = 800, 2000, 1000  # pictures: of the linear probe, and those that are judged
PIXELS = 128  # side of the validation photos
KEYS = ("raw_auc", "rebalanced_auc", "rmse", "psnr", "chroma")


def toy() -> dict:
    """The world with seasons: the exact cost of knowing less, and networks that know more or less, trained with three seeds."""
    world = seasons.SeasonWorld(SCENE)
    scenes = world.scenes(SCENES, seed=6_000_000)
    exact = {
        kind: {
            "answers": dict(
                zip((*seasons.SEASONS, "season unknown"), world.answers(kind).tolist(), strict=True)
            ),
            "excess": {way: world.excess(kind, way) for way in seasons.WAYS},
        }
        for kind in seasons.SEASONAL
    }
    rows: dict[str, list[dict]] = {}
    for embedding in ("none", "perfect", "own", "named"):
        for seed in SEEDS:
            network, history = seasons.train(embedding, seed, SCENE, steps=STEPS)
            ways = ("own",) if embedding == "none" else seasons.WAYS
            row: dict[str, Any] = {way: seasons.measured(network, world, scenes, way) for way in ways}
            row |= {"seed": seed, "seconds": round(history.seconds, 1)}
            if embedding == "named":
                right = network.classify(scenes.lightness[:, None]).argmax(dim=1) == scenes.season
                row["seasons named, %"] = round(100 * right.float().mean().item(), 1)
            rows.setdefault(embedding, []).append(row)
    far = 1 - world.sees_sign(network).float().mean().item()
    about = {
        "scene": SCENE,
        "scenes": SCENES,
        "steps": STEPS,
        "out of reach of the sign, %": round(100 * far, 1),
    }
    return about | {"exact": exact, "rows": rows}


def given(embedding: Tensor, seed: int = 0) -> dict[str, Tensor]:
    """Embeddings that pictures may be given: (N, size) -> "own", "shuffled", "mean" and "zero", each of this shape.

    Shuffled: that of another picture, for every picture, at random. The mean of all is what can be said of a picture that
    nobody has looked at; zeros are no answer that an embedding ever gives.
    """
    order = torch.randperm(len(embedding), generator=torch.Generator().manual_seed(seed))
    return {
        "own": embedding,
        "shuffled": embedding[order.roll(1)[order.argsort()]],
        "mean": embedding.mean(dim=0, keepdim=True).expand_as(embedding),
        "zero": torch.zeros_like(embedding),
    }


def told(network: FusionNet, photos: Tensor, size: int, batch: int = 16) -> dict[str, Tensor]:
    """Color photos, (N, 3, S, S) in [0, 1], with the embeddings of :func:`given`: ab (N, 2, S, S) for each.

    Every embedding is computed once. ``size``: pixels at which the network looks at the photos.
    """
    lightness = torch.cat([rgb_to_lab(part)[:, :1] for part in photos.split(batch)])
    if size != photos.shape[-1]:
        lightness = resize(lightness / 100, size) * 100
    known, found = Embeddings(network.embed, batch=batch), {}
    for way, embedding in given(known(lightness)).items():
        with torch.inference_mode():
            parts = zip(lightness.split(batch), embedding.split(batch), strict=True)
            ab = torch.cat([network(L, embedding=part) for L, part in parts])
        found[way] = F.interpolate(ab, photos.shape[2:], mode="bilinear", align_corners=False)
    return found


def rows_of(answers: Mapping[str, Tensor], photos: Tensor, base: str) -> dict[str, dict]:
    """Numbers of each answer, with intervals that hold 95 % of resampled sets, and over one of them, photo by photo."""
    measured = {name: _chosen(scores(ab, photos)) for name, ab in answers.items()}
    rows: dict[str, dict[str, Any]] = {}
    for name, found in measured.items():
        rows[name] = {"numbers": numbers(found), "intervals": intervals(found)}
        if name != base:
            moved = intervals(found, measured[base])
            rows[name][f"over {base}"] = {
                key: [round(rows[name]["numbers"][key] - numbers(measured[base])[key], 2), *moved[key]]
                for key in KEYS
            }
            off = (answers[name] - answers[base]).norm(dim=1).mean().item()
            rows[name][f"ab units from {base}"] = round(off, 2)
    return rows


def _chosen(found: Scores) -> Scores:
    return {key: found[key] for key in KEYS}


def labels(folder: Path) -> dict:
    """Iizuka et al.: does it help that the global features also have to name the picture? On thumbnails of 32 pixels.

    Networks that differ in their embedding alone; what each embedding knows of the classes, by a linear probe.
    """
    train, test = (Labeled(folder / THUMBNAILS, split) for split in ("train", "validation"))
    drawn = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:KNOWN]
    colored = (~is_gray(test.photos)).nonzero()[:, 0]
    order = torch.randperm(len(colored), generator=torch.Generator().manual_seed(0))[:JUDGED]
    judged, right = test.photos[colored[order]].float() / 255, test.labels[colored[order]]
    shown = [rgb_to_lab(pictures)[:, :1] for pictures in (train.photos[drawn], judged)]
    answers: dict[str, Tensor] = {}
    about: dict[str, dict[str, float]] = {}
    for name, embedding, alpha in (
        ("none", "none", None),
        ("own", "own", None),
        ("named", "own", ALPHA),
        ("classifier", "classifier", None),
    ):
        torch.manual_seed(0)
        classes = len(train.classes) if alpha else 0
        network = FusionNet(width=WIDTH, embedding=embedding, classes=classes).start()
        options: dict[str, Any] = {"examples": labeled_colors(network.stride)} if classes else {}
        loss: Loss = joint_loss(alpha) if alpha else l2
        history = fit(
            network, train, loss, LABELED_STEPS, BATCH, 3e-3, precision="bfloat16", progress=False, **options
        )
        about[name] = {"seconds": round(history.seconds)}
        ways = told(network, judged, judged.shape[-1])
        answers |= {name: ways["own"]}
        if network.size:
            answers |= {f"{name}, {way}": ab for way, ab in ways.items() if way != "own"}
            known, seen = (Embeddings(network.embed)(L) for L in shown)
            probed = probes.probe(known, train.labels[drawn], seen) == right
            about[name]["probe, % right"] = round(100 * probed.float().mean().item(), 1)
        if classes:
            with torch.inference_mode():
                named = torch.cat([network.classify(part) for part in shown[1].split(256)]).argmax(dim=1)
            about[name]["named, % right"] = round(100 * (named == right).float().mean().item(), 1)
    answers["gray"] = torch.zeros_like(answers["none"])
    size = {"width": WIDTH, "steps": LABELED_STEPS, "batch_size": BATCH, "alpha": ALPHA, "probe": KNOWN}
    return {**size, "photos": len(judged), "networks": about, "rows": rows_of(answers, judged, "none")}


def photos(folder: Path) -> dict:
    """The shipped network on validation photos, told what each shows, what another shows, and nothing; beside its twin l2."""
    seen = held_out(load("fusion"), folder, PIXELS)
    colorizer = Colorizer.load("fusion")
    network: Any = colorizer.network  # a FusionNet
    answers = {"gray": torch.zeros(len(seen), 2, *seen.shape[2:])}
    (answers["l2"],) = predict(Colorizer.load("l2"), seen, (1.0,)).values()
    answers |= told(network, seen, colorizer.size)
    return {"photos": len(seen), "pixels": PIXELS, "rows": rows_of(answers, seen, "own")}


PARTS: dict[str, Callable[..., dict]] = {"toy": toy, "labels": labels, "photos": photos}


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = Parser(prog="python -m colorize.koalarization", description=__doc__.split("\n")[0])
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all when none is named"
    )
    parser.add_argument("--photos", type=Path, help="folder of photos, as data/README.md describes it")
    options = parser.parse_args(arguments)
    asked = options.parts or list(PARTS)
    if unknown := [part for part in asked if part not in PARTS]:
        parser.error(f"PART must be one of {', '.join(PARTS)}, got {unknown[0]!r}")
    if options.photos is None and (needy := [part for part in asked if part != "toy"]):
        parser.error(f"the part {needy[0]} needs photos: --photos FOLDER")
    results = read_results("fusion")
    for part in asked:
        clock = time.perf_counter()
        try:
            found = toy() if part == "toy" else PARTS[part](options.photos)
        except (ValueError, OSError) as error:
            parser.error(str(error))
        about = {"command": f"python -m colorize.koalarization {part}" + " --photos FOLDER" * (part != "toy")}
        about |= {"machine": machine(), "seconds": round(time.perf_counter() - clock)}
        results[part] = about | found
        path = write_results("fusion", results)
        print(f"{part}: {about['seconds']} s, written: {path}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
