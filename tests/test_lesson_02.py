"""Lesson 2 in every state, run from top to bottom. (Unsolved, it runs under nbval.)"""

from lessons import SOURCES, mistake, regions, run, with_answers

from colorize.check import exercises

SOURCE = next(path for path in SOURCES if path.name.startswith("02"))
NUMBERS = list(exercises(2))


def test_solved(tmp_path):
    answers = {
        number: "\n".join(line[4:] for line in region.split("\n"))
        for number, region in regions(SOURCE).items()
    }
    assert run(with_answers(SOURCE, answers), tmp_path) == dict.fromkeys(NUMBERS, "right")


def test_wrong(tmp_path):
    answers = {number: mistake(SOURCE, number) for number in NUMBERS}
    assert run(with_answers(SOURCE, answers), tmp_path) == dict.fromkeys(NUMBERS, "not yet")


def test_half_solved(tmp_path):
    """Right, open, crashing, wrong, a syntax that runs but returns nothing, and a loop, in one notebook."""
    answers = {
        "2.1": "return torch.round(ab / spacing) * spacing",
        "2.3": "return undefined_name(grid)",
        "2.4": mistake(SOURCE, "2.4", 1),
        "2.5": "distance = torch.cdist(ab, centers)",
        "2.6": "while T > 0:\n    pass",
    }
    expected = {
        "2.1": "right",
        "2.2": "open",
        "2.3": "not yet",
        "2.4": "not yet",
        "2.5": "not yet",
        "2.6": "not yet",
    }
    assert run(with_answers(SOURCE, answers), tmp_path) == expected
