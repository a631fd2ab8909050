"""The process in which a student's notebook runs while it is graded: ``python -m colorize.pupil FOLDER MEMORY``.

It runs cells and calls the exercises' functions on what it is sent, and sends back what they return. It judges nothing: whoever
takes this process over can send other values, and gets the verdict on those.
"""

import importlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import sandbox


def main(folder: str, memory: str) -> None:
    """Answer requests from standard input, on standard output, until it ends. All other output goes nowhere."""
    held = sandbox.confine(Path(folder), int(memory))
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.chdir(folder)
    os.environ["HOME"] = tempfile.tempdir = folder
    from . import wire  # PyTorch only from here on, within the limits

    notebook = Notebook()
    wire.write(answers, {"held": held})
    while True:
        try:
            request = wire.read(requests)
        except EOFError:
            return
        do: dict[str, Callable] = {
            "run": notebook.run,
            "call": notebook.call,
            "gradient": notebook.gradient,
            "about": notebook.about,
        }
        wire.write(answers, {"token": request["token"], **do[request["do"]](*request["with"])})


class Notebook:
    """The cells of a notebook, and the functions that its exercises left behind.

    The decorator ``check`` remembers the student's function and gives back the course's own, so that what follows runs.
    """

    def __init__(self) -> None:
        from IPython.core.interactiveshell import InteractiveShell

        self.check_module = importlib.import_module("colorize.check")
        self.judge = importlib.import_module("colorize.check.judge")
        self.functions: dict[str, Callable] = {}
        vars(self.check_module).update(check=self, Check=self)
        self.shell = InteractiveShell.instance()
        self.shell.history_manager.enabled = False  # type: ignore[union-attr]  # it has one since its start

    def __call__(self, number: str) -> Callable[[Callable], Callable]:
        """``@check("2.3")``."""

        def decorate(function: Callable) -> Callable:
            self.functions[number] = getattr(function, "_student", function)
            return self.check_module.stand_in(self.exercise(number), function)

        return decorate

    def scorecard(self) -> None:
        """Show nothing: the grading has a table of its own."""

    def exercise(self, number: str) -> Any:
        """Return one of the course's exercises. KeyError or ValueError if there is none of this number."""
        return self.check_module.exercises(int(str(number).split(".")[0]))[number]

    def run(self, source: str) -> dict:
        """Run a cell: "error" is what went wrong in it, or nothing."""
        result = self.shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        return {"error": f"{type(error).__name__}: {error}"[:300] if error else ""}

    def about(self, number: str, name: str) -> dict:
        """Look for the function of an exercise, also where the cell has lost its decorator: is it there, and as it was defined?"""
        if number not in self.functions:
            plain = self.shell.user_ns.get(name)
            if callable(plain) and not hasattr(plain, "_student"):
                self.functions[number] = plain
        if number not in self.functions:
            return {"there": False}
        words = self.judge.lost_defaults(self.exercise(number), self.functions[number])
        return {"there": True, "lost": words or ""}

    def call(self, number: str, args: tuple) -> dict:
        """Call an exercise's function: "result"; or "open", if it is as it was; or "told", in words what went wrong."""
        function, given = self.functions[number], self.judge.copied(args)
        try:
            result = function(*given)
        except NotImplementedError as error:
            if self.judge.untouched(error, function):
                return {"open": True}
            return {"told": self.judge.crash(error, function, args)}
        except (Exception, SystemExit) as error:
            return {"told": self.judge.crash(error, function, args)}
        if not self.judge.same(given, args):
            return {"told": self.judge.CHANGES_INPUT}
        return {"result": result}

    def gradient(self, number: str, args: tuple, position: int) -> dict:
        """Return the gradient of the sum of an exercise's result with respect to one argument; None if there is none."""
        import torch

        given = self.judge.copied(args)
        given[position].requires_grad_()
        try:
            with torch.enable_grad():
                self.functions[number](*given).sum().backward()
        except (Exception, SystemExit):
            return {"result": None}
        return {"result": given[position].grad}


if __name__ == "__main__":
    main(*sys.argv[1:])
