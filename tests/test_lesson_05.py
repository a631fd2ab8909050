"""Lesson 5 in every state, run from top to bottom. (Unsolved, it runs under nbval.)"""

from lessons import SOURCES, mistake, regions, run, with_answers

from colorize.check import exercises

SOURCE = next(path for path in SOURCES if path.name.startswith("05"))
NUMBERS = list(exercises(5))


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
    """Right, open, crashing, wrong, and one that returns nothing, in one notebook."""
    answers = {
        "5.1": "return torch.bincount(nearest_bin(ab).flatten(), minlength=313) / ab[:, 0].numel()",
        "5.3": "return undefined_name(prior)",
        "5.4": mistake(SOURCE, "5.4", 1),
        "5.5": "counted = probabilities * weights",
    }
    expected = {
        "5.1": "right",
        "5.2": "open",
        "5.3": "not yet",
        "5.4": "not yet",
        "5.5": "not yet",
    }
    assert run(with_answers(SOURCE, answers), tmp_path) == expected
