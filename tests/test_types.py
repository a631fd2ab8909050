"""Types and style: what `make lint` checks, so that no change forgets it."""

import subprocess
import sys
from pathlib import Path

import pytest

COURSE = Path(__file__).parents[1]
CODE = ("lib", "tests", "bench", "solutions", "docs", "conftest.py")

pytestmark = pytest.mark.long


def ruff(*arguments):
    """The output of ruff, empty if it finds nothing."""
    done = subprocess.run(
        [Path(sys.executable).with_name("ruff"), *arguments], cwd=COURSE, capture_output=True, text=True
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_library_has_the_types_that_it_says(monkeypatch):
    from mypy import api

    monkeypatch.chdir(COURSE)
    output, errors, status = api.run([])
    assert status == 0, output + errors


def test_every_ignored_type_has_its_kind_and_a_reason():
    lines = [
        f"{path.name}: {line.strip()}"
        for path in (COURSE / "lib").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "type: ignore" in line
    ]
    unexplained = [line for line in lines if not line.partition("type: ignore[")[2].partition("]  # ")[2]]
    assert not unexplained
    assert len(lines) < 20


def test_style_of_the_code():
    assert not ruff("check", "--output-format", "concise", *CODE)
    assert not ruff("format", "--check", *CODE)


@pytest.mark.parametrize(
    ("folder", "but"),
    [("solutions", ()), ("notebooks", ("--extend-ignore", "F401"))],  # what only the answer uses is imported
)
def test_style_of_the_notebooks(folder, but):
    notebooks = sorted((COURSE / folder).glob("*.ipynb"))
    assert notebooks
    config = ("--config", COURSE / "solutions" / "ruff.toml", *but)
    assert not ruff("check", "--output-format", "concise", *config, *notebooks)


def test_ruff_reads_notebooks(tmp_path):
    from nbformat import v4

    path = tmp_path / "wrong.ipynb"
    path.write_text(v4.writes(v4.new_notebook(cells=[v4.new_code_cell("print(nobody_said_what)")])))
    assert "F821" in ruff("check", "--config", COURSE / "solutions" / "ruff.toml", path)
