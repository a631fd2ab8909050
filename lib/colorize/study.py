"""The real-or-fake study: do people take a recolored photo for the true one? Who sees what, and what the answers say.

Two protocols. "pair": the true and the recolored photo one after the other, one second each, in random order; then the
person says which one is recolored, without a limit of time (Zhang et al. 2016 on Mechanical Turk; KTH, section 5.3).
"single": one picture, real or recolored? One in four is real (Deep Koalarization, section 4.3).

Nothing leaves the machine: :mod:`colorize.answers` keeps the answers in CSV files. The game: :mod:`colorize.study_demo`.
"""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from . import images
from .answers import CHOICES, TRUTH, Answer, StudyError, merge, read

__all__ = [
    "PUBLISHED",
    "Answer",
    "Published",
    "Result",
    "StudyError",
    "Trial",
    "as_text",
    "bundled_squares",
    "cells",
    "merge",
    "read",
    "results",
    "trials",
    "wilson",
]

T = TypeVar("T")
HEADS = "protocol|method|players|answers|taken for true|{0} (answers)|{0} (players)|true called real|AdverSuc"
REAL_SHARE = 1 / 4  # of the trials of "single": 3 of the 12 pictures of Deep Koalarization


@dataclass(frozen=True)
class Trial:
    """One question to one person. ``shown``, one of ``CHOICES[protocol]``, is the right answer."""

    number: int  # 1, 2, ...; practice comes first
    photo: str
    method: str  # the network that recolored the photo, or TRUTH
    shown: str
    practice: bool  # the answer is told, and not counted


@dataclass(frozen=True)
class Result:
    """What the answers say of one method in one protocol. Shares are in [0, 1]; what is not known is None, never 0."""

    protocol: str
    method: str
    players: int = 0
    answers: int = 0  # to recolored pictures, practice left out
    fooled: int = 0  # of these: the recolored picture was taken for the true one, or called real
    rate: float | None = None  # fooled / answers; in pairs that nobody can tell apart, 0.5
    wilson: tuple[float, float] | None = None  # as if all answers were independent
    bootstrap: tuple[float, float] | None = None  # over players: needs two of them
    true_called_real: float | None = None  # in "single": how often true pictures are believed
    adversuc: float | None = None  # share of wrong answers, those to true pictures included
    photos: dict[str, tuple[int, int]] = field(default_factory=dict)  # name: (fooled, answers)
    level: float = 0.95  # of both intervals


@dataclass(frozen=True)
class Published:
    """A paper's number: the share of recolored pictures that people took for true."""

    protocol: str
    source: str
    players: int
    rate: float
    note: str


PUBLISHED = (
    Published("pair", "Zhang et al. 2016, full method", 40, 0.323, "± 2.2 %, standard error; 40 pairs each"),
    Published("pair", "KTH, section 5.3", 10, 0.1878, "50 photos"),
    Published("single", "Deep Koalarization, section 4.3", 41, 0.4587, "9 recolored photos, chosen by hand"),
)


def trials(
    names: Sequence[str],
    protocol: str = "pair",
    practice: int = 2,
    seed: int = 0,
    player: str = "",
    methods: Iterable[str] = ("recolored",),
) -> list[Trial]:
    """Decide what one person sees: each photo once, each method equally often, in an order of this person's own.

    In "pair" the recolored picture comes first as often as second, for each method; in "single" one picture of four is the
    true one. The order is that of SHA-256 sums of seed, protocol, player and photo: the same on every machine, for ever.

    Parameters
    ----------
    names : of the photos, all different.
    practice : so many trials come first. Zhang et al.: 10, and 40 that count.
    methods : names of the networks. Nobody sees a photo twice: for each person it is drawn which one colors it.

    Raises
    ------
    ValueError for another protocol, names that are empty or not different, or no photo left after the practice.

    >>> sorted(trial.shown for trial in trials("abcd", practice=0, player="Ada"))
    ['first', 'first', 'second', 'second']
    """
    names, methods = list(names), list(methods)
    if protocol not in CHOICES:
        raise ValueError(f"protocol: expected pair or single, received {protocol!r}")
    for what, given in (("names", names), ("methods", methods)):
        if not given or len({*given}) < len(given) or not all(name and name.isprintable() for name in given):
            raise ValueError(
                f"{what}: expected different names, of letters that can be printed, received {given}"
            )
    if TRUTH in methods:
        raise ValueError(f"methods: {TRUTH!r} stands for the true photo, expected another name")
    if not 0 <= practice < len(names):
        raise ValueError(
            f"practice: expected 0 to {len(names) - 1} of {len(names)} photos, received {practice}"
        )
    salt = int(seed), protocol, player
    names = _shuffled(names, *salt, "photos")
    found: list[Trial] = []
    for start, stop in ((0, practice), (practice, len(names))):
        kinds = _kinds(
            stop - start, protocol, _shuffled(methods, *salt, start), _shuffled((0, 1), *salt, start)
        )
        for i in _shuffled(range(stop - start), *salt, "kinds", start):
            n = len(found)
            method, shown = kinds[i]
            found.append(Trial(n + 1, names[n], method, shown, practice=n < practice))
    return found


