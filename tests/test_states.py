"""Lessons with wrong answers, and half solved, from top to bottom. (Open and solved ones run under nbval.)"""

import pytest
from lessons import ANSWERS, SOURCES, mistake, run, with_answers

from colorize.check import exercises


def states(sources, quick):
    """Parameters of a test: the lessons of these numbers each time, the others with the long tests."""
    return [
        pytest.param(path, id=path.stem, marks=() if int(path.name[:2]) in quick else pytest.mark.long)
        for path in sources
    ]


# Each time two lessons in each state; nbval runs all of them open and solved.
@pytest.mark.parametrize("source", states(SOURCES, quick={1, 12}))
def test_wrong(source, tmp_path):
    numbers = list(exercises(int(source.name[:2])))
    answers = {number: mistake(source, number) for number in numbers}
    assert run(with_answers(source, answers), tmp_path) == dict.fromkeys(numbers, "not yet")


@pytest.mark.parametrize("source", states(SOURCES[1:], quick={1, 9}))
def test_half_solved(source, tmp_path):
    lesson = int(source.name[:2])
    answers = {
        number: answer if isinstance(answer, str) else mistake(source, number, answer)
        for number, answer in ANSWERS[lesson].HALF.items()
    }
    expected = {number: "not yet" if number in answers else "open" for number in exercises(lesson)}
    expected[f"{lesson}.1"] = "right"
    assert run(with_answers(source, answers), tmp_path) == expected
