"""The teacher's pages: ``python -m colorize.teacher`` writes ``docs/teaching/lesson_NN.md`` from the lessons and their checks.

For each lesson its question, goals and minutes; for each exercise its task, its signature, its hints, the solution's length, and the
mistakes that the check knows, with the sentence that a student reads. At the end the lesson's questions for discussion. The plans
in ``docs/teaching/README.md`` are written by hand; only its table of lessons comes from here.
"""

import argparse
import html
import re
import sys
from pathlib import Path
from typing import NamedTuple

from .build import BEGIN, END, ROOT, read, sources
from .check import exercises
from .check.judge import Exercise
from .files import write_whole

HEAD = re.compile(r"^### Exercise (\d+\.\d+) · (.+)$", re.MULTILINE)
DOTS = re.compile(r"^([●○]{5}) · (\d+) minutes?(.*)$", re.MULTILINE)
FOLDED = re.compile(r"<details><summary>(.*?)</summary>(.*?)</details>", re.DOTALL)
TABLE = "<!-- lessons: written by `make teaching` -->", "<!-- end of lessons -->"


class Lesson(NamedTuple):
    """What the teacher's pages say of a lesson."""

    number: int
    stem: str
    title: str
    question: str
    goals: list[str]
    read: str  # "70 minutes, 5 exercises"
    run: str
    tasks: list["Task"]
    questions: list[tuple[str, str]]


class Task(NamedTuple):
    """What they say of an exercise."""

    exercise: Exercise
    dots: str
    minutes: int
    text: str
    signature: str
    lines: int  # of the solution
    hints: list[str]


def lesson_of(source: Path) -> Lesson:
    """Read a lesson's source. ValueError if a part that every lesson has is not found."""
    notebook = read(source)
    number = int(source.name[:2])
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    head = texts[0]
    title = head.splitlines()[0].removeprefix("# ")
    question = _paragraph(
        _only(re.findall(r"^\*\*(.+?)\*\*", head, re.MULTILINE | re.DOTALL)[:1], source, "question")
    )
    goals = re.search(r"you can\n((?:- .+\n(?:  .+\n)*)+)", head)
    row = re.search(r"^\| to read.*\n\|[-| ]+\n\| ([^|]+) \| ([^|]+) \|", head, re.MULTILINE)
    if goals is None or row is None:
        raise ValueError(f"{source.name}: the first cell lacks its goals or its table of minutes")
    codes = {
        found[1]: cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and (found := re.search(r'@check\("(\d+\.\d+)"\)', cell.source))
    }
    tasks = []
    for text in texts:
        for found in HEAD.finditer(text):
            after = HEAD.search(text, found.end())
            part = text[found.end() : after.start() if after else None]
            tasks.append(_task(source, exercises(number)[found[1]], part, codes[found[1]]))
    last = next((text for text in reversed(texts) if "## Questions" in text), "")
    questions = [(_paragraph(asked), _paragraph(answer)) for asked, answer in FOLDED.findall(last)]
    return Lesson(
        number, source.stem, title, question, [_paragraph(g).rstrip(".;") for g in re.split(r"^- ", goals[1], flags=re.M)[1:]],
        row[1].strip(), row[2].strip(), tasks, questions,
    )  # fmt: skip


def _task(source: Path, exercise: Exercise, text: str, code: str) -> Task:
    dots = DOTS.search(text)
    if dots is None:
        raise ValueError(f"{source.name}: exercise {exercise.number} lacks its dots and minutes")
    body = FOLDED.sub("", text[dots.end() :])
    solution = re.findall(f"{BEGIN}\n(.*?)\n *{END}", code, re.DOTALL)[0]
    lines = len([line for line in solution.splitlines() if line.strip()])
    signature = re.findall(r"^def .+?:$", code, re.MULTILINE | re.DOTALL)[0]
    asked = re.search(r'"""(.+?)"""', code, re.DOTALL)
    words = " ".join(f"{_paragraph(part)}\n" for part in body.split("\n\n") if part.strip())
    return Task(
        exercise, dots[1], int(dots[2]), words.strip(), f"{signature}\n    \"\"\"{_paragraph(asked[1]) if asked else ''}\"\"\"",
        lines, [_paragraph(hint) for _, hint in FOLDED.findall(text)],
    )  # fmt: skip


