"""Time two ways of doing the same thing, in turns, so that a machine that slows down slows down both."""

import gc
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Comparison:
    """Two timings in milliseconds, best of several turns, and how many times faster ours is."""

    name: str
    peer: str
    ours_ms: float
    peer_ms: float
    target: float  # times faster that we want to be

    @property
    def ratio(self) -> float:
        """The peer's time over ours."""
        return self.peer_ms / self.ours_ms


def compare(
    name: str, ours: Callable, peer_name: str, peer: Callable, target: float, turns: int = 7
) -> Comparison:
    """Call both in turns, three times in a row each, and keep the best time of each; the first turn is not counted.

    The best, not the mean: other programs on the machine can only make a call slower. Three in a row, because the first
    call after another library's finds its threads asleep and its data out of the cache.
    """
    fastest = [float("inf"), float("inf")]
    for turn in range(turns + 1):
        for which, function in enumerate((ours, peer)):
            gc.collect()
            for _ in range(3):
                start = time.perf_counter()
                function()
                took = 1e3 * (time.perf_counter() - start)
                if turn:
                    fastest[which] = min(fastest[which], took)
    return Comparison(name, peer_name, fastest[0], fastest[1], target)


def best(function: Callable, turns: int = 20) -> float:
    """Milliseconds of the fastest of several calls, the first not counted."""
    found = []
    for _ in range(turns + 1):
        start = time.perf_counter()
        function()
        found.append(1e3 * (time.perf_counter() - start))
    return min(found[1:])


def peak_memory(code: str) -> float | None:
    """Run Python code in a process of its own; return the megabytes its memory rose above where it calls ``mark()``.

    The least of three runs: the system may add to a program's memory, and never takes away. None where there is no Linux to
    ask.
    """
    if not os.path.exists("/proc/self/clear_refs"):
        return None
    lines = (
        "def memory(line):",
        "    with open('/proc/self/status') as file:",
        "        return next(int(text.split()[1]) / 1024 for text in file if text.startswith(line))",
        "before = []",
        "def mark():",
        "    with open('/proc/self/clear_refs', 'w') as file:",
        "        file.write('5')  # forget the peak so far, that of the imports",
        "    before.append(memory('VmRSS'))",
        code,
        "print(memory('VmHWM') - before[0])",
    )
    command = [sys.executable, "-c", "\n".join(lines)]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(3)]
    return min(float(run.stdout) for run in runs)


def machine() -> str:
    """Name the machine: processor, cores, threads, PyTorch."""
    name = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), name)
    return (
        f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, Python {platform.python_version()}, "
        f"PyTorch {torch.__version__}"
    )


def busy() -> str | None:
    """Return a sentence if other programs keep the machine busy: a ratio measured then says nothing."""
    load = os.getloadavg()[0]
    limit = 0.5 * (os.cpu_count() or 1)
    return f"the machine is busy: load {load:.1f}, more than {limit:.1f}" if load > limit else None
