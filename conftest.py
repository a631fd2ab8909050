"""Settings for pytest in the whole checkout."""

import os

# Lessons train at their short size, and print no progress bars, which a stored output could not hold.
os.environ.setdefault("COLORIZE_SHORT", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

# The sources of the lessons are run as notebooks, not imported in search of doctests.
collect_ignore_glob = ["solutions/*.py"]
