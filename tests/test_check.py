"""The checks: what they say, what they leave alone, and that nobody slips through."""

import base64
import dataclasses
import io
import random
import signal
import threading
import time

import numpy as np
import pytest
import torch
from lessons import ANSWERS, SOURCES
from PIL import Image

from colorize.check import Check, exercises
from colorize.check.badge import MIME, Badge, Scorecard
from colorize.check.inputs import fresh
from colorize.check.judge import NO_GRADIENT, Case, Exercise, Verdict, Wrong, judge


def double(x: torch.Tensor) -> torch.Tensor:
    """Reference of a small exercise for these tests."""
    return 2 * x


def says_even(result, case):
    if (torch.as_tensor(result) % 2 != 0).any():
        raise Wrong("twice a whole number is even.")


def exercise(**changes) -> Exercise:
    settings = {
        "number": "0.1",
        "title": "Twice",
        "reference": double,
        "cases": lambda: [
            Case("For 3", (torch.tensor([[3.0]]),), torch.tensor([[6.0]])),
            Case("For six numbers", (torch.arange(6.0).view(2, 3),)),
        ],
        "mistakes": ((lambda x: x**2, "You square the numbers."), (lambda x: (2 * x).T, "You transpose.")),
        "outputs": ("the double",),
        "inspect": says_even,
    }
    return Exercise(**{**settings, **changes})


def verdict(function, **changes) -> Verdict:
    return judge(exercise(**changes), function, limit=5.0)


def test_right():
    assert verdict(lambda x: x + x).state == "right"
    assert verdict(lambda x: (x + x).double()).state == "right"
    assert verdict(lambda x: x + x + 1e-6).state == "right"  # within the tolerance
    assert verdict(lambda x: (x + x).numpy()).state == "right"


def test_open():
    def untouched(x):
        raise NotImplementedError

    assert verdict(untouched) == Verdict("0.1", "Twice", "open")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: None, "For 3: the function returns None. Is the return missing?"),
        (lambda x: x**2, "You square the numbers."),
        ((lambda x: (2 * x)[:, :1]), "For six numbers: the double should have shape (2, 3), yours has (2, 1)."),
        (lambda x: 2 * x.long(), "For 3: the double should hold numbers with decimals, yours holds whole numbers (torch.int64)."),
        (lambda x: 2 * x / 0 * 0, "For 3: the double holds NaN (not a number) in 1 of 1 places."),
        (lambda x: 3 * x, "For 3: twice a whole number is even."),
        (lambda x: 4 * x, "For 3: the double is off in 1 of 1 values, most at [0, 0]: yours 12, expected 6."),
        (lambda x: "six", "For 3: the double should be a tensor of shape (1, 1), yours is 'six' (str)."),
        (lambda x: [[6.0]], "For 3: the double should be a tensor, yours is a list of 1."),
        (lambda x: ..., "For 3: the double should be a tensor of shape (1, 1), yours is Ellipsis (ellipsis)."),
        (lambda x: 2 * x if x.numel() == 1 else 2 * x + (x > 4), "For six numbers: twice a whole number is even."),
        (lambda x: x.mul_(2), "Your function changes its input in place. Work on a copy, or use new names."),
    ],
)  # fmt: skip
def test_messages(function, message):
    got = verdict(function)
    assert (got.state, got.message) == ("not yet", message)


def test_a_crash_names_error_line_and_arguments():
    def crashes(x):
        y = x + 1
        return y @ torch.zeros(7)

    message = verdict(crashes).message
    line = crashes.__code__.co_firstlineno + 2
    assert message.startswith(
        f"For 3: crashed with RuntimeError in line {line} of the cell, `return y @ torch.zeros(7)`: "
    )
    assert message.endswith("It was called with a tensor of shape (1, 1).")


def test_an_if_on_a_tensor_gets_advice():
    def chooses(x):
        return 2 * x if x > 1 else x

    message = verdict(chooses).message
    assert message.startswith("For six numbers: crashed with RuntimeError")
    assert "`if` takes one value; torch.where chooses for each." in message


def test_masks_are_compared_in_words():
    mask = exercise(
        reference=lambda x: x > 1,
        cases=lambda: [Case("For six numbers", (torch.arange(6.0),))],
        outputs=("the mask",),
        mistakes=(),
        inspect=None,
    )
    message = judge(mask, lambda x: x > 2).message
    assert (
        message
        == "For six numbers: the mask is wrong in 1 of 6 places, first at [2]: should be True, yours is False."
    )


