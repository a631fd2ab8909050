"""The builder: markers, ids, determinism, and what it refuses."""

import base64
import io

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from colorize import build, compare

HEADER = "# ---\n# jupyter:\n#   jupytext:\n#     text_representation: {extension: .py, format_name: percent}\n# ---\n\n"
LESSON = (
    HEADER
    + '''# %% [markdown]
# # A title

# %% tags=["no-compare"]
import math

# %% jupyter={"source_hidden": true}
def area(radius):
    """Area of a disc."""
    # BEGIN SOLUTION
    square = radius**2
    return math.pi * square
    # END SOLUTION

# %%
print(area(2.0))

# %%
print(area(2.0))
'''
)


@pytest.fixture
def source(tmp_path):
    (tmp_path / "solutions").mkdir()
    path = tmp_path / "solutions" / "01_discs.py"
    path.write_text(LESSON)
    return path


def built(source, executed=True):
    lesson = build.read(source)
    build.write(source.parents[1] / "notebooks" / "01_discs.ipynb", build.student(lesson))
    done = build.execute(lesson, source.parent) if executed else lesson
    build.write(source.with_suffix(".ipynb"), done)
    return done


def test_student_gets_the_question_and_not_the_answer(source):
    cell = build.student(build.read(source)).cells[2]
    assert cell.source == (
        'def area(radius):\n    """Area of a disc."""\n    # YOUR CODE HERE\n    raise NotImplementedError'
    )
    assert cell.metadata == {"jupyter": {"source_hidden": True}}


def test_ids_depend_on_the_text_alone(source):
    first = [cell.id for cell in build.read(source).cells]
    assert len(set(first)) == len(first)
    assert first[4] == first[3] + "-2"  # the same text twice
    source.write_text(LESSON.replace("# A title", "# Another title"))
    second = [cell.id for cell in build.read(source).cells]
    assert second[1:] == first[1:]
    assert second[0] != first[0]


def test_building_twice_gives_the_same_bytes(source):
    built(source)
    paths = [source.with_suffix(".ipynb"), source.parents[1] / "notebooks" / "01_discs.ipynb"]
    before = [path.read_bytes() for path in paths]
    done = built(source)
    assert [path.read_bytes() for path in paths] == before
    assert done.cells[3].outputs[0].text == "12.566370614359172\n"
    assert build.problems(source) == []
    assert set(nbformat.read(paths[0], 4).metadata) == {"kernelspec", "language_info"}


def test_changes_by_hand_are_found(source):
    built(source, executed=False)
    assert build.problems(source) == []
    for folder in ("solutions", "notebooks"):
        path = source.parents[1] / folder / "01_discs.ipynb"
        original = path.read_text()
        path.write_text(original.replace("Area of a disc", "Area of a circle"))
        (message,) = build.problems(source)
        assert message.startswith(f"{folder}/01_discs.ipynb is not what its source makes:")
        assert "+" in message and "Area of a circle" in message
        path.write_text(original)
    (source.parents[1] / "notebooks" / "01_discs.ipynb").unlink()
    assert build.problems(source) == ["01_discs.ipynb is missing in notebooks/: run `make notebooks`"]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("    # END SOLUTION\n", "", r"01_discs.py, cell 3: # BEGIN SOLUTION without # END SOLUTION"),
        ("    # BEGIN SOLUTION\n", "", r"01_discs.py, cell 3: # END SOLUTION without # BEGIN SOLUTION"),
        ("square = radius**2", "# BEGIN SOLUTION", r"cell 3: # BEGIN SOLUTION inside a solution region"),
        (
            "square = radius**2",
            "square = 1  # END SOLUTION",
            "is no marker: write # BEGIN SOLUTION or # END SOLUTION, alone on its line",
        ),
        ("print(area(2.0))\n\n", "\n\n", r"cell 4 is empty"),
        ("# BEGIN", "#begin", "is no marker"),
        ("# # A title", "# # BEGIN SOLUTION", "can only be marked in a code cell"),
    ],
)
def test_broken_sources_are_refused(source, old, new, sentence):
    source.write_text(LESSON.replace(old, new, 1))
    with pytest.raises(build.SourceError, match=sentence):
        build.read(source)


