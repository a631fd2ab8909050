"""Files: where ``data/`` is, and writing that leaves a file whole or not at all."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def data_folder() -> Path:
    """Return the folder ``data/``: beside ``lib/`` in a checkout, or what the variable COLORIZE_DATA names."""
    return Path(os.environ.get("COLORIZE_DATA") or Path(__file__).resolve().parents[2] / "data")


def cache_folder() -> Path:
    """Return the folder for what can be made or fetched again, made if need be: COLORIZE_CACHE, or the user's own cache."""
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    folder = Path(os.environ.get("COLORIZE_CACHE") or Path(home) / "colorize")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def write_whole(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name only when everything has been written.

    Until the block ends the bytes go to a temporary file in the same folder. If the block fails, or the program is
    killed, an older file of that name stays as it was; only a kill can leave the temporary file, ``.NAME.*.part``, behind.

    Raises OSError if the folder is missing or cannot be written to.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with write_whole(os.path.join(folder, "a.txt")) as file:
    ...         _ = file.write(b"all of it")
    ...     os.listdir(folder)
    ['a.txt']
    """
    path = Path(path)
    # A part of the name: the whole may be as long as names can be.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(
                file.fileno()
            )  # on the disk before it has the name: a power cut may come between the two
        os.chmod(temporary, 0o644)  # mkstemp lets nobody but the owner read
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def read_results(name: str) -> dict:
    """Read what was measured before, ``data/results/NAME.json``: empty if nothing was."""
    path = data_folder() / "results" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def write_results(name: str, found: dict) -> Path:
    """Write what was measured to ``data/results/NAME.json``, whole; the folder is made if need be. Returns the path."""
    path = data_folder() / "results" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_whole(path) as file:
        file.write((json.dumps(found, indent=1) + "\n").encode())
    return path
