"""The command ``colorize``: color photos; train, evaluate and list networks; grade notebooks.

    colorize photo.jpg [more, or folders] -o out
    colorize train --recipe NAME --data FOLDER
    colorize evaluate FOLDER --network NAME [more]
    colorize networks
    colorize grade FOLDER -o scores.csv

Without an installation: ``python -m colorize`` in place of ``colorize``. Exit status: 0; 1 if a photo failed, a disk did, or a
training was stopped; 2 for a mistake in the command; 130 after Ctrl-C.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .console import Parser, ctrl_c_waits, did_you_mean, one_line, say

COMMANDS = ("train", "evaluate", "networks", "grade")
MANY = 500  # photos, for an evaluation
HELP = """\
Color black-and-white photos. Each keeps its size, its orientation and its metadata, which then say that the colors
are guesses. Nothing is overwritten unless you say so.

  colorize grandmother.jpg              -> colorized/grandmother.jpg
  colorize album/ -o out                every photo of a folder and its subfolders
  colorize album/ -o out --temperature 1 --network classification

other commands (each has a --help of its own):
  colorize networks                     which networks there are, and how good they are
  colorize evaluate FOLDER --network NAME [more]
                                        measure networks on color photos of your own
  colorize train --recipe NAME --data FOLDER
                                        train a network on photos of your own
  colorize grade FOLDER -o scores.csv   try the exercises in a class's notebooks
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command that the first argument names; photos are colored if it names none."""
    arguments = sys.argv[1:] if arguments is None else arguments
    command, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    try:
        if command == "train":
            with ctrl_c_waits():
                from .train import main as train
            return train(rest)
        if command == "evaluate":
            return evaluate(rest)
        if command == "networks":
            return networks(rest)
        if command == "grade":
            with ctrl_c_waits():
                try:
                    from .grade import main as grade
                except ModuleNotFoundError as error:  # of the packages that open notebooks
                    print(f"colorize grade needs the package {error.name}: install '.[dev]'", file=sys.stderr)
                    return 1
            return grade(rest)
        return colorize(arguments or ["--help"])
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except OSError as error:  # a full disk, a folder that may not be written to: checkpoints, logs, weights
        name = f"colorize {command}" if command in COMMANDS else "colorize"
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        print(f"{name}: {one_line(reason)}", file=sys.stderr)
        return 1


def colorize(arguments: list[str]) -> int:
    """Color photos."""
    parser = Parser(
        prog="colorize", description=HELP, usage="colorize PHOTO [PHOTO ...] [-o FOLDER] [options]"
    )
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="photos, or folders of them")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("colorized"),
        metavar="FOLDER",
        help="where the colored photos go; for one photo, a file, too (colorized)",
    )
    parser.add_argument(
        "-t",
        "--temperature",
        type=_temperature,
        metavar="T",
        help="from 0 to 1: below 1 the network decides where it doubts, 1 is the mean (the network's own: see `colorize networks`)",
    )
    parser.add_argument(
        "-n", "--network", metavar="NAME", help="see `colorize networks`; or a .safetensors file"
    )
    parser.add_argument("-d", "--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (auto)")
    parser.add_argument("-q", "--quality", type=_quality, default=95, help="1 to 100, of JPEG and WebP (95)")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace colored photos that are there already"
    )
    options = parser.parse_args(arguments)
    with ctrl_c_waits():
        from . import batch
    try:
        jobs, failed = batch.plan(options.photos, options.out)
        if not jobs:
            words = [f"  {one_line(sentence)}" for _, sentence in failed]
            if len(options.photos) == 1 and (hint := did_you_mean(str(options.photos[0]), COMMANDS)):
                words[0] += hint
            print("\n".join(["colorize: nothing to color", *words]), file=sys.stderr)
            return 1
        colorizer = _load(options.network, options.device)
    except ValueError as error:
        parser.error(str(error))
    T = colorizer.temperature if options.temperature is None else options.temperature
    how = "" if colorizer.network.outputs == 2 else f", T = {T:g}"
    device = next(colorizer.network.parameters()).device
    say(f"network {colorizer.name}{how}, on {device}")
    start = time.perf_counter()
    report = batch.colorize_files(colorizer, jobs, T, options.quality, options.overwrite)
    seconds = time.perf_counter() - start
    say(f"{_count(len(report.colored))} colored, in {options.out} ({seconds:.0f} s)")
    if report.skipped:
        say(f"{_count(len(report.skipped))} left out: already there (--overwrite replaces)")
    if failed := failed + report.failed:
        words = [f"  {one_line(sentence)}" for _, sentence in failed]
        print(f"{len(failed)} failed:", *words, sep="\n", file=sys.stderr)
    if report.stopped:
        print("stopped; the same command goes on with the others", file=sys.stderr)
    return 130 if report.stopped else 1 if failed else 0


def evaluate(arguments: list[str]) -> int:
    """Measure networks on color photos."""
    parser = Parser(
        prog="colorize evaluate",
        description="Measure networks on color photos that they were not trained on, beside what needs no network.",
        epilog="""\