def test_answers_can_be_put_in():
    code = "if x:\n    # BEGIN SOLUTION\n    a\n    # END SOLUTION\nelse: b"
    assert build.open_regions(code, answer="c\n  d") == "if x:\n    c\n      d\nelse: b"


# Comparing outputs


def test_unchanged_outputs_agree(source):
    done = built(source)
    assert compare.differences(done, build.execute(build.read(source), source.parent)) == []


@pytest.mark.parametrize(
    ("old", "new", "agree"),
    [
        ("error 3.75 dB", "error 3.76 dB", True),
        ("error 3.75 dB", "error 3.85 dB", False),
        ("error 3.75 dB", "error 3.75 bits", False),
        ("1,234 of 5", "1,235 of 5", False),  # a count
        ("12,340 pixels", "12,350 pixels", True),
        ("313 bins", "312 bins", False),
        ("shape (1, 2)", "shape (1 2)", False),
        ("[0.0, -2.3]", "[0.0005, -2.3]", True),
        ("-2.3", "2.3", False),
        ("1e-05", "9e-05", True),  # noise around zero
        ("1e5", "2e5", False),
        ("True", "False", False),
    ],
)
def test_text_is_compared_with_tolerance(old, new, agree):
    assert (compare.text_difference(old, new) is None) == agree


def picture(value, size=(8, 8)):
    buffer = io.BytesIO()
    Image.new("RGB", size, (value,) * 3).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_what_a_training_found_is_compared_more_loosely():
    assert (
        compare.text_difference("loss 100.5 after 7 of 8", "loss 120.1 after 9 of 10", trained=True) is None
    )
    assert "150" in compare.text_difference("loss 100.5", "loss 150", trained=True)
    assert compare.text_difference("sky    9.5\n", "sky   10.5\n", trained=True) is None
    assert "text changed" in compare.text_difference("loss 1", "error 1", trained=True)
    assert compare.picture_difference(picture(100), picture(200), trained=True) is None
    assert "8 x 9" in compare.picture_difference(picture(100), picture(100, (8, 9)), trained=True)


def test_pictures_are_compared_with_tolerance():
    assert compare.picture_difference(picture(100), picture(101)) is None
    assert "3.0 gray levels" in compare.picture_difference(picture(100), picture(103))
    assert "8 x 9" in compare.picture_difference(picture(100), picture(100, (8, 9)))


def test_differences_name_the_cell_and_skip_what_prints_a_time(source):
    done = built(source)
    other = build.read(source)
    fresh = build.execute(other, source.parent)
    fresh.cells[3].outputs[0].text = "13.1\n"
    (message,) = compare.differences(done, fresh)
    assert message.startswith("cell 4: 12.566370614359172 is now 13.1")
    fresh.cells[3].outputs = []
    assert compare.differences(done, fresh) == ["cell 4: 0 outputs instead of 1"]
    tagged = build.execute(build.read(source), source.parent)
    tagged.cells[1].outputs = [nbformat.v4.new_output("stream", text="7 ms")]
    assert compare.differences(done, tagged) == []  # the cell is tagged no-compare


def differ(one, other):
    books = [new_notebook(cells=[new_code_cell("x", outputs=o)]) for o in (one, other)]
    return compare.differences(*books)


def data(**kinds):
    return [new_output("display_data", {k.replace("_", "/"): v for k, v in kinds.items()})]


def test_every_kind_of_output_is_compared():
    for kind in ("image_png", "image_jpeg"):
        assert differ(data(**{kind: picture(100)}), data(**{kind: picture(100)})) == []
        assert "gray levels" in differ(data(**{kind: picture(100)}), data(**{kind: picture(110)}))[0]
    assert differ(data(text_plain="a 1"), data(text_plain="a 2")) == ["cell 1: 1 is now 2, in 'a 2'"]
    assert "is now" in differ(data(text_plain="a"), data(text_plain="a", image_png=picture(1)))[0]
    assert "is now" in differ(data(text_plain="a"), [new_output("stream", text="a")])[0]
    assert differ(
        [new_output("error", ename="E", evalue="", traceback=[])],
        [new_output("error", ename="E", evalue="", traceback=[])],
    ) == ["cell 1: an error is stored"]
    assert differ([new_output("stream", name="stderr", text="7 it/s")], []) == []
    assert compare.text_difference("100", "101.5")