def wilson(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of Wilson (1927) for a share: the shares p that a test with z = (x - np) / sqrt(np(1 - p)) keeps.

    It stays in [0, 1] and has a width where nobody, or everybody, was fooled. It takes answers for independent.

    Raises
    ------
    ValueError unless 0 <= successes <= n, n is 1 or more, and 0 < level < 1.

    >>> "{:.4f} {:.4f}".format(*wilson(0, 10))
    '0.0000 0.2775'
    """
    if not (0 <= successes <= n and n >= 1 and 0 < level < 1):
        received = f"{successes}, {n}, {level}"
        raise ValueError(f"wilson: expected 0 <= successes <= n, n >= 1, 0 < level < 1, received {received}")
    z, share = NormalDist().inv_cdf((1 + level) / 2), successes / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    low, high = (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)
    return (low if successes else 0.0), (
        high if successes < n else 1.0
    )  # exactly, without what rounding leaves


def results(
    answers: Iterable[Answer],
    methods: Iterable[str] = (),
    protocol: str | None = None,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> list[Result]:
    """Count the answers of one or many people: a row for each protocol and method, practice left out.

    The rate says how often the recolored picture was taken for the true one. Answers of one person are not independent:
    some people see colors well, some guess. The bootstrap draws as many people as there are, with replacement, again and
    again, and takes the middle ``level`` of the rates found. (AMT_Real_vs_Fake, the program of two of the authors of Zhang et
    al. for such studies, draws people too, and then from the answers of each.)

    AdverSuc is the "fraction of instances in which the students were fooled" (Agrawal & Sawhney, section 5.2, after Li et
    al. 2017). Here: wrong answers / answers, one minus the accuracy of the people. In "pair" it is the rate; in "single" it
    counts true pictures called recolored as well, all of the protocol, whatever method they stand beside.

    Parameters
    ----------
    answers : from :func:`read` or :func:`merge`.
    methods : those that should have a row in any case. One without answers has None for a rate: it was not run.
    protocol : "pair" or "single"; None is those that have answers, or both.
    """
    if protocol not in (None, *CHOICES):
        raise ValueError(f"protocol: expected pair, single or None, received {protocol!r}")
    counted = [answer for answer in answers if not answer.practice]
    protocols = [protocol] if protocol else [p for p in CHOICES if any(a.protocol == p for a in counted)]
    rows = []
    for name in protocols or CHOICES:
        own = [answer for answer in counted if answer.protocol == name]
        seen = sorted({answer.method for answer in own} - {TRUTH})
        for method in dict.fromkeys([*methods, *seen]) or ("any",):
            rows.append(_result(name, method, own, level, draws, seed))
    return rows


def cells(rows: Iterable[Result], published: bool = False) -> list[tuple[str, ...]]:
    """Write results as a table of texts: the heads, then a row for each, and the papers' numbers if asked for."""
    rows = list(rows)
    level = f"{100 * (rows[0].level if rows else 0.95):g} %"
    table = [tuple(HEADS.format(level).split("|"))]
    for row in rows:
        measured = row.rate, row.wilson, row.bootstrap, row.true_called_real, row.adversuc
        shares = [_percent(share) for share in measured]
        if row.rate is None:
            shares[0] = "not run: play it"
        table.append((row.protocol, row.method, str(row.players), str(row.answers), *shares))
    for paper in PUBLISHED if published else ():
        if paper.protocol in {row.protocol for row in rows}:
            numbers = str(paper.players), "", f"{paper.rate:.2%}".replace("%", " %")
            table.append((paper.protocol, paper.source, *numbers, paper.note, "", "", ""))
    return table


def as_text(rows: Iterable[Result], published: bool = False) -> str:
    """Write results as lines to print."""
    table = cells(rows, published)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in table)


