"""Open the lessons: ``python -m colorize.start``, which is what ``make lab`` runs.

Nobody solves exercises in a tracked file. The lessons in ``notebooks/`` are copied to ``work/``, which git ignores, and
JupyterLab opens there. A copy that exists is never touched: ``--lesson 02 --fresh`` sets it aside under another name
and puts a new one in its place. ``work/.versions.json`` remembers which version of a lesson each copy was made from, so
that a newer version can be announced.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from .files import write_whole

LESSONS = "[0-9][0-9]_*.ipynb"
VERSIONS = ".versions.json"


class Trouble(Exception):
    """Something the reader can put right; the message is the one sentence to show."""


def find_course(places: list[Path] | None = None) -> Path:
    """Folder of the course: the checkout this package is installed from, or else the current folder."""
    for place in places or [Path(__file__).resolve().parents[2], Path.cwd()]:
        if any((place / "notebooks").glob(LESSONS)):
            return place
    raise Trouble(
        "There are no lessons here: run this in the folder of the course, the one that holds notebooks/."
    )


def find_lesson(name: str, notebooks: Path) -> Path:
    """Find the lesson meant by ``2``, ``02``, ``02_quantization`` or a path that ends in its file name."""
    lessons = sorted(notebooks.glob(LESSONS))
    wanted = Path(name).name.removesuffix(".ipynb")
    for lesson in lessons:
        if wanted == lesson.stem or (wanted.isdecimal() and int(wanted) == int(lesson.stem[:2])):
            return lesson
    raise Trouble(f"There is no lesson {name!r}; there are {', '.join(lesson.stem for lesson in lessons)}.")


def copy_missing(notebooks: Path, work: Path) -> list[str]:
    """Copy each lesson that ``work`` lacks; return a line on each copy, and one on each copy that has grown old."""
    work.mkdir(parents=True, exist_ok=True)
    versions, lines = read_versions(work), []
    for lesson in sorted(notebooks.glob(LESSONS)):
        content, copy = lesson.read_bytes(), work / lesson.name
        version = hashlib.sha256(content).hexdigest()
        if not os.path.lexists(copy):
            with write_whole(copy) as file:
                file.write(content)
            versions[lesson.name] = version
            lines.append(f"{lesson.stem}: copied to {work.name}/{lesson.name}")
        elif lesson.name not in versions:
            if copy.is_file() and copy.read_bytes() == content:
                versions[lesson.name] = version
        elif versions[lesson.name] != version:
            lines.append(
                f"{lesson.stem}: a newer version of this lesson exists. Your copy is kept; to start on the new one, "
                f"run `make lab LESSON={lesson.stem[:2]} FRESH=1` (your copy then stays under another name)"
            )
    write_versions(work, versions)
    return lines


def start_again(lesson: Path, work: Path) -> list[str]:
    """Put a new copy of one lesson into ``work`` and keep the old copy as ``NAME.old-1.ipynb``, ``-2``, ..."""
    work.mkdir(parents=True, exist_ok=True)
    content, copy, lines = lesson.read_bytes(), work / lesson.name, []
    if os.path.lexists(copy):
        kept = work / f"{lesson.stem}.old-{next_number(lesson.stem, work)}.ipynb"
        os.rename(copy, kept)
        lines.append(f"{lesson.stem}: your old copy is now {work.name}/{kept.name}")
    with write_whole(copy) as file:
        file.write(content)
    write_versions(work, read_versions(work) | {lesson.name: hashlib.sha256(content).hexdigest()})
    return [*lines, f"{lesson.stem}: copied to {work.name}/{lesson.name}"]


def next_number(stem: str, work: Path) -> int:
    """Return one more than the highest number among the old copies of a lesson."""
    found = (re.fullmatch(re.escape(stem) + r"\.old-(\d+)\.ipynb", path.name) for path in work.iterdir())
    return max((int(match[1]) for match in found if match), default=0) + 1


def read_versions(work: Path) -> dict[str, str]:
    """Read which version (sha256) of each lesson was copied; a missing or damaged record counts as empty."""
    try:
        versions = json.loads((work / VERSIONS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return versions if isinstance(versions, dict) else {}


def write_versions(work: Path, versions: dict[str, str]) -> None:
    """Write the record, unless it says the same already."""
    if versions != read_versions(work):
        with write_whole(work / VERSIONS) as file:
            file.write((json.dumps(versions, indent=1, sort_keys=True) + "\n").encode())


def lab_command(work: Path, lesson: str | None, extra: list[str]) -> list[str]:
    """Build the command that opens JupyterLab in ``work``, at one lesson if a file name is given.

    ``-m jupyterlab`` and not ``jupyter lab``: the latter searches the PATH and may find another Jupyter.
    """
    command = [sys.executable, "-m", "jupyterlab", str(work), *extra]
    if lesson:  # an address, and not the file as an argument: then --no-browser shows the right address too
        command.append(f"--LabApp.default_url=/lab/tree/{lesson}")
    if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in extra:
        command.append("--allow-root")
    return command


def hand_over(command: list[str]) -> int:
    """Become JupyterLab. Windows cannot replace a process, so there it runs as a child."""
    sys.stdout.flush()
    if os.name == "nt":
        return subprocess.call(command)
    os.execv(command[0], command)


def main(arguments: list[str] | None = None) -> int:
    """Copy what is missing, say what was done, open JupyterLab."""
    parser = argparse.ArgumentParser(
        prog="python -m colorize.start",
        description="Copy the lessons you do not have yet to work/ and open them in JupyterLab.",
        epilog="Other arguments, such as --no-browser, are handed on to JupyterLab.",
        allow_abbrev=False,
    )
    parser.add_argument("--lesson", metavar="02", help="open this lesson")
    parser.add_argument("--fresh", action="store_true", help="start that lesson again; the old copy is kept")
    options, extra = parser.parse_known_args(arguments)
    try:
        if options.fresh and not options.lesson:
            raise Trouble("Which lesson shall start again? Name it: make lab LESSON=02 FRESH=1.")
        course = find_course()
        notebooks, work = course / "notebooks", course / "work"
        lesson = find_lesson(options.lesson, notebooks) if options.lesson else None
        lines = start_again(lesson, work) if lesson and options.fresh else []
        for line in lines + copy_missing(notebooks, work):
            print(line)
        if importlib.util.find_spec("jupyterlab") is None:
            raise Trouble("JupyterLab is not installed here: run `make lab`, or pip install -e '.[dev]'.")
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The lessons could not be copied to work/: {error}.", file=sys.stderr)
        return 1
    return hand_over(lab_command(work, lesson.name if lesson else None, extra))


if __name__ == "__main__":
    raise SystemExit(main())
