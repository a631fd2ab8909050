"""Fixtures of several test modules."""

import shutil
from pathlib import Path

import pytest

COURSE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def lab(request, tmp_path_factory):
    """A JupyterLab on a folder with copies of the notebooks that the test module lists: {name there: path in the course}."""
    from browser import jupyterlab  # needs selenium, which only the browser tests do

    folder = tmp_path_factory.mktemp("lessons")
    for name, path in request.module.NOTEBOOKS.items():
        shutil.copy(COURSE / path, folder / name)
    with jupyterlab(folder) as lab:
        yield lab
