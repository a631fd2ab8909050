"""Judge one answer: run it on small cases, compare with what is expected, and say in words what is wrong."""

import contextlib
import linecache
import random
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

TIME_LIMIT = 10.0  # seconds for one exercise, all its cases together


class Wrong(Exception):
    """Raised by an exercise's own inspection, with the sentence that the student reads."""


class TimeUp(BaseException):
    """Raised by the alarm. Not an Exception, so that a student's ``except Exception`` lets it through."""


@dataclass(frozen=True)
class Case:
    """One trial of an exercise.

    ``say`` begins the message if this case fails ("For a color on a bin center"). ``expected`` is a value known by
    other means, such as a sum done by hand; when it is left out, the reference computes it.
    """

    say: str
    args: tuple
    expected: Any = None


@dataclass(frozen=True)
class Exercise:
    """One exercise: how an answer is tried, compared and, where it is wrong, explained.

    ``mistakes`` are typical wrong answers, each with its message; an answer that returns the same as one of them on
    every case gets that message. ``inspect(result, case)`` may raise Wrong for properties that any answer must have.
    ``sort(result)`` brings results whose order does not matter into one order. ``draw(result, case)`` makes a small
    picture, (H, W, 3) uint8, shown for the student's result and for the expected one.
    """

    number: str
    title: str
    reference: Callable
    cases: Callable[[], list[Case]]
    mistakes: tuple[tuple[Callable, str], ...] = ()
    outputs: tuple[str, ...] = ("the result",)
    tolerance: float = 1e-4
    inspect: Callable[[Any, Case], None] | None = None
    sort: Callable[[Any], Any] = lambda result: result
    draw: Callable[[Any, Case], np.ndarray] | None = None


@dataclass(frozen=True)
class Verdict:
    """State is "open", "not yet" or "right"; pictures, if any, are the student's and the expected one."""

    number: str
    title: str
    state: str
    message: str = ""
    pictures: tuple[np.ndarray, np.ndarray] | None = None


def judge(exercise: Exercise, function: Callable, limit: float = TIME_LIMIT) -> Verdict:
    """Try ``function`` on the exercise's cases.

    The state of the random number generators is left as it was. Python code that does not end is stopped after
    ``limit`` seconds, on POSIX systems and in the main thread, where notebooks run their cells. One long call inside
    a compiled library cannot be stopped this way: interrupt or restart the kernel.
    """

    def verdict(state: str, message: str = "", pictures=None) -> Verdict:
        return Verdict(exercise.number, exercise.title, state, message, pictures)

    cases = exercise.cases()
    results = []
    with _random_state_kept():
        for case in cases:
            args = _copy(case.args)
            try:
                with _alarm(limit):
                    result = function(*args)
            except NotImplementedError as error:
                if _frames(error)[-1][0] == _file(
                    function
                ):  # the student's own line, not one inside a library
                    return verdict("open")
                return verdict("not yet", _crash(error, function, args, case))
            except TimeUp:
                return verdict(
                    "not yet", f"{case.say}: stopped after {limit:g} s. Is there a loop that never ends?"
                )
            except Exception as error:
                return verdict("not yet", _crash(error, function, args, case))
            if not _same(args, case.args):
                return verdict(
                    "not yet", "Your function changes its input in place. Work on a copy, or use new names."
                )
            results.append(result)
        for case, result in zip(cases, results, strict=True):
            good = _expected(exercise, case)
            misfit = _misfit(result, good, exercise)
            if not misfit and (off := _off(result, good, exercise)) is None:
                continue
            words = _typical_mistake(exercise, cases, results)
            words = words or f"{case.say}: {misfit or _own_words(exercise, result, case) or off}"
            return verdict("not yet", words, _pictures(exercise, result, good, case))
        return verdict("right")


def _typical_mistake(exercise: Exercise, cases: list[Case], results: list) -> str | None:
    """Return the message of the mistake that gives the same results as the student's function on every case."""

    def agree(case: Case, result: Any, mistake: Callable) -> bool:
        theirs = mistake(*_copy(case.args))
        return not _misfit(result, theirs, exercise) and _off(result, theirs, exercise) is None

    for mistake, message in exercise.mistakes:
        with contextlib.suppress(Exception):  # a mistake may crash on some case: then it is not this one
            if all(agree(case, result, mistake) for case, result in zip(cases, results, strict=True)):
                return message
    return None


def _expected(exercise: Exercise, case: Case) -> Any:
    return case.expected if case.expected is not None else exercise.reference(*_copy(case.args))


def _own_words(exercise: Exercise, result: Any, case: Case) -> str | None:
    """Return what the exercise itself has to say about the result, if it can tell."""
    if exercise.inspect is None:
        return None
    try:
        exercise.inspect(result, case)
    except Wrong as wrong:
        return str(wrong)
    except Exception:  # the result is not even of the type that the inspection reads
        return None
    return None


def _pictures(exercise: Exercise, result: Any, good: Any, case: Case) -> tuple[np.ndarray, np.ndarray] | None:
    if exercise.draw is None:
        return None
    try:
        return exercise.draw(result, case), exercise.draw(good, case)
    except Exception:  # nothing drawable came back: the words must do
        return None


# Comparison


