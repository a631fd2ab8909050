"""The teacher's pages: they are those of the lessons as they are now, and leave nothing out."""

import re

import pytest
from lessons import ROOT, SOURCES, regions

from colorize import teacher
from colorize.check import exercises


def test_the_pages_are_those_of_now():
    """`make teaching` writes them again."""
    found = teacher.pages()
    there = sorted((ROOT / "docs" / "teaching").glob("*.md"))
    assert sorted(found) == there
    for path, text in found.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is old: run make teaching"


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_every_exercise_and_mistake_is_there_and_no_solution(source):
    lesson = teacher.lesson_of(source)
    text = teacher.page(lesson)
    known = exercises(lesson.number)
    assert [task.exercise.number for task in lesson.tasks] == list(known)
    for number, one in known.items():
        part = text.split(f"## {number} ")[1].split("\n## ")[0]
        assert all(f"- {message}\n" in part for _, message in one.mistakes)
        assert len(re.findall(r"^\*Hint \d\.\*", part, flags=re.MULTILINE)) == 2
    for solution in regions(source).values():
        for line in (line.strip() for line in solution.splitlines()):
            assert len(line) < 25 or line not in text
    assert lesson.goals and lesson.questions
    assert "<details>" not in text


def test_a_lesson_without_its_parts_is_named(tmp_path):
    broken = tmp_path / "02_broken.py"
    broken.write_text("# %% [markdown]\n# # Lesson 2 · Broken\n")
    with pytest.raises(ValueError, match=r"02_broken\.py: the first cell lacks its question"):
        teacher.lesson_of(broken)
    broken.write_text("# %% [markdown]\n# # Lesson 2 · Broken\n#\n# **Why?**\n")
    with pytest.raises(ValueError, match="lacks its goals or its table of minutes"):
        teacher.lesson_of(broken)


def test_an_exercise_without_its_dots_is_named():
    one = exercises(2)["2.3"]
    with pytest.raises(ValueError, match=r"02_quantization\.py: exercise 2\.3 lacks its dots and minutes"):
        teacher._task(SOURCES[2], one, "### Exercise 2.3\n\nNo dots here.\n", "")


def test_the_command_writes_all_pages(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        teacher, "pages", lambda: {tmp_path / "new" / f"{k}.md": f"page {k}\n" for k in range(3)}
    )
    assert teacher.main([]) == 0
    assert "written: 3 pages" in capsys.readouterr().out
    assert [path.read_text() for path in sorted((tmp_path / "new").iterdir())] == [
        "page 0\n",
        "page 1\n",
        "page 2\n",
    ]