def test_min_and_max_with_a_dimension_get_advice():
    message = verdict(lambda x: x.min(dim=1)).message
    assert "use argmin or argmax for the numbers" in message


def test_wrong_number_of_arguments():
    assert "crashed with TypeError" in verdict(lambda: None).message


def test_endless_loops_are_stopped():
    def forever(x):
        while True:
            pass

    def stubborn(x):
        while True:
            try:
                time.sleep(0.01)
            except Exception:  # must not catch the alarm
                continue

    for function in (forever, stubborn):
        got = judge(exercise(), function, limit=0.2)
        assert got.message == "For 3: stopped after 0.2 s. Is there a loop that never ends?"


def test_no_alarm_outside_the_main_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(verdict(double)))
    thread.start()
    thread.join()
    assert found[0].state == "right"


def test_random_state_is_left_alone():
    def careless(x):
        torch.manual_seed(5)
        np.random.seed(5)
        random.seed(5)
        torch.rand(3)
        return 2 * x

    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    expected = torch.rand(1).item(), np.random.rand(), random.random()
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    assert verdict(careless).state == "right"
    assert (torch.rand(1).item(), np.random.rand(), random.random()) == expected


def test_several_results_in_any_order():
    both = exercise(
        reference=lambda x: (x.flatten(), x.flatten() * 2),
        cases=lambda: [Case("For six numbers", (torch.arange(6.0).view(2, 3),))],
        outputs=("values", "doubles"),
        sort=lambda result: tuple(part.sort().values for part in result),
        mistakes=(),
        inspect=None,
    )
    assert judge(both, lambda x: (x.flatten().flip(0), 2 * x.flatten())).state == "right"
    assert judge(both, lambda x: [x.flatten(), 2 * x.flatten()]).state == "right"
    message = judge(both, lambda x: x).message
    assert (
        message == "For six numbers: expected 2 results (values and doubles), got a tensor of shape (2, 3)."
    )
    assert "doubles is off in 5 of 6" in judge(both, lambda x: (x.flatten(), 3 * x.flatten())).message


def test_pictures_of_both():
    draw = lambda result, case: np.full((4, 4, 3), int(result.sum()), dtype=np.uint8)  # noqa: E731
    got = verdict(lambda x: 4 * x, draw=draw)
    assert got.pictures[0][0, 0, 0] == 12
    assert got.pictures[1][0, 0, 0] == 6
    page = Badge(got)._repr_mimebundle_()["text/html"]
    assert page.count("data:image/png") == 2
    assert 'alt="yours"' in page
    assert 'alt="expected"' in page
    assert verdict(lambda x: "six", draw=draw).pictures is None


def test_badges_speak_on_every_screen():
    for v in (verdict(double), verdict(lambda x: x**2), Verdict("0.1", "Twice", "open")):
        bundle = Badge(v)._repr_mimebundle_()
        assert bundle[MIME] == {"exercise": "0.1", "state": v.state, "message": v.message}
        assert f"Exercise 0.1 (Twice): {v.state}." in bundle["text/plain"]
        assert v.state in bundle["text/html"]
        assert 'role="status"' in bundle["text/html"]
    assert "&lt;b&gt;" in Badge(Verdict("0.1", "x", "not yet", "<b>"))._repr_mimebundle_()["text/html"]


# The decorator


def test_a_wrong_answer_is_replaced_and_checking_twice_is_not_fooled(capsys):
    check = Check()
    wrong = lambda ab, spacing: ab  # noqa: E731
    first = check("2.1")(wrong)
    assert check.verdicts["2.1"].state == "not yet"
    assert first(torch.tensor([[14.0, -26.0]]), 10.0).tolist() == [[10, -30]]  # the course's own
    second = check("2.1")(first)
    assert check.verdicts["2.1"].state == "not yet"  # and not "right", although the stand-in is
    assert second(torch.tensor([[14.0]]), spacing=10.0).tolist() == [[10]]
    right = lambda ab, spacing: torch.round(ab / spacing) * spacing  # noqa: E731
    assert check("2.1")(right) is right
    assert "Exercise 2.1" in capsys.readouterr().out