def page(lesson: Lesson) -> str:
    """Write the teacher's page of a lesson, Markdown."""
    minutes = sum(task.minutes for task in lesson.tasks)
    lines = [
        f"# For the teacher: {lesson.title}",
        "",
        "Written by `make teaching` from the lesson and its checks.",
        "",
        f"**{lesson.question}**",
        "",
        f"To read and solve: {lesson.read} ({minutes} of the minutes are the exercises'). To run: {lesson.run}. "
        f"[The lesson](../../notebooks/{lesson.stem}.ipynb), [solved](../../solutions/{lesson.stem}.ipynb).",
        "",
        "After it students can",
        *(f"- {goal}" for goal in lesson.goals),
        "",
    ]
    for task in lesson.tasks:
        lines += [
            f"## {task.exercise.number} {task.exercise.title}",
            "",
            f"{task.dots} · {task.minutes} minutes · {task.lines} line{'s' * (task.lines != 1)} in our solution",
            "",
            task.text,
            "",
            f"```python\n{task.signature}\n```",
            "",
            *(f"*Hint {k}.* {hint}\n" for k, hint in enumerate(task.hints, start=1)),
            "Usual mistakes, as the badge names them:",
            "",
            *(f"- {message}" for _, message in task.exercise.mistakes),
            "",
        ]
    if lesson.questions:
        lines += ["## Questions for the class", ""]
        for asked, answer in lesson.questions:
            lines += [f"- **{asked}** {answer}"]
        lines.append("")
    return "\n".join(lines)


def overview(lessons: list[Lesson]) -> str:
    """Write the table of lessons for the page with the plans."""
    rows = ["| lesson | to read and solve | the exercises alone | exercises |", "|---|---|---|---|"]
    for lesson in lessons:
        tasks = ", ".join(f"{task.exercise.number} ({task.minutes})" for task in lesson.tasks)
        total = sum(task.minutes for task in lesson.tasks)
        name = lesson.title.split(" · ")[-1]
        rows.append(
            f"| [{lesson.number:02d} {name}](lesson_{lesson.number:02d}.md) | {lesson.read} | {total} min | {tasks} |"
        )
    return "\n".join(rows)


def with_table(text: str, lessons: list[Lesson]) -> str:
    """Return the page with the plans, its table that of now."""
    before, rest = text.split(TABLE[0])
    return f"{before}{TABLE[0]}\n{overview(lessons)}\n{TABLE[1]}{rest.split(TABLE[1])[1]}"


def pages(root: Path = ROOT) -> dict[Path, str]:
    """Return all pages by their paths, as they should be."""
    folder, lessons = root / "docs" / "teaching", [lesson_of(source) for source in sources(root)]
    plans = folder / "README.md"
    found = {folder / f"lesson_{lesson.number:02d}.md": page(lesson) for lesson in lessons}
    return found | {plans: with_table(plans.read_text(encoding="utf-8"), lessons)}


def _only(found: list[str], source: Path, what: str) -> str:
    if not found:
        raise ValueError(f"{source.name}: the first cell lacks its {what}")
    return found[0]


def _paragraph(text: str) -> str:
    """One line, without the tags that fold."""
    return html.unescape(re.sub(r"</?code>", "`", " ".join(text.split())))


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    argparse.ArgumentParser(prog="python -m colorize.teacher", description=__doc__.split("\n")[0]).parse_args(
        arguments
    )
    found = pages()
    for path, text in found.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_whole(path) as file:
            file.write(text.encode())
    print(f"written: {len(found)} pages in docs/teaching/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
