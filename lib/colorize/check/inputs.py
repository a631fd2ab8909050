"""Random inputs for the cases of an exercise: in a lesson the same at every check, in a grading such as nobody has seen."""

import contextlib
from collections.abc import Iterator

import torch

_salt = 0


def generator(seed: int) -> torch.Generator:
    """Return a random number generator for the inputs of a case; the same seed gives others inside :func:`fresh`."""
    return torch.Generator().manual_seed(seed + _salt)


@contextlib.contextmanager
def fresh(salt: int) -> Iterator[None]:
    """Draw all inputs anew inside the block, differently for each ``salt`` above 0 (below 2**60).

    >>> def draw():
    ...     return torch.rand(1, generator=generator(3)).item()
    >>> before = draw()
    >>> with fresh(1234567):
    ...     different = draw() != before
    >>> different, draw() == before
    (True, True)
    """
    global _salt
    kept, _salt = _salt, salt
    try:
        yield
    finally:
        _salt = kept
