"""Checks for the exercises: a badge under each one says open, not yet (and what is wrong), or right.

In a lesson::

    from colorize.check import check

    @check("2.5")
    def soft_encode(ab, centers, neighbors=5, sigma=5.0):
        ...

The decorator tries the function on small inputs and gives back the student's function if it is right. If not, it
gives back the check's own reference, so that the rest of the lesson runs in any state. ``check.scorecard()``, the last
cell of a lesson, lists where all its exercises stand.

``judge`` holds the comparison, ``badge`` the display, ``lesson_NN`` the exercises of a lesson (references and small
cases), ``mistakes_NN`` their typical wrong answers with the message that each of them gets.
"""

import dataclasses
import functools
import importlib
from collections.abc import Callable

from .badge import Badge, Scorecard, show
from .difference import tensors
from .judge import Exercise, Verdict, judge, lost_defaults

__all__ = ["Badge", "Check", "Exercise", "Scorecard", "Verdict", "check", "exercises"]


def exercises(lesson: int) -> dict[str, Exercise]:
    """Return the exercises of a lesson by their numbers, in order. ValueError if there is no such lesson."""
    name = f"{__name__}.lesson_{lesson:02d}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise ValueError(f"there are no exercises for lesson {lesson}") from None
    mistakes = importlib.import_module(f"{__name__}.mistakes_{lesson:02d}").MISTAKES
    return {e.number: dataclasses.replace(e, mistakes=mistakes[e.number]) for e in module.EXERCISES}


class Check:
    """The checks of one notebook; remembers the last verdict on each exercise for the score card."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Verdict] = {}

    def __call__(self, number: str) -> Callable[[Callable], Callable]:
        """Return the decorator for exercise ``number``, such as "2.5". ValueError if there is no such exercise."""
        if not isinstance(number, str):
            raise TypeError(
                f'write the number of the exercise in quotes, @check("2.1"), got {number!r}'[:160]
            )
        lesson = number.split(".")[0]
        known = exercises(int(lesson)) if lesson.isdecimal() else {}
        if number not in known:
            raise ValueError(
                f"there is no exercise {number!r}; lesson {lesson} has {', '.join(known) or 'none'}"
            )
        exercise = known[number]

        def decorate(function: Callable) -> Callable:
            # A stand-in from an earlier run of this check remembers whose place it took: without this, checking
            # twice would find our own reference and call it right.
            function = getattr(function, "_student", function)
            verdict = judge(exercise, function)
            if verdict.state == "right" and (message := lost_defaults(exercise, function)):
                verdict = dataclasses.replace(verdict, state="not yet", message=message)
            self.verdicts[number] = verdict
            show(Badge(verdict))
            if verdict.state != "right":
                return stand_in(exercise, function)
            return _with_tensors(function) if verdict.arrays else function

        return decorate

    def scorecard(self) -> None:
        """Show every exercise of the lessons seen so far, with its state."""
        lessons = sorted({int(number.split(".")[0]) for number in self.verdicts})
        rows = [
            self.verdicts.get(number, Verdict(number, exercise.title, "open", "This cell has not been run."))
            for lesson in lessons
            for number, exercise in exercises(lesson).items()
        ]
        show(Scorecard(rows))


def _with_tensors(student: Callable) -> Callable:
    """Wrap a right answer that returns NumPy arrays: the lesson goes on with tensors."""

    @functools.wraps(student)
    def function(*args, **kwargs):
        return tensors(student(*args, **kwargs))

    function._student = student  # type: ignore[attr-defined]  # what the decorator looks for
    return function


def stand_in(exercise: Exercise, student: Callable) -> Callable:
    """Return the course's own answer, which remembers the student's function whose place it takes."""

    def reference(*args, **kwargs):
        return exercise.reference(*args, **kwargs)

    reference.__name__ = exercise.reference.__name__
    reference.__doc__ = f"The course's own answer to exercise {exercise.number}, standing in for yours."
    reference._student = student  # type: ignore[attr-defined]  # as above
    return reference


check = Check()
