"""The answers to the real-or-fake study, on disk: one CSV file for each person and protocol, each line checked.

Nothing leaves the machine. A person is a name that was typed, or a made-up one; what is stored is in :class:`Answer`.
"""

import csv
import hashlib
import io
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .files import write_whole

# What is shown, and what can be answered: the place of the recolored picture, or what the one picture is.
CHOICES = {"pair": ("first", "second"), "single": ("real", "recolored")}
TRUTH = "truth"  # stands for the method where the one picture of a trial is the true photo
FIELDS = (
    "player",
    "protocol",
    "method",
    "photo",
    "trial",
    "practice",
    "shown",
    "answer",
    "correct",
    "milliseconds",
)
# No sign at the start: programs for tables take a text that starts with = + - or @ for a formula.
PLAYER = re.compile(r"\w[\w .'-]{0,39}")
_WORDS = {True: "yes", False: "no"}


@dataclass(frozen=True)
class Answer:
    """One answer of one person: a line of a file, where ``correct`` stands too."""

    player: str
    protocol: str  # "pair" or "single"
    method: str  # the network that recolored the photo, or TRUTH
    photo: str
    trial: int  # 1, 2, ...
    practice: bool  # told at once, and not counted
    shown: str  # one of CHOICES[protocol], and so is
    answer: str
    milliseconds: int  # from the end of what was shown

    @property
    def correct(self) -> bool:
        """Whether the answer is right."""
        return self.answer == self.shown


def check_player(name: str) -> str:
    """Return a person's name without space around it. StudyError if it is none that a file can hold."""
    name = name.strip()
    if not PLAYER.fullmatch(name):
        expected = "1 to 40 letters, digits, spaces or . ' - with a letter or digit first"
        raise StudyError(f"name: expected {expected}, received {name!r}")
    return name


def file_of(folder: str | os.PathLike, player: str, protocol: str) -> Path:
    """Say where the answers of a person are: readable letters of the name, and a hash, since "Zoë" is not "Zo".

    >>> file_of("study_answers", "Ada L.", "pair").name
    'ada-l-ddd52c-pair.csv'
    """
    plain = re.sub("[^a-z0-9]+", "-", player.lower()).strip("-") or "player"
    return Path(folder) / f"{plain}-{hashlib.sha256(player.encode()).hexdigest()[:6]}-{protocol}.csv"


def append(path: str | os.PathLike, answer: Answer) -> None:
    """Add one answer to a file, at once; folder and file are made at the first.

    All lines are written anew, to a file that then takes the old one's place: a kernel or a machine that dies in between
    leaves all earlier answers, and never half a line. At some dozens of lines that costs a few milliseconds.

    Raises
    ------
    StudyError if the file is damaged, or has an answer to this trial. OSError if nothing can be written there.
    """
    path = Path(path)
    answers = read(path) if path.exists() else []
    if _key(answer) in map(_key, answers):
        raise StudyError(
            f"{path}: {answer.player} has answered trial {answer.trial} of {answer.protocol} before"
        )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    for each in (*answers, answer):
        row = {**vars(each), "practice": _WORDS[each.practice], "correct": _WORDS[each.correct]}
        writer.writerow(row[name] for name in FIELDS)
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_whole(path) as file:
        file.write(text.getvalue().encode())


def read(path: str | os.PathLike) -> list[Answer]:
    """Read the answers in a file, checking each line. StudyError names the file and the line of what is wrong."""
    return [answer for _, answer in _lines(path)]


def merge(where: str | os.PathLike | Iterable[str | os.PathLike]) -> list[Answer]:
    """Put the answers of a class together.

    Parameters
    ----------
    where : a folder, whose ``*.csv`` are read (one that does not exist has no answers); or a file, or several. The same
        answer may come twice, in copies of a file, and is counted once.

    Raises
    ------
    StudyError for a file or line that cannot be read, or two different answers of one person to one trial.

    >>> merge("no-such-folder")
    []
    """
    if isinstance(where, (str, os.PathLike)):
        where = [where] if Path(where).suffix == ".csv" else sorted(Path(where).glob("*.csv"))
    found: dict[tuple[str, str, int], tuple[Answer, str]] = {}
    for path in where:
        for line, answer in _lines(path):
            before, place = found.setdefault(_key(answer), (answer, f"{path}, line {line}"))
            if before != answer:
                raise StudyError(
                    f"{path}, line {line}: {answer.player} answers trial {answer.trial} of {answer.protocol}, and "
                    f"otherwise in {place}: if two people have the same name, change one of them"
                )
    return [answer for answer, _ in found.values()]


def _key(answer: Answer) -> tuple[str, str, int]:
    return answer.player, answer.protocol, answer.trial


def _lines(path: str | os.PathLike) -> list[tuple[int, Answer]]:
    """(line number, answer) for each line of a file."""
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")  # programs for tables put a mark at the start
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise StudyError(
            f"{path}: expected a file of answers (CSV in UTF-8) that can be read ({reason})"
        ) from None
    if not rows or rows[0][1] != list(FIELDS):
        received = repr(",".join(rows[0][1])[:100]) if rows else "an empty file"
        raise StudyError(f"{path}, line 1: expected {','.join(FIELDS)}, received {received}")
    return [(line, _answer(row, f"{path}, line {line}")) for line, row in rows[1:]]


def _answer(row: list[str], place: str) -> Answer:
    """The cells of a line as an Answer."""
    if len(row) != len(FIELDS):
        raise StudyError(f"{place}: expected {len(FIELDS)} values, received {len(row)}")
    cell = dict(zip(FIELDS, row, strict=True))

    def need(fits: object, name: str, expected: str) -> None:
        if not fits:
            raise StudyError(f"{place}: expected {name} to be {expected}, received {cell[name]!r}")

    need(PLAYER.fullmatch(cell["player"]), "player", "a name")
    need(cell["protocol"] in CHOICES, "protocol", "pair or single")
    choices = CHOICES[cell["protocol"]]
    for name in ("method", "photo"):
        need(cell[name] and cell[name].isprintable(), name, "a name")
    for name in ("shown", "answer"):
        need(cell[name] in choices, name, " or ".join(choices))
    need(
        (cell["method"] == TRUTH) == (cell["shown"] == "real"),
        "method",
        f"{TRUTH} if the photo shown is real, and only then",
    )
    for name in ("practice", "correct"):
        need(cell[name] in _WORDS.values(), name, "yes or no")
    need(
        cell["correct"] == _WORDS[cell["answer"] == cell["shown"]],
        "correct",
        "yes if answer and shown agree, or else no",
    )
    for name, least in (("trial", 1), ("milliseconds", 0)):
        need(
            re.fullmatch("[0-9]{1,9}", cell[name]) and int(cell[name]) >= least,
            name,
            f"a whole number from {least}",
        )
    del cell["correct"]
    numbers: dict[str, Any] = {name: int(cell[name]) for name in ("trial", "milliseconds")}
    return Answer(**{**cell, **numbers, "practice": cell["practice"] == "yes"})


class StudyError(ValueError):
    """Answers that cannot be read, joined or taken. The sentence names the file, what was expected, what came."""
