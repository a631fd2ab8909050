"""Grade a folder of students' notebooks: ``colorize grade FOLDER -o scores.csv``.

Each notebook runs in a process of its own, with limits; :mod:`colorize.examine` says how its verdicts come about.
"""

import csv
import io
import os
import secrets
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, fields
from pathlib import Path

from tqdm.auto import tqdm

from .check import exercises
from .check.inputs import fresh
from .console import Parser, did_you_mean, one_line, say
from .examine import Limits, Row, examine, lesson_of, read
from .files import write_whole

MARKS = {"right": "+", "not yet": "-", "open": ".", "missing": "?", "time": "T", "crashed": "X"}
HELP = """\
Try the functions in students' notebooks on inputs that they have never seen. A student is a file: NAME.ipynb.

Verdicts: right; not yet (the message says what is wrong); open (left as it was); missing (no such function); time (a cell or
the notebook took too long); crashed (its cell stops with an error, or its process ended). A right answer is worth a point.

A notebook cannot change its verdict by what it prints or by another check. It runs without network and can write nothing but in
a folder of its own, where the system allows that (Linux); the last line says whether it did. Notebooks that you do not trust
at all belong in a container.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    usual = Limits()
    parser = Parser(prog="colorize grade", description=HELP)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of notebooks, or one notebook")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="the scores, CSV")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the scores if they are there already"
    )
    parser.add_argument(
        "--lesson", type=int, metavar="N", help="grade this lesson (the one whose exercises a notebook holds)"
    )
    parser.add_argument(
        "--cell", type=float, default=usual.cell, metavar="S", help="seconds a cell may take (%(default)g)"
    )
    parser.add_argument(
        "--notebook",
        type=float,
        default=usual.notebook,
        metavar="S",
        help="seconds a notebook may take (%(default)g)",
    )
    parser.add_argument(
        "--memory", type=float, default=4.0, metavar="GB", help="that a notebook may take (%(default)g)"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count(), metavar="N", help="notebooks at a time (%(default)d)"
    )
    options = parser.parse_args(arguments)
    for name in ("cell", "notebook", "memory", "jobs"):
        if not getattr(options, name) > 0:
            parser.error(f"argument --{name}: expected a number above 0, received {getattr(options, name):g}")
    if options.out.exists() and not options.overwrite:
        parser.error(f"{options.out} is there already (--overwrite replaces)")
    if options.out.suffix != ".csv":
        parser.error(f"{options.out}: the scores are written as CSV, expected a name that ends in .csv")
    try:
        paths = notebooks(options.folder)
        if options.lesson is not None:
            exercises(options.lesson)
    except ValueError as error:
        parser.error(str(error))
    limits = Limits(options.cell, options.notebook, int(options.memory * 2**30))
    rows, held = grade(paths, limits, options.lesson, options.jobs)
    with write_whole(options.out) as file:
        file.write(table(rows).encode("utf-8"))
    say(*summary(rows, held), f"written: {options.out}")
    return 0


def notebooks(folder: Path) -> list[Path]:
    """List the notebooks of a folder in the order of their names, or the one that was named. ValueError if there is none."""
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        near = (
            did_you_mean(folder.name, [path.name for path in folder.parent.glob("*")])
            if folder.parent.is_dir()
            else ""
        )
        raise ValueError(f"there is no folder {folder}{near}")
    paths = sorted(path for path in folder.glob("*.ipynb") if path.is_file())
    if not paths:
        raise ValueError(f"{folder} holds no notebook, NAME.ipynb")
    return paths


def grade(
    paths: list[Path], limits: Limits, lesson: int | None = None, jobs: int = 1
) -> tuple[list[Row], dict[str, bool]]:
    """Grade notebooks, several at a time: their rows, in order, and which limits held for all of them.

    ``lesson`` is that of all notebooks; None: each has the lesson whose exercises it holds most of.
    """
    for number in range(100):  # imported now, and not once a student's code has run
        try:
            exercises(number)
        except ValueError:
            break

    def one(path: Path) -> tuple[list[Row], dict[str, bool]]:
        try:
            cells = read(path)
        except ValueError as error:
            return _unread(path, lesson, str(error)), {}
        number = lesson_of(cells) if lesson is None else lesson
        if number is None:
            return _unread(path, None, f"{path.name} holds no exercise of this course"), {}
        try:
            return examine(path, cells, number, limits)
        except ValueError as error:  # a lesson that does not exist
            return _unread(path, None, str(error)), {}

    with fresh(secrets.randbits(40) + 1), ThreadPoolExecutor(jobs) as pool:
        found = list(tqdm(pool.map(one, paths), total=len(paths), unit="notebook", disable=None))
    held = [limits for _, limits in found if limits]
    together = {name: all(each[name] for each in held) for name in (held[0] if held else ())}
    return [row for rows, _ in found for row in rows], together


def _unread(path: Path, lesson: int | None, message: str) -> list[Row]:
    numbers = exercises(lesson) if lesson is not None else ("-",)
    return [Row(path.stem, number, "missing", 0, 0.0, message) for number in numbers]


def table(rows: Iterable[Row]) -> str:
    """Write rows as CSV. Text that a spreadsheet would take for a formula gets an apostrophe before it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Row)])
    for row in rows:
        writer.writerow([_harmless(value) if isinstance(value, str) else value for value in astuple(row)])
    return text.getvalue()


def _harmless(text: str) -> str:
    text = " ".join(text.split())
    return f"'{text}" if text[:1] in ("=", "+", "@", "\t") or (text[:1] == "-" and text != "-") else text


def summary(rows: list[Row], held: dict[str, bool]) -> Iterator[str]:
    """Say how each student and each exercise fared, in lines for a terminal."""
    students = list(dict.fromkeys(row.student for row in rows))
    numbers = sorted(
        {row.exercise for row in rows}, key=lambda n: [int(k) for k in n.split(".") if k.isdecimal()]
    )
    found = {(row.student, row.exercise): row for row in rows}
    width = max(len("points"), *(min(len(one_line(name)), 30) for name in students))
    yield " ".join([" " * width, *(f"{number:>5}" for number in numbers), " points"])
    for name in students:
        mine = [found.get((name, number)) for number in numbers]
        marks = [f"{MARKS[row.verdict] if row else '':>5}" for row in mine]
        yield " ".join(
            [f"{one_line(name)[:30]:{width}}", *marks, f"{sum(row.points for row in mine if row):7}"]
        )
    right = [sum(row.points for row in rows if row.exercise == number) for number in numbers]
    yield " ".join([f"{'right':{width}}", *(f"{count:5}" for count in right), f"{sum(right):7}"])
    yield ""
    yield "   ".join(f"{mark} {verdict}" for verdict, mark in MARKS.items())
    without = [name for name, kept in held.items() if not kept]
    if not held:
        yield "No notebook was run."
    elif without:
        yield f"NOT limited on this system: {', '.join(without)}."
    else:
        yield "Each notebook ran without network, with limited memory, and could write in its own folder alone."
