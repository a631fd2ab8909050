"""The experiments of lesson 8, each one command, each with its numbers in data/results/.

    python -m colorize.experiments NAME --photos FOLDER

NAME is table, gray_imagenet, curves, classifier, features or closeness. FOLDER is the one that the networks were trained with
(data/README.md); networks are judged on pictures that they have not seen.
"""

import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from . import metrics, probes, recognition
from .bins import nearest_bin
from .colorizer import Colorizer
from .console import Parser
from .datasets import Labeled, is_gray, photo_files, read_photos
from .decode import paint
from .evaluation import compare, intervals, numbers, predict
from .files import cache_folder, write_results
from .images import read, square
from .lab import rgb_to_lab, to_gray
from .measure import held_out, table
from .networks import SmallNet, ZhangNet
from .parallel import machine
from .prior import color_prior
from .recipes import load
from .streaming import Measures
from .toyworld import ToyWorld, total_variation

THUMBNAILS = "cifar10_train"
COMPARED = ("l2", "l2_tuned", "classification", "rebalanced", "best")
PROBED = ("l2", "classification", "rebalanced", "best")


def cic_table(photos: Path) -> dict:
    """Table 1 of Zhang et al. 2016 for our networks: squares of 256 pixels of the validation photos."""
    seen = held_out(load("best"), photos, 256)
    rows = compare({name: Colorizer.load(name) for name in COMPARED}, seen, progress=True)
    found = table(rows)
    for name, row in rows.items():
        if name not in ("truth", "l2"):
            moved = intervals(row, rows["l2"])
            found[name]["over l2"] = {
                key: [round(found[name]["numbers"][key] - found["l2"]["numbers"][key], 2), *moved[key]]
                for key in ("raw_auc", "rebalanced_auc", "psnr")
            }
    return {"photos": len(seen), "pixels": 256, "rows": found}


def gray_imagenet(photos: Path) -> dict:
    """What gray scores on photos of ImageNet, by each of the definitions that have been published."""
    measures, kept = Measures(), []
    for photo in tqdm(read_photos(photo_files(photos / "imagenet800")), unit="photo"):
        seen = square(photo, 256)[None]
        if not is_gray(seen)[0]:
            measures.update(torch.zeros(1, 2, 256, 256), seen)
            kept.append((seen * 255).round().to(torch.uint8))
    counts = measures.accuracy.counts.sum(dim=1).double()
    rarity = torch.where(counts > 0, counts.sum() / counts, 0)  # 1 / share
    by_photo = []
    for seen in tqdm(kept, unit="photo"):
        ab = rgb_to_lab(seen)[:, 1:]
        weight = rarity[nearest_bin(ab)]
        by_photo.append(
            [metrics.auc(ab * 0, ab, weight), metrics.auc(ab * 0, ab, weight, step=10, rule="mean")]
        )
    per_photo, coarse = torch.tensor(by_photo).mean(dim=0).tolist()
    auc, found = measures.accuracy.auc, measures.compute()
    values = {
        "raw AuC": auc(),
        "raw AuC, mean of 151 values": auc(rule="mean"),
        "raw AuC, mean of 16 values": auc(step=10, rule="mean"),
        "rebalanced AuC": auc(rebalanced=True),
        "rebalanced AuC, photo by photo": per_photo,
        "rebalanced AuC, photo by photo, mean of 16 values": coarse,
    }
    numbers = {name: round(100 * value, 2) for name, value in values.items()}
    numbers |= {
        "PSNR (dB)": round(found["psnr"], 2),
        "PSNR, geometric mean (dB)": round(found["geometric_psnr"], 2),
        "RMSE alpha-beta, as printed": round(found["rmse"], 3),
        "RMSE alpha-beta, as printed, over root 2": round(found["rmse"] / 2**0.5, 3),
        "RMSE alpha-beta, root mean square": round(found["rms"], 3),
    }
    return {"photos": measures.photos, "pixels": 256, "numbers": numbers}


def curves(photos: Path) -> dict:
    """How the errors are distributed: over pixels and over photos, Figures 7 and 8 of Larsson et al. 2016, and the AuC's curves."""
    seen = held_out(load("best"), photos, 256)
    answers = {"gray": torch.zeros(len(seen), 2, *seen.shape[2:])}
    for name in COMPARED:
        colorizer = Colorizer.load(name)
        (answers[name],) = predict(colorizer, seen, (colorizer.temperature,)).values()
    rows = {}
    for name, ab in tqdm(answers.items(), unit="network"):
        measures = Measures(errors=True)
        measures.update(ab, seen)
        errors: Any = measures.errors
        rows[name] = {
            "accepted": measures.accuracy.curve()[::5],
            "accepted, rebalanced": measures.accuracy.curve(rebalanced=True)[::5],
            "error below": errors.cumulative()[:2049:32],
            "psnr": measures.psnrs.shares(2.0)[1],
        }
        rows[name] = {key: [round(value, 4) for value in found.tolist()] for key, found in rows[name].items()}
    axes = {
        "accepted": "within 0, 5, ..., 150 ab units",
        "error below": "alpha-beta distance below 0, 1/32, ..., 2",
        "psnr": "share of photos with 0 to 2 dB, 2 to 4 dB, ..., 60 and more",
    }
    return {"photos": len(seen), "pixels": 256, "axes": axes, "rows": rows}