def _misfit(got: Any, good: Any, exercise: Exercise) -> str | None:
    """Return None if both are of one make (number of results, types, shapes), else what is different."""
    if got is None:
        return "the function returns None. Is the return missing?"
    if not isinstance(good, tuple):
        return _misfit_of_one(got, good, exercise.outputs[0])
    if not isinstance(got, (tuple, list)) or len(got) != len(good):
        return f"expected {len(good)} results ({' and '.join(exercise.outputs)}), got {_describe(got)}."
    found = [_misfit_of_one(g, e, name) for name, g, e in zip(exercise.outputs, got, good, strict=True)]
    return next((message for message in found if message), None)


def _misfit_of_one(got: Any, good: Any, name: str) -> str | None:
    try:
        mine, theirs = torch.as_tensor(got), torch.as_tensor(good)
    except Exception:
        return f"{name} should be {_describe(good)}, yours is {_describe(got)}."
    if isinstance(good, Tensor) and isinstance(got, (list, tuple)):
        return f"{name} should be a tensor, yours is {_describe(got)}."
    if mine.shape != theirs.shape:
        return f"{name} should have shape {tuple(theirs.shape)}, yours has {tuple(mine.shape)}."
    if _kind(mine) != _kind(theirs):
        return f"{name} should hold {_kind(theirs)}, yours holds {_kind(mine)} ({mine.dtype})."
    if mine.isnan().any() and not theirs.isnan().any():
        return f"{name} holds NaN (not a number) in {int(mine.isnan().sum())} of {mine.numel()} places."
    return None


def _off(got: Any, good: Any, exercise: Exercise) -> str | None:
    """Return None if all values agree within the tolerance, else where they differ most. Both are of one make."""
    got, good = exercise.sort(got), exercise.sort(good)
    if not isinstance(good, tuple):
        got, good = (got,), (good,)
    found = [
        _off_in_one(g, e, n, exercise.tolerance) for n, g, e in zip(exercise.outputs, got, good, strict=True)
    ]
    return next((message for message in found if message), None)


def _off_in_one(got: Any, good: Any, name: str, tolerance: float) -> str | None:
    a, b = (torch.as_tensor(x).detach().double().cpu() for x in (got, good))
    off = (a - b).abs()
    off[(a == b) | (a.isnan() & b.isnan())] = 0.0  # equal infinities, too
    bad = ~(off <= tolerance * (1 + b.abs()))
    if not bad.any():
        return None
    if a.ndim == 0:
        return f"{name} should be {b.item():.4g}, yours is {a.item():.4g}."
    where = tuple(np.unravel_index(int(off.argmax()), off.shape))
    place = ", ".join(str(int(i)) for i in where)
    if torch.as_tensor(good).dtype == torch.bool:
        mine, theirs = bool(a[where]), bool(b[where])
        return f"{name} is wrong in {int(bad.sum())} of {a.numel()} places, first at [{place}]: should be {theirs}, yours is {mine}."
    return (
        f"{name} is off in {int(bad.sum())} of {a.numel()} values, most at [{place}]: "
        f"yours {a[where].item():.4g}, expected {b[where].item():.4g}."
    )


def _kind(tensor: Tensor) -> str:
    if tensor.dtype == torch.bool:
        return "True and False"
    return "numbers with decimals" if tensor.is_floating_point() else "whole numbers"


def _describe(value: Any) -> str:
    if isinstance(value, (Tensor, np.ndarray)):
        kind = "a tensor" if isinstance(value, Tensor) else "an array"
        return f"{kind} of shape {tuple(value.shape)}"
    if isinstance(value, torch.return_types.min | torch.return_types.max):
        return "the values and the numbers that min and max return together: use argmin or argmax for the numbers"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"{value!r} ({type(value).__name__})"[:120]


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor):
        return a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, tuple):
        return all(_same(x, y) for x, y in zip(a, b, strict=True))
    return True


def _copy(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    return tuple(_copy(v) for v in value) if isinstance(value, tuple) else value


# Running what a student wrote


@contextlib.contextmanager
def _random_state_kept() -> Iterator[None]:
    python, legacy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(legacy)


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield  # Windows, or another thread: no alarm to set
        return

    def ring(*_):
        raise TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    # Ringing again every second gets through a bare "except:" inside the loop that is to be stopped.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _file(function: Callable) -> str | None:
    return getattr(getattr(function, "__code__", None), "co_filename", None)


def _frames(error: BaseException) -> list:
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    return frames


def _last_line(error: BaseException, function: Callable) -> tuple[int | None, str]:
    """Return the number and the text of the last line of the student's cell that the error went through."""
    for name, line in reversed(_frames(error)):
        if name == _file(function):
            return line, linecache.getline(name, line).strip()
    return None, ""


def _crash(error: Exception, function: Callable, args: tuple, case: Case) -> str:
    line, text = _last_line(error, function)
    where = f" in line {line} of the cell, `{text}`" if line is not None else ""
    shapes = ", ".join(_describe(a) for a in args)
    advice = " `if` takes one value; torch.where chooses for each." if "is ambiguous" in str(error) else ""
    return f"{case.say}: crashed with {type(error).__name__}{where}: {error}. It was called with {shapes}.{advice}"