def bundled_squares(size: int = 256, across: int = 2) -> tuple[list[str], Tensor]:
    """Cut the bundled photos into squares that do not overlap: no pixel's true color is shown twice.

    Squares of one photo still show one scene: whoever has seen the one half of the cup knows something of the other.

    Parameters
    ----------
    size : of the squares, in pixels; they are made smaller or larger to it.
    across : squares side by side in a photo, 1 or more; 2 makes 12 squares, 3 makes 33.

    Returns
    -------
    names : "astronaut 1", "astronaut 2", ...
    photos : (N, 3, size, size), sRGB in [0, 1].
    """
    if across < 1:
        raise ValueError(f"across: expected 1 or more, received {across}")
    names, squares = [], []
    for name in images.BUNDLED:
        photo = images.bundled(name)
        height, width = photo.shape[1:]
        side = min(width // across, height)
        middle = images.center_crop(photo, (height // side * side, side * across))
        parts = middle.unfold(1, side, side).unfold(2, side, side).flatten(1, 2).movedim(1, 0)
        names += [f"{name} {number}" for number in range(1, len(parts) + 1)]
        squares.append(images.resize(parts, size))
    return names, torch.cat(squares)


def _kinds(count: int, protocol: str, methods: Sequence[str], order: Sequence[int]) -> list[tuple[str, str]]:
    """(method, shown) of so many trials, balanced."""
    if protocol == "single":
        real = max(1, round(count * REAL_SHARE)) if count > 1 else 0
        return [(TRUTH, "real")] * real + [
            (methods[i % len(methods)], "recolored") for i in range(count - real)
        ]
    # As on a chess board: along the rounds of a method, and within a round of methods, first and second alternate.
    places = [divmod(i, len(methods)) for i in range(count)]
    return [(methods[j], CHOICES[protocol][order[(i + j) % 2]]) for i, j in places]


def _shuffled(items: Iterable[T], *salt: object) -> list[T]:
    """Different items in the order of their hashes, which is as good as random."""
    return sorted(items, key=lambda item: hashlib.sha256(repr((*salt, item)).encode()).digest())


def _result(
    protocol: str, method: str, answers: Sequence[Answer], level: float, draws: int, seed: int
) -> Result:
    """The row of one method; ``answers`` are those of its protocol that count."""
    own = [answer for answer in answers if answer.method == method]
    true = [answer for answer in answers if answer.method == TRUTH]
    believed = sum(answer.correct for answer in true) / len(true) if true else None
    if not own:
        return Result(protocol, method, true_called_real=believed, level=level)
    players: dict[str, tuple[int, int]] = {}
    photos: dict[str, tuple[int, int]] = {}
    for answer in own:
        for counts, key in ((players, answer.player), (photos, answer.photo)):
            fooled, total = counts.get(key, (0, 0))
            counts[key] = fooled + (not answer.correct), total + 1
    fooled, wrong = (sum(not answer.correct for answer in group) for group in (own, own + true))
    return Result(
        protocol,
        method,
        players=len(players),
        answers=len(own),
        fooled=fooled,
        rate=fooled / len(own),
        wilson=wilson(fooled, len(own), level),
        bootstrap=_over_players(np.array([*players.values()]), level, draws, seed),
        true_called_real=believed,
        adversuc=wrong / len(own + true),
        photos=dict(sorted(photos.items())),
        level=level,
    )


def _over_players(counts: np.ndarray, level: float, draws: int, seed: int) -> tuple[float, float] | None:
    """Percentile bootstrap of fooled / answers; ``counts`` (players, 2)."""
    n = len(counts)
    if n < 2:
        return None
    times = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)  # each player is drawn
    fooled, total = (times @ counts).T
    low, high = np.quantile(fooled / total, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def _percent(value: float | tuple[float, float] | None) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return f"{100 * value[0]:.1f} to {100 * value[1]:.1f} %"
    return f"{100 * value:.1f} %"
