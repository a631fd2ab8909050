"""Settings for pytest in the whole checkout."""

import datetime
import json
import os
import platform
import time
from pathlib import Path

# Lessons train at their short size, and print no progress bars, which a stored output could not hold.
os.environ.setdefault("COLORIZE_SHORT", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

# The sources of the lessons are run as notebooks, not imported in search of doctests.
collect_ignore_glob = ["solutions/*.py"]

STARTED = time.time()


def pytest_addoption(parser):
    parser.addoption(
        "--record", type=Path, help="write down what passed, how long it took and where, as JSON"
    )


def pytest_terminal_summary(terminalreporter, config):
    """Write the record: counts of all tests, and each of the long ones with its seconds."""
    path = config.getoption("--record")
    if path is None:
        return
    import torch

    stats = terminalreporter.stats
    done = [
        report for name in ("passed", "failed") for report in stats.get(name, []) if report.when == "call"
    ]
    record = {
        "command": "pytest " + " ".join(map(str, config.invocation_params.args)),
        "date": datetime.date.today().isoformat(),
        "machine": f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, PyTorch {torch.__version__}",
        "minutes": round((time.time() - STARTED) / 60, 1),
        "counts": {
            name: len(stats[name]) for name in ("passed", "failed", "error", "skipped") if stats.get(name)
        },
        "long": {r.nodeid: [r.outcome, round(r.duration)] for r in done if "long" in r.keywords},
    }
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
