"""The builder: markers, ids, determinism, and what it refuses."""

import nbformat
import pytest

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
        ("square = radius**2", "square = 1  # END SOLUTION", "must stand alone on its line"),
        ("print(area(2.0))\n\n", "\n\n", r"cell 4 is empty"),
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
        ("1,234 of 5", "1,235 of 5", True),
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
    import base64
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", size, (value,) * 3).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


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
