"""What every lesson must be: built from its source, leaking nothing, readable, honest about its figures."""

import base64
import io
import itertools
import re
import statistics
import tokenize

import nbformat
import pytest
from lessons import EXERCISE, ROOT, SOURCES, code_cells, outputs, regions, stored
from PIL import Image

from colorize import build
from colorize.check import exercises
from colorize.check.badge import MIME

pytestmark = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def test_notebooks_are_what_the_source_makes(source):
    assert build.problems(source) == []


def without_comments(code: str) -> str:
    """Code without comments and white space; text that is no Python is taken as it is."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return re.sub(r"\s+", "", code)
    return re.sub(r"\s+", "", "".join(token.string for token in tokens if token.type != tokenize.COMMENT))


def test_no_solution_is_given_away(source):
    given = stored(source, "notebooks")
    everything = "".join(without_comments(cell.source) for cell in given.cells)
    for number, region in regions(source).items():
        dedented = "\n".join(line.strip() for line in region.split("\n"))
        assert without_comments(dedented) not in everything, (
            f"the solution of {number} stands in the student's notebook"
        )


def test_no_line_of_a_solution_is_given_away(source):
    open_lines, solved = set(), set()
    for cell in build.read(source).cells:
        where = open_lines
        for line in cell.source.split("\n"):
            if line.strip() == build.BEGIN:
                where = solved
            elif line.strip() == build.END:
                where = open_lines
            else:
                where.add(line.strip())
    secret = {line for line in solved - open_lines if len(line) >= 25}
    assert secret, "a lesson without a solution line would make this test pass by itself"
    text = nbformat.writes(stored(source, "notebooks"))
    assert [line for line in secret if line in text or line.replace('"', '\\"') in text] == []


def test_student_notebook_is_clean(source):
    given = stored(source, "notebooks")
    assert outputs(given) == []
    assert all(cell.execution_count is None for cell in code_cells(given))
    assert [cell.id for cell in given.cells] == [cell.id for cell in stored(source).cells]
    text = nbformat.writes(given)
    assert build.BEGIN not in text
    assert text.count("raise NotImplementedError") >= len(regions(source))


@pytest.mark.parametrize("kind", ["notebooks", "solutions"])
def test_public_viewers_can_show_it(source, kind):
    notebook = stored(source, kind)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    texts = [cell.source for cell in notebook.cells]
    for output in outputs(notebook):
        assert output.output_type in ("stream", "display_data", "execute_result"), output
        assert output.get("name") != "stderr", output.text
        data = output.get("data", {})
        assert "application/vnd.jupyter.widget-view+json" not in data
        texts += [output.get("text", ""), *(str(v) for k, v in data.items() if not k.startswith("image/"))]
        for kind_of, value in data.items():
            if kind_of.startswith("image/"):
                assert len(base64.b64decode(value)) < 300_000
    paths = re.compile(r"(?<![\w.:/])/(?:work|tmp|root|home|Users|usr|var|mnt)/|[A-Z]:\\\\")
    assert [found for text in texts for found in paths.findall(text)] == []


def test_every_figure_has_alt_text_and_caption(source):
    figures = 0
    for cell in code_cells(stored(source)):
        for k, output in enumerate(cell.outputs):
            kinds = [kind for kind in output.get("data", {}) if kind.startswith("image/")]
            if not kinds:
                continue
            figures += 1
            (kind,) = kinds
            alt = output.metadata[kind]["alt"]
            assert len(alt) > 20
            assert output.data["text/plain"] == alt
            caption = cell.outputs[k + 1].data["text/markdown"]
            assert len(caption) > 20
            width, height = Image.open(io.BytesIO(base64.b64decode(output.data[kind]))).size
            assert width <= 1400
            assert height <= 1400
    assert figures >= 3


def test_every_stored_verdict_is_right(source):
    badges = {o.data[MIME]["exercise"]: o.data[MIME]["state"] for o in outputs(stored(source)) if "exercise" in o.get("data", {}).get(MIME, {})}  # fmt: skip
    assert badges == dict.fromkeys(exercises(int(source.name[:2])), "right")


def test_shape_of_a_lesson(source):
    lesson = build.read(source)
    number = int(source.name[:2])
    head = lesson.cells[0].source
    assert head.startswith(f"# Lesson {number} · ")
    assert "| needs |" in head
    assert "minutes" in head
    assert lesson.cells[-1].source == "check.scorecard()"
    text = "\n".join(cell.source for cell in lesson.cells if cell.cell_type == "markdown")
    for part in ("**Take away**", "## Questions", "**Predict", "## What the papers say", "<details>"):
        assert part in text, part
    code = [
        cell.source
        for cell in code_cells(lesson)
        if not cell.metadata.get("jupyter", {}).get("source_hidden")
    ]
    assert statistics.median(len(cell.split("\n")) for cell in code) < 12
    long = [line for cell in code_cells(lesson) for line in cell.source.split("\n") if len(line) > 90]
    assert long == []
    assert [cell.source for cell in lesson.cells[1:] if cell.cell_type == "code"] != []


def test_exercises_of_a_lesson(source):
    known = exercises(int(source.name[:2]))
    assert len(known) >= (1 if source.name.startswith("00") else 4)
    assert list(regions(source)) == list(known), "every exercise once, in order"
    cells = build.read(source).cells
    for before, cell in itertools.pairwise(cells):
        for number in EXERCISE.findall(cell.source if cell.cell_type == "code" else ""):
            text = before.source[before.source.rindex("### Exercise") :]
            assert text.startswith(f"### Exercise {number} · {known[number].title}\n")
            assert re.search(r"\n[●]+[○]* · \d+ minutes\n", text), f"{number}: dots and minutes"
            assert "<summary>Hint 1</summary>" in text
            assert "<summary>Hint 2</summary>" in text
            assert '"""' in cell.source, f"{number}: a docstring with shapes"
    for number, region in regions(source).items():
        lines = [line for line in region.split("\n") if line.strip()]
        assert 1 <= len(lines) <= 12, number


def test_no_stray_notebooks(source):
    names = {path.stem for path in SOURCES}
    for folder in ("notebooks", "solutions"):
        assert {path.stem for path in (ROOT / folder).glob("*.ipynb")} == names
