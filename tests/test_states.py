"""Lessons with wrong answers, and half solved, from top to bottom. (Open and solved ones run under nbval.)"""

import pytest
from lessons import SOURCES, mistake, run, with_answers

from colorize.check import exercises

# Answers to some exercises, and what the badges must say: "right" for the first, "open" where there is none, "not yet" for
# the others, which crash, make a typical mistake (a number), return nothing, or never end.
HALF = {
    1: {
        "1.1": "return torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)",
        "1.2": "return undefined_name(linear)",
        "1.4": 0,
    },
    2: {
        "2.1": "return torch.round(ab / spacing) * spacing",
        "2.3": "return undefined_name(grid)",
        "2.4": 1,
        "2.5": "distance = torch.cdist(ab, centers)",
        "2.6": "while T > 0:\n    pass",
    },
    3: {
        "3.1": "return 0.5 * (pred_ab - true_ab).square().sum(dim=1).mean()",
        "3.3": "return undefined_name(colors)",
        "3.4": 1,
        "3.5": "d = pred_ab - true_ab",
    },
    4: {
        "4.1": "return torch.log_softmax(logits, dim=1)",
        "4.3": "return undefined_name(logits)",
        "4.4": 1,
        "4.5": "steps = (ab + 100) / (200 / bins)",
    },
    5: {
        "5.1": "return torch.bincount(nearest_bin(ab).flatten(), minlength=313) / ab[:, 0].numel()",
        "5.3": "return undefined_name(prior)",
        "5.4": 1,
        "5.5": "counted = probabilities * weights",
    },
    6: {
        "6.1": "p = logits.softmax(1)\nreturn (p.movedim(1, -1) @ centers).movedim(-1, 1)",
        "6.3": "return undefined_name(p)",
        "6.4": 5,
    },
    7: {
        "7.1": "before = torch.tensor((1, *strides[:-1])).cumprod(0)\nstep = before * torch.tensor(dilations)\nreturn torch.stack((before, step, 1 + 2 * step.cumsum(0)), dim=1)",
        "7.2": 0,
        "7.3": "return undefined_name(weight)",
        "7.4": "mask = torch.ones(height, width)",
    },
    8: {
        "8.1": "curve = (distance[:, None] <= torch.arange(151)).float().mean(dim=0)\nreturn curve, torch.trapezoid(curve) / 150",
        "8.2": 0,
        "8.3": "return undefined_name(pred_rgb)",
        "8.4": 1,
        "8.5": "counted = fooled[~practice]",
    },
}


def states(sources, quick):
    """Parameters of a test: the lessons of these numbers each time, the others with the long tests."""
    return [
        pytest.param(path, id=path.stem, marks=() if int(path.name[:2]) in quick else pytest.mark.long)
        for path in sources
    ]


# Each time two lessons in each state; nbval runs all of them open and solved.
@pytest.mark.parametrize("source", states(SOURCES, quick={1, 8}))
def test_wrong(source, tmp_path):
    numbers = list(exercises(int(source.name[:2])))
    answers = {number: mistake(source, number) for number in numbers}
    assert run(with_answers(source, answers), tmp_path) == dict.fromkeys(numbers, "not yet")


@pytest.mark.parametrize("source", states(SOURCES[1:], quick={2, 5}))
def test_half_solved(source, tmp_path):
    lesson = int(source.name[:2])
    answers = {
        number: answer if isinstance(answer, str) else mistake(source, number, answer)
        for number, answer in HALF[lesson].items()
    }
    expected = {number: "not yet" if number in answers else "open" for number in exercises(lesson)}
    expected[f"{lesson}.1"] = "right"
    assert run(with_answers(source, answers), tmp_path) == expected
