"""One student's notebook, graded: run in a process of its own, its functions tried on inputs that it first sees there.

The verdict is reached here, by :func:`colorize.check.judge.judge`, from the values that the process sends: never from what the
notebook prints, nor from a check that it could replace.
"""

import contextlib
import os
import queue
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import torch

from . import wire
from .check import exercises
from .check.judge import TIME_LIMIT, Exercise, TimeUp, Told, copied, judge

EXERCISE = re.compile(r"""@check\(\s*["'](\d+)\.(\d+)["']\s*\)""")
START = 60.0  # seconds in which the process must be there; not the student's
VERDICTS = ("right", "not yet", "open", "missing", "time", "crashed")


@dataclass(frozen=True)
class Limits:
    """What a notebook may take."""

    cell: float = 30.0  # seconds
    notebook: float = 90.0  # seconds, cells and calls together
    memory: int = 4 * 2**30  # bytes


@dataclass(frozen=True)
class Row:
    """The verdict on one exercise of one student."""

    student: str
    exercise: str
    verdict: str  # one of VERDICTS
    points: int
    seconds: float
    message: str


class Died(Exception):
    """The student's process ended, or sent what is no answer."""


class Process:
    """A process that runs one notebook. It is asked one thing at a time."""

    def __init__(self, limits: Limits) -> None:
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        here = Path(__file__).parent.parent
        settings = {"COLORIZE_SHORT": "1", "MPLBACKEND": "Agg", "TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}
        settings["PYTHONPATH"] = os.pathsep.join([str(here), os.environ.get("PYTHONPATH", "")])
        settings |= dict.fromkeys(("MPLCONFIGDIR", "IPYTHONDIR", "TMPDIR"), self.folder.name)
        settings["PYTHONDONTWRITEBYTECODE"] = "1"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "colorize.pupil", self.folder.name, str(limits.memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | settings,
            start_new_session=True,
        )
        self._requests: queue.Queue = queue.Queue()
        self._answers: queue.Queue = queue.Queue()
        threading.Thread(target=self._talk, daemon=True).start()
        try:
            self.held = self._wait(START)["held"]
        except (TimeUp, Died):
            self.close()
            raise

    def ask(self, seconds: float, do: str, *args: object) -> dict:
        """Send a request and wait for its answer. TimeUp if it takes longer; Died if the process ended or answered otherwise."""
        token = secrets.token_hex(16)
        self._requests.put({"token": token, "do": do, "with": args})
        answer = self._wait(seconds)
        if answer.get("token") != token:
            raise Died
        return answer

    def close(self) -> None:
        """End the process, and all that it has started."""
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self._requests.put(None)
        self.folder.cleanup()

    def _wait(self, seconds: float) -> dict:
        try:
            answer = self._answers.get(timeout=max(seconds, 0.01))
        except queue.Empty:
            raise TimeUp from None
        if not isinstance(answer, dict):
            raise Died
        return answer

    def _talk(self) -> None:
        """Write and read in a thread: a process that reads nothing must not hold up the grading."""
        assert self.process.stdin and self.process.stdout  # both are pipes
        with self.process.stdin as requests, self.process.stdout as answers:
            try:
                self._answers.put(wire.read(answers))
                while (request := self._requests.get()) is not None:
                    wire.write(requests, request)
                    self._answers.put(wire.read(answers))
            except (OSError, EOFError, ValueError, MemoryError):
                self._answers.put(None)
                with contextlib.suppress(OSError):
                    requests.close()


class Examination:
    """One notebook on its way through the grading."""

    def __init__(self, path: Path, cells: list[str], limits: Limits) -> None:
        self.path, self.cells, self.limits = path, cells, limits
        self.left = limits.notebook  # seconds
        self.spoiled: dict[
            int, tuple[str, str]
        ] = {}  # cells that are not run again, and the verdict and words why
        self.errors: dict[int, str] = {}
        self.process: Process | None = None
        self.held: dict[str, bool] = {}

    def rows(self, lesson: int) -> list[Row]:
        """Grade the exercises of a lesson."""
        try:
            return [self._row(one) for one in exercises(lesson).values()]
        finally:
            self._close()

    def _row(self, one: Exercise) -> Row:
        start = time.monotonic()
        try:
            self._run()
            start = time.monotonic()  # the cells are not this exercise's
            verdict, message = self._verdict(one)
        except TimeUp:
            verdict, message = "time", f"the notebook took more than {self.limits.notebook:g} s"
            self._close()
        except Died:
            verdict, message = "crashed", "the process ended while this exercise was tried"
            self._close()
        seconds = time.monotonic() - start
        return Row(self.path.stem, one.number, verdict, int(verdict == "right"), round(seconds, 1), message)

    def _verdict(self, one: Exercise) -> tuple[str, str]:
        about = self._ask(TIME_LIMIT, "about", one.number, one.reference.__name__)
        if not about["there"]:
            return self._why_missing(one.number)
        happened: list[str] = []
        found = judge(one, self._function(one, happened))
        if happened:  # what the judge calls "not yet" was no answer at all
            self._close()
            words = f"stopped after {TIME_LIMIT:g} s" if happened[0] == "time" else "the process ended"
            return happened[0], f"{words} while the function ran"
        if found.state == "right" and about["lost"]:
            return "not yet", str(about["lost"])
        return found.state, found.message

    def _function(self, one: Exercise, happened: list[str]) -> Callable:
        """Make a function that runs in the student's process. ``happened`` gets "time" or "crashed" if it fails as such."""
        deadline = time.monotonic() + TIME_LIMIT

        def ask(do: str, *request: object) -> dict:
            try:
                return self._ask(deadline - time.monotonic(), do, one.number, *request)
            except TimeUp:
                happened.append("time")
                raise
            except Died:
                happened.append("crashed")
                raise Told("the process ended") from None

        def function(*args: Any) -> Any:
            for position, value in enumerate(args):
                if isinstance(value, torch.Tensor) and value.requires_grad:
                    theirs = ask("gradient", args, position)["result"]
                    return self._checked_gradient(one, args, position, theirs)
            answer = ask("call", args)
            if answer.get("open"):
                raise NotImplementedError
            if "told" in answer:
                raise Told(str(answer["told"])[:1000])
            return answer.get("result")

        return function

    def _checked_gradient(self, one: Exercise, args: tuple, position: int, theirs: object) -> torch.Tensor:
        """Return a result with a gradient if theirs is that of the course's own answer; it cannot be taken on trust."""
        given = copied(args)
        learned = given[position].detach().requires_grad_()
        one.reference(*given[:position], learned, *given[position + 1 :]).sum().backward()
        near = False
        if isinstance(theirs, torch.Tensor) and theirs.shape == learned.shape:
            near = torch.allclose(theirs.to(learned.dtype), learned.grad, rtol=1e-3, atol=1e-5)
        return torch.zeros((), requires_grad=near)

    def _why_missing(self, number: str) -> tuple[str, str]:
        for k, source in enumerate(self.cells):
            if number in {".".join(found) for found in EXERCISE.findall(source)}:
                if k in self.spoiled:
                    return self.spoiled[k]
                if self.errors.get(k):
                    return "crashed", f"its cell stops with {self.errors[k]}"
        return "missing", f'there is no function under @check("{number}")'

    def _run(self) -> None:
        """Run the cells, if there is no process in which they have run; those that ended one are left out."""
        while self.process is None:
            start = time.monotonic()
            self.process = Process(self.limits)
            self.held = self.process.held
            self.left += time.monotonic() - start  # the start of Python is not the student's
            for k, source in enumerate(self.cells):
                if k in self.spoiled:
                    continue
                try:
                    self.errors[k] = str(self._ask(self.limits.cell, "run", source)["error"])
                except TimeUp:
                    if self.left <= 0:
                        raise
                    self.spoiled[k] = "time", f"its cell took more than {self.limits.cell:g} s"
                    self._close()
                    break
                except Died:
                    self.spoiled[k] = "crashed", "its cell ended the process"
                    self._close()
                    break

    def _ask(self, seconds: float, do: str, *args: object) -> dict:
        """Ask the process, within what is left to the notebook."""
        start = time.monotonic()
        try:
            if self.left <= 0:
                raise TimeUp
            assert self.process is not None  # _run comes first
            return self.process.ask(min(seconds, self.left), do, *args)
        finally:
            self.left -= time.monotonic() - start

    def _close(self) -> None:
        if self.process is not None:
            self.process.close()
            self.process = None


def read(path: Path) -> list[str]:
    """Read the sources of a notebook's code cells. ValueError if the file is no notebook."""
    try:
        notebook = nbformat.read(path, as_version=4)
        return [str(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    except Exception as error:  # nbformat raises many kinds
        raise ValueError(f"{path} is no notebook that can be read ({type(error).__name__})") from None


def lesson_of(cells: list[str]) -> int | None:
    """Return the lesson whose exercises a notebook holds; None if it holds none.

    >>> lesson_of(['@check("2.1")', '@check("2.3")', '@check("9.1")'])
    2
    """
    found = [int(lesson) for source in cells for lesson, _ in EXERCISE.findall(source)]
    return max(sorted(set(found)), key=found.count) if found else None


def examine(path: Path, cells: list[str], lesson: int, limits: Limits) -> tuple[list[Row], dict[str, bool]]:
    """Grade one notebook: a row for each exercise of the lesson, and which limits of the process held."""
    examination = Examination(path, cells, limits)
    return examination.rows(lesson), examination.held
