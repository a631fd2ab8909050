"""Fixtures of several test modules."""

import shutil
from pathlib import Path

import pytest

COURSE = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory):
    """One JupyterLab and one browser for all browser tests of a process: to start both takes longer than many tests."""
    from browser import jupyterlab  # needs selenium, which only the browser tests do

    with jupyterlab(tmp_path_factory.mktemp("jupyter")) as lab:
        yield lab


@pytest.fixture(scope="module")
def lab(request, jupyter):
    """JupyterLab in a folder with copies of the notebooks that the test module lists: {name there: path in the course}."""
    with jupyter.inside(request.module.__name__) as lab:
        for name, path in getattr(request.module, "NOTEBOOKS", {}).items():
            shutil.copy(COURSE / path, lab.folder / name)
        yield lab
