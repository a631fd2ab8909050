"""What all programs of the library say alike: a mistake in a command gets one sentence, and a name that is close.

Also lines that any terminal can show, and imports that Ctrl-C does not break.
"""

import argparse
import contextlib
import difflib
import os
import re
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question to put behind a sentence, or nothing if no known name is close.

    >>> did_you_mean("rebalenced", ["l2", "rebalanced"])
    ' (did you mean rebalanced?)'
    """
    known = list(known)
    near = [other for other in known if len(name) > 3 and other.startswith(name)]
    near = near or difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def one_line(text: str) -> str:
    r"""Return a text fit for a terminal: what cannot be shown, line ends and control characters in a file's name, is spelled out.

    >>> print(one_line("new\nline.jpg"))
    new\nline.jpg
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def say(*lines: str) -> None:
    """Print lines at once, in whatever letters the terminal has. That nobody listens, as in ``| head -1``, stops no work."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        for line in lines:
            print(one_line(line).encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its end
        if not isinstance(error, BrokenPipeError):
            print(f"the output could not be written ({error.strerror})", file=sys.stderr)


@contextlib.contextmanager
def ctrl_c_waits() -> Iterator[None]:
    """Hold Ctrl-C back until the block ends: a library that is interrupted while it is imported fails in ways of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


def _path(text: str) -> Path:
    """A path; an empty one, mostly from a variable that is not set, would be the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("expected a file or folder, received ''")
    return Path(text)


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is answered by one sentence and not by the whole usage; options are not abbreviated, paths not empty."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)
        self.register("type", Path, _path)

    def error(self, message: str) -> NoReturn:
        """End the program with exit status 2."""
        if unknown := re.match(r"unrecognized arguments: (.*)", message):
            word = unknown[1].partition(" ")[0].partition("=")[0]
            is_option = word.startswith("-")
            hint = did_you_mean(word, self._option_string_actions)
            if is_option and os.path.lexists(unknown[1]):
                hint = f"; for the file, write ./{unknown[1]}"
            message = f"there is no option {word}{hint}" if is_option else f"there is no use for {word!r}"
        self.exit(2, f"{self.prog}: {one_line(message)}\n{self.prog} --help says more\n")