def test_scorecard(capsys):
    check = Check()
    check.scorecard()
    assert "No exercise has been run yet." in capsys.readouterr().out
    check("2.6")(lambda *_: None)
    check("2.1")(exercises(2)["2.1"].reference)
    capsys.readouterr()
    check.scorecard()
    text = capsys.readouterr().out
    assert "1 of 6 exercises right" in text
    assert text.count(": open") == 4
    assert text.index("2.1  Round") < text.index("2.6  Back")
    assert "0 of 1 exercises right" in repr(Scorecard([Verdict("0.1", "Twice", "open")]))


def test_unknown_exercises_get_one_sentence():
    for number, sentence in (("2.9", "there is no exercise '2.9'; lesson 2 has 2.1, 2.2"), ("99.1", "no exercises for lesson 99"), ("two", "lesson two has none")):  # fmt: skip
        with pytest.raises(ValueError, match=sentence):
            Check()(number)


# The exercises themselves: every typical mistake gets its own message, right answers written differently pass


def test_every_lesson_has_answers():
    assert list(ANSWERS) == [int(source.name[:2]) for source in SOURCES]


ALL = [exercise for lesson in ANSWERS for exercise in exercises(lesson).values()]


@pytest.mark.parametrize("one", ALL, ids=lambda e: e.number)
def test_typical_mistakes_get_their_own_message(one):
    assert 3 <= len(one.mistakes) <= 8
    messages = [message for _, message in one.mistakes]
    assert len(set(messages)) == len(messages)
    for mistake, message in one.mistakes:
        got = judge(one, mistake)
        assert (got.state, got.message) == ("not yet", message)


@pytest.mark.parametrize("one", ALL, ids=lambda e: e.number)
def test_reference_is_right_and_each_case_counts(one):
    assert judge(one, one.reference).state == "right"
    cases = one.cases()
    for k, case in enumerate(cases):
        calls = iter(range(len(cases)))

        def spoiled(*args, calls=calls, k=k):
            result = one.reference(*args)
            return spoil(result) if next(calls) == k else result

        assert judge(one, spoiled).state == "not yet", case.say


@pytest.mark.parametrize("one", ALL, ids=lambda e: e.number)
def test_right_answers_written_differently_are_right(one):
    answers = ANSWERS[int(one.number.split(".")[0])].RIGHT[one.number]
    assert len(answers) >= 2
    for answer in answers:
        assert judge(one, answer).message == ""


@pytest.mark.parametrize("one", ALL, ids=lambda e: e.number)
def test_inputs_that_nobody_has_seen(one):
    """A grading draws them anew: right answers stay right, and who only knows the lesson's inputs by heart does not."""
    learned = [(case.args, one.reference(*case.args)) for case in one.cases()]

    def by_heart(*args):
        return next(result for known, result in learned if repr(known) == repr(args))

    assert judge(one, by_heart).state == "right" or one.trains
    for salt in (11, 2**41 + 5):
        with fresh(salt):
            assert judge(one, by_heart).state == "not yet"
            for answer in (one.reference, *ANSWERS[int(one.number.split(".")[0])].RIGHT[one.number]):
                assert judge(one, answer).message == ""


@pytest.mark.parametrize("one", ALL, ids=lambda e: e.number)
def test_mistakes_written_differently_get_the_same_message(one):
    answers = ANSWERS[int(one.number.split(".")[0])].WRONG[one.number]
    assert len(answers) >= 2
    for answer, words in answers:
        got = judge(one, answer)
        assert got.state == "not yet"
        assert words in got.message


def spoil(result):
    if isinstance(result, tuple):
        return (*result[:-1], spoil(result[-1]))
    if isinstance(result, torch.Tensor):
        return ~result if result.dtype == torch.bool else result + 1
    return not result if isinstance(result, bool) else result + 1


def test_alarm_is_put_back():
    def mine(*_):
        raise AssertionError("rang after the check")

    before = signal.signal(signal.SIGALRM, mine)
    try:
        judge(exercise(), lambda x: 2 * x, limit=0.2)
        assert signal.getsignal(signal.SIGALRM) is mine
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        judge(exercise(), lambda x: time.sleep(5), limit=0.1)
        assert signal.getsignal(signal.SIGALRM) is mine
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_bare_except_is_stopped():
    def bare(x):
        try:
            time.sleep(5)
        except:  # noqa: E722  what is tried here
            del x
        while True:
            pass

    got = judge(exercise(), bare, limit=0.2)
    assert "stopped after" in got.message


