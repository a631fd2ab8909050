"""The experiments of lesson 8, each one command, each with its numbers in data/results/.

    python -m colorize.experiments NAME --photos FOLDER

NAME is table, gray_imagenet, curves, classifier, features or closeness. FOLDER is the one that the networks were trained with
(data/README.md); only pictures that they have not seen are judged.
"""

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path

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
from .files import cache_folder, data_folder, write_whole
from .images import square
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
    by_photo = torch.tensor(by_photo).mean(dim=0)
    auc, found = measures.accuracy.auc, measures.compute()
    values = {
        "raw AuC": auc(),
        "raw AuC, mean of 151 values": auc(rule="mean"),
        "raw AuC, mean of 16 values": auc(step=10, rule="mean"),
        "rebalanced AuC": auc(rebalanced=True),
        "rebalanced AuC, photo by photo": by_photo[0].item(),
        "rebalanced AuC, photo by photo, mean of 16 values": by_photo[1].item(),
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


def classifier(photos: Path, judge: str = "classifier") -> dict:
    """Does color help a classifier? True, gray and recolored pictures, and those in the colors of another picture.

    Zhang et al. 2016, section 3.1, and Figures 1 and 2 of the supplementary. At full scale: the judge is "vgg16", ``photos``
    holds a folder for each class of ImageNet, named as torchvision names them, or all 1,000 in the order of their numbers.
    """
    seer = recognition.load(judge)
    small = judge != "vgg16"
    data = Labeled(photos / THUMBNAILS, "validation") if small else Labeled(photos, size=256)
    labels = class_numbers(data.classes, seer.classes)[data.labels]
    colored = torch.cat([~is_gray(part) for part in data.photos.split(512)])
    true, labels = data.photos[colored].float() / 255, labels[colored]
    pictures: dict[str, Callable[[], Tensor]] = {
        "true": lambda: true,
        "gray": lambda: to_gray(true),
        "random": lambda: _painted(true, rgb_to_lab(true)[:, 1:].roll(1, dims=0)),
    }
    for name in COMPARED:
        pictures[name] = lambda name=name: recolored(Colorizer.load(name), true)
    rows, scores, counts = {}, {}, {}
    for name, make in tqdm(pictures.items(), unit="kind"):
        logits = seer(make())
        right = logits.argmax(dim=1) == labels
        counts[name] = recognition.confusion(labels, logits.argmax(dim=1), len(seer.classes))
        five = (logits.topk(min(5, logits.shape[1])).indices == labels[:, None]).any(dim=1)
        one = torch.ones(len(labels), dtype=torch.float64)
        scores[name] = {"accuracy": (100 * right.double(), one), "top five": (100 * five.double(), one)}
    for name in pictures:
        spread, moved = intervals(scores[name]), intervals(scores[name], scores["gray"])
        values = numbers(scores[name])
        rows[name] = {
            key: {
                "value": values[key],
                "interval": spread[key],
                "over gray": round(values[key] - numbers(scores["gray"])[key], 2),
                "over gray, interval": moved[key],
            }
            for key in values
        }
        share = recognition.shares(counts[name]).diagonal()
        rows[name]["recall"] = {
            label: round(value, 1)
            for label, value in zip(seer.classes, share.tolist(), strict=True)
            if value == value  # NaN: a class that was not shown
        }
        if small:
            rows[name]["confusion"] = counts[name].tolist()
        if name != "true":
            rows[name]["most added"] = recognition.most_added(counts[name], counts["true"], seer.classes)
    return {
        "photos": len(labels),
        "judge": judge,
        "classes": seer.classes if small else len(seer.classes),
        "rows": rows,
    }


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


def recolored(colorizer: Colorizer, photos: Tensor) -> Tensor:
    """Color photos, (N, 3, S, S) -> the same, at the network's own temperature."""
    (ab,) = predict(colorizer, photos, (colorizer.temperature,)).values()
    return _painted(photos, ab)


def _painted(photos: Tensor, ab: Tensor) -> Tensor:
    return torch.cat(
        [
            paint(rgb_to_lab(part)[:, :1], colors)
            for part, colors in zip(photos.split(256), ab.split(256), strict=True)
        ]
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
    path = data_folder() / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    with write_whole(path) as file:
        file.write(
            (json.dumps({"command": command, "machine": machine(), **found}, indent=1) + "\n").encode()
        )
    print(f"written: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
