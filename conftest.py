"""Settings for pytest in the whole checkout."""

# The sources of the lessons are run as notebooks, not imported in search of doctests.
collect_ignore_glob = ["solutions/*.py"]
