"""Files from the web, kept in the cache: fetched once, with progress, and checked before they are used."""

import hashlib
import logging
from pathlib import Path

from .files import cache_folder


class DownloadError(OSError):
    """A file could not be fetched, or is not the one that was expected; the sentence says what to do."""


def fetch(url: str, sha256: str, megabytes: float) -> Path:
    """Return the path of a file from the web, from the cache if it is there.

    Parameters
    ----------
    url : its last part is the name that the file gets in the cache.
    sha256 : how the file's SHA-256 begins, in hex digits: as many of the 64 as are known.
    megabytes : how large it is, to be said before it is fetched.

    Raises
    ------
    DownloadError if there is no network, no pooch, or the file has another checksum; a wrong file is removed.
    """
    path = cache_folder() / url.rpartition("/")[2]
    if path.is_file() and _is_right(path, sha256):
        return path
    by_hand = f"fetch {url} ({megabytes:.0f} MB) where there is a network, and put it at {path}"
    try:
        import pooch  # only where something is downloaded: the library works without it
    except ImportError:
        raise DownloadError(
            f"downloading needs the package pooch (pip install pooch); or {by_hand}"
        ) from None
    path.unlink(missing_ok=True)
    print(f"downloading {url} ({megabytes:.0f} MB) to {path}")
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        # Into a temporary file first: the cache never holds half of one.
        pooch.retrieve(url, None, fname=path.name, path=path.parent, progressbar=True)
    except (
        Exception
    ) as error:  # requests, urllib3 and the system have a dozen ways to say that there is no network
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise DownloadError(f"{path.name} could not be downloaded ({reason}): {by_hand}") from None
    if not _is_right(path, sha256):
        found = _checksum(path)[: len(sha256)]
        path.unlink()
        raise DownloadError(
            f"{url} has changed: expected a SHA-256 that begins with {sha256}, got {found}; it was removed"
        )
    return path


def _checksum(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_right(path: Path, sha256: str) -> bool:
    return _checksum(path).startswith(sha256)