def classifier(photos: Path, judge: str = "classifier", batch: int = 256) -> dict:
    """Does color help a classifier? True, gray and recolored pictures, and those in the colors of another picture.

    Zhang et al. 2016, section 3.1, and Figures 1 and 2 of the supplementary. At full scale: the judge is "vgg16", and ``photos``
    holds a folder for each class of ImageNet, named as torchvision names them, or all 1,000 in the order of their numbers.
    Pictures are read, colored and judged a batch at a time.
    """
    seer = recognition.load(judge)
    colorizers = {name: Colorizer.load(name) for name in COMPARED}
    small = judge != "vgg16"
    counts: dict[str, Tensor] = {}
    found: dict[str, list[Tensor]] = {}
    for true, labels in shown(photos / THUMBNAILS if small else photos, seer.classes, small, batch):
        lab = rgb_to_lab(true)
        pictures = {
            "true": true,
            "gray": to_gray(true),
            "random": paint(lab[:, :1], lab[:, 1:].roll(1, dims=0)),
        }
        for name, colorizer in colorizers.items():
            (ab,) = predict(colorizer, true, (colorizer.temperature,)).values()
            pictures[name] = paint(lab[:, :1], ab)
        for name, given in pictures.items():
            top = seer(given).topk(min(5, len(seer.classes))).indices
            counted = recognition.confusion(labels, top[:, 0], len(seer.classes))
            counts[name] = counts.get(name, 0) + counted
            found.setdefault(name, []).append(top == labels[:, None])
    one = torch.ones(int(counts["true"].sum()), dtype=torch.float64)
    scores = {}
    for name, parts in found.items():
        right = 100 * torch.cat(parts).double()
        scores[name] = {"accuracy": (right[:, 0], one), "top five": (right.sum(dim=1), one)}
    rows = {name: _judged(name, scores, counts, seer.classes, small) for name in scores}
    return {
        "photos": len(one),
        "judge": judge,
        "classes": seer.classes if small else len(seer.classes),
        "rows": rows,
    }


def _judged(name: str, scores: dict, counts: dict, classes: list[str], small: bool) -> dict:
    """A row: accuracy and top five with intervals, and over gray; each class; what is confused."""
    values, gray = numbers(scores[name]), numbers(scores["gray"])
    spread, moved = intervals(scores[name]), intervals(scores[name], scores["gray"])
    row: dict = {
        key: {
            "value": values[key],
            "interval": spread[key],
            "over gray": round(values[key] - gray[key], 2),
            "over gray, interval": moved[key],
        }
        for key in values
    }
    recall = recognition.shares(counts[name]).diagonal()
    row["recall"] = {classes[int(k)]: round(recall[k].item(), 1) for k in recall.isfinite().nonzero()}
    if small:
        row["confusion"] = counts[name].tolist()
    if name != "true":
        row["most added"] = recognition.most_added(counts[name], counts["true"], classes)
    return row


