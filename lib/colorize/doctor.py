"""What this machine has, and what is missing: ``python -m colorize.doctor``, or ``make doctor``.

Everything that may be broken is tried in a child process, so that the report survives it: a package that raises, that
hangs, or that kills the interpreter, as a build of PyTorch for another processor does. Hence only the standard library
is imported here. The packages and their versions are read from the installed package's own metadata.
"""

import importlib.metadata
import importlib.util
import json
import operator
import os
import platform
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

IMPORT_NAMES = {"scikit-image": "skimage", "pillow": "PIL", "pyyaml": "yaml", "pytest-xdist": "xdist"}
IMPORT_NAMES |= {
    "types-pyyaml": "yaml",
    "types-tqdm": "tqdm",
}  # types alone: nothing to import but what they describe
OTHER_EXTRAS = ("bench", "site", "demo")
FOR_LESSONS = {"jupyterlab"}  # of the optional packages, the ones without which no lesson opens
# The motorcycle comes as a stereo pair with its disparities, and loads only if all three files are there.
PHOTOS = (
    "astronaut.png",
    "chelsea.png",
    "coffee.png",
    "rocket.jpg",
    "motorcycle_left.png",
    "motorcycle_right.png",
    "motorcycle_disp.npz",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "firefox")
REPAIR = "run `make setup`, or pip install -c constraints.txt -e '.[dev]' in the folder of the course"
GB = 10**9
COMPARE = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
ASK_TORCH = """
import json, torch
gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
print(json.dumps({"gpus": gpus, "mps": torch.backends.mps.is_available(), "threads": torch.get_num_threads()}))
"""


class Finding(NamedTuple):
    """One line of the report. ``missing``: the lessons do not run without it."""

    subject: str
    good: bool
    text: str
    missing: bool = False


def release(version: str) -> tuple[int, ...]:
    """Turn a version into comparable numbers, without zeros at the end.

    >>> release("2.13.0+cpu"), release("10.1rc1"), release("8.0")
    ((2, 13), (10, 1), (8,))
    """
    numbers = [int(part) for part in re.findall(r"^\d*(?:\.\d+)*", version.strip())[0].split(".") if part]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def allowed(version: str, specifier: str) -> bool:
    """Say whether a version lies within bounds such as ``>=2.11,<3``.

    >>> allowed("2.13.0+cpu", ">=2.11,<3"), allowed("3.0", ">=2.11,<3"), allowed("2.9", ">=2.11,<3")
    (True, False, False)
    """
    bounds = re.findall(r"(>=|<=|==|!=|>|<)\s*([\w.+!]+)", specifier)
    return all(COMPARE[sign](release(version), release(bound)) for sign, bound in bounds)


def split_requirement(line: str) -> tuple[str, str, bool]:
    """Split a line of metadata into name, bounds, and whether the package is optional.

    >>> split_requirement('jupyterlab>=4.2; extra == "dev"')
    ('jupyterlab', '>=4.2', True)
    """
    wanted, _, marker = line.partition(";")
    ((name, bounds),) = re.findall(r"^\s*([\w.-]+)(?:\[[^\]]*\])?\s*\(?([^)]*)", wanted)
    return name, bounds.strip(), "extra" in marker


def run_python(code: str, timeout: float = 120) -> tuple[bool, str]:
    """Run code in a child process; return whether it went well, and its last line or the reason in words."""
    try:
        child = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=timeout, errors="replace"
        )
    except subprocess.TimeoutExpired:
        return False, f"no answer within {timeout:g} seconds"
    except OSError as error:
        return False, str(error)
    if child.returncode == 0:
        return True, (child.stdout.strip().splitlines() or [""])[-1]
    return False, (child.stderr.strip().splitlines() or [f"Python stopped with status {child.returncode}"])[
        -1
    ]


def import_name(package: str) -> str:
    """Return the name under which a package is imported."""
    return IMPORT_NAMES.get(package, package.replace("-", "_"))


def check_package(line: str, importable: bool = False) -> Finding:
    """Check one requirement: installed, new enough, and it can be imported, unless that is known."""
    name, bounds, optional = split_requirement(line)
    needed = not optional or name in FOR_LESSONS
    use = "" if needed else " (only for building and testing the course)"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False, f"missing{use}: {REPAIR}", needed)
    except Exception as error:
        return Finding(name, False, f"its installation is damaged ({error}){use}: {REPAIR}", needed)
    if not version:
        return Finding(name, False, f"its installation is damaged (no version){use}: {REPAIR}", needed)
    if not allowed(version, bounds):
        order = ",".join(sorted(bounds.split(","), reverse=True))
        return Finding(name, False, f"{version} is outside {order}{use}: {REPAIR}", needed)
    good, answer = (True, "") if importable else run_python(f"import {import_name(name)}")
    if not good:
        return Finding(
            name, False, f"{version} is installed but cannot be imported ({answer}){use}: {REPAIR}", needed
        )
    return Finding(name, True, version)