def test_open_means_the_students_own_line():
    class Layer(torch.nn.Module):
        pass  # forward raises NotImplementedError inside torch

    got = verdict(lambda x: Layer()(x))
    assert (got.state, "NotImplementedError" in got.message) == ("not yet", True)


def test_reference_mutating_does_not_matter():
    e = exercise(
        reference=lambda x: x.mul_(2),
        mistakes=((lambda x: x.zero_(), "zero"), (lambda x: 7 * x, "Seven times.")),
        inspect=None,
        cases=lambda: [Case("a", (torch.ones(1),)), Case("b", (torch.ones(2),))],
    )
    assert judge(e, lambda x: 2 * x).state == "right"
    assert judge(e, lambda x: 7 * x).message == "Seven times."


def test_a_loss_must_have_a_gradient():
    trains = exercise(
        reference=lambda x: x.sum(),
        cases=lambda: [Case("c", (torch.ones(3),))],
        mistakes=(),
        inspect=None,
        trains=(0,),
    )
    assert judge(trains, lambda x: x.sum()).state == "right"
    with torch.no_grad():  # the notebook's own business
        assert judge(trains, lambda x: x.sum()).state == "right"
    for cut in (
        lambda x: x.sum().item(),
        lambda x: x.sum().detach(),
        lambda x: x.detach().numpy().sum(),
        lambda x: x.numpy().sum(),
        torch.no_grad()(lambda x: x.sum()),
    ):
        got = judge(trains, cut)
        assert (got.state, got.message) == ("not yet", NO_GRADIENT)
    both = dataclasses.replace(
        trains,
        reference=lambda x, y: (x * y).sum(),
        cases=lambda: [Case("c", (torch.ones(3), torch.ones(3)))],
        trains=(0, 1),
    )
    assert judge(both, lambda x, y: (x * y).sum()).state == "right"
    for cut in (lambda x, y: (x.detach() * y).sum(), lambda x, y: (x * y.detach()).sum()):
        assert judge(both, cut).message == NO_GRADIENT
    assert judge(trains, lambda x: x.sum().item() + 1).message == "c: the double should be 3, yours is 4."


def test_infinity_is_compared():
    inf = float("inf")
    e = exercise(
        cases=lambda: [Case("c", (torch.zeros(2),), torch.tensor([inf, 1.0]))], mistakes=(), inspect=None
    )
    assert judge(e, lambda x: torch.tensor([inf, 1.0])).state == "right"
    assert judge(e, lambda x: torch.tensor([0.0, 1.0])).state == "not yet"
    assert judge(e, lambda x: torch.tensor([-inf, 1.0])).state == "not yet"


def test_tolerance_relative_to_expected():
    e = exercise(
        cases=lambda: [Case("c", (torch.zeros(1),), torch.tensor([0.0]))],
        tolerance=0.6,
        mistakes=(),
        inspect=None,
    )
    assert judge(e, lambda x: torch.tensor([1.0])).state == "not yet"


def test_crashing_mistake_and_inspection():
    def boom(*_):
        raise RuntimeError

    got = verdict(lambda x: 4 * x, mistakes=((boom, "never"),), inspect=boom)
    assert got.message.startswith("For 3: the double is off")


def test_scalar_words():
    e = exercise(
        reference=lambda x: x.sum(), cases=lambda: [Case("c", (torch.ones(3),))], mistakes=(), inspect=None
    )
    assert judge(e, lambda x: x.sum() + 1).message == "c: the double should be 3, yours is 4."


def test_number_of_results():
    e = exercise(
        reference=lambda x: (x, x),
        cases=lambda: [Case("c", (torch.ones(3),))],
        mistakes=(),
        inspect=None,
        outputs=("a", "b"),
    )
    assert judge(e, lambda x: (x, x, x)).message == "c: expected 2 results (a and b), got a tuple of 3."


def test_resized_input():
    assert "changes its input" in verdict(lambda x: (2 * x, x.resize_(0))[0]).message