The numbers, of squares from the middle of the photos:
  raw AuC, rebalanced AuC  share of pixels closer than a threshold, over all thresholds from 0 to 150 ab units, in
                           percent; rebalanced weighs rare colors more (by the photos' own colors: compare it only
                           within one table). In brackets: where 95 % of resampled sets of photos lie
  RMSE                     in alpha-beta (Deshpande et al. 2015)       PSNR: in dB
  chroma                   in ab units: that of the truth is the goal  colorfulness: on its authors' scale
Rows: the truth; all gray; the colors of another photo; one constant color; the networks, at T = 1 and T = 0.38.
Below: how many numbers each network has, and the time in which it colors one of these photos, here and now.""",
    )
    parser.add_argument(
        "folders", nargs="+", type=Path, metavar="FOLDER", help="color photos, with subfolders"
    )
    parser.add_argument(
        "-n", "--network", nargs="+", metavar="NAME", help="see `colorize networks` (the best)"
    )
    parser.add_argument("-d", "--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (auto)")
    parser.add_argument(
        "--size", type=_size, default=256, metavar="S", help="side of the squares, in pixels (256)"
    )
    parser.add_argument("--limit", type=_some, default=MANY, metavar="N", help=f"photos at most ({MANY})")
    parser.add_argument(
        "--split",
        default="all",
        help="all, train, or validation: those that the shipped networks never saw (all)",
    )
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="FOLDER",
        help="write evaluation.json, all numbers, and evaluation.jpg, eight photos by each network",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the two if they are there already")
    options = parser.parse_args(arguments)
    with ctrl_c_waits():
        from .batch import out_of_memory
        from .datasets import photo_files
        from .evaluation import compare, effort, validation_photos
        from .measure import table
    written = [options.out / f"evaluation.{suffix}" for suffix in ("json", "jpg")] if options.out else []
    if there := [path for path in written if path.exists() and not options.overwrite]:
        parser.error(f"{there[0]} is there already (--overwrite replaces)")
    try:
        files = [path for folder in options.folders for path in photo_files(folder, options.split)]
        chosen = files[:: max(1, -(-len(files) // options.limit))]
        found = [_load(name, options.device) for name in options.network or (None,)]
        names = [colorizer.name for colorizer in found]
        colorizers = {  # of two files of one name, in two folders, each has its row
            name if names.count(name) == 1 else str(given): colorizer
            for name, given, colorizer in zip(names, options.network or names, found, strict=True)
        }
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            photos = validation_photos(chosen, options.size)
        for warning in said:
            print(f"colorize evaluate: {one_line(str(warning.message))}", file=sys.stderr)
        rows = table(compare(colorizers, photos, progress=True))
        efforts = {name: effort(colorizer, photos) for name, colorizer in colorizers.items()}
    except ValueError as error:
        parser.error(str(error))
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        parser.error("too large for the memory that is free: take fewer photos (--limit) or a smaller --size")
    more = f", of {len(files)}" if len(chosen) < len(files) else ""
    say(f"{_count(len(photos))} with color{more}, squares of {options.size} pixels", "")
    heads = ("raw AuC", "rebalanced AuC", "RMSE", "PSNR", "chroma", "colorfulness")
    say(f"{'':26}{heads[0]:^18} {heads[1]:^18} {heads[2]:>6} {heads[3]:>6} {heads[4]:>7} {heads[5]:>13}")
    for name, row in rows.items():
        values, spread = row["numbers"], row.get("intervals", {})
        cells = [_cell(values[key], spread.get(key)) for key in ("raw_auc", "rebalanced_auc")]
        psnr = "exact" if values["psnr"] > 100 else f"{values['psnr']:.1f}"
        cells += [f"{values['rmse']:6.2f} {psnr:>6} {values['chroma']:7.1f} {values['colorfulness']:13.1f}"]
        say(f"{name:26}{' '.join(cells)}")
    for name, spent in efforts.items():
        say(f"{name}: {spent['parameters']:,} numbers, {1000 * spent['seconds']:.0f} ms a photo")
    if written:
        about = {"photos": len(photos), "pixels": options.size, "rows": rows, "networks": efforts}
        for name, colorizer in colorizers.items():
            efforts[name]["temperature"] = colorizer.temperature
        options.out.mkdir(parents=True, exist_ok=True)
        try:
            _write_evaluation(written, about, colorizers, photos[:8])
        except ValueError as error:  # ImageError, of the picture
            print(f"colorize evaluate: {one_line(str(error))}", file=sys.stderr)
            return 1
        say("", f"written: {written[0]}, {written[1]} (gray, {', '.join(colorizers)}, true)")
    return 0


def _write_evaluation(paths: list[Path], about: dict, colorizers: dict, photos: Any) -> None:
    """Write the numbers as JSON, and a picture with a row for gray, each network at its own temperature, and the truth."""
    import torch

    from . import images
    from .decode import paint
    from .evaluation import predict
    from .files import write_whole
    from .lab import rgb_to_lab, to_gray
    from .parallel import machine

    with write_whole(paths[0]) as file:
        file.write((json.dumps(about | {"machine": machine()}, indent=1) + "\n").encode())
    shown = [to_gray(photos)]
    for colorizer in colorizers.values():
        (ab,) = predict(colorizer, photos, (colorizer.temperature,)).values()
        shown.append(paint(rgb_to_lab(photos)[:, :1], ab))
    rows = [torch.cat(list(row), dim=2) for row in (*shown, photos)]  # (3, S, N x S) each
    images.save(torch.cat(rows, dim=1), paths[1], quality=90)


def networks(arguments: list[str]) -> int:
    """List the networks that there are."""
    parser = Parser(prog="colorize networks", description="List the networks that there are.")
    parser.parse_args(arguments)
    with ctrl_c_waits():
        from .colorizer import BEST, PUBLISHED, Colorizer, shipped
        from .weights import WeightsError
    names, damaged = shipped(), []
    default = next((name for name in BEST if name in names), None)
    say(f"{'':16}{'T':>5}{'rebalanced AuC':>16}{'(gray)':>8}{'chroma':>8}{'(true)':>8}   what it is")
    for name in names:
        try:
            colorizer = Colorizer.load(name)
        except WeightsError as error:
            damaged.append(f"colorize networks: {one_line(str(error))}")
            continue
        results, recipe = colorizer.results, colorizer.recipe
        regression = colorizer.network.outputs == 2
        row = results.get(name if regression else f"{name}, T = 1", {})
        cells = [(row, "rebalanced_auc"), (results.get("gray", {}), "rebalanced_auc")]
        cells += [(row, "chroma"), (results.get("truth", {}), "chroma")]
        auc, gray, chroma, true = (f"{found[key]:.1f}" if key in found else "-" for found, key in cells)
        T = "-" if regression else f"{colorizer.temperature:g}"
        what = f"{type(colorizer.network).__name__}, {recipe.get('loss', '-')}, {colorizer.size} pixels"
        say(
            f"{'*' if name == default else ' '} {name:14}{T:>5}{auc:>16}{gray:>8}{chroma:>8}{true:>8}   {what}"
        )
    say(
        f"  {PUBLISHED:14}{1:>5}{'not measured':>16}{'':24}   ZhangNet, the authors' own: downloaded (129 MB, once)"
    )
    say(
        "",
        "* is taken when none is named. T: the temperature if none is given. AuC (percent) and chroma: at T = 1, on",
        "validation photos, another set for some; the cards in data/weights/ say more.",
    )
    print(*damaged, sep="\n", end="\n" * bool(damaged), file=sys.stderr)
    return 1 if damaged else 0


def _load(name: str | None, device: str) -> Any:
    """Load a network; ValueError if there is none, or no such device."""
    from .colorizer import Colorizer
    from .parallel import find_device

    if (found := find_device(device)).type == "meta":  # PyTorch's own, that knows shapes and no numbers
        raise ValueError(f"the device {device!r} computes nothing")
    return Colorizer.load(name, found)


def _count(n: int) -> str:
    return f"{n} photo" + "s" * (n != 1)


def _cell(value: float, spread: tuple[float, float] | None) -> str:
    text = f"({spread[0]:.1f}-{spread[1]:.1f})" if spread else ""
    return f"{value:6.1f} {text:>11}"


def _number(low: float, high: float, kind: type, what: str) -> Callable[[str], float]:
    """Make a function that turns an argument into a number, or says what was expected."""
    from argparse import ArgumentTypeError

    def convert(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise ArgumentTypeError(f"expected {what}, received {text!r}")
        return value

    return convert


_temperature = _number(0, 1e6, float, "a number from 0 to 1, or above")
_quality = _number(1, 100, int, "a whole number from 1 to 100")
_some = _number(1, 10**9, int, "a whole number of at least 1")
_size = _number(8, 100_000, int, "a whole number of at least 8")
