"""Files from the web, kept in the cache: fetched once, with progress, and checked before they are used."""

import hashlib
import logging
import tempfile
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
    DownloadError if there is no network, no pooch, no folder for it, or the file has another checksum. Nothing is left then.
    """
    name = url.rpartition("/")[2]
    try:
        path = cache_folder() / name
        if path.is_file() and _is_right(path, sha256):
            return path
    except OSError as error:
        raise DownloadError(f"{name} needs a folder to be kept in, and there is none ({error})") from None
    by_hand = f"fetch {url} ({megabytes:.0f} MB) where there is a network, and put it at {path}"
    try:
        import pooch  # only where something is downloaded: the library works without it
    except ImportError:
        raise DownloadError(
            f"downloading needs the package pooch (pip install pooch); or {by_hand}"
        ) from None
    print(f"downloading {url} ({megabytes:.0f} MB) to {path}")
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        # In a folder of its own until it is checked: under its name there is never half of it, nor another file.
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetching-") as apart:
            fetched = Path(pooch.retrieve(url, None, fname=name, path=apart, progressbar=True))
            if not _is_right(fetched, sha256):
                found = _checksum(fetched)[: len(sha256)]
                raise DownloadError(
                    f"{url} has changed: expected a SHA-256 that begins with {sha256}, got {found}; it was removed"
                )
            fetched.replace(path)
    except DownloadError:
        raise
    except (
        Exception
    ) as error:  # requests, urllib3 and the system have a dozen ways to say that there is no network
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise DownloadError(f"{name} could not be downloaded ({reason}): {by_hand}") from None
    return path


def _checksum(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_right(path: Path, sha256: str) -> bool:
    return _checksum(path).startswith(sha256)
