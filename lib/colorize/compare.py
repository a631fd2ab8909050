"""Are the outputs stored in the solutions still true? Execute them again and compare, with tolerances.

Words and counts must be equal, other numbers agree to 1 %, pictures to 2 gray levels on average. Byte equality would be too
much to ask: font rendering and sums differ a little from machine to machine. Cells that print a time carry the tag
``no-compare``. Cells that show what a training has found carry the tag ``trained``: another number of threads adds up in
another order, and a thousand steps make that visible. There numbers agree to 30 %, small ones to 3, and pictures in size.

    python -m colorize.compare [LESSON ...]
"""

import argparse
import base64
import io
import json
import math
import re
import sys

import nbformat
import numpy as np
from nbformat import NotebookNode
from PIL import Image

from .build import choose, execute, read

RELATIVE, ABSOLUTE = 1e-2, 1e-3  # for numbers in printed text
TRAINED = 0.3, 3.0  # the same for what a training has found
GRAY_LEVELS = 2.0  # mean absolute difference of two pictures, of 255
EXACT = 10_000  # whole numbers below this are counts, and counts are right or wrong
EDGES = 0.02  # share of pixels that may differ by more than 40 gray levels: a line that moved
NUMBER = re.compile(r"[-+]?(?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?")


def differences(stored: NotebookNode, fresh: NotebookNode) -> list[str]:
    """Compare the outputs of two runs of one lesson; a sentence for each cell that differs."""
    found = []
    for number, (old, new) in enumerate(zip(stored.cells, fresh.cells, strict=True), start=1):
        if old.cell_type != "code" or "no-compare" in old.metadata.get("tags", []):
            continue
        # stderr holds warnings, which a test of their own forbids, and progress
        was, now = ([o for o in cell.outputs if o.get("name") != "stderr"] for cell in (old, new))
        if len(was) != len(now):
            found.append(f"cell {number}: {len(now)} outputs instead of {len(was)}")
            continue
        for one, other in zip(was, now, strict=True):
            if message := _output_difference(one, other, "trained" in old.metadata.get("tags", [])):
                found.append(f"cell {number}: {message}")
    return found


def text_difference(old: str, new: str, trained: bool = False) -> str | None:
    """Return None if words are equal and numbers agree within the tolerance, else a sentence."""
    relative, absolute = TRAINED if trained else (RELATIVE, ABSOLUTE)
    if trained:  # a number in a column that gains a digit loses a space before it
        old, new = (re.sub(r"[ ]+(?=[-+\d])", " ", text) for text in (old, new))
    if (skeleton := NUMBER.sub("#", old)) != NUMBER.sub("#", new):
        return f"text changed: {old.strip()[:200]!r} is now {new.strip()[:200]!r} (compared as {skeleton.strip()[:40]!r}...)"
    for one, other in zip(NUMBER.findall(old), NUMBER.findall(new), strict=True):
        a, b = (float(x.replace(",", "")) for x in (one, other))
        whole = not trained and not set(".eE") & set(one + other) and abs(a) < EXACT
        if a != b if whole else not math.isclose(a, b, rel_tol=relative, abs_tol=absolute):
            return f"{one} is now {other}, in {new.strip()[:120]!r}"
    return None


def picture_difference(old: str, new: str, trained: bool = False) -> str | None:
    """Compare two pictures in base64: None if of equal size and within the tolerance, else a sentence."""
    a, b = (np.asarray(Image.open(io.BytesIO(base64.b64decode(x))).convert("RGB"), float) for x in (old, new))
    if a.shape != b.shape:
        return f"picture of {a.shape[1]} x {a.shape[0]} pixels is now {b.shape[1]} x {b.shape[0]}"
    if trained:
        return None
    off = np.abs(a - b)
    if off.mean() > GRAY_LEVELS:
        return f"picture differs by {off.mean():.1f} gray levels on average"
    if (moved := (off.max(axis=2) > 40).mean()) > EDGES:
        return f"picture differs by more than 40 gray levels in {moved:.1%} of its pixels"
    return None


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _output_difference(old: NotebookNode, new: NotebookNode, trained: bool = False) -> str | None:
    if old.output_type != new.output_type:
        return f"{old.output_type} is now {new.output_type}"
    if old.output_type == "stream":
        return text_difference(old.text, new.text, trained)
    if old.output_type == "error":
        return "an error is stored"
    if set(old.data) != set(new.data):
        return f"{sorted(old.data)} is now {sorted(new.data)}"
    for kind, value in old.data.items():
        if kind in ("image/png", "image/jpeg"):
            message = picture_difference(value, new.data[kind], trained)
        elif kind == "text/html":  # the badges; their words are in text/plain, too
            message = None
        else:
            message = text_difference(_plain(value), _plain(new.data[kind]), trained)
        if message:
            return message
    return None


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 if an output is no longer true."""
    parser = argparse.ArgumentParser(prog="python -m colorize.compare", description=__doc__.split("\n")[0])
    parser.add_argument("lesson", nargs="*", help="numbers, such as 02; all lessons if none is given")
    options = parser.parse_args(arguments)
    bad = 0
    for source in choose(parser, options.lesson):
        stored = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
        found = differences(stored, execute(read(source), source.parent))
        bad += bool(found)
        print(
            f"{source.stem}: " + ("\n  ".join(["differs", *found]) if found else "outputs agree"), flush=True
        )
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
