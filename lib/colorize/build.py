"""Build the notebooks from their one source.

``solutions/NN_topic.py`` (jupytext's percent format) becomes ``solutions/NN_topic.ipynb``, executed, and
``notebooks/NN_topic.ipynb``, the student's: solution regions cut out, no outputs. Sources, cell ids and metadata depend
on nothing but the text, so they come out byte for byte the same on every machine; ``--check`` proves it without
executing anything. Outputs are compared by ``colorize.compare``.

    python -m colorize.build [--check | --prose] [LESSON ...]
"""

import argparse
import copy
import difflib
import hashlib
import os
import re
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from .files import write_whole

ROOT = Path(__file__).resolve().parents[2]
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
MARKER = re.compile(r"\b(BEGIN|END)\s+SOLUTION\b", re.IGNORECASE)  # also what is only meant as a marker
OPEN = ("# YOUR CODE HERE", "raise NotImplementedError")
CELL_SECONDS = 300


class SourceError(ValueError):
    """A lesson's source breaks a rule of the builder; the sentence names the file and the cell."""


def sources(root: Path = ROOT) -> list[Path]:
    """Return the sources of all lessons, in order."""
    return sorted((root / "solutions").glob("[0-9][0-9]_*.py"))


def read(source: Path) -> NotebookNode:
    """Read a lesson: the notebook with all solutions in it, no outputs, and cell ids made from the cells' text.

    SourceError if a cell is empty or a solution region is not well marked.
    """
    notebook = jupytext.read(source)
    notebook.metadata = nbformat.from_dict(copy.deepcopy(METADATA))
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: dict[str, int] = {}
    for number, cell in enumerate(notebook.cells, start=1):
        if not cell.source.strip():
            raise SourceError(f"{source.name}: cell {number} is empty")
        digest = hashlib.sha1(f"{cell.cell_type}{cell.source}".encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        # jupytext notes the blank lines of the .py file here; a notebook has no use for them.
        cell.metadata = nbformat.from_dict(
            {k: v for k, v in cell.metadata.items() if not k.startswith("lines_to")}
        )
        if cell.cell_type == "code":
            open_regions(cell.source, where=f"{source.name}, cell {number}")  # complains about broken markers
        elif MARKER.search(cell.source):
            raise SourceError(f"{source.name}, cell {number}: a solution can only be marked in a code cell")
    return notebook


def open_regions(code: str, where: str = "the cell", answer: str | None = None) -> str:
    """Cut the solution regions out of a cell; in their place a line that says where to write, and an error.

    With ``answer`` the regions hold that text instead (indented as the marker is): the tests splice answers this way.
    SourceError if a region is not closed or not opened.
    """
    out, indent = [], None
    for line in code.split("\n"):
        marker = line.strip()
        if marker == BEGIN:
            if indent is not None:
                raise SourceError(f"{where}: {BEGIN} inside a solution region")
            indent = line[: len(line) - len(line.lstrip())]
            new = OPEN if answer is None else answer.strip("\n").split("\n")
            out += [f"{indent}{part}".rstrip() for part in new]
        elif marker == END:
            if indent is None:
                raise SourceError(f"{where}: {END} without {BEGIN}")
            indent = None
        elif MARKER.search(line):
            raise SourceError(f"{where}: {marker!r} is no marker: write {BEGIN} or {END}, alone on its line")
        elif indent is None:
            out.append(line)
    if indent is not None:
        raise SourceError(f"{where}: {BEGIN} without {END}")
    return "\n".join(out)


def student(notebook: NotebookNode) -> NotebookNode:
    """Return the student's version of a lesson: solutions cut out, same cell ids, nothing executed."""
    notebook = bare(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = open_regions(cell.source)
    return notebook


def bare(notebook: NotebookNode) -> NotebookNode:
    """Return a copy without outputs, execution counts and widget state."""
    notebook = copy.deepcopy(notebook)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def execute(notebook: NotebookNode, folder: Path, allow_errors: bool = False) -> NotebookNode:
    """Return a copy with the outputs of a fresh kernel started in ``folder``.

    Widget views and their state are dropped: public viewers refuse notebooks with half of them, and the static
    figure beside each widget is what a reader without a kernel sees.
    """
    notebook = copy.deepcopy(notebook)
    # No progress bars: they print a rate, which is never the same twice.
    os.environ.setdefault("TQDM_DISABLE", "1")
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        record_timing=False,
        kernel_name="python3",
        allow_errors=allow_errors,
        coalesce_streams=True,  # printed text arrives in pieces of chance size
        extra_arguments=["--IPKernelApp.log_level=40"],  # nobody listens on this machine's own ports
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    notebook.metadata = nbformat.from_dict(copy.deepcopy(METADATA))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [_clean(output) for output in cell.outputs if not _is_widget(output)]
    return notebook


def reuse(notebook: NotebookNode, path: Path) -> NotebookNode:
    """Return a copy with the outputs of the executed notebook at ``path``, if only prose differs.

    Raises
    ------
    SourceError if the code cells are others, or nothing has been executed yet.
    """
    if not path.exists():
        raise SourceError(f"{path.name} is not there yet: build the lesson without --prose")
    notebook, executed = copy.deepcopy(notebook), nbformat.read(path, as_version=4)
    new, old = ([cell for cell in each.cells if cell.cell_type == "code"] for each in (notebook, executed))
    if [cell.source for cell in new] != [cell.source for cell in old]:
        raise SourceError(f"{path.name} holds other code than its source: build the lesson without --prose")
    for cell, given in zip(new, old, strict=True):
        cell.outputs, cell.execution_count = given.outputs, given.execution_count
    return notebook


def text(notebook: NotebookNode) -> str:
    """Return the bytes of a notebook file as text: sorted keys, one final newline."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def write(path: Path, notebook: NotebookNode) -> None:
    """Write a notebook, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_whole(path) as file:
        file.write(text(notebook).encode())


def problems(source: Path) -> list[str]:
    """Compare both notebooks on disk with their source, executing nothing; a diff for each that differs."""
    lesson = read(source)
    solved = source.with_suffix(".ipynb")
    given = source.parent.parent / "notebooks" / solved.name
    found = []
    for path, wanted in ((given, text(student(lesson))), (solved, text(lesson))):
        if not path.exists():
            found.append(f"{path.name} is missing in {path.parent.name}/: run `make notebooks`")
            continue
        there = path.read_text(encoding="utf-8")
        if path == solved:
            try:
                there = text(bare(nbformat.reads(there, as_version=4)))
            except (nbformat.reader.NotJSONError, nbformat.ValidationError):
                found.append(
                    f"{path.parent.name}/{path.name} is no notebook (a merge conflict?): run `make notebooks`"
                )
                continue
        if there != wanted:
            lines = difflib.unified_diff(
                there.splitlines(), wanted.splitlines(), str(path.name), source.name, "", "", 1, ""
            )
            found.append(f"{path.parent.name}/{path.name} is not what its source makes:\n" + "\n".join(lines))
    return found


def _is_widget(output: NotebookNode) -> bool:
    return "application/vnd.jupyter.widget-view+json" in output.get("data", {})


def _clean(output: NotebookNode) -> NotebookNode:
    """Replace what differs from run to run and says nothing: process numbers in the paths of cells."""
    if output.output_type == "stream":
        output.text = re.sub(r"\S*ipykernel_\d+/\d+\.py", "cell", output.text)
    return output


def choose(parser: argparse.ArgumentParser, numbers: list[str]) -> list[Path]:
    """Return the sources of some lessons, of all if no number is given; end the program if there is no such lesson."""
    every = {source.name[:2]: source for source in sources()}
    if unknown := sorted(set(numbers) - set(every)):
        parser.error(f"no such lesson: {', '.join(unknown)}; there are {', '.join(every)}")
    return [source for number, source in every.items() if not numbers or number in numbers]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 if ``--check`` finds a difference, or a source is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m colorize.build", description="Build the notebooks from their sources."
    )
    parser.add_argument("lesson", nargs="*", help="numbers, such as 02; all lessons if none is given")
    parser.add_argument("--check", action="store_true", help="execute and write nothing, only compare")
    parser.add_argument(
        "--prose", action="store_true", help="keep the outputs: the code cells are what they were"
    )
    options = parser.parse_args(arguments)
    chosen = choose(parser, options.lesson)
    try:
        if options.check:
            found = [problem for source in chosen for problem in problems(source)]
            print("\n".join(found) or f"{len(chosen)} lessons agree with their sources")
            return bool(found)
        for source in chosen:
            lesson, solved = read(source), source.with_suffix(".ipynb")
            if options.prose:
                executed = reuse(lesson, solved)
            else:
                print(f"{source.stem}: executing", flush=True)
                executed = execute(lesson, source.parent)
            write(ROOT / "notebooks" / solved.name, student(lesson))
            write(solved, executed)
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