def test_badge_words_and_escape():
    bad = Verdict("0.1", "<i>", "not yet", "<b> `x`")
    page = Badge(bad)._repr_mimebundle_()["text/html"]
    assert "&lt;i&gt;" in page and "&lt;b&gt; <code>x</code>" in page
    assert "Until then" in repr(Badge(bad)) and "Until then" in page
    card = Scorecard([bad, Verdict("0.2", "t", "right")])._repr_mimebundle_()
    assert "&lt;b&gt;" in card["text/html"] and "<b>" not in card["text/html"]
    assert "color1, #1a7f37) ; padding" not in card["text/html"]
    assert (
        card["text/html"].startswith("<div")
        and "border-left: 4px solid var(--jp-ui-font-color2" in card["text/html"]
    )
    assert card["application/vnd.colorize.check+json"] == {"scorecard": {"0.1": "not yet", "0.2": "right"}}


def test_channels_last_still_gets_a_badge():
    e = exercises(1)["1.4"]
    for f in (
        lambda r: r.movedim(0, -1),
        lambda r: r[None],
        lambda r: r[0],
        lambda r: r[:, :0],
        lambda r: r.sum(),
    ):
        Badge(judge(e, lambda a, b, f=f: f(e.reference(a, b))))._repr_mimebundle_()


def test_leaving_the_program_is_a_crash():
    def leaves(x):
        raise SystemExit

    assert "SystemExit" in verdict(leaves).message


def test_picture_is_enlarged_square():
    got = verdict(lambda x: 4 * x, draw=lambda r, c: np.zeros((4, 6, 3), np.uint8))
    page = Badge(got)._repr_mimebundle_()["text/html"]
    data = page.split("base64,")[1].split('"')[0]
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (180, 120)


def test_a_dropped_default_is_noticed(capsys):
    check = Check()
    reference = exercises(1)["1.5"].reference
    check("1.5")(lambda ab, threshold: reference(ab, threshold))
    assert check.verdicts["1.5"].message == (
        "The lesson calls this function with its default `threshold=5.0`: leave the def line as it was."
    )
    check("1.5")(lambda ab, threshold=5.0: reference(ab, threshold))
    assert check.verdicts["1.5"].state == "right"


def test_a_check_without_its_number_gets_one_sentence():
    for wrong in (2.1, double):
        with pytest.raises(TypeError, match="in quotes"):
            Check()(wrong)


def test_time_limit_is_for_all_cases_together():
    got = judge(exercise(), lambda x: (time.sleep(0.7), 2 * x)[1], limit=1.2)
    assert got.message == "For six numbers: stopped after 1.2 s. Is there a loop that never ends?"


def test_results_of_any_make_get_a_verdict():
    for make in (
        lambda t: t.to_sparse(),
        lambda t: t.numpy()[::-1, ::-1][::-1, ::-1],
        lambda t: t.requires_grad_(),
    ):
        assert verdict(lambda x, make=make: make(2 * x)).state == "right"
    assert "complex numbers" in verdict(lambda x: 2 * x + 0j).message
    assert "should be a tensor" in verdict(lambda x: {}).message


def test_crash_words_are_kept_short():
    def long_words(x):
        raise ValueError("long " * 1000 + ".")

    def no_words(x):
        raise AssertionError

    assert len(verdict(long_words).message) < 600
    assert "`raise AssertionError`. It was called" in verdict(no_words).message


def test_open_is_seen_through_a_decorator():
    @torch.no_grad()
    def untouched(x):
        raise NotImplementedError

    assert verdict(untouched).state == "open"


def test_a_right_answer_in_numpy_is_handed_on_as_tensors(capsys):
    """The lesson goes on with tensors; gradients of an answer that is a tensor are not lost."""
    checks = Check()
    right = exercises(1)
    number, reference = next((n, e.reference) for n, e in right.items() if len(e.cases()[0].args) == 1)
    case = right[number].cases()[0]

    def in_numpy(*args):
        return reference(*args).numpy()

    in_numpy.__defaults__ = reference.__defaults__
    handed_on = checks(number)(in_numpy)
    assert checks.verdicts[number].state == "right"
    assert torch.is_tensor(handed_on(*case.args))
    assert torch.equal(handed_on(*case.args), reference(*case.args))
    assert checks(number)(handed_on)._student is in_numpy  # checked again, it is still the student's function
    assert checks(number)(reference) is reference


def test_a_lesson_whose_checks_need_what_is_missing_says_so(monkeypatch):
    """Not "there are no exercises", which would hide what is wrong."""
    from colorize import check

    def missing(name):
        raise ModuleNotFoundError("No module named 'scipy'", name="scipy")

    monkeypatch.setattr(check.importlib, "import_module", missing)
    with pytest.raises(ModuleNotFoundError, match="scipy"):
        check.exercises(2)