def check_course() -> list[Finding]:
    """Check the course's own package, then everything that it requires."""
    try:
        course = importlib.metadata.distribution("colorize")
    except importlib.metadata.PackageNotFoundError:
        text = f"not installed, so its packages are not known: {REPAIR}"
        return [check_python(">=3.11"), Finding("colorize", False, text, True)]
    found = [
        check_python(course.metadata["Requires-Python"] or ""),
        Finding("colorize", True, course.version),
    ]
    # What a single target of make needs, it installs itself.
    wanted = [
        line for line in course.requires or [] if not any(f'"{extra}"' in line for extra in OTHER_EXTRAS)
    ]
    # All at once first, which takes a third of the time; where that fails, each in a process of its own says which it is.
    sound, _ = run_python("import " + ", ".join(import_name(split_requirement(line)[0]) for line in wanted))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return found + list(pool.map(lambda line: check_package(line, importable=sound), wanted))


def check_python(bounds: str) -> Finding:
    """Check the version of Python."""
    version = platform.python_version()
    if allowed(version, bounds):
        return Finding("Python", True, f"{version}, {sys.executable}")
    text = f"{version} is outside {bounds}: install a newer Python and make the environment again"
    return Finding("Python", False, text, True)


def read_memory() -> tuple[int, int] | None:
    """Total and available memory in bytes, or None where the system does not tell; a container's limit counts."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total, free = page * os.sysconf("SC_PHYS_PAGES"), None
    except (AttributeError, OSError, ValueError):
        return None
    try:
        free = page * os.sysconf("SC_AVPHYS_PAGES")
        free = 1024 * int(re.findall(r"MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text())[0])
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        total = min(total, limit)
        free = min(free, limit - int(Path("/sys/fs/cgroup/memory.current").read_text()))
    except (OSError, ValueError, IndexError):
        pass  # what could be read up to here is what this system tells
    return total, total if free is None else free


def check_memory() -> Finding:
    """Check the memory: 4 GB are comfortable."""
    memory = read_memory()
    if memory is None:
        return Finding("memory", True, "this system does not tell; 4 GB are comfortable")
    total, free = memory
    text = f"{total / GB:.1f} GB, {free / GB:.1f} GB of it available"
    if total < 4 * GB:
        return Finding(
            "memory", False, f"{text}: under 4 GB it gets tight, so keep one lesson open at a time"
        )
    return Finding("memory", True, text)


def check_disk(folder: Path) -> Finding:
    """Check the room left on the disk."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding("disk", False, f"could not be asked: {error}")
    if free < GB:
        return Finding("disk", False, f"{free / GB:.1f} GB free: make room before you save notebooks")
    return Finding("disk", True, f"{free / GB:.1f} GB free")


def check_device() -> list[Finding]:
    """Ask PyTorch for the GPU and the number of threads."""
    good, answer = run_python(ASK_TORCH)
    cores = f"{os.cpu_count() or 'an unknown number of'} cores"
    try:
        facts = json.loads(answer) if good else None
    except ValueError:
        facts = None
    if facts is None:
        return [
            Finding("GPU", True, "not known, as PyTorch does not answer"),
            Finding("threads", True, cores),
        ]
    gpu = ", ".join(facts["gpus"]) or (
        "Apple GPU (mps)" if facts["mps"] else "none: everything runs on the CPU"
    )
    return [Finding("GPU", True, gpu), Finding("threads", True, f"PyTorch uses {facts['threads']}; {cores}")]


def check_photos() -> Finding:
    """Check that the photos which the lessons show came with scikit-image."""
    try:
        package = importlib.util.find_spec("skimage")
    except (ImportError, ValueError):
        package = None
    if package is None or not package.submodule_search_locations:
        return Finding("photos", False, "they come with scikit-image, which is missing", True)
    folder = Path(package.submodule_search_locations[0]) / "data"
    lost = [name for name in PHOTOS if not (folder / name).is_file()]
    if lost:
        return Finding(
            "photos", False, f"scikit-image lacks {', '.join(lost)}: install scikit-image again", True
        )
    return Finding("photos", True, "the bundled photos of scikit-image are there")


def check_browser() -> Finding:
    """Look for a browser and its driver, which only the browser tests need."""
    found = [name for name in BROWSERS if shutil.which(name)]
    found += [name for name in ("chromedriver", "geckodriver") if shutil.which(name)]
    return Finding(
        "browser", True, f"{', '.join(found) or 'none found'} (only the browser tests ask for one)"
    )


def examine() -> list[Finding]:
    """Make the whole report."""
    folder = Path(__file__).resolve().parents[2]
    findings = [*check_course(), check_photos(), check_memory(), check_disk(folder)]
    return [*findings, *check_device(), check_browser()]


def report(findings: list[Finding]) -> str:
    """Write the findings, one line each, and the sum of it."""
    lines = []
    for finding in findings:
        mark = "OK" if finding.good else "MISSING" if finding.missing else "note"
        lines.append(f"{mark:9}{finding.subject:14}{finding.text}")
    missing = [finding.subject for finding in findings if finding.missing]
    if missing:
        return "\n".join([*lines, "", f"The lessons do not run yet. See to: {', '.join(missing)}."])
    return "\n".join([*lines, "", "Everything the lessons need is here."])


def main() -> int:
    """Print the report; 1 if the lessons cannot run here."""
    findings = examine()
    print(report(findings))
    return int(any(finding.missing for finding in findings))


if __name__ == "__main__":
    raise SystemExit(main())
