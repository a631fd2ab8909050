"""What all programs of the library say alike: a mistake in a command gets one sentence, and a name that is close."""

import argparse
import difflib
import re
from collections.abc import Iterable
from typing import NoReturn


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question to put behind a sentence, or nothing if no known name is close.

    >>> did_you_mean("rebalenced", ["l2", "rebalanced"])
    ' (did you mean rebalanced?)'
    """
    known = list(known)
    near = [other for other in known if len(name) > 3 and other.startswith(name)]
    near = near or difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is answered by one sentence and not by the whole usage; options are not abbreviated."""

    def __init__(self, **options) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """End the program with exit status 2."""
        if unknown := re.match(r"unrecognized arguments: (.*)", message):
            word = unknown[1].split()[0].partition("=")[0]
            hint = did_you_mean(word, self._option_string_actions)
            message = (
                f"there is no option {word}{hint}" if word[0] == "-" else f"there is no use for {word!r}"
            )
        self.exit(2, f"{self.prog}: {message}\n{self.prog} --help says more\n")
