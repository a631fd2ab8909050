"""Lesson 4 in every state, run from top to bottom. (Unsolved, it runs under nbval.)"""

from lessons import SOURCES, mistake, regions, run, with_answers

from colorize.check import exercises

SOURCE = next(path for path in SOURCES if path.name.startswith("04"))
NUMBERS = list(exercises(4))


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
    """Right, open, crashing, wrong, one that returns nothing, and a loop, in one notebook."""
    answers = {
        "4.1": "return torch.log_softmax(logits, dim=1)",
        "4.3": "return undefined_name(logits)",
        "4.4": mistake(SOURCE, "4.4", 1),
        "4.5": "steps = (ab + 100) / (200 / bins)",
        "4.6": "while joint.sum() > 0:\n    pass",
    }
    expected = {
        "4.1": "right",
        "4.2": "open",
        "4.3": "not yet",
        "4.4": "not yet",
        "4.5": "not yet",
        "4.6": "not yet",
    }
    assert run(with_answers(SOURCE, answers), tmp_path) == expected
