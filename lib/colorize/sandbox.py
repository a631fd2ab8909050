"""Limits for a process that runs what somebody else wrote: memory, network, and where it may write.

Each holds where the system has it: memory on POSIX systems, the other two on Linux. :func:`confine` says which do. A process
that must be kept from everything belongs in a container.
"""

import ctypes
import os
import struct
import sys
from pathlib import Path

NEW_USERS, NEW_NETWORK = 0x10000000, 0x40000000  # flags of unshare(2)
# landlock(7): the numbers of its three calls, and the rights that have to do with changing files
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
NO_NEW_PRIVILEGES, BENEATH = 38, 1
WRITE_FILE, REMOVE_FOLDER, REMOVE_FILE, MAKE = 1 << 1, 1 << 4, 1 << 5, 0b1111111 << 6
REFER, TRUNCATE = 1 << 13, 1 << 14  # since versions 2 and 3


def confine(folder: Path, memory: int) -> dict[str, bool]:
    """Limit this process, for good, and all that it starts.

    To be called before threads are started and before anything large is imported.

    Parameters
    ----------
    folder : the only place where it can still write.
    memory : bytes of address space, at most.

    Returns
    -------
    "memory", "network", "writing": True for the limits that hold.
    """
    held = {"memory": _limit_memory(memory), "network": False, "writing": False}
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        held["network"] = libc.unshare(NEW_USERS | NEW_NETWORK) == 0 or libc.unshare(NEW_NETWORK) == 0
        held["writing"] = _write_only_to(folder, libc)
    return held


def _limit_memory(memory: int) -> bool:
    try:
        import resource
    except ImportError:  # Windows
        return False
    try:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError):  # a lower limit is in force, or the system knows none
        return False
    return True


def _write_only_to(folder: Path, libc: ctypes.CDLL) -> bool:
    """Forbid to change files elsewhere, by Landlock, but for /dev/null."""
    version = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    rights = WRITE_FILE | REMOVE_FOLDER | REMOVE_FILE | MAKE
    rights |= (REFER if version > 1 else 0) | (TRUNCATE if version > 2 else 0)
    ruleset = libc.syscall(CREATE_RULESET, struct.pack("Q", rights), ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return False
    try:
        for place, allowed in ((folder, rights), (os.devnull, rights & (WRITE_FILE | TRUNCATE))):
            number = os.open(place, os.O_PATH)
            try:
                if libc.syscall(ADD_RULE, ruleset, BENEATH, struct.pack("=Qi", allowed, number), 0):
                    return False
            finally:
                os.close(number)
        return libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0 and libc.syscall(RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)