def shown(folder: Path, classes: list[str], small: bool, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Pictures with color and their labels, in a random order that is always the same: (n, 3, S, S) in [0, 1] and (n,).

    Thumbnails of the validation split as they are, or all photos as squares of 256 pixels.
    """
    files = photo_files(folder, "validation" if small else "all")
    names = sorted({path.parent.name for path in files})
    known = dict(zip(names, class_numbers(names, classes).tolist(), strict=True))
    # Neighbors lend each other their colors ("random"): they must not be of one class, as they are in the folder.
    order = torch.randperm(len(files), generator=torch.Generator().manual_seed(0)).tolist()
    for start in tqdm(range(0, len(files), batch), unit="batch"):
        part = [files[k] for k in order[start : start + batch]]
        true = torch.stack([read(path) if small else square(read(path), 256) for path in part])
        labels = torch.tensor([known[path.parent.name] for path in part])
        colored = ~is_gray(true)
        yield true[colored], labels[colored]


def class_numbers(folders: list[str], classes: list[str]) -> Tensor:
    """Numbers of a judge's classes for folders: by name, or one by one if there are as many. ValueError for unknown names."""
    if set(folders) <= set(classes):
        return torch.tensor([classes.index(name) for name in folders])
    if len(folders) == len(classes):
        return torch.arange(len(classes))
    unknown = next(name for name in folders if name not in classes)
    raise ValueError(
        f"the judge knows no class {unknown!r}, and {len(folders)} folders are not its {len(classes)} classes"
    )


def features(photos: Path, size: int = 64, known: int = 10_000, steps: int = 4000) -> dict:
    """Linear probes of each level: of random networks, networks that color, and one that learned labels, all from gray pictures.

    The second claim of Zhang et al. 2016. The network with labels is trained here, on all training pictures; its checkpoint is
    in the cache, so that a run that was stopped goes on.
    """
    train, test = (Labeled(photos / THUMBNAILS, split) for split in ("train", "validation"))
    drawn = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:known]
    shown, labels = probes.gray(train.photos[drawn], size), train.labels[drawn]
    unseen = probes.gray(test.photos, size)
    checkpoint = cache_folder() / "features" / "labels.pt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    networks = {
        "random": probes.untrained(SmallNet(), shown[:1024]),
        **{name: Colorizer.load(name).network for name in PROBED},
        "labels": probes.train_on_labels(train, size, steps, checkpoint=checkpoint)[0],
        "zhang_random": probes.untrained(ZhangNet(width=1 / 8), shown[:1024]),
        "zhang_small": Colorizer.load("zhang_small").network,
    }
    read = {"pixels": lambda lightness: {"L": probes.pooled(lightness)}}
    read |= {name: functools.partial(probes.features, network) for name, network in networks.items()}
    rows: dict[str, dict] = {}
    for name, levels in tqdm(read.items(), unit="network"):
        known_levels, unseen_levels, rows[name] = levels(shown), levels(unseen), {}
        for level, found in known_levels.items():
            right = probes.probe(found, labels, unseen_levels[level]) == test.labels
            score = {"accuracy": (100 * right.double(), torch.ones(len(right), dtype=torch.float64))}
            rows[name][level] = {**numbers(score), "interval": intervals(score)["accuracy"]}
    return {"known": known, "photos": len(test), "pixels": size, "rows": rows}


def closeness(photos: Path | None = None, scenes: int = 200) -> dict:
    """Why closeness is not quality: each measure's verdict on a plausible wrong coloring and a dull one of toy scenes.

    Plausible: the colors are drawn anew, as the true ones were. Dull: each thing gets the mean of its palette, the best answer
    for L2. ``photos`` is not needed.
    """
    world = ToyWorld()
    truth, other = (world.scenes(scenes, seed=4_000_000, color_seed=seed) for seed in (1, 2))
    true_rgb, rows = truth.rgb(), {}
    for name, ab in {"truth": truth.ab, "plausible": other.ab, "dull": world.mean_ab(truth.kind)}.items():
        measures = Measures()
        measures.update(ab, true_rgb)
        rows[name] = {key: round(value, 4) for key, value in measures.compute().items()}
        rows[name]["bin_accuracy"] = round(metrics.bin_accuracy(ab, truth.ab, 10), 4)
        # Not compared pixel by pixel, but as sets: are the colors as frequent as the true ones?
        rows[name]["set_distance"] = round(total_variation(color_prior(ab), color_prior(truth.ab)).item(), 4)
    return {"scenes": scenes, "rows": rows}


EXPERIMENTS = {
    "table": cic_table,
    "gray_imagenet": gray_imagenet,
    "curves": curves,
    "classifier": classifier,
    "features": features,
    "closeness": closeness,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = Parser(prog="python -m colorize.experiments", description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=EXPERIMENTS, help="which of them")
    parser.add_argument("--photos", type=Path, help="folder of photos, as data/README.md describes it")
    parser.add_argument(
        "--judge",
        default="classifier",
        help="of the experiment classifier: the course's, a weights file, or vgg16",
    )
    options = parser.parse_args(arguments)
    if options.photos is None and options.name != "closeness":
        parser.error(f"the experiment {options.name} needs photos: --photos FOLDER")
    more, name = {}, options.name
    if options.name == "classifier":
        more = {"judge": options.judge}
        name += "" if options.judge == "classifier" else f"_{Path(options.judge).stem}"
    try:
        found = EXPERIMENTS[options.name](options.photos, **more)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    command = f"python -m colorize.experiments {options.name}"
    command += "" if options.name == "closeness" else " --photos FOLDER"
    command += "" if name == options.name else f" --judge {options.judge}"
    path = write_results(name, {"command": command, "machine": machine(), **found})
    print(f"written: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