def test_commands_return_what_they_found(source, monkeypatch, capsys):
    monkeypatch.setattr(build, "ROOT", source.parents[1])
    monkeypatch.setattr(build, "sources", lambda: [source])
    assert build.main(["--check"]) == 1
    assert build.main([]) == 0
    assert build.main(["--check"]) == 0
    assert "1 lessons agree" in capsys.readouterr().out
    assert compare.main([]) == 0
    before = nbformat.read(source.with_suffix(".ipynb"), 4)
    source.write_text(LESSON + "\n# %% [markdown]\n# One more sentence.\n")
    assert build.main(["--prose"]) == 0
    assert build.main(["--check"]) == 0
    after = nbformat.read(source.with_suffix(".ipynb"), 4)
    assert after.cells[:-1] == before.cells
    assert after.cells[-1].source == "One more sentence."
    source.write_text(LESSON.replace("print(area(2.0))", "print(area(3.0))", 1))
    assert build.main(["--prose"]) == 1
    assert "holds other code than its source" in capsys.readouterr().err
    assert nbformat.read(source.with_suffix(".ipynb"), 4) == after
    source.write_text(LESSON)
    assert build.main(["--prose"]) == 0
    source.with_suffix(".ipynb").write_text(
        source.with_suffix(".ipynb").read_text().replace("12.566", "13.566")
    )
    assert compare.main(["01"]) == 1
    source.write_text(LESSON.replace("    # END SOLUTION\n", ""))
    assert build.main(["--check"]) == 1
    assert "without # END SOLUTION" in capsys.readouterr().err


def test_outputs_are_cleaned(source):
    cell = """
# %%
import os, sys, warnings, ipywidgets

warnings.warn("watch out")
for k in range(3):
    print(k, flush=True)
print(os.environ["TQDM_DISABLE"])
ipywidgets.IntSlider()
"""
    source.write_text(LESSON + cell)
    found = build.execute(build.read(source), source.parent).cells[-1].outputs
    assert not any("widget-view" in kind for output in found for kind in output.get("data", {}))
    assert [output.text for output in found if output.get("name") == "stdout"] == ["0\n1\n2\n1\n"]
    assert "ipykernel_" not in "".join(output.get("text", "") for output in found)


def test_a_line_that_moved_is_found():
    white = Image.new("RGB", (50, 50), "white")
    lines = []
    for x in (20, 30):
        drawn = white.copy()
        drawn.paste("black", (x, 0, x + 1, 50))
        buffer = io.BytesIO()
        drawn.save(buffer, "PNG")
        lines.append(base64.b64encode(buffer.getvalue()).decode())
    assert compare.picture_difference(lines[0], lines[0]) is None
    assert compare.picture_difference(*lines) is not None


def test_unknown_lessons_are_refused(source, monkeypatch, capsys):
    monkeypatch.setattr(build, "sources", lambda: [source])
    for command in (build.main, compare.main):
        with pytest.raises(SystemExit):
            command(["99"])
        assert "no such lesson: 99; there are 01" in capsys.readouterr().err


def test_a_conflict_in_a_notebook_is_one_sentence(source):
    built(source, executed=False)
    source.with_suffix(".ipynb").write_text("<<<<<<< HEAD")
    assert build.problems(source) == [
        "solutions/01_discs.ipynb is no notebook (a merge conflict?): run `make notebooks`"
    ]


def test_a_picture_in_which_a_part_has_changed():
    before, after = (Image.new("RGB", (100, 100), (100, 100, 100)) for _ in range(2))
    after.paste((200, 100, 100), (0, 0, 25, 10))

    def text(image):
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return base64.b64encode(buffer.getvalue()).decode()

    assert "more than 40 gray levels in 2.5% of its pixels" in compare.picture_difference(
        text(before), text(after)
    )
