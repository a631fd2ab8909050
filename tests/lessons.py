"""Helpers for tests of lessons: take a lesson apart, put answers into its exercises, run it, read the verdicts."""

import ast
import importlib
import re
from pathlib import Path

import nbformat

from colorize import build
from colorize.check.badge import MIME

ROOT = build.ROOT
SOURCES = build.sources()
# tests/answers_NN.py of each lesson: RIGHT answers, wrong ones, and HALF, an exercise or two of each state
ANSWERS = {
    int(path.stem[-2:]): importlib.import_module(path.stem)
    for path in sorted(Path(__file__).parent.glob("answers_*.py"))
}
EXERCISE = re.compile(r'@check\("(\d+\.\d+)"\)')


def stored(source: Path, kind: str = "solutions") -> nbformat.NotebookNode:
    """Read a lesson's notebook from disk, from solutions/ or notebooks/."""
    return nbformat.read(ROOT / kind / f"{source.stem}.ipynb", as_version=4)


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook) -> list:
    return [output for cell in code_cells(notebook) for output in cell.get("outputs", [])]


def regions(source: Path) -> dict[str, str]:
    """Return the solution region of each exercise."""
    found = {}
    for cell in code_cells(build.read(source)):
        for number in EXERCISE.findall(cell.source):
            found[number] = re.search(f"{build.BEGIN}\n(.*?)\n *{build.END}", cell.source, re.S)[1]
    return found


def with_answers(source: Path, answers: dict[str, str]):
    """Build the student's notebook with answers in some exercises, the others open; nothing executed."""
    notebook = build.bare(build.read(source))
    for cell in code_cells(notebook):
        numbers = EXERCISE.findall(cell.source)
        cell.source = build.open_regions(cell.source, answer=answers.get(numbers[0]) if numbers else None)
    return notebook


def arguments(source: Path, number: str) -> str:
    """Names of an exercise's parameters, as they stand in a call: "ab, centers"."""
    cell = next(c for c in code_cells(build.read(source)) if number in EXERCISE.findall(c.source))
    function = next(node for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef))
    return ", ".join(argument.arg for argument in function.args.args)


def mistake(source: Path, number: str, which: int = 0) -> str:
    """Text of an answer that makes one of the typical mistakes."""
    call = f'exercises({int(number.split(".")[0])})["{number}"].mistakes[{which}][0]({arguments(source, number)})'
    return f"from colorize.check import exercises\nreturn {call}"


def run(notebook, folder: Path) -> dict[str, str]:
    """Execute a notebook to its end and return the state of each exercise. Errors and warnings fail the test."""
    strict = nbformat.v4.new_code_cell("import warnings\n\nwarnings.simplefilter('error')", id="strict")
    notebook.cells.insert(0, strict)
    done = build.execute(notebook, folder)
    errors = [
        output for output in outputs(done) if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert not errors, errors
    card = [
        output.data[MIME]["scorecard"]
        for output in outputs(done)
        if "scorecard" in output.get("data", {}).get(MIME, {})
    ]
    assert len(card) == 1, "the score card is shown once"
    badges = {
        o.data[MIME]["exercise"]: o.data[MIME]["state"]
        for o in outputs(done)
        if "exercise" in o.get("data", {}).get(MIME, {})
    }
    assert badges == card[0]
    return badges
