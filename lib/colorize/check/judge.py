"""Judge one answer: run it on small cases, compare with what is expected, and say in words what is wrong."""

import contextlib
import dataclasses
import inspect
import linecache
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .difference import describe, has_arrays, misfit, off, plain

NO_GRADIENT = (
    "The number is right, but no gradient flows back from it, so that no network could learn from it. Return a tensor that "
    "PyTorch computed from the arguments, without item(), float(), numpy(), detach() or no_grad()."
)
CHANGES_INPUT = "Your function changes its input in place. Work on a copy, or use new names."
TIME_LIMIT = 10.0  # seconds for one exercise, all its cases together


class Wrong(Exception):
    """Raised by an exercise's own inspection, with the sentence that the student reads."""


class Told(Exception):
    """Raised by a function that runs elsewhere, with the words about what went wrong there."""


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
    picture, (H, W, 3) uint8, shown for the student's result and for the expected one. ``trains`` holds the positions of the
    arguments to which a gradient must flow back from the result, because a network learns from it.
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
    trains: tuple[int, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """State is "open", "not yet" or "right"; pictures, if any, are the student's and the expected one.

    ``arrays`` tells that a right answer came as NumPy arrays, which the lesson, made of tensors, cannot go on with.
    """

    number: str
    title: str
    state: str
    message: str = ""
    pictures: tuple[np.ndarray, np.ndarray] | None = None
    arrays: bool = False


def judge(exercise: Exercise, function: Callable, limit: float = TIME_LIMIT) -> Verdict:
    """Try ``function`` on the exercise's cases.

    The state of the random number generators is left as it was. Python code that does not end is stopped after
    ``limit`` seconds, on POSIX systems and in the main thread, where notebooks run their cells. One long call inside
    a compiled library cannot be stopped this way: interrupt or restart the kernel.
    """

    def verdict(
        state: str, message: str = "", pictures: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Verdict:
        return Verdict(exercise.number, exercise.title, state, message, pictures)

    cases = exercise.cases()
    results, arrays = [], False
    deadline = time.monotonic() + limit
    with _random_state_kept():
        for case in cases:
            args = copied(case.args)
            try:
                with _alarm(deadline - time.monotonic()):
                    raw = function(*args)
                    result = plain(raw)
                arrays |= has_arrays(raw)
            except NotImplementedError as error:
                if untouched(error, function):
                    return verdict("open")
                return verdict("not yet", f"{case.say}: {crash(error, function, args)}")
            except Told as told:
                return verdict("not yet", f"{case.say}: {told}")
            except TimeUp:
                words = f"{case.say}: stopped after {limit:g} s. Is there a loop that never ends?"
                return verdict("not yet", words)
            except (Exception, SystemExit) as error:
                return verdict("not yet", f"{case.say}: {crash(error, function, args)}")
            if not same(args, case.args):
                return verdict("not yet", CHANGES_INPUT)
            results.append(result)
        for case, result in zip(cases, results, strict=True):
            good = _expected(exercise, case)
            unlike = misfit(result, good, exercise.outputs)
            wrong = unlike or _off(exercise, result, good)
            if wrong:
                own = None if unlike else _own_words(exercise, result, case)
                words = _typical_mistake(exercise, cases, results) or f"{case.say}: {own or wrong}"
                return verdict("not yet", words, _pictures(exercise, result, good, case))
        for position in exercise.trains:
            if not _has_gradient(function, cases[-1], position, deadline - time.monotonic()):
                return verdict("not yet", NO_GRADIENT)
        return dataclasses.replace(verdict("right"), arrays=arrays)


def lost_defaults(exercise: Exercise, function: Callable) -> str | None:
    """Return a sentence if the student dropped a default value from the ``def`` line, which the lesson relies on."""
    try:
        theirs = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return None
    for name, parameter in inspect.signature(exercise.reference).parameters.items():
        if parameter.default is parameter.empty:
            continue
        if name not in theirs or theirs[name].default != parameter.default:
            return f"The lesson calls this function with its default `{name}={parameter.default}`: leave the def line as it was."
    return None


def _typical_mistake(exercise: Exercise, cases: list[Case], results: list) -> str | None:
    """Return the message of the mistake that gives the same results as the student's function on every case."""

    def agree(case: Case, result: Any, mistake: Callable) -> bool:
        theirs = mistake(*copied(case.args))
        return not (misfit(result, theirs, exercise.outputs) or _off(exercise, result, theirs))

    for mistake, message in exercise.mistakes:
        with contextlib.suppress(Exception):  # a mistake may crash on some case: then it is not this one
            if all(agree(case, result, mistake) for case, result in zip(cases, results, strict=True)):
                return message
    return None


def _off(exercise: Exercise, result: Any, good: Any) -> str | None:
    return off(exercise.sort(result), exercise.sort(good), exercise.outputs, exercise.tolerance)


def _expected(exercise: Exercise, case: Case) -> Any:
    return case.expected if case.expected is not None else exercise.reference(*copied(case.args))


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
        mine, theirs = exercise.draw(result, case), exercise.draw(good, case)
    except Exception:  # nothing drawable came back: the words must do
        return None
    return (mine, theirs) if mine.shape == theirs.shape else None


# Running what a student wrote


def _has_gradient(function: Callable, case: Case, position: int, seconds: float) -> bool:
    args = copied(case.args)
    args[position].requires_grad_()
    try:
        with torch.enable_grad(), _alarm(seconds):
            return bool(getattr(function(*args), "requires_grad", False))
    except (Exception, SystemExit, TimeUp):  # such as numpy() of a tensor that asks for its gradient
        return False


def same(a: Any, b: Any) -> bool:
    """Tell whether two sets of arguments hold the same tensors."""
    if isinstance(a, Tensor):
        return a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, tuple):
        return all(same(x, y) for x, y in zip(a, b, strict=True))
    return True


def copied(value: Any) -> Any:
    """Copy the tensors in a set of arguments."""
    if isinstance(value, Tensor):
        return value.clone()
    return tuple(copied(v) for v in value) if isinstance(value, tuple) else value


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
    timer = signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3), 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *timer)  # somebody else's alarm goes on, a little late


def _file(function: Callable) -> str | None:
    return getattr(getattr(inspect.unwrap(function), "__code__", None), "co_filename", None)


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


def untouched(error: NotImplementedError, function: Callable) -> bool:
    """Tell whether the student's own line raised it, which means "not started"; inside a library it is an error like others."""
    return _frames(error)[-1][0] == _file(function)


def crash(error: BaseException, function: Callable, args: tuple) -> str:
    """Say what a function crashed with, where, and what it was called with."""
    line, text = _last_line(error, function)
    where = f" in line {line} of the cell" if line is not None else ""
    if text:
        where += f", `{text.replace('`', chr(39))}`"
    try:
        words = str(error).strip().rstrip(".")[:300]
    except Exception:  # an error that cannot even be printed
        words = ""
    advice = " `if` takes one value; torch.where chooses for each." if "is ambiguous" in words else ""
    shapes = ", ".join(describe(a) for a in args)
    said = f": {words}" if words else ""
    return f"crashed with {type(error).__name__}{where}{said}. It was called with {shapes}.{advice}"
